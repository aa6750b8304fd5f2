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
const NUMBER = /0x[0-9a-f]+|0b[01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?/iy;
const VARIABLE = /@{1,2}[\p{L}_`'"]?[\p{L}\p{N}_.$]*|:[\p{L}_][\p{L}\p{N}_]*|\$\d+|\?/uy;
const OPERATOR = /<=>|->>|#>>|<>|<=|>=|!=|==|\|\||&&|:=|::|->|=>|[=<>!|&^%*/+~\\-]/y;
const DOLLAR = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const EXECUTABLE = /\/\*M?!\d{0,6}/y;

function match(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.pos;
  return pattern.exec(cursor.text)?.[0] ?? '';
}

function push(cursor: Cursor, kind: TokenKind, input: { readonly text: string; readonly end: number; readonly closed?: boolean }): void {
  cursor.tokens.push({ kind, text: input.text, start: cursor.pos, end: input.end, closed: input.closed ?? true });
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
  push(cursor, kind, { text: text.slice(from, at).toLowerCase(), end: Math.min(at + 1, text.length), closed });
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

function readToken(cursor: Cursor): void {
  for (const [kind, pattern] of KINDS) {
    const found = match(cursor, pattern);
    if (found === '') continue;
    push(cursor, kind, { text: found.toLowerCase(), end: cursor.pos + found.length });
    return;
  }
  const { text, pos } = cursor;
  push(cursor, 'punctuation', { text: text[pos] ?? '', end: pos + 1 });
}

/** Tokens of a text, comments included. Total; counted steps, at most a constant for each character. */
export function readTokens(text: string, context: Context = '', escapes = true): TokenReading {
  const cursor: Cursor = { text, escapes, tokens: [], pos: 0, steps: 0 };
  if (context !== '') readQuoted(cursor, context, 0);
  while (cursor.pos < text.length && cursor.tokens.length < SQL_LIMITS.tokensMax) {
    const space = match(cursor, SPACE);
    cursor.pos += space.length;
    cursor.steps += space.length + 1;
    if (cursor.pos >= text.length || readComment(cursor) || readString(cursor)) continue;
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
