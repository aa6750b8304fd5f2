/**
 * @module Assigned values: from a name to what it is given, in the spellings of configurations, programs and markup. Every look is bounded.
 */
import { FACTS_LIMITS } from './limits.ts';

/** A value behind a name. */
export interface NamedValue {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

const SUFFIX_MAX = 24;
const BLANKS_MAX = 8;

function isNameChar(code: number): boolean {
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at - from < BLANKS_MAX && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

/** A type between name and operator, as in Go. */
const TYPED = /^ string$/;
const TYPED_CHARS = 7;

const OPERATOR_CHARS_MAX = 4;

/**
 * Skips `=`, `:`, `:=`, `=>`, `->`, `==`, `,` (call arguments), a JSON `":`, the `>` of an element with its line break, and what opens a quoted
 * argument: `name("..."` and `name "..."`; -1 where there is no operator.
 */
function afterOperator(text: string, from: number): number {
  let at = from;
  const closed = /["'`\]]/.test(text.charAt(at));
  if (closed) at += 1;
  if (text.charAt(at) === ']') at += 1;
  if (TYPED.test(text.slice(at, at + TYPED_CHARS))) at += TYPED_CHARS;
  if (SIZED.test(text.slice(at, at + SIZED_CHARS))) at = text.indexOf(']', at) + 1;
  at = skipBlanks(text, at);
  const before = at;
  if (closed && text.charAt(at) === ',') at += 1;
  while (at - before < OPERATOR_CHARS_MAX && /[=:>|?!]/.test(text.charAt(at))) at += 1;
  if (at > before) return skipSpace(text, at);
  if (closed) return -1;
  const argument = /^(?:\(|\.assign\()?["'`]/.exec(text.slice(at, at + ARGUMENT_CHARS));
  return argument === null ? -1 : at + argument[0].length - 1;
}

/** The size of an array in C. */
const SIZED = /^\[\d{0,4}\]/;
const SIZED_CHARS = 6;
const ARGUMENT_CHARS = 10;
const INDENT_MAX = 24;

/** Blanks; after the `>` of an element also one line break and its indent. */
function skipSpace(text: string, from: number): number {
  const at = skipBlanks(text, from);
  if (text.charAt(from - 1) !== '>' || text.charAt(at) !== '\n') return at;
  let inner = at + 1;
  while (inner - at < INDENT_MAX && isBlank(text.charCodeAt(inner))) inner += 1;
  return inner;
}

/** `r"`, `b'`, `@"`: the prefix of a string literal. */
const STRING_PREFIX = /^[bBrRuUfF@$]["']/;
/** `&` ends a value only where another field of a query or form begins. */
const NEXT_FIELD = /^&(?:amp;)?[\w.[\]-]{1,32}=/;
const NEXT_FIELD_CHARS = 40;
const QUOTES = '"\'`';
const BARE_STOPS = ' \t\r\n"\'`,;)]}<>&|';

const FULL_STOP = 0x2e;

/** End of the name that goes on at `from`: `.` belongs to it where more of it follows. */
function nameRest(text: string, from: number): number {
  let at = from;
  while (at - from < SUFFIX_MAX) {
    const code = text.charCodeAt(at);
    if (!isNameChar(code) && !(code === FULL_STOP && isNameChar(text.charCodeAt(at + 1)))) break;
    at += 1;
  }
  return at;
}

/** The value assigned to the name that ends at `nameEnd`; undefined where nothing is assigned. */
export function valueAfter(text: string, nameEnd: number): NamedValue | undefined {
  const at = nameRest(text, nameEnd);
  const from = afterOperator(text, at);
  if (from < 0) return undefined;
  const value = readValue(text, from);
  if (value === undefined || value.quoted) return value;
  return fallbackOf(text, value) ?? { ...value, end: signedEnd(text, value) };
}

const FALLBACK = /^[\w.$]{1,48}(?:[([][^()[\]\n]{0,48}[)\]])?\s{0,2}(?:\?:|\?\?|\|\||or)\s{0,2}(?=["'`])/;
const FALLBACK_CHARS = 112;

/** The literal that stands in where the first value is missing: `env.PASSWORD || "..."`, `given ?: "..."`. */
function fallbackOf(text: string, { start }: NamedValue): NamedValue | undefined {
  const found = FALLBACK.exec(text.slice(start, start + FALLBACK_CHARS));
  return found === null ? undefined : readValue(text, start + found[0].length);
}

const SIGNED = /^[^\s"'`,;]{12,64}/;
const SIGNED_CHARS = 64;
const SIGNS_MIN = 6;
const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** True where brackets do not nest: no language writes them so, and a generator of passwords does. */
function isTangled(value: string): boolean {
  const open: string[] = [];
  for (const sign of value) {
    if ('([{'.includes(sign)) open.push(sign);
    else if (CLOSING[sign] !== undefined && open.pop() !== CLOSING[sign]) return true;
  }
  return false;
}

/** Where an unquoted value ends: further on than its first bracket, where signs and brackets show that it is no code. */
function signedEnd(text: string, { start, end }: NamedValue): number {
  if (end === text.length || !/[)\]}<>&|]/.test(text.charAt(end)) || /^(?:\{\{|\$\{|<|%)/.test(text.slice(start, start + 2))) return end;
  const run = SIGNED.exec(text.slice(start, start + SIGNED_CHARS))?.[0] ?? '';
  if (new Set(run.replaceAll(/[\w\s]/g, '')).size < SIGNS_MIN || !isTangled(run)) return end;
  return start + run.length;
}

/** The value that begins at `from`: quoted up to its quote, else up to a blank or separator. */
export function readValue(text: string, from: number): NamedValue | undefined {
  const prefix = STRING_PREFIX.test(text.slice(from, from + 2)) ? 1 : 0;
  const quote = text.charAt(from + prefix);
  const quoted = QUOTES.includes(quote) && quote !== '';
  const start = quoted ? from + prefix + 1 : from;
  const stops = quoted ? `${quote}\n` : BARE_STOPS;
  const last = Math.min(text.length, start + FACTS_LIMITS.secretValueMax);
  let end = start;
  while (end < last) {
    const sign = text.charAt(end);
    if (stops.includes(sign) && !(sign === '&' && !NEXT_FIELD.test(text.slice(end, end + NEXT_FIELD_CHARS)))) break;
    end += sign === '\\' && quoted ? 2 : 1;
  }
  end = Math.min(end, text.length);
  return end <= start ? undefined : { start, end, quoted };
}

const COMPARED = /["'`]\s{0,2}[=!]={1,2}\s{0,2}[\w.-]{0,24}$/;
const COMPARED_CHARS = 36;

/** The quoted value that the name which begins at `nameStart` is compared with: `"..." == name`. */
export function valueBefore(text: string, nameStart: number): NamedValue | undefined {
  const from = Math.max(0, nameStart - COMPARED_CHARS);
  const found = COMPARED.exec(text.slice(from, nameStart));
  if (found === null) return undefined;
  const end = from + found.index;
  const quote = text.charAt(end);
  const first = Math.max(0, end - FACTS_LIMITS.secretValueMax);
  let start = end;
  while (start > first && text.charAt(start - 1) !== quote && text.charAt(start - 1) !== '\n') start -= 1;
  return start === end || text.charAt(start - 1) !== quote ? undefined : { start, end, quoted: true };
}

const TOLD = /^(?:\s[a-z]{1,12}){0,3}?(?:\sis|:)\s{1,2}["'\u2018\u201c]?/;
const TOLD_CHARS = 56;
const TOLD_STOPS = ' \t\r\n"\'\u2019\u201d';

/** The value that a sentence gives: `new password after reset: '...'`, `the password is ...`. */
export function valueTold(text: string, nameEnd: number): NamedValue | undefined {
  const found = TOLD.exec(text.slice(nameEnd, nameEnd + TOLD_CHARS));
  if (found === null) return undefined;
  const start = nameEnd + found[0].length;
  let end = start;
  while (end < text.length && end - start < FACTS_LIMITS.secretValueMax && !TOLD_STOPS.includes(text.charAt(end))) end += 1;
  while (end > start && /[.,;)]/.test(text.charAt(end - 1))) end -= 1;
  return end <= start ? undefined : { start, end, quoted: /["'\u2018\u201c]$/.test(found[0]) };
}

const SCHEME = /^["']?\s{0,4}[:=]>?\s{0,4}["']?(?:([A-Za-z][\w-]{2,24})\s{1,2})?/;
const SCHEME_CHARS = 48;

/** The value of an `Authorization` header without its scheme, and the scheme in lower case. */
export function authorizationAfter(text: string, nameEnd: number): { readonly scheme: string; readonly value: NamedValue } | undefined {
  const found = SCHEME.exec(text.slice(nameEnd, nameEnd + SCHEME_CHARS));
  if (found === null) return undefined;
  const value = readValue(text, nameEnd + found[0].length);
  return value === undefined ? undefined : { scheme: (found[1] ?? '').toLowerCase(), value };
}

const LOGIN = /^\s{0,4}["']?([^\s:"']{0,128})["']?:["']?([^\s"']{0,128})/;
const LOGIN_CHARS = 264;

/** `name:password` as a command takes it, quoted in part or whole. */
export function loginAt(
  text: string,
  from: number,
): { readonly user: string; readonly password: string; readonly value: NamedValue } | undefined {
  const found = LOGIN.exec(text.slice(from, from + LOGIN_CHARS));
  if (found === null) return undefined;
  const [whole, user = '', password = ''] = found;
  const lead = /^\s*["']?/.exec(whole)?.[0].length ?? 0;
  return { user, password, value: { start: from + lead, end: from + whole.length, quoted: lead > 0 } };
}

/** The token that stands one blank behind a word. */
export function followingAt(text: string, from: number): NamedValue | undefined {
  const found = /^ ([\w|:-]{24,64})(?![\w|:-])/.exec(text.slice(from, from + 66));
  return found === null ? undefined : { start: from + 1, end: from + found[0].length, quoted: false };
}
