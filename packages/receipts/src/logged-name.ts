/** @module Names as a log may show them: bounded, printable, and still different where the originals were. */
import { sha256Hex } from '@countersign/crypto';
import { RECEIPT_LIMITS } from './limits.ts';

/** Printable ASCII but for the two characters that JSON escapes: one character is one byte in an entry. */
const PLAIN = /^[\u0020\u0021\u0023-\u005b\u005d-\u007e]*$/;
const NOT_PLAIN = /[^\u0020\u0021\u0023-\u005b\u005d-\u007e]/g;
const NOT_TOOL = /[^A-Za-z0-9_.:/-]/g;

/** A name that identifies: as it is, or, where it is too long or not printable ASCII, `sha256:` and the hash of it. */
export function loggedName(name: string): string {
  if (name.length <= RECEIPT_LIMITS.nameCharsMax && PLAIN.test(name)) return name;
  return `sha256:${sha256Hex(name)}`;
}

/** Text for people: cut to `charsMax` UTF-16 units, anything but printable ASCII replaced by `?`. */
export function plainText(text: string, charsMax: number): string {
  const cut = text.length <= charsMax ? text : text.slice(0, charsMax);
  return PLAIN.test(cut) ? cut : cut.replace(NOT_PLAIN, '?');
}

/** A tool or kind: cut, anything outside `[A-Za-z0-9_.:/-]` replaced by `?`. */
export function toolName(name: string, charsMax: number): string {
  return (name.length <= charsMax ? name : name.slice(0, charsMax)).replace(NOT_TOOL, '?');
}
