/** @module Salted hashes of private data: SHA-256(salt || bytes), so that a log says nothing about what it commits to. */
import { sha256Hex } from '@countersign/crypto';

export const SALT_BYTES = 32;

/** Salt and bytes of short texts are put together here, hashed, and wiped: most commitments then need no memory of their own. */
const scratch = new Uint8Array(32_768);
const encoder = new TextEncoder();
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;

/** Lower-case hex. `salt` has 32 bytes and is used for nothing else. */
export function commit(salt: Uint8Array, bytes: Uint8Array): string {
  const salted = new Uint8Array(salt.length + bytes.length);
  salted.set(salt);
  salted.set(bytes, salt.length);
  return sha256Hex(salted);
}

/** `commit` of the UTF-8 bytes of a text. */
export function commitText(salt: Uint8Array, text: string): string {
  if (salt.length + text.length * BYTES_PER_UNIT_MAX > scratch.length) return commit(salt, encoder.encode(text));
  scratch.set(salt);
  const end = salt.length + encoder.encodeInto(text, scratch.subarray(salt.length)).written;
  const hex = sha256Hex(scratch.subarray(0, end));
  scratch.fill(0, 0, end);
  return hex;
}
