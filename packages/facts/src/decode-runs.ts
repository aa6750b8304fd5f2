/**
 * @module Runs: base64 (RFC 4648, both alphabets), and bare hexadecimal, as a whole text or inside a longer one.
 * A run counts only when its bytes read as text: an identifier or a path is base64 too, and decodes to noise.
 */
import { hexValue } from './decode-escapes.ts';
import { strictUtf8 } from './decode-utf8.ts';
import { FACTS_LIMITS } from './limits.ts';

/** A decoded region. */
export interface DecodedRun {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly layer: 'base64' | 'hex';
}

/** Runs found, how many characters were looked at, and whether there were more than the limit. */
export interface DecodedRuns {
  readonly runs: readonly DecodedRun[];
  readonly steps: number;
  readonly cut: boolean;
}

const NONE = 255;
const SIXTY_FOUR: Uint8Array = buildAlphabet();

function buildAlphabet(): Uint8Array {
  const table = new Uint8Array(128).fill(NONE);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let i = 0; i < 64; i += 1) table[letters.charCodeAt(i)] = i;
  table[0x2d] = 62;
  table[0x5f] = 63;
  return table;
}

function sextet(code: number): number {
  return code < 128 ? (SIXTY_FOUR[code] ?? NONE) : NONE;
}

function base64Bytes(text: string, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(((end - start) * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = start; i < end; i += 1) {
    held = ((held << 6) | sextet(text.charCodeAt(i))) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (held >> bits) & 0xff;
      at += 1;
    }
  }
  return bytes.subarray(0, at);
}

/** UTF-16LE of Latin text (what `powershell -EncodedCommand` takes): every second byte is zero. */
function utf16Text(bytes: Uint8Array): string | undefined {
  if (bytes.length < 8) return undefined;
  const latin = new Uint8Array(bytes.length >> 1);
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    if (bytes[i + 1] !== 0) return undefined;
    latin[i >> 1] = bytes[i] ?? 0;
  }
  return strictUtf8(latin);
}

const HEAD_CHARS = 16;

function base64Text(text: string, start: number, end: number): string | undefined {
  const length = end - start;
  if (length < FACTS_LIMITS.base64RunMin || length % 4 === 1) return undefined;
  const head = base64Bytes(text, start, start + HEAD_CHARS);
  if (!plausibleHead(head)) return undefined;
  const bytes = base64Bytes(text, start, end);
  return bytes[1] === 0 ? utf16Text(bytes) : strictUtf8(bytes);
}

/** The first twelve bytes decide most: noise has a control character among them. */
function plausibleHead(head: Uint8Array): boolean {
  const wide = head[1] === 0;
  for (const [i, byte] of head.entries()) {
    const zero = byte === 0 && wide && i % 2 === 1;
    if ((byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && !zero) || byte === 127) return false;
  }
  return true;
}

function hexText(text: string, start: number, end: number): string | undefined {
  if ((end - start) % 2 === 1) return undefined;
  const bytes = new Uint8Array((end - start) >> 1);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = hexValue(text.charCodeAt(start + 2 * i)) * 16 + hexValue(text.charCodeAt(start + 2 * i + 1));
  }
  return bytes[1] === 0 ? utf16Text(bytes) : strictUtf8(bytes);
}

interface Search {
  readonly text: string;
  readonly runs: DecodedRun[];
  steps: number;
}

function tryHex(search: Search, start: number, end: number): boolean {
  const { text } = search;
  const prefixed = text.charCodeAt(start) === 0x30 && (text.charCodeAt(start + 1) | 0x20) === 0x78;
  const from = prefixed ? start + 2 : start;
  if (end - from < (prefixed ? FACTS_LIMITS.hexRunMin - 4 : FACTS_LIMITS.hexRunMin)) return false;
  for (let i = from; i < end; i += 1) if (hexValue(text.charCodeAt(i)) < 0) return false;
  search.steps += end - from;
  const decoded = hexText(text, from, end);
  if (decoded === undefined) return false;
  search.runs.push({ start, end, text: decoded, layer: 'hex' });
  return true;
}

function tryBase64(search: Search, start: number, end: number): boolean {
  search.steps += Math.min(end - start, HEAD_CHARS);
  const decoded = base64Text(search.text, start, end);
  if (decoded === undefined) return false;
  search.steps += end - start;
  let close = end;
  while (close < end + 2 && search.text.charCodeAt(close) === 0x3d) close += 1;
  search.runs.push({ start, end: close, text: decoded, layer: 'base64' });
  return true;
}

/** A run that is no base64 as a whole may be a path or a list around one: its parts between `/`, `-` and `_` are tried once each. */
function tryParts(search: Search, start: number, end: number): void {
  let from = start;
  for (let i = start; i <= end; i += 1) {
    const value = i < end ? sextet(search.text.charCodeAt(i)) : 63;
    if (value < 62) continue;
    const whole = from === start && i === end;
    if (!whole && i - from >= FACTS_LIMITS.base64RunMin && !tryHex(search, from, i)) tryBase64(search, from, i);
    from = i + 1;
  }
}

function readRun(search: Search, start: number, end: number): void {
  search.steps += end - start;
  if (tryHex(search, start, end)) return;
  if (end - start < FACTS_LIMITS.base64RunMin || tryBase64(search, start, end)) return;
  tryParts(search, start, end);
}

/** Decodes every base64 and hex run in `text`. Linear: each character is in one run and is decoded at most three times. */
export function decodeRuns(text: string): DecodedRuns {
  const search: Search = { text, runs: [], steps: text.length };
  let start = 0;
  const shortest = FACTS_LIMITS.hexRunMin - 2;
  for (let i = 0; i <= text.length; i += 1) {
    if (i < text.length && sextet(text.charCodeAt(i)) !== NONE) continue;
    if (i - start >= shortest) {
      if (search.runs.length >= FACTS_LIMITS.runsPerTextMax) return { runs: search.runs, steps: search.steps, cut: true };
      readRun(search, start, i);
    }
    start = i + 1;
  }
  return { runs: search.runs, steps: search.steps, cut: false };
}
