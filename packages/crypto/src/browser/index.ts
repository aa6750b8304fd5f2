/**
 * @module What verification needs of this room, for browsers: the same names with the same answers, without `node:*`. No signing, no
 * tokens, no sealing: a page that verifies has no use for a secret.
 */
export { base64, base64url, fromBase64, fromBase64url } from './base64.ts';
export type { Signer, Verifier } from '../ed25519.ts';
export { createVerifier, keyIdOf } from './ed25519.ts';
export { sha256, sha256Hex } from './hash.ts';
export {
  createNoteVerifier,
  ed25519NoteKeyHash,
  isNoteName,
  noteKeyHash,
  noteVerifierKey,
  parseNoteVerifierKey,
  parseVerifierKey,
  verifierKeyText,
  type NoteVerifier,
  type VerifierKey,
  type VerifierKeyFaultCode,
} from '../note-key.ts';
export { noteSignatureLine, openNote, type NoteFaultCode, type NoteSignature, type OpenedNote } from '../note.ts';
