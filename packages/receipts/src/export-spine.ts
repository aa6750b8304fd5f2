/**
 * @module A session as a chain of Spine envelopes (`aegis.spine.envelope.v1`), one a line, and reading such files (spec/exports.md).
 * Envelope n is about entry n - 1 of the session's chain; hash and signature are over the envelope without these two members.
 */
import { sha256Hex, type Signer, type Verifier } from '@countersign/crypto';
import {
  canonicalize,
  err,
  getOwn,
  isJsonObject,
  ok,
  parseJson,
  type Fault,
  type JsonObject,
  type JsonValue,
  type Result,
} from '@countersign/kernel';
import { RECEIPT_TYPE, type EntryBody, type ReceiptBody } from '@countersign/protocol';
import { orgOfBody, packBody, plainValue, unpackBody } from './export-body.ts';
import { exactLiterals, signedTexts } from './export-clawdstrike-json.ts';
import {
  endedReport,
  failedCheck,
  madeReport,
  openCheck,
  passedCheck,
  verifiersOf,
  type ExportCheck,
  type ExportReport,
  type ExportTrust,
} from './export-report.ts';
import { anyValue, closed, count, matching, oneOf, orNull, type Form } from './form.ts';
import { fromHex, toHex } from './hex.ts';
import { jcs, utf8, utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';

export const SPINE_SCHEMA = 'aegis.spine.envelope.v1';
const ISSUER_PREFIX = 'aegis:ed25519:';

/** As the daemon of Clawdstrike sums up a decision. */
function decisionOf({ verdict }: ReceiptBody): JsonObject {
  const [worst] = verdict.reasons;
  const allowed = verdict.decision === 'allow' || verdict.decision === 'warn';
  return {
    allowed,
    denied: !allowed,
    warn: verdict.decision === 'warn',
    reason_code: worst?.code ?? verdict.decision,
    severity: verdict.severity,
    ...(worst === undefined ? {} : { message: worst.text }),
  };
}

function factOf(body: EntryBody): JsonObject {
  const about = { event_id: body.id, session_id: body.session, countersign: { log: body.log, body: packBody(body) } };
  if (body.type !== RECEIPT_TYPE) return { type: body.type, ...about };
  return { type: 'policy.eval', decision: decisionOf(body), event_type: body.action.kind, policy_ref: `0x${body.inputs.policy}`, ...about };
}

/** The envelope without hash and signature. A pure function of the entry, its issuer and the envelope before. */
function unsignedEnvelope(body: EntryBody, issuer: string, prev: string | null): JsonObject {
  const envelope: JsonObject = {
    schema: SPINE_SCHEMA,
    issuer,
    seq: body.seq + 1,
    prev_envelope_hash: prev,
    // To the second, as the format asks; the body keeps its milliseconds.
    issued_at: `${body.time.slice(0, 19)}Z`,
    capability_token: null,
    fact: factOf(body),
  };
  // `plainValue` of an object is an object.
  return plainValue(envelope) as JsonObject;
}

/** A session as Spine envelopes: `bodies` are the entries of its chain from number 0, in order. One canonical envelope a line. */
export function exportSpine(bodies: readonly EntryBody[], signer: Signer): Result<Uint8Array, Fault> {
  const { spineEnvelopesMax, spineBytesMax } = EXPORT_LIMITS;
  if (bodies.length > spineEnvelopesMax)
    return err({ code: 'export_too_long', message: `a session of more than ${spineEnvelopesMax} entries cannot be one Spine file` });
  const issuer = `${ISSUER_PREFIX}${toHex(signer.publicKey)}`;
  const lines: string[] = [];
  let prev: string | null = null;
  let bytes = 0;
  for (const body of bodies) {
    const unsigned = unsignedEnvelope(body, issuer, prev);
    const signed = canonicalize(unsigned);
    prev = `0x${sha256Hex(signed)}`;
    const line = `${canonicalize({ ...unsigned, envelope_hash: prev, signature: `0x${toHex(signer.sign(signed))}` })}\n`;
    bytes += utf8(line).length;
    if (bytes > spineBytesMax)
      return err({ code: 'export_too_long', message: `a session of more than ${spineBytesMax} bytes cannot be one Spine file` });
    lines.push(line);
  }
  return ok(utf8(lines.join('')));
}

const envelopeHash = matching(/^0x[0-9a-f]{64}$/, '`0x` and 64 lower-case hex digits');
const objectForm: Form = (value, path) => (isJsonObject(value) ? undefined : { path, message: 'not an object' });

const ENVELOPE = closed({
  schema: oneOf(SPINE_SCHEMA),
  issuer: matching(/^aegis:ed25519:[0-9a-fA-F]{64}$/, 'an issuer `aegis:ed25519:` and 64 hex digits'),
  seq: count(),
  prev_envelope_hash: orNull(envelopeHash),
  issued_at: matching(
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/,
    'an RFC 3339 time',
  ),
  capability_token: anyValue,
  fact: objectForm,
  envelope_hash: envelopeHash,
  signature: matching(/^(?:0x)?[0-9a-fA-F]{128}$/, 'a signature of 128 hex digits'),
});

interface Envelope {
  readonly value: JsonObject;
  readonly line: string;
  readonly issuer: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly hash: string;
  readonly signature: string;
  /** Every text that may have been hashed and signed. */
  readonly texts: readonly string[];
}

interface Spelled {
  readonly issuer: string;
  readonly seq: number;
  readonly prev_envelope_hash: string | null;
  readonly envelope_hash: string;
  readonly signature: string;
}

/** `path` of the n-th line is `/<n>`, as in a list. */
function readLine(line: string, n: number): Result<Envelope, Fault> {
  const at = `/${n}`;
  if (line.length > EXPORT_LIMITS.spineLineCharsMax)
    return err({ code: 'spine_too_large', message: `an envelope has more than ${EXPORT_LIMITS.spineLineCharsMax} characters`, path: at });
  const parsed = parseJson(line, {
    bytesMax: 4 * EXPORT_LIMITS.spineLineCharsMax,
    depthMax: EXPORT_LIMITS.depthMax,
    nodesMax: EXPORT_LIMITS.nodesMax,
  });
  if (!parsed.ok) {
    const { message, path = '' } = parsed.error;
    return err({ code: 'spine_not_json', message: `not strict JSON: ${message}`, path: at + path });
  }
  const { value, exactNumbers } = parsed.value;
  const fault = ENVELOPE(value, at);
  if (fault !== undefined) return err({ code: 'spine_malformed', ...fault });
  // ENVELOPE takes closed objects only, and says what their members are.
  const whole = value as JsonObject & Spelled;
  const { envelope_hash: hash, signature, ...unsigned } = whole;
  const texts = signedTexts(unsigned, '', exactLiterals(whole, exactNumbers));
  if (!texts.ok) return err({ ...texts.error, path: at + (texts.error.path ?? '') });
  const { issuer, seq, prev_envelope_hash: prev } = whole;
  return ok({ value: whole, line, issuer: issuer.toLowerCase(), seq, prev, hash, signature, texts: texts.value });
}

/** Lines of envelopes, or one envelope in any spelling. */
function readEnvelopes(bytes: Uint8Array): Result<readonly Envelope[], Fault> {
  const { spineBytesMax, spineEnvelopesMax } = EXPORT_LIMITS;
  if (bytes.length > spineBytesMax) return err({ code: 'spine_too_large', message: `the file has more than ${spineBytesMax} bytes` });
  const text = utf8Text(bytes);
  if (text === undefined) return err({ code: 'spine_not_json', message: 'the file is not UTF-8' });
  const whole = /^\{\s*\n/.test(text) ? [text] : undefined;
  // One more than allowed is enough to see that there are too many.
  const lines = whole ?? (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n', spineEnvelopesMax + 1);
  if (lines.length > spineEnvelopesMax)
    return err({ code: 'spine_too_long', message: `the file has more than ${spineEnvelopesMax} envelopes` });
  const envelopes: Envelope[] = [];
  for (const [n, line] of lines.entries()) {
    const read = readLine(line, n);
    if (!read.ok) return read;
    envelopes.push(read.value);
  }
  return ok(envelopes);
}

function keyOf(envelope: Envelope, keys: readonly Verifier[]): Verifier | undefined {
  return keys.find((key) => envelope.issuer === `${ISSUER_PREFIX}${toHex(key.publicKey)}`);
}

function checkSignature(envelope: Envelope, n: number, keys: readonly Verifier[]): ExportCheck | undefined {
  const path = `/${n}`;
  const key = keyOf(envelope, keys);
  if (key === undefined)
    return failedCheck('signature', { code: 'spine_unknown_issuer', message: 'the issuer is no trusted key', path: `${path}/issuer` });
  const signed = envelope.texts.find((spelled) => `0x${sha256Hex(spelled)}` === envelope.hash);
  if (signed === undefined)
    return failedCheck('signature', {
      code: 'spine_hash_mismatch',
      message: 'the hash is not that of the envelope',
      path: `${path}/envelope_hash`,
    });
  const bytes = fromHex(envelope.signature.replace(/^0x/, ''));
  if (!key.verify(signed, bytes))
    return failedCheck('signature', {
      code: 'spine_signature_bad',
      message: 'the signature does not fit the envelope',
      path: `${path}/signature`,
    });
  return undefined;
}

function checkSignatures(envelopes: readonly Envelope[], trust: ExportTrust): ExportCheck {
  const keys = verifiersOf(trust.receiptKeys);
  if (keys.length === 0)
    return failedCheck('signature', { code: 'spine_no_trust', message: 'no receipt key is trusted, so the envelopes prove nothing' });
  for (const [n, envelope] of envelopes.entries()) {
    const fault = checkSignature(envelope, n, keys);
    if (fault !== undefined) return fault;
  }
  return passedCheck('signature', 'spine_signature_ok', 'Every envelope is signed by its issuer, a trusted key.');
}

function linkFault(envelope: Envelope, before: Envelope): Fault | undefined {
  if (envelope.issuer !== before.issuer) return { code: 'spine_chain_head', message: 'another issuer goes on with the chain' };
  if (envelope.seq !== before.seq + 1)
    return { code: 'spine_sequence_mismatch', message: `number ${before.seq + 1} of the chain does not stand here` };
  if (envelope.prev !== before.hash) return { code: 'spine_prev_mismatch', message: 'the envelope does not follow from the one before it' };
  return undefined;
}

function checkChain(envelopes: readonly Envelope[]): ExportCheck {
  for (const [n, envelope] of envelopes.entries()) {
    const before = envelopes[n - 1];
    const fault = before === undefined ? undefined : linkFault(envelope, before);
    if (fault !== undefined) return failedCheck('chain', { ...fault, path: `/${n}` });
  }
  const [first] = envelopes;
  const starts = first !== undefined && first.seq === 1 && first.prev === null;
  if (starts) return passedCheck('chain', 'spine_chain_ok', `The chain is whole from 1 to ${envelopes.length}.`);
  if (first === undefined || first.seq <= 1 || first.prev === null)
    return failedCheck('chain', { code: 'spine_chain_head', message: 'a chain begins with number 1 and nothing before it', path: '/0' });
  return openCheck('chain', 'spine_chain_part', `The file begins with number ${first.seq}: what comes before was not checked.`);
}

function isOurs({ value }: Envelope): boolean {
  const fact = getOwn(value, 'fact');
  return isJsonObject(fact) && Object.hasOwn(fact, 'countersign');
}

function packedBody({ value }: Envelope): JsonValue | undefined {
  const fact = getOwn(value, 'fact');
  const own = isJsonObject(fact) ? getOwn(fact, 'countersign') : undefined;
  return isJsonObject(own) ? getOwn(own, 'body') : undefined;
}

/** An envelope of ours says what its entry says, in one spelling, and its entry follows from the one before. */
function readOurs(envelope: Envelope, n: number, before: EntryBody | undefined): Result<EntryBody, Fault> {
  const path = `/${n}`;
  const read = unpackBody(packedBody(envelope), `${path}/fact/countersign/body`);
  if (!read.ok) return read;
  const body = read.value;
  const again = { ...unsignedEnvelope(body, envelope.issuer, envelope.prev), envelope_hash: envelope.hash, signature: envelope.signature };
  if (
    canonicalize(again) !== envelope.line ||
    !envelope.signature.startsWith('0x') ||
    envelope.signature !== envelope.signature.toLowerCase()
  )
    return err({ code: 'spine_content', message: 'the envelope is not the one of its entry, byte for byte', path });
  const prev = before === undefined ? null : sha256Hex(jcs(before));
  const chain = (one: EntryBody): string => `${one.log}\n${orgOfBody(one)}\n${one.session}`;
  if (body.prev !== prev || (before !== undefined && chain(before) !== chain(body)))
    return err({ code: 'spine_entry_chain', message: 'the entry does not follow from the one before it', path });
  return ok(body);
}

function checkContent(envelopes: readonly Envelope[], bytes: Uint8Array): ExportCheck {
  const own = envelopes.filter(isOurs).length;
  if (own === 0)
    return openCheck('content', 'spine_foreign', 'The envelopes are not exports of ours: what they say is what their issuer says.');
  if (own < envelopes.length)
    return failedCheck('content', { code: 'spine_mixed', message: 'envelopes of ours stand beside others', path: '' });
  if (bytes.at(-1) !== 0x0a)
    return failedCheck('content', { code: 'spine_content', message: 'the last line has no newline', path: `/${envelopes.length - 1}` });
  let before: EntryBody | undefined;
  for (const [n, envelope] of envelopes.entries()) {
    const body = readOurs(envelope, n, before);
    if (!body.ok) return failedCheck('content', body.error);
    before = body.value;
  }
  return passedCheck('content', 'spine_content_ok', 'Every envelope says what its entry says, and the entries follow one another.');
}

function checkSpine(bytes: Uint8Array, trust: ExportTrust): ExportReport<readonly JsonObject[]> {
  const read = readEnvelopes(bytes);
  if (!read.ok) return endedReport('spine', [failedCheck('form', read.error)]);
  const envelopes = read.value;
  const form = passedCheck('form', 'spine_ok', `The file has ${envelopes.length} Spine envelopes.`);
  const checks = [form, checkSignatures(envelopes, trust), checkChain(envelopes), checkContent(envelopes, bytes)];
  const content = envelopes.map(({ value }) => value);
  return madeReport('spine', checks, { content, subject: `${envelopes.length} envelopes of ${envelopes[0]?.issuer ?? ''}` });
}

/** Verifies Spine envelopes, theirs or an export of ours, by keys that the caller trusts. Total. */
export function verifySpine(bytes: Uint8Array, trust: ExportTrust): Promise<ExportReport<readonly JsonObject[]>> {
  return Promise.resolve(checkSpine(bytes, trust));
}
