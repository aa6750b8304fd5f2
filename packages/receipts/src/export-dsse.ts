/**
 * @module An entry as an in-toto Statement (v1) in a DSSE envelope (v1), and the way back (spec/exports.md). What is signed is the
 * pre-authentication encoding of the payload; the payload is the canonical text of the statement, whose predicate is the body.
 */
import { base64, fromBase64, sha256Hex, type Signer, type Verifier } from '@countersign/crypto';
import { canonicalize, err, ok, parseJson, type Fault, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import type { EntryBody } from '@countersign/protocol';
import { nameOfBody, readBody, readJsonFile } from './export-body.ts';
import {
  endedReport,
  failedCheck,
  madeReport,
  passedCheck,
  verifiersOf,
  type ExportCheck,
  type ExportReport,
  type ExportTrust,
} from './export-report.ts';
import { anyValue, closed, listOf, matching, oneOf, text } from './form.ts';
import { concat, jcs, utf8, utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Names the predicate: the body of an entry, as `spec/receipt.md` says. */
export const ENTRY_PREDICATE_TYPE = 'urn:countersign:entry:v1';

/** PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body; lengths are of bytes, in ASCII decimal. */
export function dssePae(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concat([utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload]);
}

function statementOf(body: EntryBody): JsonObject {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: body.id, digest: { sha256: sha256Hex(jcs(body)) } }],
    predicateType: ENTRY_PREDICATE_TYPE,
    // The nouns are interfaces of JSON members only.
    predicate: body as unknown as JsonObject,
  };
}

/** The envelope of one entry, signed by each of `signers`: canonical JSON. */
export function exportDsse(body: EntryBody, signers: readonly Signer[]): Uint8Array {
  const payload = utf8(canonicalize(statementOf(body)));
  const message = dssePae(IN_TOTO_PAYLOAD_TYPE, payload);
  const signatures = signers.map((signer) => ({ keyid: signer.keyId, sig: base64(signer.sign(message)) }));
  return utf8(canonicalize({ payload: base64(payload), payloadType: IN_TOTO_PAYLOAD_TYPE, signatures }));
}

const ENVELOPE = closed({
  payload: text(EXPORT_LIMITS.fileBytesMax),
  payloadType: text(256),
  signatures: listOf(closed({ sig: text(256) }, { keyid: text(256) }), EXPORT_LIMITS.signaturesMax),
});

const STATEMENT = closed({
  _type: oneOf(STATEMENT_TYPE),
  subject: listOf(closed({ name: text(64), digest: closed({ sha256: matching(/^[0-9a-f]{64}$/, 'a lower-case hex SHA-256') }) }), 1),
  predicateType: oneOf(ENTRY_PREDICATE_TYPE),
  predicate: anyValue,
});

interface Envelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: Uint8Array; readonly keyid?: string }[];
}

function malformed(message: string, path: string): Result<never, Fault> {
  return err({ code: 'dsse_malformed', message, path });
}

/** DSSE allows both alphabets of base64, with or without padding; a text in which they are mixed is none. */
function decodeEither(encoded: string): Uint8Array | undefined {
  const standard = /[-_]/.test(encoded) && !/[+/]/.test(encoded) ? encoded.replaceAll('-', '+').replaceAll('_', '/') : encoded;
  return fromBase64(standard.endsWith('=') ? standard : standard.padEnd(Math.ceil(standard.length / 4) * 4, '='));
}

interface EnvelopeText {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string; readonly keyid?: string }[];
}

/** Reads an envelope: closed objects, decodable texts. Says nothing of whether a signature fits. */
function readEnvelope(bytes: Uint8Array): Result<Envelope, Fault> {
  const file = readJsonFile(bytes, 'dsse');
  if (!file.ok) return file;
  const fault = ENVELOPE(file.value.value, '');
  if (fault !== undefined) return malformed(fault.message, fault.path);
  // Every member was checked by ENVELOPE.
  const read = file.value.value as unknown as EnvelopeText;
  const payload = decodeEither(read.payload);
  if (payload === undefined) return malformed('not base64', '/payload');
  const signatures: { sig: Uint8Array; keyid?: string }[] = [];
  for (const [i, { sig, keyid }] of read.signatures.entries()) {
    const decoded = decodeEither(sig);
    if (decoded === undefined) return malformed('not base64', `/signatures/${i}/sig`);
    // An empty key id is the same as none.
    signatures.push({ sig: decoded, ...(keyid === undefined || keyid === '' ? {} : { keyid }) });
  }
  return ok({ payload, payloadType: read.payloadType, signatures });
}

/** A signature that names a given key must fit it; one without a name may fit any; one by a key that nobody gave proves nothing. */
function checkSignatures(envelope: Envelope, keys: readonly Verifier[]): ExportCheck {
  if (keys.length === 0)
    return failedCheck('signature', { code: 'dsse_no_trust', message: 'no receipt key is trusted, so the envelope proves nothing' });
  const message = dssePae(envelope.payloadType, envelope.payload);
  const accepted = new Set<string>();
  for (const [i, { sig, keyid }] of envelope.signatures.entries()) {
    const candidates = keyid === undefined ? keys : keys.filter((key) => key.keyId === keyid);
    const found = candidates.find((key) => key.verify(message, sig));
    if (found !== undefined) accepted.add(found.keyId);
    else if (keyid !== undefined && candidates.length > 0) {
      const path = `/signatures/${i}`;
      return failedCheck('signature', { code: 'dsse_signature_bad', message: 'a signature by a trusted key does not fit', path });
    }
  }
  const [first] = accepted;
  if (first === undefined)
    return failedCheck('signature', { code: 'dsse_unverified', message: 'no trusted key has signed the envelope', path: '/signatures' });
  const others = envelope.signatures.length - accepted.size;
  const more = others === 0 ? '' : `; ${others} more prove nothing here`;
  return passedCheck('signature', 'dsse_signature_ok', `The envelope is signed by trusted key ${first}${more}.`);
}

/** The statement in a payload: canonical text of the form that our predicate asks for. */
function readStatement({ payload, payloadType }: Envelope): Result<JsonObject, Fault> {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE)
    return err({ code: 'dsse_payload_type', message: `the payload type is not \`${IN_TOTO_PAYLOAD_TYPE}\``, path: '/payloadType' });
  const plain = utf8Text(payload);
  const parsed = plain === undefined ? undefined : parseJson(plain);
  if (parsed?.ok !== true) return err({ code: 'dsse_statement_not_json', message: 'the payload is not strict JSON', path: '/payload' });
  const { value } = parsed.value;
  if (canonicalize(value) !== plain)
    return err({ code: 'dsse_statement_not_canonical', message: 'the payload is not canonical JSON (RFC 8785)', path: '/payload' });
  const fault = STATEMENT(value, '');
  if (fault !== undefined)
    return err({
      code: 'dsse_statement_malformed',
      message: `the payload is no statement about an entry: ${fault.message}`,
      path: fault.path,
    });
  // STATEMENT takes objects only.
  return ok(value as JsonObject);
}

function checkSubject(statement: JsonObject, body: EntryBody): ExportCheck {
  if (canonicalize(statementOf(body)) === canonicalize(statement))
    return passedCheck('content', 'dsse_subject_ok', 'The subject names the entry by its id and the hash of its body.');
  return failedCheck('content', {
    code: 'dsse_subject_bad',
    message: 'the subject does not name the entry in the predicate',
    path: '/subject',
  });
}

/** Verifies an envelope back to the body of its entry. Total. */
export function verifyDsse(bytes: Uint8Array, trust: ExportTrust): Promise<ExportReport<EntryBody>> {
  return Promise.resolve(checkDsse(bytes, trust));
}

function checkDsse(bytes: Uint8Array, trust: ExportTrust): ExportReport<EntryBody> {
  const envelope = readEnvelope(bytes);
  if (!envelope.ok) return endedReport('dsse', [failedCheck('form', envelope.error)]);
  const form = passedCheck('form', 'dsse_ok', 'The file is a DSSE envelope.');
  const signature = checkSignatures(envelope.value, verifiersOf(trust.receiptKeys));
  // What nobody trusted has signed is not parsed.
  if (signature.status === 'fail') return endedReport('dsse', [form, signature]);
  const statement = readStatement(envelope.value);
  if (!statement.ok) return endedReport('dsse', [form, signature, failedCheck('payload', statement.error)]);
  const payload = passedCheck('payload', 'dsse_statement_ok', 'The payload is an in-toto statement about an entry.');
  const predicate: JsonValue = statement.value['predicate'] ?? null;
  const body = readBody(predicate, '/predicate');
  if (!body.ok) return endedReport('dsse', [form, signature, payload, failedCheck('entry-form', body.error)]);
  const entry = passedCheck('entry-form', 'entry_ok', `The entry has the form of ${body.value.type}.`);
  const checks = [form, signature, payload, entry, checkSubject(statement.value, body.value)];
  return madeReport('dsse', checks, { content: body.value, subject: nameOfBody(body.value) });
}
