/**
 * @module Secrets by assignment: what is given to a name that says it is secret, to a provider's name, or to a command as its login.
 */
import { FACTS_LIMITS } from './limits.ts';
import { entropyOf, isPlaceholder } from './placeholders.ts';
import { providerKeyOf } from './provider-keys.ts';
import { basicPassword } from './secret-checks.ts';
import { type Cursor, cursorOf, type Hit, report, reportLater, type SecretFinder } from './secret-cursor.ts';
import {
  authorizationAfter,
  followingAt,
  loginAt,
  type NamedValue,
  readValue,
  valueAfter,
  valueBefore,
  valueTold,
} from './assigned-values.ts';
import { isLikelySecret, isStrongSecret, SECRET_NAMES } from './secret-values.ts';
import type { ReadText } from './read-text.ts';

const HEADER_VALUE_MIN = 16;
const AWS_NAME = /secret[_-]?(?:access)?[_-]?key$/;
const AWS_VALUE = /^[A-Za-z0-9/+]{40}$/;

interface Named {
  readonly name: string;
  /** Where the name begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly value: NamedValue;
  readonly secret: string;
}

/** What is assigned to a name that says it is secret. */
export function readNamed(cursor: Cursor, name: string, at: { readonly start: number; readonly end: number }): void {
  const { start, end } = at;
  if (end <= cursor.valueEnd || end <= cursor.tokenEnd) return;
  const { text } = cursor.read.fact;
  cursor.finder.meter.steps += 8;
  const value = name.endsWith(' ') ? readValue(text, end) : givenTo(text, start, end);
  if (value === undefined) return;
  cursor.finder.meter.steps += value.end - value.start;
  if (value.end > end) cursor.valueEnd = value.end;
  const hit = namedHit(cursor, { name, start, end, value, secret: text.slice(value.start, value.end) });
  if (hit !== undefined) reportLater(cursor, { ...hit, start: value.start, end: value.end });
}

function givenTo(text: string, start: number, end: number): NamedValue | undefined {
  return valueAfter(text, end) ?? valueBefore(text, start) ?? valueTold(text, end);
}

const HEADER_OPTION = /(?:\s-h|--header)\s{0,2}["']?[\w-]{0,32}$/;

/** A header that a command sends: what it carries is used, not spoken of. */
function isSentHeader(cursor: Cursor, start: number): boolean {
  return HEADER_OPTION.test(cursor.read.fact.lower.slice(Math.max(0, start - 48), start));
}

/** The word before a scheme is the name of the header. */
function isAuthorization(cursor: Cursor, start: number): boolean {
  return /authorization["']?\s{0,2}[:=]\s{0,2}["']?$/.test(cursor.read.fact.lower.slice(Math.max(0, start - 24), start));
}

const SENT_ENTROPY_MIN = 2.7;

function isRandomValue(value: string): boolean {
  return (
    value.length >= HEADER_VALUE_MIN &&
    /\d/.test(value) &&
    !/[\s$<{]/.test(value) &&
    entropyOf(value) >= SENT_ENTROPY_MIN &&
    !isPlaceholder(value)
  );
}

/** The value of an `Authorization` header with a scheme of its own, or with none. */
export function readAuthorization(cursor: Cursor, start: number, end: number): void {
  if (end <= cursor.valueEnd || end <= cursor.tokenEnd) return;
  const { text } = cursor.read.fact;
  cursor.finder.meter.steps += 16;
  const given = authorizationAfter(text, end);
  if (given === undefined || given.scheme === 'bearer' || given.scheme === 'basic') return;
  const { value } = given;
  const secret = text.slice(value.start, value.end);
  cursor.finder.meter.steps += secret.length;
  if (!isSentValue(secret)) return;
  cursor.valueEnd = value.end;
  const high = isSentHeader(cursor, start) || isStrongSecret({ type: 'bearer_token', label: '', value: secret });
  reportLater(cursor, { type: 'bearer_token', start: value.start, end: value.end, confidence: high ? 'high' : 'low' });
}

function isSentValue(value: string): boolean {
  return value.length >= HEADER_VALUE_MIN && isLikelySecret('generic_api_key', value, false);
}

function namedHit(cursor: Cursor, named: Named): Pick<Hit, 'type' | 'confidence'> | undefined {
  const { name, end, value, secret } = named;
  const type = SECRET_NAMES.get(name) ?? 'generic_secret';
  if (name.endsWith(' ')) return headerHit(cursor, named);
  if (isSentHeader(cursor, named.start) && isRandomValue(secret)) return { type, confidence: 'high' };
  if (isAwsSecret(cursor, end, value.start) && AWS_VALUE.test(secret) && !isPlaceholder(secret)) {
    return { type: 'aws_secret_key', confidence: 'high' };
  }
  if (isAppRole(cursor, named)) return { type: 'vault_secret_id', confidence: 'high' };
  if (!isLikelySecret(type, secret, value.quoted)) return undefined;
  return { type, confidence: isStrongSecret({ type, label: labelOf(cursor, named), value: secret }) ? 'high' : 'low' };
}

const APP_ROLE_CHARS = 256;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** The secret half of a machine's login at Vault is a plain UUID; what stands around it says that it is one. */
function isAppRole(cursor: Cursor, { start, end, secret }: Named): boolean {
  const { lower } = cursor.read.fact;
  if (!lower.startsWith('_id', end) || !UUID.test(secret) || isPlaceholder(secret)) return false;
  return /app_?role/.test(lower.slice(Math.max(0, start - APP_ROLE_CHARS), start));
}

const LABEL_BEFORE = 32;

/** The whole name, as far as one can tell: `nextPageToken`, `MOCK_API_KEY`. */
function labelOf(cursor: Cursor, named: Named): string {
  const { lower } = cursor.read.fact;
  const before = /[a-z0-9_.-]*$/.exec(lower.slice(Math.max(0, named.start - LABEL_BEFORE), named.start))?.[0] ?? '';
  const after = /^[a-z0-9_.-]*/.exec(lower.slice(named.end, named.end + LABEL_BEFORE))?.[0] ?? '';
  return before + named.name + after;
}

const COMMAND_CHARS_MAX = 2048;

/** `curl -u name:password`. */
export function readLogin(cursor: Cursor, _start: number, end: number): void {
  if (end <= cursor.valueEnd || cursor.commandAt < 0 || end - cursor.commandAt > COMMAND_CHARS_MAX) return;
  const login = loginAt(cursor.read.fact.text, end);
  cursor.finder.meter.steps += 16;
  if (login === undefined) return;
  const { user, password, value } = login;
  const secret = password === '' ? user : password;
  cursor.finder.meter.steps += value.end - value.start;
  if (secret.length < 6 || isPlaceholder(secret) || /^[$<%*[]|^\{\{/.test(secret) || /^(?:.{0,3}pass(?:word)?|secret|token)$/i.test(secret))
    return;
  if (!/[\d!@#$%^&*~]/.test(secret) && entropyOf(secret) < LOGIN_ENTROPY_MIN) return;
  cursor.valueEnd = Math.max(cursor.valueEnd, value.end);
  reportLater(cursor, { type: 'basic_auth', start: value.start, end: value.end, confidence: 'high' });
}

const LOGIN_ENTROPY_MIN = 3.4;

/** `Bearer ...` and `Basic ...`: the first is as certain as it is random, the second says what it holds. */
function headerHit(cursor: Cursor, named: Named): Pick<Hit, 'type' | 'confidence'> | undefined {
  const { name, secret: value } = named;
  if (name === 'basic ') {
    const password = basicHolds(cursor, named);
    const harmless = password === undefined || isPlaceholder(password) || /^(?:password|pass|secret)$/i.test(password);
    return harmless ? undefined : { type: 'basic_auth', confidence: 'high' };
  }
  const type = SECRET_NAMES.get(name) ?? 'bearer_token';
  if (!isSentValue(value)) return undefined;
  return { type, confidence: isStrongSecret({ type, label: '', value }) ? 'high' : 'low' };
}

const BASIC_VALUE_MIN = 8;

/** The password in a basic header; in a header that is sent for certain, a random value that decodes to nothing readable counts as one. */
function basicHolds(cursor: Cursor, { start, secret: value }: Named): string | undefined {
  if (value.length < BASIC_VALUE_MIN) return undefined;
  const password = basicPassword(value);
  if (password !== undefined || !isAuthorization(cursor, start) || !/^[\w+/=-]+$/.test(value)) return password;
  return isStrongSecret({ type: 'basic_auth', label: '', value }) ? value : undefined;
}

/** The name before a value is one of those AWS gives its secret key. */
function isAwsSecret(cursor: Cursor, nameEnd: number, valueStart: number): boolean {
  const label = cursor.read.fact.lower.slice(Math.max(0, nameEnd - 24), valueStart);
  return AWS_NAME.test(/[a-z_-]*(?=[^a-z_-]*$)/.exec(label)?.[0] ?? '');
}

/** The longest key of a provider, and what may stand between it and the provider's name. */
const LONGEST_KEY = 200;

/** What is assigned to a name that holds the name of a provider. */
export function readProvider(cursor: Cursor, word: string, end: number): void {
  if (end <= cursor.valueEnd || end <= cursor.tokenEnd) return;
  const { text, lower } = cursor.read.fact;
  cursor.finder.meter.steps += 8;
  // Inside an unquoted value that goes on for longer than any key is there is none.
  if (cursor.bareEnd - end > LONGEST_KEY) return;
  const assigned = valueAfter(text, end);
  const value = assigned ?? followingAt(text, end);
  if (value === undefined) return;
  if (!value.quoted) cursor.bareEnd = value.end;
  const label = lower.slice(end - word.length, value.start);
  const type = providerKeyOf({ word, label, value: text.slice(value.start, value.end), assigned: assigned !== undefined });
  cursor.finder.meter.steps += value.end - value.start;
  if (type === undefined) return;
  cursor.valueEnd = Math.max(cursor.valueEnd, value.end);
  reportLater(cursor, { type, start: value.start, end: value.end, confidence: 'high' });
}

const SECRET_KEY = new RegExp(`(?:${[...SECRET_NAMES.keys()].filter((name) => !name.endsWith(' ')).join('|')})s?$`);

/** A parameter whose key says that its value is secret: tools are given passwords to log in with, so it is never certain. */
export function addKeyedSecret(finder: SecretFinder, read: ReadText): void {
  const { text, role, layers } = read.fact;
  if (role !== 'param' || read.key === '' || layers.length > 0 || text.length > FACTS_LIMITS.secretValueMax) return;
  const name = SECRET_KEY.exec(read.key)?.[0];
  if (name === undefined) return;
  const type = SECRET_NAMES.get(name) ?? 'generic_secret';
  finder.meter.steps += text.length;
  if (isLikelySecret(type, text, true)) report(cursorOf(finder, read), { type, start: 0, end: text.length, confidence: 'low' });
}
