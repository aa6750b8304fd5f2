/**
 * @module Append-only since last seen: two signed checkpoints of one log and the proof that the older tree is a prefix of the newer, in one
 * file (spec/bundle.md, BNDL-030). Canonical like a bundle, so that no byte of it is free.
 */
import { base64, fromBase64, type NoteVerifier, parseNoteVerifierKey, sha256Hex } from '@countersign/crypto';
import { canonicalize, err, ok, parseJson, type Fault, type Result } from '@countersign/kernel';
import { openCheckpoint, parseCheckpointText, type Checkpoint, type Log, verifyConsistency } from '@countersign/log';
import { toHex } from './hex.ts';
import { closed, listOf, matching, oneOf, text } from './form.ts';
import { jcs, utf8, utf8Text } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';
import type { Trust } from './open-trusted.ts';
import { signatureLines } from './read-bundle.ts';
import { failed, isProven, notChecked, passed, type Check } from './report.ts';

export const CONSISTENCY_TYPE = 'countersign.consistency.v1';

export interface ConsistencyFile {
  readonly type: typeof CONSISTENCY_TYPE;
  /** Signed notes. */
  readonly old: string;
  readonly new: string;
  /** RFC 6962 consistency proof; base64. */
  readonly proof: readonly string[];
  /** Hex SHA-256 of JCS of everything else; needed where a checkpoint carries several signature lines (BNDL-003). */
  readonly digest?: string;
}

export interface ConsistencyReport {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** What was proven; there only when `ok`. */
  readonly subject?: { readonly log: string; readonly oldSize: number; readonly newSize: number };
}

const FORM = closed(
  {
    type: oneOf(CONSISTENCY_TYPE),
    old: text(65_536),
    new: text(65_536),
    proof: listOf(matching(/^[A-Za-z0-9+/]{43}=$/, 'a base64 hash'), RECEIPT_LIMITS.consistencyHashesMax),
  },
  { digest: matching(/^[0-9a-f]{64}$/, 'a lower-case hex SHA-256') },
);

function digestOf(file: Omit<ConsistencyFile, 'digest'>): string | undefined {
  return signatureLines(file.old) > 1 || signatureLines(file.new) > 1 ? sha256Hex(jcs(file)) : undefined;
}

/** The bytes of a consistency file from one published checkpoint of a log to a later one. @throws CodedError what the log throws. */
export async function makeConsistency(log: Log, old: Checkpoint, newer: Checkpoint): Promise<Uint8Array> {
  const proof = await log.consistencyProof(old.size, newer.size);
  const file: ConsistencyFile = { type: CONSISTENCY_TYPE, old: old.note, new: newer.note, proof: proof.map((hash) => base64(hash)) };
  const digest = digestOf(file);
  return utf8(jcs(digest === undefined ? file : { ...file, digest }));
}

function read(bytes: Uint8Array): Result<ConsistencyFile, Fault> {
  const malformed = (code: string, message: string): Result<never, Fault> => err({ code, message });
  const { consistencyBytesMax: bytesMax, bundleDepthMax: depthMax, bundleNodesMax: nodesMax } = RECEIPT_LIMITS;
  if (bytes.length > bytesMax) return malformed('consistency_too_large', `a consistency file has at most ${bytesMax} bytes`);
  const whole = utf8Text(bytes);
  // Strict as a bundle is: what is nested too deep for a form is malformed, not unreadable.
  const parsed = whole === undefined ? undefined : parseJson(whole, { bytesMax, depthMax, nodesMax });
  if (parsed?.ok !== true) return malformed('consistency_not_json', 'the file is not strict JSON');
  const { value, exactNumbers } = parsed.value;
  if (exactNumbers.length > 0 || canonicalize(value) !== whole)
    return malformed('consistency_not_canonical', 'the file is not the canonical text (RFC 8785) of its own content');
  const fault = FORM(value, '');
  if (fault !== undefined) return malformed('consistency_malformed', `${fault.message} at ${fault.path}`);
  const file = value as unknown as ConsistencyFile; // Every member was checked by FORM.
  const { digest, ...rest } = file;
  const expected = digest === undefined ? digestOf(rest) : sha256Hex(jcs(rest));
  if (expected === digest) return ok(file);
  return digest === undefined
    ? malformed('consistency_digest_missing', 'checkpoints with several signatures need a digest of the file')
    : malformed('consistency_digest_bad', 'the digest is not that of the rest of the file');
}

interface Pair {
  readonly old: Checkpoint;
  readonly newer: Checkpoint;
}

function openBoth(file: ConsistencyFile, trust: Trust): { readonly check: Check; readonly pair?: Pair } {
  const keys: NoteVerifier[] = [];
  for (const vkey of trust.vkeys) {
    const parsed = parseNoteVerifierKey(vkey);
    if (!parsed.ok) return { check: failed('checkpoint', parsed.error.code, 'A trusted log key cannot be read.') };
    keys.push(parsed.value);
  }
  if (keys.length === 0)
    return { check: failed('checkpoint', 'checkpoint_no_trust', 'No log key is trusted, so the checkpoints prove nothing.') };
  const opened: Checkpoint[] = [];
  for (const [which, note] of [
    ['older', file.old],
    ['newer', file.new],
  ] as const) {
    const one = openCheckpoint(note, keys);
    if (!one.ok)
      return {
        check: failed('checkpoint', one.error.code, `The ${which} checkpoint is not signed by a trusted log key: ${one.error.message}.`),
      };
    if (!one.value.signers.includes(one.value.origin)) {
      const sentence = `No key that signed the ${which} checkpoint has the name of the log.`;
      return { check: failed('checkpoint', 'checkpoint_wrong_key', sentence) };
    }
    opened.push(one.value);
  }
  const [old, newer] = opened;
  if (old === undefined || newer === undefined)
    return { check: failed('checkpoint', 'consistency_malformed', 'There are not two checkpoints.') };
  if (old.origin !== newer.origin)
    return { check: failed('checkpoint', 'consistency_other_log', `The checkpoints are of two logs, ${old.origin} and ${newer.origin}.`) };
  return {
    check: passed('checkpoint', 'checkpoint_ok', `Both checkpoints of ${old.origin} are signed by a trusted key.`),
    pair: { old, newer },
  };
}

/** The tree that the verifier saw before, as its checkpoint says; undefined where the text is none. */
function seenTree(note: string): Omit<Checkpoint, 'note'> | undefined {
  const split = note.lastIndexOf('\n\n');
  return parseCheckpointText(split === -1 ? note : note.slice(0, split + 1));
}

function checkSeen({ old }: Pair, seen: string | undefined): Check | undefined {
  if (seen === undefined) return undefined;
  const before = seenTree(seen);
  if (before?.origin !== old.origin || before.size !== old.size || toHex(before.root) !== toHex(old.root))
    return failed('consistency', 'consistency_not_seen', 'The older checkpoint is not of the tree that was seen before.');
  return undefined;
}

function checkConsistency(pair: Pair, proofTexts: readonly string[], seen: string | undefined): Check {
  const { old, newer } = pair;
  if (newer.size < old.size)
    return failed('consistency', 'consistency_rollback', `The log went back from ${old.size} entries to ${newer.size}.`);
  if (newer.size === old.size && toHex(newer.root) !== toHex(old.root))
    return failed('consistency', 'consistency_fork', `The log signed two different trees of size ${old.size}.`);
  const proof = proofTexts.map((hash) => fromBase64(hash) ?? new Uint8Array(0));
  if (!verifyConsistency({ oldSize: old.size, oldRoot: old.root, newSize: newer.size, newRoot: newer.root, proof }))
    return failed(
      'consistency',
      'consistency_bad',
      `The proof does not lead from the tree of ${old.size} entries to that of ${newer.size}.`,
    );
  const unseen = checkSeen(pair, seen);
  if (unseen !== undefined) return unseen;
  return passed(
    'consistency',
    'consistency_ok',
    `The first ${old.size} of ${newer.size} entries are those that were there before: nothing was changed or removed.`,
  );
}

/** Verifies a consistency file; `seen` is a checkpoint that the verifier kept from before. Total, offline. */
export function verifyConsistencyFile(bytes: Uint8Array, trust: Trust, seen?: string): Promise<ConsistencyReport> {
  const file = read(bytes);
  const notReached = (name: 'checkpoint' | 'consistency'): Check =>
    notChecked(name, 'not_reached', 'Not checked, because a check before it failed.');
  if (!file.ok) {
    const form = failed('consistency-form', file.error.code, `The file is not a consistency file: ${file.error.message}.`);
    return Promise.resolve({ ok: false, checks: [form, notReached('checkpoint'), notReached('consistency')] });
  }
  const form = passed('consistency-form', 'consistency_form_ok', 'The file is a canonical consistency file.');
  const { check, pair } = openBoth(file.value, trust);
  if (pair === undefined) {
    const behind = notChecked('consistency', 'consistency_no_checkpoint', 'Not checked, because a checkpoint did not hold.');
    return Promise.resolve({ ok: false, checks: [form, check, behind] });
  }
  const checks = [form, check, checkConsistency(pair, file.value.proof, seen)];
  const done = isProven(checks);
  const subject = { log: pair.old.origin, oldSize: pair.old.size, newSize: pair.newer.size };
  return Promise.resolve({ ok: done, checks, ...(done ? { subject } : {}) });
}
