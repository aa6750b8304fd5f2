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

/** Skips `=`, `:`, `:=`, `=>`, `->`, `==`, `,` (call arguments) and a JSON `":`; -1 where there is no operator. */
function afterOperator(text: string, from: number): number {
  let at = from;
  if (/["'`\]]/.test(text.charAt(at))) at += 1;
  if (text.charAt(at) === ']') at += 1;
  at = skipBlanks(text, at);
  const before = at;
  while (at - before < 3 && /[=:>|?]/.test(text.charAt(at))) at += 1;
  return at === before ? -1 : skipBlanks(text, at);
}

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
  const prefix = /^[bBrRuUfF@$]{0,2}$/.test(text.charAt(from)) && /["']/.test(text.charAt(from + 1)) && text.charAt(from) !== '"' ? 1 : 0;
  const quote = text.charAt(from + prefix);
  const quoted = quote === '"' || quote === "'" || quote === '`';
  const start = quoted ? from + prefix + 1 : from;
  const last = Math.min(text.length, start + FACTS_LIMITS.secretValueMax);
  let end = start;
  while (end < last) {
    const sign = text.charAt(end);
    if (quoted ? sign === quote || sign === '\n' : BARE_STOPS.includes(sign)) break;
    end += sign === '\\' && quoted ? 2 : 1;
  }
  end = Math.min(end, text.length);
  return end <= start ? undefined : { start, end, quoted };
}

const CODE =
  /[()[\]{}]|^(?:process\.env|os\.|env\.|self\.|this\.|config\.|settings\.|req\.|request\.|params\.|args\.|ctx\.|data\.|var\.|local\.|secrets?\.|vault\.|getenv|import |new |await |null$|none$|true$|false$|undefined$|nil$|string$|str$|bool$|int$)/i;
const DOTTED_NAME = /^[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)+$/;
const PLAIN_WORD = /^[a-z]+$|^[A-Z][a-z]+$|^[A-Z_]+$|^[a-z]+(?:[_-][a-z]+)+$|^[a-z]+(?:[A-Z][a-z]+)+$/;
const LOCATION = /^(?:https?:\/\/|\/|\.\/|~\/|\$|@|arn:|s3:|gs:|file:|projects\/)/;

const VALUE_MIN = 8;
const ENTROPY_MIN = { password: 2.2, generic_api_key: 3, generic_secret: 3.2 } as const;

/** True where `value`, assigned to a name of `type`, is likely to open something. */
export function isLikelySecret(type: string, value: string, quoted: boolean): boolean {
  if (value.length < VALUE_MIN || isPlaceholder(value) || LOCATION.test(value)) return false;
  if (!quoted && (CODE.test(value) || DOTTED_NAME.test(value))) return false;
  if (quoted && /\s/.test(value) && type !== 'password') return false;
  if (quoted && /^(?:process\.env|os\.environ|secrets?\.|vars?\.|\$|#\{)/.test(value)) return false;
  if (PLAIN_WORD.test(value)) return false;
  if (type === 'password')
    return /\s/.test(value) ? classesOf(value) >= 4 : classesOf(value) >= 2 && entropyOf(value) >= ENTROPY_MIN.password;
  if (type === 'generic_api_key') return value.length >= 16 && entropyOf(value) >= ENTROPY_MIN.generic_api_key && /\d/.test(value);
  return value.length >= 12 && entropyOf(value) >= ENTROPY_MIN.generic_secret && /\d/.test(value) && classesOf(value) >= 2;
}
