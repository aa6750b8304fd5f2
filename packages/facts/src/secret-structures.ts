/**
 * @module Secrets by structure: private keys whole, JSON web tokens, passwords in URLs, key files of clouds. Each reader is called at the word
 * that announces it and reads a bounded or never repeated part.
 */
import { isPlaceholder, isWeakPassword } from './placeholders.ts';
import { isJwtHeader, isSampleClaims } from './secret-checks.ts';
import { bitsAt, type Cursor, DOT, report, runEnd, URL_SAFE } from './secret-cursor.ts';

const HEADER_CHARS_MAX = 80;
const UNENDED_KEY_MAX = 8192;
/** The shortest private key there is has a longer body than this. */
const KEY_BODY_MIN = 16;
const KEY_HEAD_CHARS = 160;

/** A PEM block with a private key, as far as its end line; without one, as far as a key could be. */
export function readPem(cursor: Cursor, start: number): void {
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
  const from = start + found[0].length;
  if (!isKeyBody(text.slice(from, Math.min(closed ? cursor.pemEnd : end, from + KEY_HEAD_CHARS)))) return;
  report(cursor, { type: 'private_key', start, end, confidence: 'high' });
}

/** A line of base64, after header lines perhaps; `...` and `<your key>` are none. */
function isKeyBody(body: string): boolean {
  if (/^\s*(?:\\[nr])*\s*(?:\.{3}|<|\$\{|\[?redacted|your|xxx)/i.test(body)) return false;
  return new RegExp(`[A-Za-z0-9+/=]{${KEY_BODY_MIN},}`).test(body);
}

/** A key file of PuTTY: from its first line to the end of its private lines. */
export function readPutty(cursor: Cursor, start: number): void {
  const { text } = cursor.read.fact;
  if (start < cursor.keyEnd) return;
  const file = text.slice(start, start + UNENDED_KEY_MAX);
  cursor.finder.meter.steps += file.length;
  cursor.keyEnd = start + file.length;
  const lines = /Private-Lines:\s{0,4}\d{1,3}\s{1,4}[A-Za-z0-9+/]{16}/.exec(file);
  if (lines === null) return;
  const mac = file.indexOf('Private-MAC', lines.index);
  const end = start + (mac < 0 ? file.length : mac);
  report(cursor, { type: 'private_key', start, end, confidence: 'high' });
}

const FOREIGN_KEY_CHARS = 2048;

/** The private part of a key that is no PEM block: RFC 4716 as SSH2 writes it, `<RSAKeyValue>` of XML signatures, a JSON web key (RFC 7517). */
const FOREIGN_KEYS: readonly (readonly [word: string, body: RegExp])[] = [
  ['---- begin ssh2 encrypted private key ----', /^(?:\s*[\w-]{1,24}:\s[^\n]{0,120}\n){0,4}\s*([A-Za-z0-9+/]{40})/],
  ['<rsakeyvalue>', /<D>\s*([A-Za-z0-9+/]{40})/],
  ['"kty"', /"(?:d|k)"\s{0,4}:\s{0,4}"([\w-]{22})/],
];

export const FOREIGN_KEY_WORDS: readonly string[] = FOREIGN_KEYS.map(([word]) => word);

/** A key in one of the other forms, as far as its private part. */
export function readForeignKey(cursor: Cursor, word: string, at: { readonly start: number; readonly end: number }): void {
  const body = FOREIGN_KEYS.find(([known]) => known === word)?.[1];
  if (body === undefined || at.start < cursor.keyEnd) return;
  const window = cursor.read.fact.text.slice(at.end, at.end + FOREIGN_KEY_CHARS);
  cursor.finder.meter.steps += window.length;
  cursor.keyEnd = at.end + window.length;
  const found = body.exec(window);
  if (found === null || isPlaceholder(found[1] ?? '')) return;
  report(cursor, { type: 'private_key', start: at.start, end: at.end + found.index + found[0].length, confidence: 'high' });
}

const SAS_HEAD_CHARS = 512;
const SAS_VALUE = /^[A-Za-z0-9+/]{42,44}(?:=|%3d)?|^(?:[A-Za-z0-9]|%2[bf]){42,44}(?:=|%3d)/i;
const SAS_CHARS = 160;

/** A shared access signature of Azure: signed fields before it, and a hash of 32 bytes. */
export function readSas(cursor: Cursor, _start: number, end: number): void {
  const { text, lower } = cursor.read.fact;
  cursor.finder.meter.steps += 32;
  const value = SAS_VALUE.exec(text.slice(end, end + SAS_CHARS))?.[0];
  if (value === undefined || end <= cursor.tokenEnd || isPlaceholder(value)) return;
  if (!/[?&]sv=20\d\d-\d\d-\d\d&/.test(lower.slice(Math.max(0, end - SAS_HEAD_CHARS), end))) return;
  cursor.tokenEnd = end + value.length;
  report(cursor, { type: 'azure_sas_token', start: end, end: end + value.length, confidence: 'high' });
}

const JWT_PART_MIN = 10;

/** A JSON web token (RFC 7519): a header that names its algorithm, a body, and a signature that may be empty. */
export function readJwt(cursor: Cursor, start: number): void {
  const { text } = cursor.read.fact;
  if (!text.startsWith('eyJ', start) || (start > 0 && (bitsAt(text, start - 1) & (URL_SAFE | DOT)) !== 0)) return;
  const head = runEnd(cursor, start, URL_SAFE);
  if (text.charAt(head) !== '.' || head - start < JWT_PART_MIN || !text.startsWith('ey', head + 1)) return;
  const body = runEnd(cursor, head + 1, URL_SAFE);
  if (text.charAt(body) !== '.' || body - head < JWT_PART_MIN) return;
  const end = runEnd(cursor, body + 1, URL_SAFE);
  cursor.tokenEnd = Math.max(cursor.tokenEnd, end);
  if (!isJwtHeader(text.slice(start, head))) return;
  const sample = isSampleClaims(text.slice(head + 1, body));
  report(cursor, { type: 'jwt', start, end, confidence: sample ? 'low' : 'high' });
}

const USERINFO_MAX = 256;
const DATABASE =
  /^(?:postgres(?:ql)?|mysql|mariadb|mongodb|redis|rediss|amqps?|mssql|sqlserver|oracle|cockroachdb|clickhouse|couchdb|jdbc|kafka|nats|neo4j|bolt|cassandra|ldaps?|smtps?|sftp|ftps?|ssh)$/;

/** `scheme://user:password@host`: a connection string, or a URL with a password in it. A password that is a plain word is not certain. */
export function readUserinfo(cursor: Cursor, colon: number): void {
  const { text, lower } = cursor.read.fact;
  if (colon < cursor.valueEnd - 3) return;
  const from = colon + 3;
  const place = /^([^\s/?#@"'<>`:]{0,128}):([^\s/?#@"'<>`]{1,128})@[^\s/@]/.exec(text.slice(from, from + USERINFO_MAX));
  cursor.finder.meter.steps += 32;
  if (place === null) return;
  const [, user = '', password = ''] = place;
  if (user === 'mailto' || isNoPassword(password)) return;
  const start = schemeStart(lower, colon);
  const scheme = lower.slice(start, colon).split('+')[0] ?? '';
  const end = from + (place[0].length - 2);
  const type = DATABASE.test(scheme) ? 'connection_string' : 'url_credentials';
  report(cursor, { type, start, end, confidence: isWeakPassword(password, user) ? 'low' : 'high' });
  cursor.valueEnd = Math.max(cursor.valueEnd, end);
}

function schemeStart(lower: string, colon: number): number {
  let start = colon;
  while (start > 0 && colon - start < 24 && /[a-z0-9+]/.test(lower.charAt(start - 1))) start -= 1;
  return start;
}

/** A template, stars, or the word for what should stand there. */
function isNoPassword(password: string): boolean {
  return isPlaceholder(password) || /^(?:[$<{[].*|%s|\*+|password|pass|pwd|secret|user|token|username|pw)$/i.test(password);
}

const MAILCHIMP = /(?:^|[^0-9a-f])([0-9a-f]{32})$/;

/** Mailchimp: 32 hex digits and the data centre. */
export function readMailchimp(cursor: Cursor, start: number, end: number): void {
  const { lower } = cursor.read.fact;
  const zone = /^\d{1,2}(?![0-9a-z])/.exec(lower.slice(end, end + 3))?.[0];
  if (zone === undefined || !MAILCHIMP.test(lower.slice(Math.max(0, start - 33), start))) return;
  report(cursor, { type: 'mailchimp_key', start: start - 32, end: end + zone.length, confidence: 'high' });
}

/** A key file of Google's: `"type": "service_account"` with a key that is there. */
export function readServiceAccount(cursor: Cursor, start: number, end: number): void {
  const { lower } = cursor.read.fact;
  if (!/"type"\s{0,8}:\s{0,8}$/.test(lower.slice(Math.max(0, start - 32), start))) return;
  const window = lower.slice(end, end + HEADER_CHARS_MAX * 5);
  cursor.finder.meter.steps += window.length;
  if (/private\skey-----(?:\s|\\n)*(?:\.{3}|<|x{3})/.test(window)) return;
  report(cursor, { type: 'gcp_service_account', start, end, confidence: 'high' });
}
