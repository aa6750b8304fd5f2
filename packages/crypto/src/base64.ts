/**
 * @module Base64 and base64url (RFC 4648). Decoding is canonical: one text for one byte sequence, so a token or a note cannot be
 * written in a second way that still verifies.
 */
import { Buffer } from 'node:buffer';

/** A plain view of what node:crypto returns, so that no caller sees a Buffer. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function encode(bytes: Uint8Array, alphabet: 'base64' | 'base64url'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(alphabet);
}

/** Buffer skips what it does not know; encoding again shows whether it skipped anything. The copy leaves Buffer's shared pool. */
function decode(text: string, alphabet: 'base64' | 'base64url'): Uint8Array | undefined {
  const bytes = Buffer.from(text, alphabet);
  return bytes.toString(alphabet) === text ? new Uint8Array(bytes) : undefined;
}

/** Base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return encode(bytes, 'base64url');
}

/** The bytes, or undefined for padding, other characters, impossible lengths or trailing bits that are not zero. */
export function fromBase64url(text: string): Uint8Array | undefined {
  return decode(text, 'base64url');
}

/** Base64 with padding. */
export function base64(bytes: Uint8Array): string {
  return encode(bytes, 'base64');
}

/** The bytes, or undefined for missing padding, other characters or trailing bits that are not zero. */
export function fromBase64(text: string): Uint8Array | undefined {
  return decode(text, 'base64');
}
