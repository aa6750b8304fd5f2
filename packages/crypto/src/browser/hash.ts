/**
 * @module SHA-256 (FIPS 180-4) without a platform. WebCrypto is not used: it does not exist on pages that came over plain HTTP, which is
 * how a gateway inside a company is often read, and it answers later, so that verification would be written twice.
 */
import { sha256 as hash } from '@noble/hashes/sha2.js';

const encoder = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The 32 bytes of the SHA-256. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return hash(typeof data === 'string' ? encoder.encode(data) : data);
}

/** The SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(data: string | Uint8Array): string {
  let text = '';
  for (const byte of sha256(data)) text += HEX[byte];
  return text;
}
