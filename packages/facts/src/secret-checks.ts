/**
 * @module Checks of tokens that carry their own proof: a checksum, a header that must decode, a pair of name and password. All of them read
 * a bounded value.
 */

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_unused, n) => {
  let rest = n;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest & 1) === 1 ? (rest >>> 1) ^ 0xed_b8_83_20 : rest >>> 1;
  return rest >>> 0;
});

/** CRC-32 (IEEE 802.3) of ASCII text. */
export function crc32(text: string): number {
  let rest = 0xff_ff_ff_ff;
  for (let i = 0; i < text.length; i += 1) rest = (rest >>> 8) ^ (CRC_TABLE[(rest ^ text.charCodeAt(i)) & 0xff] ?? 0);
  return (rest ^ 0xff_ff_ff_ff) >>> 0;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUM_CHARS = 6;

/** GitHub's checksum: the last six characters are the CRC-32 of those before, in base 62. */
export function hasGithubChecksum(body: string): boolean {
  let rest = crc32(body.slice(0, -SUM_CHARS));
  let sum = '';
  for (let i = 0; i < SUM_CHARS; i += 1) {
    sum = BASE62.charAt(rest % 62) + sum;
    rest = Math.floor(rest / 62);
  }
  return body.endsWith(sum);
}

const DECODED_MAX = 1024;

function valueOf64(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x61 && code <= 0x7a) return code - 0x47;
  if (code >= 0x30 && code <= 0x39) return code + 4;
  if (code === 0x2b || code === 0x2d) return 62;
  return code === 0x2f || code === 0x5f ? 63 : -1;
}

/** Bytes of base64 of either alphabet, as Latin-1; `` where the text is none. Reads a bounded start. */
export function decodedBase64(text: string): string {
  let bits = 0;
  let held = 0;
  let decoded = '';
  const end = Math.min(text.length, DECODED_MAX);
  for (let i = 0; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x3d) break;
    const value = valueOf64(code);
    if (value < 0) return '';
    bits = ((bits << 6) | value) & 0xff_ff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += String.fromCharCode((bits >>> held) & 0xff);
  }
  return decoded;
}

/** The header of a JSON web token (RFC 7515): an object that names an algorithm or an encryption. */
export function isJwtHeader(part: string): boolean {
  return /^\s*\{[^]{0,600}"(?:alg|enc)"\s{0,4}:\s{0,4}"[\w-]{2,40}"/.test(decodedBase64(part));
}

/** The claims everybody's first token shows: subject 1234567890. */
export function isSampleClaims(part: string): boolean {
  return /"sub"\s{0,4}:\s{0,4}"1234567890"/.test(decodedBase64(part));
}

/** `name:password` in base64, as the header of basic authentication (RFC 7617) carries it; the password. */
export function basicPassword(value: string): string | undefined {
  const pair = /^[\u0020-\u007e]{0,128}?:([\u0020-\u007e]{1,256})$/.exec(decodedBase64(value));
  return pair?.[1];
}
