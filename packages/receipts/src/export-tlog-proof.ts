/**
 * @module An entry with its proof as a C2SP tlog-proof (v1), and reading one back (spec/exports.md). `extra` holds the entry itself:
 * the bytes of the leaf, so that the proof needs nothing beside it.
 */
import { base64, fromBase64, fromBase64url } from '@countersign/crypto';
import { canonicalize, err, ok, parseJson, type Fault, type Result } from '@countersign/kernel';
import { leafHash, verifyInclusion, type Checkpoint } from '@countersign/log';
import { RECEIPT_TYPE, type Entry } from '@countersign/protocol';
import { ENTRY_FORM } from './bundle-form.ts';
import { nameOfBody } from './export-body.ts';
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
import { jcs, utf8, utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';
import { openTrusted } from './open-trusted.ts';
import type { Bundle } from './read-bundle.ts';

export const TLOG_PROOF_HEAD = 'c2sp.org/tlog-proof@v1';
const INDEX = /^index (0|[1-9][0-9]{0,15})$/;
const HASH_BYTES = 32;

/** The tlog-proof of what a bundle proves, with nothing disclosed; its checkpoint stands in it as it is. */
export function exportTlogProof({ entry, index, proof, checkpoint }: Pick<Bundle, 'entry' | 'index' | 'proof' | 'checkpoint'>): Uint8Array {
  const head = [TLOG_PROOF_HEAD, `extra ${base64(utf8(jcs(entry)))}`, `index ${index}`, ...proof];
  return utf8(`${head.join('\n')}\n\n${checkpoint}`);
}

interface TlogProof {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note, to the end of the file. */
  readonly checkpoint: string;
}

function malformed(message: string, line: number): Result<never, Fault> {
  return err({ code: 'tlog_proof_malformed', message, path: `line ${line}` });
}

function readHashes(lines: readonly string[], first: number): Result<readonly Uint8Array[], Fault> {
  if (lines.length > EXPORT_LIMITS.tlogProofHashesMax)
    return malformed(`a proof has at most ${EXPORT_LIMITS.tlogProofHashesMax} hashes`, first);
  const hashes: Uint8Array[] = [];
  for (const [i, line] of lines.entries()) {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_BYTES) return malformed('not the base64 of a hash', first + i);
    hashes.push(hash);
  }
  return ok(hashes);
}

/** The bytes of the leaf in the second line. */
function readExtra(line: string): Result<Uint8Array, Fault> {
  const extra = line.startsWith('extra ') ? fromBase64(line.slice('extra '.length)) : undefined;
  if (extra !== undefined && extra.length > 0) return ok(extra);
  return err({
    code: 'tlog_proof_no_extra',
    message: 'not `extra` and the base64 of an entry',
    path: 'line 2',
    hint: 'only proofs that bring their entry can be verified',
  });
}

/** The lines before the empty one, each exactly as the format says. */
function readHead(lines: readonly string[]): Result<Omit<TlogProof, 'checkpoint'>, Fault> {
  const [head = '', extraLine = '', indexLine = '', ...hashLines] = lines;
  if (head !== TLOG_PROOF_HEAD) return malformed(`not \`${TLOG_PROOF_HEAD}\``, 1);
  const leaf = readExtra(extraLine);
  if (!leaf.ok) return leaf;
  const index = Number(INDEX.exec(indexLine)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(index)) return malformed('not `index` and a place in the log', 3);
  const proof = readHashes(hashLines, 4);
  return proof.ok ? ok({ leaf: leaf.value, index, proof: proof.value }) : proof;
}

function readProof(bytes: Uint8Array): Result<TlogProof, Fault> {
  const { fileBytesMax } = EXPORT_LIMITS;
  if (bytes.length > fileBytesMax) return err({ code: 'tlog_proof_too_large', message: `the file has more than ${fileBytesMax} bytes` });
  const text = utf8Text(bytes);
  const split = text?.indexOf('\n\n') ?? -1;
  if (text === undefined || split < 0) return malformed('there is no empty line before the checkpoint', 1);
  const head = readHead(text.slice(0, split).split('\n'));
  return head.ok ? ok({ ...head.value, checkpoint: text.slice(split + 2) }) : head;
}

/** The entry whose canonical bytes are `leaf`. */
function readEntry(leaf: Uint8Array): Result<Entry, Fault> {
  const path = 'line 2';
  const text = utf8Text(leaf);
  const parsed = text === undefined ? undefined : parseJson(text);
  if (parsed?.ok !== true || canonicalize(parsed.value.value) !== text)
    return err({ code: 'entry_not_canonical', message: '`extra` is not the canonical text of an entry', path });
  const fault = ENTRY_FORM(parsed.value.value, '');
  if (fault !== undefined)
    return err({ code: 'entry_malformed', message: `the entry does not have the form of its type: ${fault.message}`, path: fault.path });
  // Every member was checked by ENTRY_FORM.
  return ok(parsed.value.value as unknown as Entry);
}

function checkInclusion({ index, proof, leaf }: TlogProof, { size, root }: Checkpoint): ExportCheck {
  if (!verifyInclusion({ index, size, leaf: leafHash(leaf), proof, root })) {
    const message = `the proof does not lead from this entry at place ${index} to the root of the checkpoint`;
    return failedCheck('inclusion', { code: 'inclusion_bad', message });
  }
  return passedCheck('inclusion', 'inclusion_ok', `The entry is number ${index} of ${size} in the log.`);
}

/** As for a bundle: signatures of the entry are by keys that were given, where any were. */
function checkSignature({ body, signatures }: Entry, trust: ExportTrust): ExportCheck {
  if (signatures.length === 0) {
    if (body.type === RECEIPT_TYPE && body.signing === 'each')
      return failedCheck('signature', { code: 'signature_missing', message: 'the receipt says that it is signed on its own, but is not' });
    return openCheck('signature', 'signature_by_checkpoint', 'The entry carries no signature of its own: the signed checkpoint covers it.');
  }
  const keys = verifiersOf(trust.receiptKeys);
  if (keys.length === 0)
    return openCheck('signature', 'signature_no_trust', 'The signature of the entry was not checked, because no receipt key was given.');
  const message = jcs(body);
  for (const { keyId, sig } of signatures) {
    const key = keys.find((one) => one.keyId === keyId);
    if (key === undefined)
      return failedCheck('signature', {
        code: 'signature_unknown_key',
        message: `the entry is signed by key ${keyId}, which is not trusted`,
      });
    const bytes = fromBase64url(sig);
    if (bytes === undefined || !key.verify(message, bytes))
      return failedCheck('signature', { code: 'signature_bad', message: `the signature by key ${keyId} does not fit the entry` });
  }
  return passedCheck('signature', 'signature_ok', 'The entry is signed by a trusted receipt key.');
}

function checkTlogProof(bytes: Uint8Array, trust: ExportTrust): ExportReport<Entry> {
  const proof = readProof(bytes);
  if (!proof.ok) return endedReport('tlog-proof', [failedCheck('form', proof.error)]);
  const form = passedCheck('form', 'tlog_proof_ok', 'The file is a tlog-proof that brings its entry.');
  const entry = readEntry(proof.value.leaf);
  if (!entry.ok) return endedReport('tlog-proof', [form, failedCheck('entry-form', entry.error)]);
  const shape = passedCheck('entry-form', 'entry_ok', `The entry has the form of ${entry.value.body.type}.`);
  const signature = checkSignature(entry.value, trust);
  const { check, cosignatures, checkpoint } = openTrusted(proof.value.checkpoint, entry.value.body.log, {
    ...trust,
    vkeys: trust.vkeys ?? [],
  });
  const subject = nameOfBody(entry.value.body);
  const checks: readonly ExportCheck[] = [
    form,
    shape,
    signature,
    { ...check, name: 'checkpoint' },
    { ...cosignatures, name: 'cosignatures' },
  ];
  if (checkpoint === undefined) return endedReport('tlog-proof', checks, subject);
  return madeReport('tlog-proof', [...checks, checkInclusion(proof.value, checkpoint)], { content: entry.value, subject });
}

/** Verifies a tlog-proof that brings its entry, under the keys of logs and witnesses that the caller trusts. Total. */
export function verifyTlogProof(bytes: Uint8Array, trust: ExportTrust): Promise<ExportReport<Entry>> {
  return Promise.resolve(checkTlogProof(bytes, trust));
}
