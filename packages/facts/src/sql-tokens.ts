/**
 * @module SQL tokens of every dialect at once: quotes of MySQL, T-SQL and PostgreSQL, three kinds of comments, executable comments,
 * dollar quotes. One pass, total; a text may also be read as if it began inside a string, which is where an injected parameter lands.
 */
import { SQL_LIMITS } from './sql-limits.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'variable' | 'operator' | 'punctuation' | 'comment';

export interface Token {
  readonly kind: TokenKind;
  /** Lower-case; the inside of a string or quoted name. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** False for a string or comment that the text ends inside. */
  readonly closed: boolean;
  /** What a string or quoted name is closed by; `` for anything else. */
  readonly quote: string;
}

/** Where the text is taken to begin: outside, or inside a string with this quote. */
export type Context = '' | "'" | '"' | '`';

export interface TokenReading {
  readonly tokens: readonly Token[];
  readonly cut: boolean;
  readonly steps: number;
}

interface Cursor {
  readonly text: string;
  readonly escapes: boolean;
  readonly tokens: Token[];
  pos: number;
  steps: number;
}

const SPACE = /[\s\u0000-\u0008\u000e-\u001f\u00a0\u180e\u200b-\u200d\u2060\ufeff]+/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
/** `1f` and `1d` are numbers of Oracle, `0x` one of MySQL: a keyword may stand right behind them. */
const NUMBER = /0x(?:[0-9a-f]+|(?=union|select|from|and|or))|0b[01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+|[fd](?=union|from|and|or))?/iy;
const VARIABLE = /@{1,2}[\p{L}_`'"]?[\p{L}\p{N}_.$]*|:[\p{L}_][\p{L}\p{N}_]*|\$\d+|\?/uy;
const OPERATOR = /<=>|->>|#>>|<>|<=|>=|!=|==|\|\||&&|:=|::|->|=>|[=<>!|&^%*/+~\\-]/y;
const DOLLAR = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const EXECUTABLE = /\/\*M?!\d{0,6}/y;

function match(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.pos;
  return pattern.test(cursor.text) ? cursor.text.slice(cursor.pos, pattern.lastIndex) : '';
}

function push(
  cursor: Cursor,
  kind: TokenKind,
  input: { readonly text: string; readonly end: number; readonly closed?: boolean; readonly quote?: string },
): void {
  // Every token has the same fields in the same order: they are made by the million.
  cursor.tokens.push({ kind, text: input.text, start: cursor.pos, end: input.end, closed: input.closed ?? true, quote: input.quote ?? '' });
  cursor.steps += input.end - cursor.pos + 1;
  cursor.pos = input.end;
}

/** Reads from inside a string to its closing quote; doubled quotes and, where asked, backslashes stay inside. */
function readQuoted(cursor: Cursor, close: string, from: number): void {
  const { text, escapes } = cursor;
  let at = from;
  while (at < text.length) {
    const char = text[at];
    if (char === '\\' && escapes && close !== ']') at += 2;
    else if (char !== close) at += 1;
    else if (text[at + 1] === close && at > from) at += 2;
    else break;
  }
  const closed = at < text.length;
  const kind = close === "'" ? 'string' : 'quoted';
  push(cursor, kind, { text: text.slice(from, at).toLowerCase(), end: Math.min(at + 1, text.length), closed, quote: close });
}

function readUntil(cursor: Cursor, mark: string, input: { readonly kind: TokenKind; readonly from: number }): void {
  const { text } = cursor;
  const at = text.indexOf(mark, input.from);
  const stop = at === -1 ? text.length : at;
  const end = at === -1 ? text.length : mark === '\n' ? at : at + mark.length;
  push(cursor, input.kind, { text: text.slice(input.from, stop).toLowerCase(), end, closed: at !== -1 || mark === '\n' });
}

function readComment(cursor: Cursor): boolean {
  const { text, pos } = cursor;
  const next = text[pos + 1];
  if (text[pos] === '-' && next === '-') {
    readUntil(cursor, '\n', { kind: 'comment', from: pos + 2 });
    return true;
  }
  if (text[pos] === '#' && next !== '>' && next !== '-') {
    readUntil(cursor, '\n', { kind: 'comment', from: pos + 1 });
    return true;
  }
  if (text[pos] === '*' && next === '/') {
    // The end of an executable comment whose inside was read as SQL.
    cursor.pos += 2;
    cursor.steps += 2;
    return true;
  }
  if (text[pos] !== '/' || next !== '*') return false;
  const opener = match(cursor, EXECUTABLE);
  if (opener === '') readUntil(cursor, '*/', { kind: 'comment', from: pos + 2 });
  else push(cursor, 'comment', { text: '!', end: pos + opener.length });
  return true;
}

function readString(cursor: Cursor): boolean {
  const { text, pos } = cursor;
  const char = text[pos] ?? '';
  if (char === "'" || char === '"' || char === '`') {
    readQuoted(cursor, char, pos + 1);
    return true;
  }
  if (char === '[' && /^\[[\p{L}_][^\]\n]{0,128}\]/u.test(text.slice(pos, pos + 131))) {
    readQuoted(cursor, ']', pos + 1);
    return true;
  }
  const dollar = char === '$' ? match(cursor, DOLLAR) : '';
  if (dollar === '') return false;
  readUntil(cursor, dollar, { kind: 'string', from: pos + dollar.length });
  return true;
}

const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ['word', WORD],
  ['number', NUMBER],
  ['variable', VARIABLE],
  ['operator', OPERATOR],
];

const SPACE_SIGN = 1;
const WORD_SIGN = 2;
const INNER_SIGN = 4;
/** Could begin a comment, a string, a quoted name. */
const OPENING_SIGN = 8;
/** Stands for itself and begins nothing. */
const LONE_SIGN = 16;
/** What an ASCII character can be part of; the expressions above are asked only where this does not say. */
const SIGNS: Uint8Array = buildSigns();

function buildSigns(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code <= 0x20; code += 1) table[code] = SPACE_SIGN;
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = INNER_SIGN;
  for (let code = 0x61; code <= 0x7a; code += 1) {
    table[code] = WORD_SIGN | INNER_SIGN;
    table[code - 0x20] = WORD_SIGN | INNER_SIGN;
  }
  table[0x5f] = WORD_SIGN | INNER_SIGN;
  for (const sign of '-#*/\'"`[') table[sign.charCodeAt(0)] = OPENING_SIGN;
  for (const sign of '(),;{}]') table[sign.charCodeAt(0)] = LONE_SIGN;
  table[0x24] = OPENING_SIGN | INNER_SIGN;
  return table;
}

/** Signs of the code unit at `at`; 255, all of them, outside ASCII. Past the end: none. */
function signsAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  return code < 128 ? (SIGNS[code] ?? 0) : 255;
}

/** End of the word of ASCII at the cursor, or -1 where only `WORD` can say. */
function plainWordEnd({ text, pos }: Cursor): number {
  if ((signsAt(text, pos) & (WORD_SIGN | SPACE_SIGN)) !== WORD_SIGN) return -1;
  let end = pos + 1;
  let signs = signsAt(text, end);
  while (signs !== 255 && (signs & INNER_SIGN) !== 0) {
    end += 1;
    signs = signsAt(text, end);
  }
  return signs === 255 ? -1 : end;
}

function spaceAt(cursor: Cursor): number {
  return (signsAt(cursor.text, cursor.pos) & SPACE_SIGN) === 0 ? 0 : match(cursor, SPACE).length;
}

function readToken(cursor: Cursor): void {
  const { text, pos } = cursor;
  const wordEnd = plainWordEnd(cursor);
  if (wordEnd !== -1) return push(cursor, 'word', { text: text.slice(pos, wordEnd).toLowerCase(), end: wordEnd });
  if (signsAt(text, pos) === LONE_SIGN) return push(cursor, 'punctuation', { text: text[pos] ?? '', end: pos + 1 });
  for (const [kind, pattern] of KINDS) {
    const found = match(cursor, pattern);
    if (found === '') continue;
    return push(cursor, kind, { text: found.toLowerCase(), end: pos + found.length });
  }
  return push(cursor, 'punctuation', { text: text[pos] ?? '', end: pos + 1 });
}

/** Tokens of a text, comments included. Total; counted steps, at most a constant for each character. */
export function readTokens(text: string, context: Context = '', escapes = true): TokenReading {
  const cursor: Cursor = { text, escapes, tokens: [], pos: 0, steps: 0 };
  if (context !== '') readQuoted(cursor, context, 0);
  while (cursor.pos < text.length && cursor.tokens.length < SQL_LIMITS.tokensMax) {
    const space = spaceAt(cursor);
    cursor.pos += space;
    cursor.steps += space + 1;
    if (cursor.pos >= text.length) continue;
    if ((signsAt(text, cursor.pos) & OPENING_SIGN) !== 0 && (readComment(cursor) || readString(cursor))) continue;
    readToken(cursor);
  }
  return { tokens: cursor.tokens, cut: cursor.pos < text.length, steps: cursor.steps };
}

/** Tokens without comments. */
export function significant(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

/** Text of the token at an index where it is no string or quoted name; `` elsewhere and past the end. */
export function plainAt(tokens: readonly Token[], index: number): string {
  const token = tokens[index];
  return token === undefined || token.kind === 'string' || token.kind === 'quoted' ? '' : token.text;
}

/** Text of the token at an index whatever it is; `` past the end. */
export function textAt(tokens: readonly Token[], index: number): string {
  return tokens[index]?.text ?? '';
}
