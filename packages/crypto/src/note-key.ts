/**
 * @module Names and keys of signed notes (C2SP signed-note): `name+hash+base64(type || key)`, where the hash is the first four bytes of
 * SHA-256(name, newline, type, key). Type 1 is Ed25519.
 */
import { err, type Fault, invariant, ok, type Result } from '@countersign/kernel';
import { base64, createVerifier, fromBase64, sha256 } from '#primitives';
import type { Verifier } from './ed25519.ts';
import { VERIFIER_KEY_CHARS_MAX } from './limits.ts';

const ED25519_TYPE = 1;
const PUBLIC_KEY_BYTES = 32;
const encoder = new TextEncoder();
const HASH_SHAPE = /^[0-9a-fA-F]{8}$/;
/** Neither empty, nor a plus sign, nor anything Unicode calls a space (as Go's unicode.IsSpace), nor a control character. */
const NAME_SHAPE = /^[^+\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/;

/** Add-only. */
export type VerifierKeyFaultCode = 'vkey_malformed' | 'vkey_hash_mismatch' | 'vkey_unknown_type';

/** One key that may have signed a note. Other signature types than Ed25519 bring their own `verify`. */
export interface NoteVerifier {
  readonly name: string;
  /** Unsigned, 32 bits. */
  readonly keyHash: number;
  /** Total. `text` is the note's text with its last newline. */
  verify(text: string, signature: Uint8Array): boolean;
}

/** True for a name that a note can carry. */
export function isNoteName(name: string): boolean {
  return name.isWellFormed() && NAME_SHAPE.test(name);
}

/** The hash of a key: `typedKey` is the type byte and the key after it. */
export function noteKeyHash(name: string, typedKey: Uint8Array): number {
  const line = encoder.encode(`${name}\n`);
  const named = new Uint8Array(line.length + typedKey.length);
  named.set(line);
  named.set(typedKey, line.length);
  const digest = sha256(named);
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}

function typed(publicKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(publicKey.length + 1);
  key[0] = ED25519_TYPE;
  key.set(publicKey, 1);
  return key;
}

/** The hash of an Ed25519 key under a name. */
export function ed25519NoteKeyHash(name: string, publicKey: Uint8Array): number {
  return noteKeyHash(name, typed(publicKey));
}

/** A verifier of Ed25519 signatures under a name. */
export function createNoteVerifier(name: string, verifier: Verifier): NoteVerifier {
  invariant(isNoteName(name), 'a note name has no spaces and no plus sign');
  return { name, keyHash: ed25519NoteKeyHash(name, verifier.publicKey), verify: (text, signature) => verifier.verify(text, signature) };
}

/**
 * The text of a verifier key of any type: `typedKey` is the type byte and the key after it.
 * @throws {InvariantError} for a bad name or an empty key.
 */
export function verifierKeyText(name: string, typedKey: Uint8Array): string {
  invariant(isNoteName(name) && typedKey.length > 0, 'a note name has no spaces and no plus sign, and a key has a type');
  return `${name}+${noteKeyHash(name, typedKey).toString(16).padStart(8, '0')}+${base64(typedKey)}`;
}

/**
 * The verifier key text of an Ed25519 key.
 * @throws {InvariantError} for a bad name or key length.
 */
export function noteVerifierKey(name: string, publicKey: Uint8Array): string {
  invariant(publicKey.length === PUBLIC_KEY_BYTES, 'an Ed25519 key has 32 bytes');
  return verifierKeyText(name, typed(publicKey));
}

function refused(code: VerifierKeyFaultCode, message: string): Result<never, Fault<VerifierKeyFaultCode>> {
  return err({ code, message, hint: 'copy the whole verifier key: name+hash+base64' });
}

/** A verifier key of any type, its hash checked. */
export interface VerifierKey {
  readonly name: string;
  /** Unsigned, 32 bits. */
  readonly keyHash: number;
  /** The type byte: 1 for Ed25519, 4 for Ed25519 cosignatures. */
  readonly type: number;
  /** What follows the type byte; its length is up to the type. */
  readonly publicKey: Uint8Array;
}

/** Reads the text of a verifier key, whatever its type. Total. */
export function parseVerifierKey(text: string): Result<VerifierKey, Fault<VerifierKeyFaultCode>> {
  if (text.length > VERIFIER_KEY_CHARS_MAX)
    return refused('vkey_malformed', `a verifier key has at most ${VERIFIER_KEY_CHARS_MAX} characters`);
  const first = text.indexOf('+');
  const second = text.indexOf('+', first + 1);
  const name = text.slice(0, first);
  const hash = text.slice(first + 1, second);
  const key = fromBase64(text.slice(second + 1));
  if (first < 1 || second < 0 || !isNoteName(name) || !HASH_SHAPE.test(hash) || key === undefined) {
    return refused('vkey_malformed', 'not a verifier key');
  }
  const [type] = key;
  if (type === undefined) return refused('vkey_malformed', 'not a verifier key');
  const keyHash = noteKeyHash(name, key);
  if (keyHash !== Number.parseInt(hash, 16)) return refused('vkey_hash_mismatch', 'the hash in the verifier key is not that of its key');
  return ok({ name, keyHash, type, publicKey: key.slice(1) });
}

/** A verifier from its key text. */
export function parseNoteVerifierKey(text: string): Result<NoteVerifier & { readonly publicKey: Uint8Array }, Fault<VerifierKeyFaultCode>> {
  const parsed = parseVerifierKey(text);
  if (!parsed.ok) return parsed;
  const { name, type, publicKey } = parsed.value;
  if (type !== ED25519_TYPE) return refused('vkey_unknown_type', 'a verifier key of a type other than Ed25519');
  if (publicKey.length !== PUBLIC_KEY_BYTES) return refused('vkey_malformed', 'an Ed25519 key has 32 bytes');
  return ok({ ...createNoteVerifier(name, createVerifier(publicKey)), publicKey });
}
