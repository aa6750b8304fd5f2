/**
 * @module Base64 and base64url (RFC 4648) without a platform. Decoding is canonical, as on Node: one text for one byte sequence.
 */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64URL = `${BASE64.slice(0, 62)}-_`;
const BITS = 6;
const UNKNOWN = 255;

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(UNKNOWN);
  for (let i = 0; i < alphabet.length; i += 1) values[alphabet.charCodeAt(i)] = i;
  return values;
}

const BASE64_VALUES = valuesOf(BASE64);
const BASE64URL_VALUES = valuesOf(BASE64URL);

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = '';
  let [held, bits] = [0, 0];
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    for (bits += 8; bits >= BITS; bits -= BITS) text += alphabet[(held >> (bits - BITS)) & 63];
  }
  return bits === 0 ? text : text + alphabet[(held << (BITS - bits)) & 63];
}

/** `text` without padding. A length or trailing bits that no byte sequence gives are refused with everything that is not in the alphabet. */
function decode(text: string, values: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * BITS) / 8));
  let [held, bits, at] = [0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const value = values[text.charCodeAt(i)] ?? UNKNOWN;
    if (value === UNKNOWN) return undefined;
    held = ((held << BITS) | value) & 0xffff;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = held >> bits;
    at += 1;
  }
  const isWhole = bits < BITS && (held & ((1 << bits) - 1)) === 0;
  return isWhole ? bytes : undefined;
}

/** Base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return encode(bytes, BASE64URL);
}

/** The bytes, or undefined for padding, other characters, impossible lengths or trailing bits that are not zero. */
export function fromBase64url(text: string): Uint8Array | undefined {
  return decode(text, BASE64URL_VALUES);
}

/** Base64 with padding. */
export function base64(bytes: Uint8Array): string {
  const text = encode(bytes, BASE64);
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** The bytes, or undefined for missing padding, other characters or trailing bits that are not zero. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  return decode(text.slice(0, text.length - padding), BASE64_VALUES);
}
