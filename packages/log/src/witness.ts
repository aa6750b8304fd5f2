/**
 * @module A witness (C2SP tlog-witness): remembers the newest tree of each log it knows, and cosigns only trees that grow out of it. It
 * never states what contradicts an earlier statement of its own. Speaks no HTTP: the answer of a request is data.
 *
 * Everything here is synchronous, the state too: a cosignature says that at this second no larger tree was seen, so nothing may come in
 * between storing and signing.
 */
import { fromBase64, openNote, type NoteVerifier } from '@countersign/crypto';
import { type Clock, err, type Fault, ok, type Result } from '@countersign/kernel';
import { type NoteSigner, parseCheckpointText } from './checkpoint.ts';
import { cosignatureLine, cosignerKeyText } from './cosignature.ts';
import { WITNESS_BODY_BYTES_MAX, WITNESS_PROOF_LINES_MAX } from './limits.ts';
import { HASH_BYTES, sameHash } from './merkle.ts';
import { verifyConsistency } from './proof.ts';
import type { WitnessedTree } from './witnessed-tree.ts';

/** What a witness knows of one log. */
export interface WitnessedLog {
  /** Every key that may sign its checkpoints; more than one while a log changes its key. */
  readonly keys: readonly NoteVerifier[];
  /** The newest tree that was promised; the empty one where none was. */
  readonly tree: WitnessedTree;
}

export interface WitnessStep {
  readonly origin: string;
  readonly from: WitnessedTree;
  readonly to: WitnessedTree;
}

/** Where a witness remembers. `testkit` has the contract suite. */
export interface WitnessState {
  /** The log of an origin, or undefined where it is not known. */
  log(origin: string): WitnessedLog | undefined;
  /**
   * In one step: compares what is known with `from`, size and root, and where they are equal puts `to` in its place. True once `to` is
   * known and survives a crash and a power cut; false where something else was known, and nothing was changed. A crash during the call
   * leaves `from` or `to`. Throws where storage fails; then either may be known.
   */
  advance(step: WitnessStep): boolean;
}

/** Add-only. */
export type WitnessFaultCode =
  | 'witness_body_too_large'
  | 'witness_body_malformed'
  | 'witness_checkpoint_malformed'
  | 'witness_old_above_new'
  | 'witness_unsigned'
  | 'witness_unknown_log'
  | 'witness_other_size'
  | 'witness_fork'
  | 'witness_proof_bad';

/** How a request ended, for counters and the witness's own record. */
export type WitnessVerdict = 'cosigned' | WitnessFaultCode;

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 413 | 422;
  readonly contentType: string;
  readonly body: string;
  readonly verdict: WitnessVerdict;
  /** Of the log that was asked about, where it is known. */
  readonly origin?: string;
}

export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** First line of the checkpoint; not verified. */
  readonly origin: string;
  /** The signed note of the checkpoint; not verified. */
  readonly note: string;
}

const OLD = /^old (0|[1-9][0-9]{0,15})$/;
const PLAIN = 'text/plain; charset=utf-8';
/** C2SP tlog-witness: the body is a size and a newline. */
const SIZE = 'text/x.tlog.size';
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function malformed(message: string): Result<never, Fault<WitnessFaultCode>> {
  return err({ code: 'witness_body_malformed', message });
}

function decode(body: Uint8Array): string | undefined {
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

function readProof(lines: readonly string[]): Result<readonly Uint8Array[], Fault<WitnessFaultCode>> {
  if (lines.length > WITNESS_PROOF_LINES_MAX) return malformed(`a request has at most ${WITNESS_PROOF_LINES_MAX} proof lines`);
  const proof: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_BYTES) return malformed(`proof line ${proof.length + 1} is not the base64 of ${HASH_BYTES} bytes`);
    proof.push(hash);
  }
  return ok(proof);
}

/** Reads the body of an `add-checkpoint` request. Total; nothing in the result is verified. */
export function parseAddCheckpoint(body: Uint8Array): Result<AddCheckpoint, Fault<WitnessFaultCode>> {
  if (body.length > WITNESS_BODY_BYTES_MAX)
    return err({ code: 'witness_body_too_large', message: `a request has at most ${WITNESS_BODY_BYTES_MAX} bytes` });
  const text = decode(body) ?? '';
  const end = text.indexOf('\n\n');
  if (end < 0) return malformed('a request is a line `old <size>`, proof lines, an empty line and a checkpoint');
  // The old size, and one line more than allowed, are enough to see that there are too many.
  const [first = '', ...lines] = text.slice(0, end).split('\n', WITNESS_PROOF_LINES_MAX + 2);
  const oldSize = Number(OLD.exec(first)?.[1]);
  if (!Number.isSafeInteger(oldSize)) return malformed('the first line is `old` and a size below 2^53 without leading zeroes');
  const proof = readProof(lines);
  if (!proof.ok) return proof;
  const note = text.slice(end + 2);
  const origin = note.slice(0, Math.max(0, note.indexOf('\n')));
  if (origin === '') return malformed('the checkpoint has no origin line');
  return ok({ oldSize, proof: proof.value, origin, note });
}

export interface WitnessOptions {
  readonly state: WitnessState;
  readonly clock: Clock;
  /** The name and key of this witness; the key must not be used for anything else. */
  readonly noteSigner: NoteSigner;
}

export interface Witness {
  /** Verifier key, `name+hash+base64`, of type 4. */
  readonly key: string;
  /** Answers one `add-checkpoint`. Throws only what its state throws; then nothing was signed. */
  addCheckpoint(body: Uint8Array): WitnessAnswer;
}

type Refused = Exclude<WitnessAnswer['status'], 200 | 409>;

function refused(status: Refused, fault: Fault<WitnessFaultCode>, origin?: string): WitnessAnswer {
  const said = origin === undefined ? {} : { origin };
  return { status, contentType: PLAIN, body: `${fault.message} (${fault.code})\n`, verdict: fault.code, ...said };
}

function conflict(size: number, verdict: 'witness_other_size' | 'witness_fork', origin: string): WitnessAnswer {
  return { status: 409, contentType: SIZE, body: `${size}\n`, verdict, origin };
}

/** Faults of a note that its keys make, and not its form. */
const UNSIGNED: ReadonlySet<string> = new Set(['note_unverified', 'note_bad_signature']);

interface SignedHead {
  readonly text: string;
  readonly tree: WitnessedTree;
}

function openHead(asked: AddCheckpoint, keys: readonly NoteVerifier[]): Result<SignedHead, WitnessAnswer> {
  const { note, origin } = asked;
  const opened = openNote(note, keys);
  if (!opened.ok) {
    const { code, message } = opened.error;
    return err(
      UNSIGNED.has(code)
        ? refused(403, { code: 'witness_unsigned', message: 'the checkpoint carries no signature of a known key that verifies' }, origin)
        : refused(400, { code: 'witness_checkpoint_malformed', message }, origin),
    );
  }
  const { text } = opened.value;
  const head = parseCheckpointText(text);
  if (head !== undefined) return ok({ text, tree: head });
  return err(refused(400, { code: 'witness_checkpoint_malformed', message: 'the note is signed, but is not a checkpoint' }, origin));
}

/** The refusal that these trees ask for, in the order of the protocol's text; undefined where the new one grows out of the known one. */
function refusal(asked: AddCheckpoint, known: WitnessedTree, next: WitnessedTree): WitnessAnswer | undefined {
  const { oldSize, proof, origin } = asked;
  if (oldSize > next.size)
    return refused(400, { code: 'witness_old_above_new', message: 'the old size is above that of the checkpoint' }, origin);
  if (oldSize !== known.size) return conflict(known.size, 'witness_other_size', origin);
  if (oldSize === next.size && !sameHash(known.root, next.root)) return conflict(known.size, 'witness_fork', origin);
  const claim = { oldSize, oldRoot: known.root, newSize: next.size, newRoot: next.root, proof };
  if (verifyConsistency(claim)) return undefined;
  return refused(422, { code: 'witness_proof_bad', message: 'the proof does not lead from the known tree to the checkpoint' }, origin);
}

function addCheckpoint(options: WitnessOptions, body: Uint8Array): WitnessAnswer {
  const { state, clock, noteSigner } = options;
  const asked = parseAddCheckpoint(body);
  if (!asked.ok) return refused(asked.error.code === 'witness_body_too_large' ? 413 : 400, asked.error);
  const { origin } = asked.value;
  const log = state.log(origin);
  if (log === undefined) return refused(404, { code: 'witness_unknown_log', message: 'this witness does not know the origin' });
  const head = openHead(asked.value, log.keys);
  if (!head.ok) return head.error;
  const { text, tree } = head.value;
  const no = refusal(asked.value, log.tree, tree);
  if (no !== undefined) return no;
  // INVARIANT: stored first. Killed after this line, the witness has promised more than it signed; never the reverse.
  if (!state.advance({ origin, from: log.tree, to: tree }))
    return conflict(state.log(origin)?.tree.size ?? log.tree.size, 'witness_other_size', origin);
  const seconds = Math.max(0, Math.floor(clock.nowMs() / 1000));
  return { status: 200, contentType: PLAIN, body: cosignatureLine(text, seconds, noteSigner), verdict: 'cosigned', origin };
}

export function createWitness(options: WitnessOptions): Witness {
  const { name, signer } = options.noteSigner;
  return { key: cosignerKeyText(name, signer.publicKey), addCheckpoint: (body) => addCheckpoint(options, body) };
}
