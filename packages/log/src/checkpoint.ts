/** @module The signed tree head: C2SP tlog-checkpoint (origin, size, root) in a C2SP signed note. */
import { base64, createNoteVerifier, createVerifier, fromBase64, openNote, type NoteVerifier, type Signer } from '@countersign/crypto';
import { err, ok, type Fault, type Result } from '@countersign/kernel';
import { logError } from './errors.ts';
import { HASH_BYTES } from './merkle.ts';

/** What a checkpoint says, and the note that says it. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** The whole signed note. */
  readonly note: string;
}

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** The text of a checkpoint, to be signed. */
export function checkpointText(head: Pick<Checkpoint, 'origin' | 'size' | 'root'>): string {
  return `${head.origin}\n${head.size}\n${base64(head.root)}\n`;
}

/** Reads the text of a checkpoint; undefined where its form is wrong. Extension lines are allowed and ignored, as the format asks. */
export function parseCheckpointText(text: string): Omit<Checkpoint, 'note'> | undefined {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n');
  if (origin === '' || !SIZE.test(sizeText) || rest.at(-1) !== '' || rest.slice(0, -1).includes('')) return undefined;
  const size = Number(sizeText);
  const root = fromBase64(rootText);
  if (!Number.isSafeInteger(size) || root === undefined || root.length !== HASH_BYTES) return undefined;
  return { origin, size, root };
}

/** A note with further signature lines, each with its newline. */
export function addSignatures(note: string, lines: readonly string[]): string {
  return note + lines.join('');
}

/** Who signs checkpoints. `name` is the key name in the note; it should equal the origin. */
export interface NoteSigner {
  readonly name: string;
  readonly signer: Signer;
}

export interface OpenedCheckpoint extends Checkpoint {
  /** Signature lines that prove nothing: by keys that nobody gave, or repeated. */
  readonly unverified: number;
  /** Names of the keys that verified. */
  readonly signers: readonly string[];
}

/** Opens a checkpoint note with known keys: at least one must have signed it. */
export function openCheckpoint(note: string, verifiers: readonly NoteVerifier[]): Result<OpenedCheckpoint, Fault> {
  const opened = openNote(note, verifiers);
  if (!opened.ok) return opened;
  const head = parseCheckpointText(opened.value.text);
  if (head === undefined) return err({ code: 'checkpoint_malformed', message: 'the note is signed, but is not a checkpoint' });
  const { text, signatures } = opened.value;
  const lines = note.slice(text.length + 1).split('\n').length - 1;
  return ok({ ...head, note, unverified: lines - signatures.length, signers: signatures.map(({ name }) => name) });
}

/**
 * The checkpoint this log published before, or undefined where it published none. `keys` are all that ever signed for it.
 * @throws CodedError `log_wrong_origin` when another log or another key wrote it.
 */
export function readOwnCheckpoint(
  bytes: Uint8Array | undefined,
  own: { readonly origin: string; readonly keys: readonly NoteVerifier[] },
): Checkpoint | undefined {
  if (bytes === undefined) return undefined;
  const opened = openCheckpoint(new TextDecoder().decode(bytes), own.keys);
  if (opened.ok && opened.value.origin === own.origin) return opened.value;
  throw logError('log_wrong_origin', `the published checkpoint is not one that \`${own.origin}\` signed with this key`, {
    path: 'checkpoint',
    hint: opened.ok ? 'open the log under its own origin' : `check the signing key (\`${opened.error.code}\`)`,
  });
}

/** How a signer is recognised. */
export function verifierOf({ name, signer }: NoteSigner): NoteVerifier {
  return createNoteVerifier(name, createVerifier(signer.publicKey));
}
