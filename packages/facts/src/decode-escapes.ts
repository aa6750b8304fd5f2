/**
 * @module Escapes: percent encoding (RFC 3986, with `%uXXXX` of old script engines), and the backslash escapes of C, JavaScript and shells.
 * Each function reads its text once and answers undefined where it changed nothing.
 */
import { looseUtf8 } from './decode-utf8.ts';

/** Value of a hex digit, or -1. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const low = code | 0x20;
  return low >= 0x61 && low <= 0x66 ? low - 0x57 : -1;
}

/** Value of `count` hex digits at `at`, or -1 where one is missing. */
export function hexAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i += 1) {
    const digit = hexValue(text.charCodeAt(at + i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/**
 * Percent-decodes once. `%XX` runs are read as UTF-8, overlong forms included; `%uXXXX` as one code unit. Malformed escapes stay.
 * With `plus`, `+` is a space as in a form, but only where the text holds no space of its own.
 */
export function decodePercent(text: string, plus: boolean): string | undefined {
  let out = '';
  let from = 0;
  let at = text.indexOf('%');
  while (at >= 0) {
    const run = percentRun(text, at);
    if (run.end > at) {
      out += text.slice(from, at) + run.text;
      from = run.end;
    }
    at = text.indexOf('%', run.end > at ? run.end : at + 1);
  }
  if (from === 0) return undefined;
  out += text.slice(from);
  return plus && !text.includes(' ') ? out.replaceAll('+', ' ') : out;
}

function percentRun(text: string, start: number): { text: string; end: number } {
  const lead = text.charCodeAt(start + 1) | 0x20;
  if (lead === 0x75) {
    const unit = hexAt(text, start + 2, 4);
    return unit < 0 ? { text: '', end: start } : { text: loneUnit(unit), end: start + 6 };
  }
  const bytes: number[] = [];
  let at = start;
  while (text.charCodeAt(at) === 0x25) {
    const byte = hexAt(text, at + 1, 2);
    if (byte < 0) break;
    bytes.push(byte);
    at += 3;
  }
  return { text: looseUtf8(bytes), end: at };
}

/** A UTF-16 unit; U+2215, U+2216, U+FF0F and other slash look-alikes are folded by the path reader, not here. */
function loneUnit(unit: number): string {
  return String.fromCharCode(unit);
}

/** What `decodeBackslash` found. */
export interface BackslashText {
  readonly text: string;
  /** `hex`, `octal`, `unicode-escape`, in this order. */
  readonly layers: readonly string[];
}

interface Escape {
  readonly text: string;
  readonly end: number;
  readonly kind: 1 | 2 | 4;
}

const HEX = 1;
const OCTAL = 2;
const UNICODE = 4;

function octalAt(text: string, at: number): number {
  let value = 0;
  for (let i = 0; i < 3; i += 1) {
    const digit = text.charCodeAt(at + i) - 0x30;
    if (!(digit >= 0 && digit <= 7)) return -1;
    value = value * 8 + digit;
  }
  return value <= 0xff ? value : -1;
}

function hexEscape(text: string, at: number): Escape | undefined {
  const bytes: number[] = [];
  let end = at;
  while (text.charCodeAt(end) === 0x5c && (text.charCodeAt(end + 1) | 0x20) === 0x78) {
    const byte = hexAt(text, end + 2, 2);
    if (byte < 0) break;
    bytes.push(byte);
    end += 4;
  }
  return bytes.length === 0 ? undefined : { text: looseUtf8(bytes), end, kind: HEX };
}

function octalEscape(text: string, at: number): Escape | undefined {
  const bytes: number[] = [];
  let end = at;
  while (text.charCodeAt(end) === 0x5c) {
    const zero = text.charCodeAt(end + 1) === 0x30 && octalAt(text, end + 2) >= 0 ? 1 : 0;
    const byte = octalAt(text, end + 1 + zero);
    if (byte < 0) break;
    bytes.push(byte);
    end += 4 + zero;
  }
  return bytes.length === 0 ? undefined : { text: looseUtf8(bytes), end, kind: OCTAL };
}

/** Most digits inside `\u{...}`. */
const BRACED_DIGITS_MAX = 8;

function bracedEscape(text: string, at: number): Escape | undefined {
  let value = 0;
  let end = at + 3;
  while (end - at - 3 < BRACED_DIGITS_MAX) {
    const digit = hexValue(text.charCodeAt(end));
    if (digit < 0) break;
    value = value * 16 + digit;
    end += 1;
  }
  if (end === at + 3 || text.charCodeAt(end) !== 0x7d || value > 0x10ffff) return undefined;
  return { text: String.fromCodePoint(value), end: end + 1, kind: UNICODE };
}

function unicodeEscape(text: string, at: number): Escape | undefined {
  if (text.charCodeAt(at + 2) === 0x7b) return bracedEscape(text, at);
  const unit = hexAt(text, at + 2, 4);
  return unit < 0 ? undefined : { text: String.fromCharCode(unit), end: at + 6, kind: UNICODE };
}

function escapeAt(text: string, at: number): Escape | undefined {
  const next = text.charCodeAt(at + 1);
  if (next === 0x78 || next === 0x58) return hexEscape(text, at);
  if (next === 0x75) return unicodeEscape(text, at);
  if (next === 0x55) {
    const point = hexAt(text, at + 2, 8);
    return point < 0 || point > 0x10ffff ? undefined : { text: String.fromCodePoint(point), end: at + 10, kind: UNICODE };
  }
  return next >= 0x30 && next <= 0x37 ? octalEscape(text, at) : undefined;
}

/** Decodes `\xNN`, `\NNN`, `\uNNNN`, `\u{N}` and `\UNNNNNNNN` in one pass. */
export function decodeBackslash(text: string): BackslashText | undefined {
  let out = '';
  let from = 0;
  let kinds = 0;
  let at = text.indexOf('\\');
  while (at >= 0) {
    const found = escapeAt(text, at);
    if (found !== undefined) {
      out += text.slice(from, at) + found.text;
      from = found.end;
      kinds |= found.kind;
    }
    at = text.indexOf('\\', found === undefined ? at + 1 : found.end);
  }
  if (kinds === 0) return undefined;
  const layers: string[] = [];
  if ((kinds & HEX) !== 0) layers.push('hex');
  if ((kinds & OCTAL) !== 0) layers.push('octal');
  if ((kinds & UNICODE) !== 0) layers.push('unicode-escape');
  return { text: out + text.slice(from), layers };
}
