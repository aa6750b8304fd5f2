/**
 * @module Hosts: every place an action names on a network, from URLs in any text, parameters that hold a host, and arguments of commands.
 */
import type { Action, HostFact, Span } from '@countersign/protocol';
import type { ReadText } from './read-text.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import { TRAIT } from './profile.ts';
import { wordSet } from './word-set.ts';
import { readAuthority, readUrl, type ReadHost, type ReadUrl } from './read-host.ts';

/** Hosts found so far in one action. */
export interface HostFinder {
  readonly meter: Meter;
  readonly found: Map<string, HostFact>;
  /** True where every parameter of this action is a destination. */
  readonly egress: boolean;
}

const HOST_KEYS: ReadonlySet<string> = wordSet(
  'url uri urls href link host hostname hosts endpoint webhook webhook_url webhookurl domain address server base_url',
  'baseurl target_url targeturl callback callback_url callbackurl redirect redirect_url redirect_uri proxy origin ip',
  'ip_address ipaddress remote image_url imageurl api_url site website',
);
const EGRESS_TOOL = /^(?:http|fetch|net|network|browser|web|curl|request|requests|url)(?:[._-]|$)/;

/** Starts a search; `action` says whether what is named is gone to. */
export function createHostFinder(action: Action, meter: Meter): HostFinder {
  const egress = action.kind === 'net.egress' || EGRESS_TOOL.test(action.tool ?? '');
  return { meter, found: new Map(), egress };
}

/** Where a host was found. */
export interface HostPlace {
  readonly span: Span;
  readonly raw: string;
  readonly access: 'connect' | 'mention';
  readonly command: number;
}

/** A host with what is known of its URL. */
export type Found = ReadHost & Partial<Pick<ReadUrl, 'scheme' | 'port' | 'url'>>;

function factOf(read: Found, place: HostPlace, oddities: readonly string[]): HostFact {
  return {
    span: place.span,
    raw: place.raw,
    host: read.host,
    ...(read.address === undefined ? {} : { address: read.address }),
    ...(read.port === undefined ? {} : { port: read.port }),
    ...(read.scheme === undefined ? {} : { scheme: read.scheme }),
    ...(read.url === undefined ? {} : { url: read.url }),
    oddities,
    access: place.access,
    command: place.command,
  };
}

/** Takes one host in; a connection replaces a mention of the same place. */
export function addHost(finder: HostFinder, read: Found, place: HostPlace): void {
  const { found, meter } = finder;
  const key = `${read.scheme ?? ''} ${read.host} ${read.port ?? ''} ${read.url ?? ''}`;
  const known = found.get(key);
  if (known !== undefined && (known.access === 'connect' || place.access === 'mention')) return;
  if (known === undefined && found.size >= FACTS_LIMITS.hostsMax) {
    meter.cuts.add('hosts');
    return;
  }
  const oddities = known === undefined ? read.oddities : [...new Set([...known.oddities, ...read.oddities])];
  found.set(key, factOf(read, place, oddities));
}

const SCHEME_CHARS_MAX = 32;
const NESTED_CHARS_MAX = 300;

function isSchemeChar(code: number): boolean {
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
}

/** Where the scheme before the colon at `colon` begins; `colon` where there is none. */
export function schemeStart(lower: string, colon: number): number {
  let start = colon;
  while (start > 0 && colon - start < SCHEME_CHARS_MAX && isSchemeChar(lower.charCodeAt(start - 1))) start -= 1;
  while (start < colon && (lower.charCodeAt(start) < 0x61 || lower.charCodeAt(start) > 0x7a)) start += 1;
  return start;
}

const URL_STOPS = ' \t\n\r"\'<>`|^{}\u00a0';

function urlEnd(text: string, from: number): number {
  const last = Math.min(text.length, from + FACTS_LIMITS.urlCharsMax);
  let end = from;
  while (end < last && !URL_STOPS.includes(text.charAt(end))) end += 1;
  return end;
}

const TRAILING = /[.,;:!?)\]]$/;

function trimTail(raw: string): string {
  let kept = raw;
  for (let i = 0; i < 4 && TRAILING.test(kept) && !(kept.endsWith(']') && kept.includes('[')); i += 1) kept = kept.slice(0, -1);
  return kept;
}

/** Where the last URL of a text ended, so that one inside it is known as such. */
export interface UrlCursor {
  end: number;
  /** URLs read so far. */
  count: number;
}

/** Reads the URL whose `://` is at `colon` in `read`. */
export function addUrlAt(finder: HostFinder, read: ReadText, at: { readonly colon: number; readonly cursor: UrlCursor }): void {
  const { text, lower, span, layers } = read.fact;
  if (at.cursor.count >= FACTS_LIMITS.urlsPerTextMax) {
    finder.meter.cuts.add('hosts');
    return;
  }
  at.cursor.count += 1;
  const start = schemeStart(lower, at.colon);
  if (start === at.colon) return;
  const nested = at.colon < at.cursor.end;
  const end = nested ? Math.min(at.cursor.end, at.colon + NESTED_CHARS_MAX) : urlEnd(text, at.colon);
  finder.meter.steps += end - start;
  if (!nested) at.cursor.end = end;
  const raw = trimTail(text.slice(start, end));
  const found = readUrl(raw);
  if (found === undefined) return;
  const whole = !nested && start <= 4 && read.fact.role === 'param';
  const access = whole && (finder.egress || HOST_KEYS.has(read.key)) ? 'connect' : 'mention';
  addHost(finder, found, { span: placeOf(span, layers, { start, end: start + raw.length }), raw, access, command: -1 });
}

function placeOf(span: Span, layers: readonly string[], part: { readonly start: number; readonly end: number }): Span {
  return layers.length > 0 ? span : { path: span.path, start: part.start, end: part.end };
}

/** A metadata address or name written out in a text. */
export function addNamed(finder: HostFinder, read: ReadText, at: { readonly start: number; readonly end: number }): void {
  const { text, span, layers } = read.fact;
  const before = text.charAt(at.start - 1);
  if (/[a-z0-9.@/-]/i.test(before) || /[a-z0-9-]/i.test(text.charAt(at.end))) return;
  const raw = text.slice(at.start, at.end);
  const found = readAuthority(raw);
  if (found !== undefined) addHost(finder, found, { span: placeOf(span, layers, at), raw, access: 'mention', command: -1 });
}

const BARE_CHARS_MAX = 300;
const V4_SHAPE = /^(?:\d{1,3}\.){3}\d{1,3}(?:[:/]|$)/;
const NAME_SHAPE = /^[^\s,;'"<>(){}=]{1,300}$/;
const LONE_SCHEME = /^(?:https?|wss?|ftp):(?!\/\/)/i;
const OPAQUE_SCHEME = /^(?:file|netdoc|jar|php|phar|data|expect|gopher|dict|ldap|tftp|sftp):/i;

function isBareHost(read: ReadText): boolean {
  const { text } = read.fact;
  if (HOST_KEYS.has(read.key)) return !/^[/.~]/.test(text) || text.startsWith('//');
  return V4_SHAPE.test(text) || (PROTOCOL_RELATIVE.test(text) && text.startsWith('//'));
}

const PROTOCOL_RELATIVE = /^\/\/[^/\s]+\.[^/\s]+/;

/** A text without a colon is a host by its key, or begins as an address or as `//host`. */
function mayBeHost({ key, fact, profile }: ReadText): boolean {
  if ((profile.mask & TRAIT.colon) !== 0 || HOST_KEYS.has(key)) return true;
  const first = fact.text.charCodeAt(0);
  return first === 0x2f || ((profile.mask & TRAIT.dot) !== 0 && first >= 0x30 && first <= 0x39);
}

/** A leaf that is a host or an odd URL as a whole, by its key or its shape. */
export function addWholeLeaf(finder: HostFinder, read: ReadText): void {
  const { text, span, role } = read.fact;
  if (role !== 'param' || text.length > BARE_CHARS_MAX || !mayBeHost(read)) return;
  const trimmed = text.trim();
  finder.meter.steps += trimmed.length;
  if (!NAME_SHAPE.test(trimmed)) return;
  const found = readWhole(trimmed, read);
  if (found === undefined) return;
  const keyed = finder.egress || HOST_KEYS.has(read.key);
  addHost(finder, found, { span, raw: trimmed, access: keyed ? 'connect' : 'mention', command: -1 });
}

function readWhole(text: string, read: ReadText): Found | undefined {
  const url = text.includes('://');
  if (LONE_SCHEME.test(text) || OPAQUE_SCHEME.test(text)) return url && !/^jar:/i.test(text) ? undefined : readUrl(text);
  if (url || !isBareHost(read)) return undefined;
  const found = readAuthority(text);
  return found !== undefined && looksLikeHost(found) ? found : undefined;
}

function looksLikeHost(read: ReadHost): boolean {
  return read.address !== undefined || /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(read.host) || read.host === 'localhost';
}

/** The place an allowed call is forwarded to. */
export function addTarget(finder: HostFinder, targetUrl: string): void {
  const read = readUrl(targetUrl) ?? readAuthority(targetUrl);
  if (read === undefined) return;
  const span: Span = { path: '/targetUrl', start: 0, end: targetUrl.length };
  addHost(finder, read, { span, raw: targetUrl.slice(0, FACTS_LIMITS.urlCharsMax), access: 'connect', command: -1 });
}

/** All hosts, connections before mentions of the same place. */
export function hostFacts(finder: HostFinder): HostFact[] {
  return [...finder.found.values()];
}
