/**
 * @module Signed notes (C2SP signed-note; golang.org/x/mod/sumdb/note): text, a blank line, and a line for each signature. Stricter than
 * Go in one point: base64 must be canonical.
 */
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import { base64, fromBase64 } from '#primitives';
import { NOTE_CHARS_MAX, NOTE_SIGNATURES_MAX } from './limits.ts';
import { isNoteName, type NoteVerifier } from './note-key.ts';

/** Add-only. */
export type NoteFaultCode =
  | 'note_malformed'
  | 'note_too_large'
  | 'note_too_many_signatures'
  | 'note_ambiguous_key'
  | 'note_bad_signature'
  | 'note_unverified';

export interface NoteSignature {
  readonly name: string;
  /** Unsigned, 32 bits. */
  readonly keyHash: number;
  /** What follows the key hash: 64 bytes for Ed25519, more for other types. */
  readonly signature: Uint8Array;
}

export interface OpenedNote {
  /** With its last newline. */
  readonly text: string;
  /** Verified, at least one, one a key. */
  readonly signatures: readonly NoteSignature[];
  /** By keys that nobody gave; worth nothing. */
  readonly unverified: readonly NoteSignature[];
}

const PREFIX = '\u2014 ';
const KEY_HASH_BYTES = 4;
/** Control characters other than newline. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** One signature line, with its newline. */
export function noteSignatureLine(signature: NoteSignature): string {
  const bytes = new Uint8Array(KEY_HASH_BYTES + signature.signature.length);
  new DataView(bytes.buffer).setUint32(0, signature.keyHash);
  bytes.set(signature.signature, KEY_HASH_BYTES);
  return `${PREFIX}${signature.name} ${base64(bytes)}\n`;
}

/** True for whole lines of well-formed Unicode without control characters: what can be signed as a note. */
export function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !CONTROL.test(text);
}

function refused(code: NoteFaultCode, message: string): Result<never, Fault<NoteFaultCode>> {
  return err({ code, message });
}

function parseLine(line: string): NoteSignature | undefined {
  if (!line.startsWith(PREFIX)) return undefined;
  const space = line.indexOf(' ', PREFIX.length);
  const name = line.slice(PREFIX.length, space);
  const bytes = space < 0 ? undefined : fromBase64(line.slice(space + 1));
  if (bytes === undefined || bytes.length <= KEY_HASH_BYTES || !isNoteName(name)) return undefined;
  return { name, keyHash: new DataView(bytes.buffer).getUint32(0), signature: bytes.subarray(KEY_HASH_BYTES) };
}

interface SplitNote {
  readonly text: string;
  readonly lines: readonly NoteSignature[];
}

function splitNote(note: string): Result<SplitNote, Fault<NoteFaultCode>> {
  if (note.length > NOTE_CHARS_MAX) return refused('note_too_large', `a note has at most ${NOTE_CHARS_MAX} characters`);
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !isNoteText(note)) return refused('note_malformed', 'not a signed note');
  // One more than allowed is enough to see that there are too many.
  const texts = note.slice(split + 2, -1).split('\n', NOTE_SIGNATURES_MAX + 1);
  if (texts.length > NOTE_SIGNATURES_MAX)
    return refused('note_too_many_signatures', `a note has at most ${NOTE_SIGNATURES_MAX} signatures`);
  const lines: NoteSignature[] = [];
  for (const text of texts) {
    const line = parseLine(text);
    if (line === undefined) return refused('note_malformed', 'a signature line is malformed');
    lines.push(line);
  }
  return ok({ text: note.slice(0, split + 1), lines });
}

function keyName(key: { readonly name: string; readonly keyHash: number }): string {
  return `${key.name}+${key.keyHash.toString(16).padStart(8, '0')}`;
}

function verifiersByKey(verifiers: readonly NoteVerifier[]): Map<string, NoteVerifier> | undefined {
  const known = new Map<string, NoteVerifier>();
  for (const verifier of verifiers) {
    const key = keyName(verifier);
    if (known.has(key)) return undefined;
    known.set(key, verifier);
  }
  return known;
}

/**
 * Checks a note: signatures by unknown keys are set aside, one by a known key that does not verify refuses the note, and at least one
 * must verify. Of several lines by one key the first counts.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): Result<OpenedNote, Fault<NoteFaultCode>> {
  const known = verifiersByKey(verifiers);
  if (known === undefined) return refused('note_ambiguous_key', 'two verifiers have the same name and key hash');
  const parts = splitNote(note);
  if (!parts.ok) return parts;
  const { text, lines } = parts.value;
  const signatures = new Map<string, NoteSignature>();
  const unverified: NoteSignature[] = [];
  for (const line of lines) {
    const key = keyName(line);
    const verifier = known.get(key);
    if (verifier === undefined) unverified.push(line);
    else if (!signatures.has(key)) {
      if (!verifier.verify(text, line.signature)) return refused('note_bad_signature', 'a signature by a known key does not verify');
      signatures.set(key, line);
    }
  }
  if (signatures.size === 0) return refused('note_unverified', 'no known key has signed the note');
  return ok({ text, signatures: [...signatures.values()], unverified });
}
