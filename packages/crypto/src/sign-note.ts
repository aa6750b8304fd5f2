/** @module Making signed notes. Apart from reading them, so that what only reads has no signer. */
import { invariant } from '@countersign/kernel';
import type { Signer } from './ed25519.ts';
import { isNoteText, noteSignatureLine } from './note.ts';
import { ed25519NoteKeyHash, isNoteName } from './note-key.ts';

/**
 * A note with one signature. Further ones are appended as lines.
 * @throws {InvariantError} for a text that is not made of whole lines of well-formed Unicode, or a bad name: both are ours.
 */
export function signNote(text: string, by: { readonly name: string; readonly signer: Signer }): string {
  invariant(isNoteText(text), 'the text of a note is whole lines without control characters');
  invariant(isNoteName(by.name), 'a note name has no spaces and no plus sign');
  const keyHash = ed25519NoteKeyHash(by.name, by.signer.publicKey);
  return `${text}\n${noteSignatureLine({ name: by.name, keyHash, signature: by.signer.sign(text) })}`;
}
