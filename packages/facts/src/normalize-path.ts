/**
 * @module Normalized paths: one spelling for all spellings of a path, by text alone. Percent encodings (overlong, double, `%u`), back
 * slashes, repeated slashes, dots, home directories, `/proc/self/root` and device prefixes fold away; where it really leads is a signal.
 */
import { decodePercent } from './decode-escapes.ts';
import { decodeNfkc } from './decode-nfkc.ts';
import { readInvisible } from './decode-invisible.ts';
import { FACTS_LIMITS } from './limits.ts';

/** One path, folded. */
export interface NormalizedPath {
  /** After decoding, before folding. */
  readonly raw: string;
  readonly normalized: string;
  readonly traversal: boolean;
  readonly layers: readonly string[];
  readonly cut: boolean;
}

const ENCODED_ROUNDS_MAX = 64;
const HEX_ESCAPED_SEPARATOR = /\\x(2e|2f|5c)|0x(2e|2f|5c)/gi;
const SEPARATOR_BY_HEX: ReadonlyMap<string, string> = new Map([
  ['2e', '.'],
  ['2f', '/'],
  ['5c', '\\'],
]);
/** `%c0%2e` and kin: a lead byte without its continuation, which careless decoders drop. */
const BROKEN_LEAD = /%c[01](?=%(?:2e|2f|5c))/gi;
/** Signs that old servers map to a slash, two of them private-use code points (IIS). */
const SLASH_ALIKE = /[\uf025\uefc8\u2044\u2215\u29f8\uff0f\uff3c\u2216\u29f5\ufe68]/g;
const NON_ASCII = /[^\0-\x7f]/;

interface Decoded {
  readonly text: string;
  readonly layers: readonly string[];
}

/** Rounds over all decoders; each but the last changes something, and a text that needs more is no path of this world. */
const ROUNDS_MAX = 8;

/** Decodes to the fixpoint. IIS and old script engines also take `%%32%65` and `%25%32%65`; repeating reads both. */
function decodeAll(raw: string): Decoded {
  const layers: string[] = [];
  let text = raw.replace(BROKEN_LEAD, '');
  for (let i = 0; i < ROUNDS_MAX; i += 1) {
    const before = text;
    text = decodeEscapes(text, layers);
    if (NON_ASCII.test(text)) text = decodeUnicode(text, layers);
    if (text === before) break;
  }
  return { text, layers };
}

function decodeEscapes(given: string, layers: string[]): string {
  let text = given;
  for (let i = 0; i < ENCODED_ROUNDS_MAX && text.includes('%'); i += 1) {
    const decoded = decodePercent(text, false);
    if (decoded === undefined || decoded === text) break;
    text = decoded;
    layers.push('url');
  }
  if (!/[\\0]x/i.test(text)) return text;
  const decoded = text.replace(
    HEX_ESCAPED_SEPARATOR,
    (_all, a?: string, b?: string) => SEPARATOR_BY_HEX.get((a ?? b ?? '').toLowerCase()) ?? '',
  );
  if (decoded !== text) layers.push('hex');
  return decoded;
}

function decodeUnicode(given: string, layers: string[]): string {
  const invisible = readInvisible(given);
  if (invisible !== undefined) layers.push(...invisible.layers);
  const text = invisible?.visible ?? given;
  const slashes = text.replace(SLASH_ALIKE, '/');
  const folded = decodeNfkc(slashes) ?? slashes;
  if (folded !== text) layers.push('nfkc');
  return folded;
}

const HOME = /^(?:\$HOME|\$\{HOME\}|%HOME%|%USERPROFILE%|\$env:USERPROFILE|\$env:HOME)(?=$|\/)/i;
const FILE_SCHEME = /^(?:file|netdoc):\/*/i;
const DEVICE = /^\/\/[?.]\/(?:UNC\/|GLOBALROOT\/|(?=[a-zA-Z]:))/i;
const DRIVE = /^[a-zA-Z]:(?=$|\/)/;

/** Removes what does not change where a path begins. */
function foldHead(given: string): string {
  let text = given;
  if (FILE_SCHEME.test(text))
    text = text
      .replace(FILE_SCHEME, '/')
      .replace(/^\/localhost\//i, '/')
      .replace(/^\/(?=[a-zA-Z]:(?:\/|$))/, '');
  text = text.replace(DEVICE, (all) => (/unc/i.test(all) ? '//' : ''));
  return text.replace(HOME, '~');
}

interface Folded {
  readonly segments: string[];
  climbed: boolean;
  /** `....//` and `..;/` and dots with blanks: a filter that strips or a server that trims makes `..` of them. */
  doubled: boolean;
}

/** `....`, `..;jsessionid`, blanks around `..`: some server or filter makes `..` of each. */
const PARENT_BY_TRICK = /^(?:\s*\.{4}\s*|\.\.;.*|\s*\.\.\s*|\.\.[\t\n\r].*)$/s;
const TRICK_DOTS = /^(?:\.{3,}|\.\.[;\s].*|\.\.\.?\/?|\s*\.\.\s*)$/;

function isParent(segment: string, folded: Folded): boolean {
  if (segment === '..') return true;
  if (segment.length < 2 || !segment.trimStart().startsWith('..')) return false;
  if (PARENT_BY_TRICK.test(segment)) {
    folded.doubled = true;
    return true;
  }
  if (TRICK_DOTS.test(segment)) folded.doubled = true;
  return false;
}

function foldSegments(text: string, rooted: boolean): Folded {
  const folded: Folded = { segments: [], climbed: false, doubled: false };
  const { segments } = folded;
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (!isParent(segment, folded)) {
      segments.push(segment);
      continue;
    }
    const last = segments.at(-1);
    if (last === undefined || last === '..') {
      folded.climbed = true;
      if (!rooted) segments.push('..');
    } else segments.pop();
  }
  trimEnds(segments, rooted);
  return folded;
}

/** True for a segment that says nothing. */
function isIdle(segment: string): boolean {
  return segment === '' || segment === '.';
}

/** Blanks at the ends of a path are the caller's, not the file's; the ends are known only after folding. */
function trimEnds(segments: string[], rooted: boolean): void {
  let end = segments.length;
  while (end > 0 && isIdle((segments[end - 1] ?? '').trimEnd())) end -= 1;
  segments.length = end;
  if (end > 0) segments[end - 1] = (segments[end - 1] ?? '').trimEnd();
  if (rooted) return;
  let first = 0;
  while (first < end && isIdle((segments[first] ?? '').trimStart())) first += 1;
  segments.splice(0, first);
  if (segments[0] !== undefined) segments[0] = segments[0].trimStart();
}

const PROC_ROOT = /^\/proc\/(?:self|thread-self|\d{1,7}|\$\$)\/(?:task\/\d{1,7}\/)?(root|cwd)(?=\/|$)/;
const DEV_FD = /^\/dev\/fd(?=\/|$)/;
const PREFIX_ROUNDS_MAX = 64;

/** A name that would mean something else at the front of a path: `./~` is a file. */
const SPECIAL = /^(?:~|[a-zA-Z]:(?:\/|$)|file:|netdoc:|\$HOME(?:\/|$)|\$\{HOME\}|%HOME%|%USERPROFILE%|\$env:)/i;

/** A relative path, whatever its first name looks like. */
function relative(given: string): string {
  const body = given.replace(/^(?:\s|\/|\.\/)+/, '');
  if (body === '') return '.';
  return SPECIAL.test(body) ? `./${body}` : body;
}

/** `/proc/self/root/etc` is `/etc`, however often it is said; `/dev/fd/3` is `/proc/self/fd/3`. */
function foldProc(given: string): string {
  let text = given;
  for (let i = 0; i < PREFIX_ROUNDS_MAX; i += 1) {
    const found = PROC_ROOT.exec(text);
    if (found === null) break;
    const rest = text.slice(found[0].length);
    if (found[1] === 'cwd') return relative(rest.slice(1));
    text = rest === '' ? '/' : rest;
  }
  return text.replace(DEV_FD, '/proc/self/fd');
}

/** Where a program stops reading: at a NUL, real or spelled. */
function cutAtNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** `....//` and `..././` leave `../` behind when a filter removes `../` once. */
const STRIPPED = /\.\.(?:\.\/|\/\.?)\.?\/|\.{4,}\/\/|\.\.\.\/\.\//;

function join(segments: readonly string[], head: string): string {
  const body = segments.join('/');
  if (head === '') return relative(body);
  if (head === '/') return `/${body}`;
  return body === '' ? head : `${head}/${body}`;
}

/** Tricks around `..`, or a `..` that was encoded: nobody writes these by accident. */
function isSuspicious(folded: Folded, slashed: string, layers: readonly string[]): boolean {
  return folded.doubled || STRIPPED.test(slashed) || (layers.length > 0 && /(?:^|\/)\.\.(?:\/|$)/.test(slashed));
}

function onDrive(drive: string, plain: string): string {
  const body = plain === '.' ? '' : plain;
  return `${drive.toUpperCase()}${body.startsWith('/') ? '' : '/'}${body}`;
}

/**
 * Normalizes one path of any spelling. Idempotent: the normalized text normalizes to itself.
 * Paths longer than the limit are cut there, and `cut` says so. Linear in the length of `path`.
 */
export function normalizePath(path: string): NormalizedPath {
  const cut = path.length > FACTS_LIMITS.pathCharsMax;
  const decoded = decodeAll(cut ? path.slice(0, FACTS_LIMITS.pathCharsMax) : path);
  const raw = cutAtNul(decoded.text);
  const slashed = foldHead(raw.trim().replaceAll('\\', '/'));
  const drive = DRIVE.exec(slashed)?.[0] ?? '';
  const body = slashed.slice(drive.length);
  const rooted = body.startsWith('/');
  const home = /^~[\w.-]*(?=\/|$)/.exec(body)?.[0];
  const folded = foldSegments(home === undefined ? body : body.slice(home.length), rooted || drive !== '');
  const traversal = folded.climbed || isSuspicious(folded, slashed, decoded.layers);
  const plain = join(folded.segments, home ?? (rooted ? '/' : ''));
  const normalized = drive === '' ? foldProc(plain) : onDrive(drive, plain);
  return { raw, normalized, traversal, layers: decoded.layers, cut };
}
