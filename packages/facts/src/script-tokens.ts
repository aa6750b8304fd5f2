/**
 * @module Tokens of languages that look like C: JavaScript, PHP, Java. Comments and blanks are passed over and remembered as a gap; brackets
 * know their partner. One pass, total.
 */
import { FACTS_LIMITS } from './limits.ts';

export interface ScriptToken {
  readonly kind: 'word' | 'string' | 'number' | 'sign';
  /** Lower-case; the inside of a string. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** A blank or a comment stands before it. */
  readonly gap: boolean;
  /** Index of the bracket that belongs to it, or -1. */
  partner: number;
}

export interface ScriptReading {
  readonly tokens: readonly ScriptToken[];
  /** Where reading goes on; the length of the text at its end. */
  readonly next: number;
}

const SKIP = /(?:\s+|\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/|$)|\/\/[^\n]*)/y;
const WORD = /\$*[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /\d[\w.]*/y;
const PARTNERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

interface Cursor {
  readonly text: string;
  readonly tokens: ScriptToken[];
  readonly open: number[];
  at: number;
  gap: boolean;
}

function match({ text, at }: Cursor, pattern: RegExp): string {
  pattern.lastIndex = at;
  return pattern.test(text) ? text.slice(at, pattern.lastIndex) : '';
}

function push(cursor: Cursor, kind: ScriptToken['kind'], input: { readonly text: string; readonly end: number }): void {
  const { text, end } = input;
  cursor.tokens.push({ kind, text: text.toLowerCase(), start: cursor.at, end, gap: cursor.gap, partner: -1 });
  cursor.gap = false;
  cursor.at = end;
}

/** A string as far as its quote, or as far as the end. */
function readString(cursor: Cursor, quote: string): void {
  const { text } = cursor;
  let at = cursor.at + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1;
  const end = Math.min(text.length, at + 1);
  push(cursor, 'string', { text: text.slice(cursor.at + 1, Math.min(at, text.length)), end });
}

function pair(cursor: Cursor, sign: string): void {
  const index = cursor.tokens.length - 1;
  if (sign === '(' || sign === '[' || sign === '{') cursor.open.push(index);
  const wanted = Object.hasOwn(PARTNERS, sign) ? PARTNERS[sign] : undefined;
  const opener = cursor.open.at(-1);
  if (wanted === undefined || opener === undefined || cursor.tokens[opener]?.text !== wanted) return;
  cursor.open.pop();
  const [left, right] = [cursor.tokens[opener], cursor.tokens[index]];
  if (left === undefined || right === undefined) return;
  left.partner = index;
  right.partner = opener;
}

/** Could begin a word or a number. */
function isWordCode(code: number): boolean {
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x24;
}

/** Could begin what is passed over. */
function isSkipCode(code: number): boolean {
  return code <= 0x20 || code === 0x2f || code >= 128;
}

function readToken(cursor: Cursor): void {
  const { text, at } = cursor;
  const char = text[at] ?? '';
  if (char === '"' || char === "'") return readString(cursor, char);
  const code = text.charCodeAt(at);
  if (code < 128 && !isWordCode(code)) {
    push(cursor, 'sign', { text: char, end: at + 1 });
    return pair(cursor, char);
  }
  const word = match(cursor, WORD);
  if (word !== '') return push(cursor, 'word', { text: word, end: at + word.length });
  const number = match(cursor, NUMBER);
  if (number !== '') return push(cursor, 'number', { text: number, end: at + number.length });
  push(cursor, 'sign', { text: char, end: at + 1 });
  return pair(cursor, char);
}

/** Tokens of a text from an offset on, at most `scriptTokensMax`. */
export function readScript(text: string, from = 0): ScriptReading {
  const cursor: Cursor = { text, tokens: [], open: [], at: from, gap: false };
  while (cursor.at < text.length && cursor.tokens.length < FACTS_LIMITS.scriptTokensMax) {
    const skipped = isSkipCode(text.charCodeAt(cursor.at)) ? match(cursor, SKIP).length : 0;
    if (skipped > 0) {
      cursor.at += skipped;
      cursor.gap = true;
    } else readToken(cursor);
  }
  return { tokens: cursor.tokens, next: cursor.at };
}
