/**
 * @module UTF-8 (RFC 3629) without a runtime: how long a text is in bytes, and where bytes stop being UTF-8.
 */

/** Bytes that `text` takes in UTF-8. Lone surrogates count as three, as encoders write U+FFFD for them. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair takes four bytes: its two units, and the two just added.
    if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(i + 1))) i += 1;
  }
  return bytes;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Lead byte -> length of its sequence; 0 where no sequence starts with it. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** The second byte's range is narrower after four leads: no overlong forms, no surrogates, nothing above U+10FFFF. */
function isSecond(lead: number, byte: number): boolean {
  if (lead === 0xe0) return byte >= 0xa0 && byte < 0xc0;
  if (lead === 0xed) return byte >= 0x80 && byte < 0xa0;
  if (lead === 0xf0) return byte >= 0x90 && byte < 0xc0;
  if (lead === 0xf4) return byte >= 0x80 && byte < 0x90;
  return byte >= 0x80 && byte < 0xc0;
}

function isSequence(bytes: Uint8Array, at: number, length: number): boolean {
  if (length === 0 || at + length > bytes.length) return false;
  if (length > 1 && !isSecond(bytes[at] ?? 0, bytes[at + 1] ?? 0)) return false;
  for (let k = 2; k < length; k += 1) {
    if (((bytes[at + k] ?? 0) & 0xc0) !== 0x80) return false;
  }
  return true;
}

/** Index of the first byte that does not start a well-formed sequence; -1 when all do. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes[i] ?? 0);
    if (!isSequence(bytes, i, length)) return i;
    i += length;
  }
  return -1;
}
