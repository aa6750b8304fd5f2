/** @module Salted hashes of private data: SHA-256(salt || bytes), so that a log says nothing about what it commits to. */
import { sha256Hex } from '@countersign/crypto';

export const SALT_BYTES = 32;

/** Lower-case hex. `salt` has 32 bytes and is used for nothing else. */
export function commit(salt: Uint8Array, bytes: Uint8Array): string {
  const salted = new Uint8Array(salt.length + bytes.length);
  salted.set(salt);
  salted.set(bytes, salt.length);
  return sha256Hex(salted);
}
