/**
 * @module A receipt of ours as a Clawdstrike SignedReceipt 1.0.0, and reading one of theirs or ours (spec/exports.md). Signed is the
 * canonical JSON of the receipt as their types write it again: what is null or empty is left out, hashes are lower-case behind `0x`.
 */
import type { Signer, Verifier } from '@countersign/crypto';
import { canonicalize, err, getOwn, isJsonObject, ok, type Fault, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import { RECEIPT_TYPE, type EntryBody, type Reason, type ReceiptBody, type Severity } from '@countersign/protocol';
import { nameOfBody, packBody, plainValue, readJsonFile, unpackBody, type ReadFile } from './export-body.ts';
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
import { anyValue, closed, listOf, matching, orNull, text, type Form } from './form.ts';
import { fromHex, toHex } from './hex.ts';
import { utf8 } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';
import { enclaveMetadata } from './export-origin.ts';
import { postureMetadata } from './export-posture.ts';

export const SIGNED_RECEIPT_VERSION = '1.0.0';
const ZERO_HASH = '0'.repeat(64);
const HEX_SIGNATURE = /^[0-9a-f]{128}$/;

/** What a verified SignedReceipt proves. */
export interface ProvenReceipt {
  /** The receipt as it was signed. */
  readonly receipt: JsonObject;
  /** Ours, where the receipt is an export of one. */
  readonly body?: ReceiptBody;
}

/** Their guards have four severities. */
const SEVERITY: Readonly<Record<Severity, string>> = { info: 'Info', low: 'Info', medium: 'Warning', high: 'Error', critical: 'Critical' };

/** As on the Clampd wire: only `allow` and `warn` let an action pass. */
function isPass({ verdict }: ReceiptBody): boolean {
  return verdict.decision === 'allow' || verdict.decision === 'warn';
}

function violationOf(reason: Reason, action: string): JsonObject {
  return { guard: reason.code, severity: SEVERITY[reason.severity], message: reason.text, action };
}

function provenanceOf(body: ReceiptBody): JsonObject {
  const violations = body.verdict.reasons.map((reason) => violationOf(reason, isPass(body) ? 'logged' : 'blocked'));
  return {
    provider: 'countersign',
    ...(body.inputs.policy === ZERO_HASH ? {} : { policy_hash: `0x${body.inputs.policy}` }),
    ...(violations.length === 0 ? {} : { violations }),
  };
}

/** What has no place in their receipt, in clear, and the exact bytes of ours. */
function metadataOf(body: ReceiptBody): JsonObject {
  const { id: _id, time: _time, verdict, ...rest } = body;
  const { reasons: _reasons, ...said } = verdict;
  const own = { ...(rest as unknown as JsonObject), verdict: said as unknown as JsonObject, body: packBody(body) };
  const conventions = { ...postureMetadata(body), ...enclaveMetadata(body) };
  return { ...(Object.keys(conventions).length === 0 ? {} : { clawdstrike: conventions }), countersign: own };
}

/** The receipt that is signed. A pure function of ours, so that whoever reads it can make it again and compare. */
function receiptOf(body: ReceiptBody): JsonObject {
  const receipt: JsonObject = {
    version: SIGNED_RECEIPT_VERSION,
    receipt_id: body.id,
    timestamp: body.time,
    content_hash: `0x${body.action.commitment}`,
    verdict: { passed: isPass(body), gate_id: `countersign.${body.verdict.by}`, scores: { risk_thousandths: body.verdict.risk } },
    provenance: provenanceOf(body),
    metadata: metadataOf(body),
  };
  // `plainValue` of an object is an object.
  return plainValue(receipt) as JsonObject;
}

/** A SignedReceipt of a receipt: canonical JSON. Their receipts are about decisions, so outcomes and ends of sessions have none. */
export function exportSignedReceipt(body: EntryBody, signer: Signer): Result<Uint8Array, Fault> {
  if (body.type !== RECEIPT_TYPE)
    return err({
      code: 'export_not_receipt',
      message: `only a receipt can be a SignedReceipt, and this is \`${body.type}\``,
      hint: 'export it as dsse, spine or tlog-proof',
    });
  const receipt = receiptOf(body);
  const signature = signer.sign(canonicalize(receipt));
  return ok(utf8(canonicalize({ receipt, signatures: { signer: toHex(signature) } })));
}

const words = text(EXPORT_LIMITS.textCharsMax);
const maybeWords = orNull(words);
const hash = matching(/^(?:0x)?[0-9a-fA-F]{64}$/, 'a hash of 64 hex digits');
const signature = matching(/^(?:0x)?[0-9a-fA-F]{128}$/, 'a signature of 128 hex digits');
const time = matching(
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$/,
  'an RFC 3339 time',
);
const bool: Form = (value, path) => (typeof value === 'boolean' ? undefined : { path, message: 'not true or false' });
const number: Form = (value, path) => (typeof value === 'number' ? undefined : { path, message: 'not a number' });

const violation = closed({ guard: words, severity: words, message: words }, { action: maybeWords });
const provenance = closed(
  {},
  {
    clawdstrike_version: maybeWords,
    provider: maybeWords,
    policy_hash: orNull(hash),
    ruleset: maybeWords,
    violations: listOf(violation, EXPORT_LIMITS.violationsMax),
  },
);

const SIGNED_RECEIPT = closed({
  receipt: closed(
    {
      version: words,
      timestamp: time,
      content_hash: hash,
      verdict: closed({ passed: bool }, { gate_id: maybeWords, scores: anyValue, threshold: orNull(number) }),
    },
    { receipt_id: maybeWords, provenance: orNull(provenance), metadata: anyValue },
  ),
  signatures: closed({ signer: signature }, { cosigner: orNull(signature) }),
});

const SEMVER = /^(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)$/;

/** The version comes before the form: another version may have another one. */
function checkVersion(file: JsonObject): ExportCheck {
  const receipt = getOwn(file, 'receipt');
  const version = isJsonObject(receipt) ? getOwn(receipt, 'version') : undefined;
  const path = '/receipt/version';
  if (typeof version !== 'string' || !SEMVER.test(version))
    return failedCheck('version', { code: 'VFY_RECEIPT_VERSION_INVALID', message: 'the version of the receipt is none', path });
  if (version !== SIGNED_RECEIPT_VERSION) {
    const message = `only version \`${SIGNED_RECEIPT_VERSION}\` of receipts can be verified`;
    return failedCheck('version', { code: 'VFY_RECEIPT_VERSION_UNSUPPORTED', message, path });
  }
  return passedCheck('version', 'signed_receipt_version_ok', `The receipt has version ${version}.`);
}

type Members = readonly (readonly [string, JsonValue])[];

function membersOf(object: JsonValue | undefined): Members {
  return isJsonObject(object) ? Object.entries(object).filter(([, value]) => value !== null) : [];
}

function normalHash(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  return `0x${(value.startsWith('0x') ? value.slice(2) : value).toLowerCase()}`;
}

function normalProvenance(value: JsonValue): JsonObject {
  const members = membersOf(value)
    .filter(([key, item]) => key !== 'violations' || (Array.isArray(item) && item.length > 0))
    .map(([key, item]) => [key, key === 'policy_hash' ? normalHash(item) : item] as const)
    .map(([key, item]) => [key, Array.isArray(item) ? item.map((one: JsonValue) => Object.fromEntries(membersOf(one))) : item] as const);
  return Object.fromEntries(members);
}

/** The receipt as it is signed: their types leave out what is null or empty, and write hashes in one way. */
function normalReceipt(receipt: JsonObject): JsonObject {
  const members = membersOf(receipt).map(([key, value]): readonly [string, JsonValue] => {
    if (key === 'content_hash') return [key, normalHash(value)];
    if (key === 'verdict') return [key, Object.fromEntries(membersOf(value))];
    return [key, key === 'provenance' ? normalProvenance(value) : value];
  });
  return Object.fromEntries(members);
}

interface Read {
  readonly receipt: JsonObject;
  /** Every text that may have been signed. */
  readonly texts: readonly string[];
  readonly signer: string;
  readonly cosigner?: string;
}

function readSigned(file: ReadFile): Result<Read, Fault> {
  const fault = SIGNED_RECEIPT(file.value, '');
  if (fault !== undefined) return err({ code: 'signed_receipt_malformed', message: fault.message, path: fault.path });
  // SIGNED_RECEIPT says so.
  const { receipt, signatures } = file.value as { receipt: JsonObject; signatures: { signer: string; cosigner?: string | null } };
  const normal = normalReceipt(receipt);
  const texts = signedTexts(normal, '/receipt', exactLiterals(file.value, file.exactNumbers));
  if (!texts.ok) return texts;
  const { signer, cosigner } = signatures;
  return ok({ receipt: normal, texts: texts.value, signer, ...(typeof cosigner === 'string' ? { cosigner } : {}) });
}

function fits(read: Read, hex: string, keys: readonly Verifier[]): Verifier | undefined {
  const bytes = fromHex(hex.replace(/^0x/, ''));
  return keys.find((key) => read.texts.some((signed) => key.verify(signed, bytes)));
}

function checkSigner(read: Read, trust: ExportTrust): ExportCheck {
  const keys = verifiersOf(trust.receiptKeys);
  const path = '/signatures/signer';
  if (keys.length === 0)
    return failedCheck('signature', {
      code: 'signed_receipt_no_trust',
      message: 'no receipt key is trusted, so the receipt proves nothing',
    });
  const key = fits(read, read.signer, keys);
  if (key === undefined)
    return failedCheck('signature', { code: 'VFY_SIGNATURE_INVALID', message: 'the signature of the signer is by no trusted key', path });
  return passedCheck('signature', 'signed_receipt_signature_ok', `The receipt is signed by trusted key ${key.keyId}.`);
}

/** Stricter than theirs in one point: whoever names a cosigner wants its signature, so a missing one fails. */
function checkCosigner(read: Read, trust: ExportTrust): ExportCheck {
  const keys = verifiersOf(trust.cosignerKeys);
  const path = '/signatures/cosigner';
  if (keys.length === 0) {
    if (read.cosigner === undefined)
      return openCheck('cosignature', 'signed_receipt_no_cosigner', 'Nobody has cosigned, and nobody was asked for.');
    return openCheck(
      'cosignature',
      'signed_receipt_cosigner_no_trust',
      'The cosignature was not checked, because no cosigner key was given.',
    );
  }
  const key = read.cosigner === undefined ? undefined : fits(read, read.cosigner, keys);
  if (key === undefined)
    return failedCheck('cosignature', { code: 'VFY_COSIGNATURE_INVALID', message: 'there is no cosignature by a trusted key', path });
  return passedCheck('cosignature', 'signed_receipt_cosignature_ok', `The receipt is cosigned by trusted key ${key.keyId}.`);
}

/** `metadata.countersign`, where there is one. */
function ours(receipt: JsonObject): JsonObject | undefined {
  const metadata = getOwn(receipt, 'metadata');
  const own = isJsonObject(metadata) ? getOwn(metadata, 'countersign') : undefined;
  return isJsonObject(own) ? own : undefined;
}

/** An export of ours says nothing but what its body says, and has one spelling. */
function checkOurs(read: Read, own: JsonObject, file: ReadFile): ExportCheck | ReceiptBody {
  const path = '/receipt/metadata/countersign/body';
  const body = unpackBody(getOwn(own, 'body'), path);
  if (!body.ok) return failedCheck('entry-form', body.error);
  if (body.value.type !== RECEIPT_TYPE)
    return failedCheck('entry-form', { code: 'export_not_receipt', message: 'the entry in the metadata is no receipt', path });
  if (canonicalize(receiptOf(body.value)) !== canonicalize(read.receipt))
    return failedCheck('content', {
      code: 'signed_receipt_content',
      message: 'the receipt does not say what its entry says',
      path: '/receipt',
    });
  const { signer, cosigner } = read;
  const written = { receipt: receiptOf(body.value), signatures: { signer, ...(cosigner === undefined ? {} : { cosigner }) } };
  if (file.text !== canonicalize(written) || !HEX_SIGNATURE.test(signer) || !HEX_SIGNATURE.test(cosigner ?? signer))
    return failedCheck('form', {
      code: 'signed_receipt_not_canonical',
      message: 'an export of ours is canonical JSON (RFC 8785), byte for byte',
      hint: 'store it as it was exported',
    });
  return body.value;
}

function checkContent(
  read: Read,
  file: ReadFile,
): { readonly check: ExportCheck; readonly content: ProvenReceipt; readonly subject: string } {
  const { receipt } = read;
  const id = getOwn(receipt, 'receipt_id');
  const subject = `Clawdstrike receipt ${typeof id === 'string' ? id : 'without an id'}`;
  const own = ours(receipt);
  if (own === undefined) {
    const check = openCheck(
      'content',
      'signed_receipt_foreign',
      'The receipt is not an export of ours: what it says is what its signer says.',
    );
    return { check, content: { receipt }, subject };
  }
  const body = checkOurs(read, own, file);
  if (!('type' in body)) return { check: body, content: { receipt }, subject };
  const check = passedCheck('content', 'signed_receipt_content_ok', 'The receipt says what its entry says, and nothing else.');
  return { check, content: { receipt, body }, subject: `${subject}, ${nameOfBody(body)}` };
}

function checkSignedReceipt(bytes: Uint8Array, trust: ExportTrust): ExportReport<ProvenReceipt> {
  const file = readJsonFile(bytes, 'signed_receipt');
  if (!file.ok) return endedReport('signed-receipt', [failedCheck('form', file.error)]);
  const version = checkVersion(file.value.value);
  if (version.status === 'fail') return endedReport('signed-receipt', [version]);
  const read = readSigned(file.value);
  if (!read.ok) return endedReport('signed-receipt', [version, failedCheck('form', read.error)]);
  const form = passedCheck('form', 'signed_receipt_ok', 'The file is a SignedReceipt.');
  const { check, content, subject } = checkContent(read.value, file.value);
  const checks = [version, form, checkSigner(read.value, trust), checkCosigner(read.value, trust), check];
  return madeReport('signed-receipt', checks, { content, subject });
}

/** Verifies a SignedReceipt, theirs or an export of ours, by keys that the caller trusts. Total. */
export function verifySignedReceipt(bytes: Uint8Array, trust: ExportTrust): Promise<ExportReport<ProvenReceipt>> {
  return Promise.resolve(checkSignedReceipt(bytes, trust));
}
