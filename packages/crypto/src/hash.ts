/**
 * @module SHA-256 (FIPS 180-4), HMAC (RFC 2104) and comparison in constant time. Text is hashed as its UTF-8 bytes.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { secretKeyOf } from './secret-key.ts';

/** A digest as one character a byte becomes bytes on our own heap: half the cost of a Buffer, and no pool is kept alive. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The 32 bytes of the SHA-256. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return bytesOf(hash('sha256', data, 'binary'));
}

/** The SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** The 32 bytes of the HMAC-SHA-256. `key` must not be changed afterwards. */
export function hmacSha256(key: Uint8Array, data: string | Uint8Array): Uint8Array {
  return bytesOf(createHmac('sha256', secretKeyOf(key)).update(data).digest('binary'));
}

/** Equality in time that depends on the lengths only; different lengths are not equal. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
