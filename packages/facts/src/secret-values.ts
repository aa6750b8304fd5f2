/**
 * @module Secrets told by their name: `password = "..."`, `"api_key": "..."`, `export TOKEN=...`, and parameters whose key says so.
 */
import { FACTS_LIMITS } from './limits.ts';
import { classesOf, entropyOf, isPlaceholder } from './placeholders.ts';

/** Words that make what is assigned to them a secret, and the type they give. */
export const SECRET_NAMES: ReadonlyMap<string, string> = new Map([
  ['password', 'password'],
  ['passwd', 'password'],
  ['passphrase', 'password'],
  ['pwd', 'password'],
  ['pass', 'password'],
  ['api_key', 'generic_api_key'],
  ['apikey', 'generic_api_key'],
  ['api-key', 'generic_api_key'],
  ['api_token', 'generic_api_key'],
  ['access_key', 'generic_api_key'],
  ['accesskey', 'generic_api_key'],
  ['access-key', 'generic_api_key'],
  ['auth_key', 'generic_api_key'],
  ['secret', 'generic_secret'],
  ['token', 'generic_secret'],
  ['credential', 'generic_secret'],
  ['private_key', 'generic_secret'],
  ['privatekey', 'generic_secret'],
  ['signing_key', 'generic_secret'],
  ['encryption_key', 'generic_secret'],
  ['bearer ', 'bearer_token'],
  ['basic ', 'basic_auth'],
  [' -u ', 'basic_auth'],
  ['--user ', 'basic_auth'],
]);

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

/** Skips `=`, `:`, `:=`, `=>`, `->`, `==`, `,` (call arguments) and a JSON `":`; -1 where there is no operator. */
function afterOperator(text: string, from: number): number {
  let at = from;
  const closed = /["'`\]]/.test(text.charAt(at));
  if (closed) at += 1;
  if (text.charAt(at) === ']') at += 1;
  if (TYPED.test(text.slice(at, at + TYPED_CHARS))) at += TYPED_CHARS;
  at = skipBlanks(text, at);
  const before = at;
  if (closed && text.charAt(at) === ',') at += 1;
  while (at - before < 3 && /[=:>|?!]/.test(text.charAt(at))) at += 1;
  return at === before ? -1 : skipBlanks(text, at);
}

/** `r"`, `b'`, `@"`: the prefix of a string literal. */
const STRING_PREFIX = /^[bBrRuUfF@$]["']/;
/** `&` ends a value only where another field of a query or form begins. */
const NEXT_FIELD = /^&(?:amp;)?[\w.[\]-]{1,32}=/;
const NEXT_FIELD_CHARS = 40;
const QUOTES = '"\'`';
const BARE_STOPS = ' \t\r\n"\'`,;)]}<>&|';

/** The value assigned to the name that ends at `nameEnd`; undefined where nothing is assigned. */
export function valueAfter(text: string, nameEnd: number): NamedValue | undefined {
  let at = nameEnd;
  while (at - nameEnd < SUFFIX_MAX && isNameChar(text.charCodeAt(at))) at += 1;
  const from = afterOperator(text, at);
  return from < 0 ? undefined : readValue(text, from);
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

const CODE =
  /^[\w.$]+[([]|^[{[(<]|^(?:process\.env|os\.|env\.|self\.|this\.|config\.|settings\.|req\.|request\.|params\.|args\.|ctx\.|data\.|var\.|local\.|secrets?\.|vault\.|getenv|import |new |await |null$|none$|true$|false$|undefined$|nil$|string$|str$|bool$|int$)/i;
const DOTTED_NAME = /^[A-Za-z_$]+(?:(?:\.|->|::)[A-Za-z_$]+)+$/;
const PLAIN_WORD = /^[a-z]+$|^[A-Z][a-z]+$|^[A-Z_]+$|^[a-z]+(?:[_-][a-z]+)+$|^[a-z]+(?:[A-Z][a-z]+)+$/;
const LOCATION = /^(?:https?:\/\/|\/|\.\/|~\/|\$|@|arn:|s3:|gs:|file:|projects\/)/;

const VALUE_MIN = 8;
const ENTROPY_MIN = { password: 2.2, generic_api_key: 3, generic_secret: 3.2 } as const;

/** A quoted value that is fetched from somewhere else. */
const REFERENCE = /^(?:process\.env|os\.environ|secrets?\.|vars?\.|\$|#\{)/;

function isMixed(value: string, entropy: number): boolean {
  return classesOf(value) >= 2 && entropyOf(value) >= entropy;
}

/** True where `value`, assigned to a name of `type`, is likely to open something. */
export function isLikelySecret(type: string, value: string, quoted: boolean): boolean {
  if (value.length < VALUE_MIN || isPlaceholder(value) || isReference(value, quoted)) return false;
  const blanks = /\s/.test(value);
  if (type === 'password') return blanks ? classesOf(value) >= 4 : isMixed(value, ENTROPY_MIN.password);
  if (blanks || !/\d/.test(value)) return false;
  if (type === 'generic_api_key') return value.length >= 16 && entropyOf(value) >= ENTROPY_MIN.generic_api_key;
  return value.length >= 12 && isMixed(value, ENTROPY_MIN.generic_secret);
}

/** A word, a place or an expression: what it stands for may be secret, it is not. */
function isReference(value: string, quoted: boolean): boolean {
  if (LOCATION.test(value) || PLAIN_WORD.test(value)) return true;
  return quoted ? REFERENCE.test(value) : CODE.test(value) || DOTTED_NAME.test(value);
}
