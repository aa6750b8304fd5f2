/**
 * @module Secrets: tokens by prefix and length, keys by structure, values by name. One automaton finds where to look; each look is bounded
 * and never repeated, so the whole is linear. Placeholders are no secrets.
 */
import type { SecretFact, Span } from '@countersign/protocol';
import type { ReadText } from './read-text.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import { isPlaceholder } from './placeholders.ts';
import { ALPHABET, SECRET_FORMATS, type SecretFormat } from './secret-formats.ts';
import { isLikelySecret, type NamedValue, readValue, SECRET_NAMES, valueAfter } from './secret-values.ts';

/** Secrets found so far in one action. */
export interface SecretFinder {
  readonly meter: Meter;
  readonly found: SecretFact[];
  /** Values found, so that a layer does not repeat what its leaf said. */
  readonly known: Set<string>;
}

/** Starts a search. */
export function createSecretFinder(meter: Meter): SecretFinder {
  return { meter, found: [], known: new Set() };
}

interface Hit {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: 'high' | 'low';
}

/** Where runs and keys that were looked at end: nothing is looked at twice. */
interface Cursor {
  readonly read: ReadText;
  readonly finder: SecretFinder;
  /** For each alphabet, the run that was measured last. */
  readonly runs: Map<number, { start: number; end: number }>;
  keyEnd: number;
  /** Start of the next `-----END`, -1 unknown. */
  pemEnd: number;
  valueEnd: number;
  tokenEnd: number;
  /** Values found by their name: reported at the end, unless a format says more of them. */
  readonly named: Hit[];
  readonly sure: Hit[];
}

/** A look at one text; hits come in order of their place. */
export interface SecretScan {
  /** Word number `word` of `SECRET_WORDS` ends at `end`. */
  hit(word: number, start: number, end: number): void;
  /** All words of the text were given. */
  finish(): void;
}

function spanOf(read: ReadText, start: number, end: number): Span {
  const { span, layers } = read.fact;
  return layers.length > 0 ? span : { path: span.path, start, end };
}

function report(cursor: Cursor, hit: Hit): void {
  const { finder, read } = cursor;
  const value = read.fact.text.slice(hit.start, Math.min(hit.end, hit.start + FACTS_LIMITS.secretTokenMax));
  if (finder.known.has(value)) return;
  if (finder.found.length >= FACTS_LIMITS.secretsMax) {
    finder.meter.cuts.add('secrets');
    return;
  }
  finder.known.add(value);
  if (hit.confidence === 'high') cursor.sure.push(hit);
  finder.found.push({ span: spanOf(read, hit.start, hit.end), type: hit.type, layers: read.fact.layers, confidence: hit.confidence });
}

function bitsAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (ALPHABET[code] ?? 0) : 0;
}

/** End of the run of `alphabet` that begins at or before `start`; a run is measured once however often it is asked for. */
function runEnd(cursor: Cursor, start: number, alphabet: number): number {
  const known = cursor.runs.get(alphabet);
  if (known !== undefined && start >= known.start && start < known.end) return known.end;
  const { text } = cursor.read.fact;
  let end = start;
  while (end < text.length && (bitsAt(text, end) & alphabet) !== 0) end += 1;
  cursor.finder.meter.steps += end - start;
  cursor.runs.set(alphabet, { start, end });
  return end;
}

const WORDY = (ALPHABET[0x30] ?? 0) | (ALPHABET[0x41] ?? 0) | (ALPHABET[0x61] ?? 0) | (ALPHABET[0x7a] ?? 0);

/** A token begins where no letter or digit stands before it; formats that begin with a sign may follow anything. */
function beginsToken(text: string, format: SecretFormat, start: number): boolean {
  return start === 0 || (bitsAt(text, start - 1) & WORDY) === 0 || (bitsAt(format.prefix, 0) & WORDY) === 0;
}

function readFormat(cursor: Cursor, format: SecretFormat, start: number): boolean {
  const { text } = cursor.read.fact;
  if (!text.startsWith(format.prefix, start) || !beginsToken(text, format, start)) return false;
  const from = start + format.prefix.length;
  const end = trimDots(text, from, runEnd(cursor, from, format.alphabet));
  const length = end - from;
  if (length < format.lengthMin || length > format.lengthMax) return false;
  const body = text.slice(from, end);
  cursor.finder.meter.steps += length;
  if (format.shape !== undefined && !format.shape.test(body)) return false;
  if (isPlaceholder(body)) return false;
  report(cursor, { type: format.type, start, end, confidence: 'high' });
  if (end > cursor.tokenEnd) cursor.tokenEnd = end;
  return true;
}

function trimDots(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && end > to - 4 && /[.:]/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

const HEADER_CHARS_MAX = 80;
const UNENDED_KEY_MAX = 8192;

/** A PEM block with a private key, as far as its end line; without one, as far as a key could be. */
function readPem(cursor: Cursor, start: number): void {
  const { text } = cursor.read.fact;
  if (start < cursor.keyEnd) return;
  const header = text.slice(start, start + HEADER_CHARS_MAX);
  const found = /^-----BEGIN\s(?:[A-Z0-9]+\s){0,3}PRIVATE\sKEY(?:\sBLOCK)?-----/i.exec(header.replaceAll('\\n', ' '));
  if (found === null) return;
  if (cursor.pemEnd < start) {
    const next = text.indexOf('-----END', start);
    cursor.pemEnd = next < 0 ? text.length : next;
    cursor.finder.meter.steps += cursor.pemEnd - start;
  }
  const closed = cursor.pemEnd < text.length;
  const close = closed ? text.indexOf('-----', cursor.pemEnd + 8) : -1;
  const end = closed
    ? close < 0 || close > cursor.pemEnd + HEADER_CHARS_MAX
      ? cursor.pemEnd + 8
      : close + 5
    : Math.min(text.length, start + UNENDED_KEY_MAX);
  cursor.keyEnd = end;
  if (isPlaceholderKey(text.slice(start + found[0].length, Math.min(end, start + found[0].length + 64)))) return;
  report(cursor, { type: 'private_key', start, end, confidence: 'high' });
}

function isPlaceholderKey(body: string): boolean {
  return /^\s*(?:\.{3}|<|\$\{|\[?redacted|your|xxx)/i.test(body);
}

const DOT = ALPHABET[0x2e] ?? 0;
const URL_SAFE = WORDY | (ALPHABET[0x2d] ?? 0) | (ALPHABET[0x5f] ?? 0);
const JWT_PART_MIN = 10;

/** A JSON web token (RFC 7519): two parts that are base64url of an object, and a signature that may be empty. */
function readJwt(cursor: Cursor, start: number): void {
  const { text } = cursor.read.fact;
  if (!text.startsWith('eyJ', start) || (start > 0 && (bitsAt(text, start - 1) & (URL_SAFE | DOT)) !== 0)) return;
  const head = runEnd(cursor, start, URL_SAFE);
  if (text.charAt(head) !== '.' || head - start < JWT_PART_MIN || !text.startsWith('ey', head + 1)) return;
  const body = runEnd(cursor, head + 1, URL_SAFE);
  if (text.charAt(body) !== '.' || body - head < JWT_PART_MIN) return;
  const end = runEnd(cursor, body + 1, URL_SAFE);
  cursor.tokenEnd = Math.max(cursor.tokenEnd, end);
  report(cursor, { type: 'jwt', start, end, confidence: 'high' });
}

const USERINFO_MAX = 256;
const DATABASE =
  /^(?:postgres(?:ql)?|mysql|mariadb|mongodb|redis|rediss|amqps?|mssql|sqlserver|oracle|cockroachdb|clickhouse|couchdb|jdbc|kafka|nats|neo4j|bolt|cassandra|ldaps?|smtps?|sftp|ftps?|ssh)$/;

/** `scheme://user:password@host`: a connection string, or a URL with a password in it. */
function readUserinfo(cursor: Cursor, colon: number): void {
  const { text, lower } = cursor.read.fact;
  if (colon < cursor.valueEnd - 3) return;
  const from = colon + 3;
  const place = /^([^\s/?#@"'<>`:]{0,128}):([^\s/?#@"'<>`]{1,128})@[^\s/@]/.exec(text.slice(from, from + USERINFO_MAX));
  cursor.finder.meter.steps += 32;
  if (place === null) return;
  const password = place[2] ?? '';
  if (isPlaceholder(password) || /^(?:password|pass|pwd|secret|\$.*|<.*|%s|\{.*|\*+|user|token)$/i.test(password)) return;
  let start = colon;
  while (start > 0 && colon - start < 24 && /[a-z0-9+]/.test(lower.charAt(start - 1))) start -= 1;
  const scheme = lower.slice(start, colon).split('+')[0] ?? '';
  const end = from + (place[0].length - 2);
  report(cursor, { type: DATABASE.test(scheme) ? 'connection_string' : 'url_credentials', start, end, confidence: 'high' });
  cursor.valueEnd = Math.max(cursor.valueEnd, end);
}

const AWS_NAME = /secret[_-]?(?:access)?[_-]?key$/;
const AWS_VALUE = /^[A-Za-z0-9/+]{40}$/;

/** What is assigned to a name that says it is secret. */
function readNamed(cursor: Cursor, name: string, end: number): void {
  if (end <= cursor.valueEnd || end <= cursor.tokenEnd) return;
  const { text } = cursor.read.fact;
  const value = name.endsWith(' ') ? readValue(text, end) : valueAfter(text, end);
  cursor.finder.meter.steps += 8;
  if (value === undefined) return;
  cursor.finder.meter.steps += value.end - value.start;
  cursor.valueEnd = value.end;
  const hit = namedHit(cursor, { name, end, value });
  if (hit === undefined) return;
  if (cursor.named.length < FACTS_LIMITS.secretsMax) cursor.named.push({ ...hit, start: value.start, end: value.end });
  else cursor.finder.meter.cuts.add('secrets');
}

interface Named {
  readonly name: string;
  /** Where the name ends. */
  readonly end: number;
  readonly value: NamedValue;
}

function namedHit(cursor: Cursor, named: Named): Pick<Hit, 'type' | 'confidence'> | undefined {
  const { name, end, value } = named;
  const secret = cursor.read.fact.text.slice(value.start, value.end);
  const type = SECRET_NAMES.get(name) ?? 'generic_secret';
  if (name.includes('-u')) return isUserPassword(cursor, end, secret) ? { type, confidence: 'low' } : undefined;
  if (isAwsSecret(cursor, end, value.start) && AWS_VALUE.test(secret) && !isPlaceholder(secret)) {
    return { type: 'aws_secret_key', confidence: 'high' };
  }
  const strict = name.endsWith(' ') ? 'generic_api_key' : type;
  return isLikelySecret(strict, secret, value.quoted) ? { type, confidence: 'low' } : undefined;
}

/** `curl -u name:password`. */
function isUserPassword(cursor: Cursor, end: number, value: string): boolean {
  const colon = value.indexOf(':');
  const password = value.slice(colon + 1);
  if (colon < 0 || password.length < 6 || isPlaceholder(password) || password.startsWith('$')) return false;
  return cursor.read.fact.lower.slice(Math.max(0, end - 200), end).includes('curl') && /[\d!@#$%^&*~]/.test(password);
}

/** The name before a value is one of those AWS gives its secret key. */
function isAwsSecret(cursor: Cursor, nameEnd: number, valueStart: number): boolean {
  const label = cursor.read.fact.lower.slice(Math.max(0, nameEnd - 24), valueStart);
  return AWS_NAME.test(/[a-z_-]*(?=[^a-z_-]*$)/.exec(label)?.[0] ?? '');
}

const SECRET_KEY = new RegExp(`(?:${[...SECRET_NAMES.keys()].filter((name) => !name.endsWith(' ')).join('|')})s?$`);

/** A parameter whose key says that its value is secret. */
export function addKeyedSecret(finder: SecretFinder, read: ReadText): void {
  const { text, role, layers } = read.fact;
  if (role !== 'param' || read.key === '' || layers.length > 0 || text.length > FACTS_LIMITS.secretValueMax) return;
  const name = SECRET_KEY.exec(read.key)?.[0];
  if (name === undefined) return;
  const type = SECRET_NAMES.get(name) ?? 'generic_secret';
  finder.meter.steps += text.length;
  if (isLikelySecret(type, text, true)) report(cursorOf(finder, read), { type, start: 0, end: text.length, confidence: 'low' });
}

function cursorOf(finder: SecretFinder, read: ReadText): Cursor {
  return { read, finder, runs: new Map(), keyEnd: 0, pemEnd: -1, valueEnd: 0, tokenEnd: 0, named: [], sure: [] };
}

const MAILCHIMP = /(?:^|[^0-9a-f])([0-9a-f]{32})$/;

/** Mailchimp: 32 hex digits and the data centre. */
function readMailchimp(cursor: Cursor, start: number, end: number): void {
  const { lower } = cursor.read.fact;
  const zone = /^\d{1,2}(?![0-9a-z])/.exec(lower.slice(end, end + 3))?.[0];
  if (zone === undefined || !MAILCHIMP.test(lower.slice(Math.max(0, start - 33), start))) return;
  report(cursor, { type: 'mailchimp_key', start: start - 32, end: end + zone.length, confidence: 'high' });
}

type WordReader = (cursor: Cursor, start: number, end: number) => void;

/** What to do at each word; formats that share a prefix are tried in turn. */
function readersByWord(): Map<string, WordReader[]> {
  const readers = new Map<string, WordReader[]>();
  const put = (word: string, reader: WordReader): void => {
    const list = readers.get(word) ?? [];
    list.push(reader);
    readers.set(word, list);
  };
  for (const format of SECRET_FORMATS) put(format.prefix.toLowerCase(), (cursor, start) => readFormat(cursor, format, start));
  for (const name of SECRET_NAMES.keys()) put(name, (cursor, _start, end) => readNamed(cursor, name, end));
  put('-----begin', readPem);
  put('eyj', readJwt);
  put('://', readUserinfo);
  put('-us', readMailchimp);
  put('"service_account"', (cursor, start, end) => {
    if (/"type"\s{0,8}:\s{0,8}$/.test(cursor.read.fact.lower.slice(Math.max(0, start - 32), start))) {
      report(cursor, { type: 'gcp_service_account', start, end, confidence: 'high' });
    }
  });
  return readers;
}

const READERS = readersByWord();
/** Words the automaton must report to a `SecretScan`, by index. */
export const SECRET_WORDS: readonly string[] = [...READERS.keys()];
const READERS_BY_NUMBER: readonly (readonly WordReader[])[] = [...READERS.values()];

/** Begins to look at one text. */
export function scanSecrets(finder: SecretFinder, read: ReadText): SecretScan {
  let cursor: Cursor | undefined;
  return {
    hit(word, start, end) {
      cursor ??= cursorOf(finder, read);
      finder.meter.steps += 1;
      for (const reader of READERS_BY_NUMBER[word] ?? []) reader(cursor, start, end);
    },
    finish() {
      if (cursor === undefined) return;
      const { named, sure } = cursor;
      for (const hit of named) {
        if (!sure.some((other) => other.start < hit.end && hit.start < other.end)) report(cursor, hit);
      }
    },
  };
}
