/**
 * @module Hosts: every place an action names on a network, from URLs in any text, parameters that hold a host, and arguments of commands.
 */
import type { Action, CommandFact, HostFact, Span } from '@countersign/protocol';
import type { ReadText } from './decode.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
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

interface Place {
  readonly span: Span;
  readonly raw: string;
  readonly access: 'connect' | 'mention';
  readonly command: number;
}

function add(finder: HostFinder, read: ReadHost & Partial<ReadUrl>, place: Place): void {
  const { found, meter } = finder;
  const key = `${read.scheme ?? ''} ${read.host} ${read.port ?? ''} ${read.url ?? ''}`;
  const known = found.get(key);
  if (known !== undefined && (known.access === 'connect' || place.access === 'mention')) return;
  if (known === undefined && found.size >= FACTS_LIMITS.hostsMax) {
    meter.cuts.add('hosts');
    return;
  }
  const oddities = known === undefined ? read.oddities : [...new Set([...known.oddities, ...read.oddities])];
  found.set(key, {
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
  });
}

const SCHEME_CHARS_MAX = 32;
const NESTED_CHARS_MAX = 300;

function isSchemeChar(code: number): boolean {
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
}

function schemeStart(lower: string, colon: number): number {
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
}

/** Reads the URL whose `://` is at `colon` in `read`. */
export function addUrlAt(finder: HostFinder, read: ReadText, at: { readonly colon: number; readonly cursor: UrlCursor }): void {
  const { text, lower, span, layers } = read.fact;
  if (finder.found.size >= FACTS_LIMITS.hostsMax) {
    finder.meter.cuts.add('hosts');
    return;
  }
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
  add(finder, found, { span: placeOf(span, layers, { start, end: start + raw.length }), raw, access, command: -1 });
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
  if (found !== undefined) add(finder, found, { span: placeOf(span, layers, at), raw, access: 'mention', command: -1 });
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

/** A leaf that is a host or an odd URL as a whole, by its key or its shape. */
export function addWholeLeaf(finder: HostFinder, read: ReadText): void {
  const { text, span, role } = read.fact;
  if (role !== 'param' || text.length > BARE_CHARS_MAX) return;
  const trimmed = text.trim();
  finder.meter.steps += trimmed.length;
  if (!NAME_SHAPE.test(trimmed)) return;
  const keyed = finder.egress || HOST_KEYS.has(read.key);
  const place: Place = { span, raw: trimmed, access: keyed ? 'connect' : 'mention', command: -1 };
  if (LONE_SCHEME.test(trimmed) || OPAQUE_SCHEME.test(trimmed)) {
    if (trimmed.includes('://') && !trimmed.toLowerCase().startsWith('jar:')) return;
    const found = readUrl(trimmed);
    if (found !== undefined) add(finder, found, place);
    return;
  }
  if (trimmed.includes('://') || !isBareHost(read)) return;
  const found = readAuthority(trimmed);
  if (found !== undefined && looksLikeHost(found)) add(finder, found, place);
}

function looksLikeHost(read: ReadHost): boolean {
  return read.address !== undefined || /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(read.host) || read.host === 'localhost';
}

/** The place an allowed call is forwarded to. */
export function addTarget(finder: HostFinder, targetUrl: string): void {
  const read = readUrl(targetUrl) ?? readAuthority(targetUrl);
  if (read === undefined) return;
  const span: Span = { path: '/targetUrl', start: 0, end: targetUrl.length };
  add(finder, read, { span, raw: targetUrl.slice(0, FACTS_LIMITS.urlCharsMax), access: 'connect', command: -1 });
}

/** Commands that go to each bare argument, to the first, or to `user@host:path`. */
const EVERY_ARGUMENT: ReadonlySet<string> = wordSet('curl wget http https aria2c lynx links w3m xh');
const FIRST_ARGUMENT: ReadonlySet<string> = wordSet(
  'nc ncat netcat telnet ping ping6 traceroute tracepath mtr ftp tftp sftp ssh mosh nmap masscan whois dig nslookup host',
  'drill openssl',
);
const REMOTE_COPY: ReadonlySet<string> = wordSet('scp rsync git');
const HOST_OPTION: ReadonlySet<string> = wordSet('-h --host --hostname -connect --proxy -x --server');
const OTHER_CLIENTS: ReadonlySet<string> = wordSet(
  'psql mysql redis-cli mongo mongosh pip pip3 npm go cargo docker kubectl aws gcloud socat smbclient ldapsearch iwr',
  'invoke-webrequest irm',
);

function isClient(name: string): boolean {
  return EVERY_ARGUMENT.has(name) || FIRST_ARGUMENT.has(name) || REMOTE_COPY.has(name) || OTHER_CLIENTS.has(name);
}

/** Options of the above that take a value that is no host. */
const VALUE_OPTION =
  /^-(?:[oHXdFuAbceTmKrtpwiLRDlJSEqIP]|-(?:output|header|data|data-raw|data-binary|data-urlencode|request|form|user|user-agent|cookie|max-time|cacert|cert|key|method|body|post-data|post-file|output-document))$/;
const DEV_TCP = /\/dev\/(?:tcp|udp)\/([^/\s]{1,255})\/([0-9]{1,5})/;
const HOST_SHAPE =
  /^(?:[^@\s/:]{1,64}@)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?|localhost|\[[0-9a-f:.%]+\]|0x[0-9a-f]+|\d{8,10})(?::\d{1,5})?(?:[/?#]|$)/i;
const REMOTE_SHAPE = /^(?:[^@\s/:]{1,64}@)?([a-z0-9_.-]{1,255}|\[[0-9a-f:.]+\]):(?!\/\/)/i;
const ARG_CHARS_MAX = 2048;

function commandUrl(finder: HostFinder, arg: string, place: Omit<Place, 'raw'>): boolean {
  const colon = arg.indexOf('://');
  if (colon < 0) return false;
  const start = schemeStart(arg.toLowerCase(), colon);
  const raw = arg.slice(start);
  const found = start < colon ? readUrl(raw) : undefined;
  if (found !== undefined) add(finder, found, { ...place, raw });
  return true;
}

function commandHost(finder: HostFinder, arg: string, place: Omit<Place, 'raw'>): boolean {
  const found = readAuthority(arg);
  if (found === undefined) return false;
  add(finder, found, { ...place, raw: arg });
  return true;
}

interface ArgumentReader {
  readonly finder: HostFinder;
  readonly name: string;
  readonly place: Omit<Place, 'raw'>;
  done: boolean;
}

function readBareArgument(reader: ArgumentReader, arg: string, previous: string): void {
  const { finder, name, place } = reader;
  if (HOST_OPTION.has(previous) && (isClient(name) || OTHER_CLIENTS.has(name))) {
    if (HOST_SHAPE.test(arg)) commandHost(finder, arg, place);
    return;
  }
  if (arg.startsWith('-') || arg.startsWith('+') || VALUE_OPTION.test(previous)) return;
  if (EVERY_ARGUMENT.has(name)) {
    if (HOST_SHAPE.test(arg)) commandHost(finder, arg, place);
    return;
  }
  if (REMOTE_COPY.has(name)) {
    if (REMOTE_SHAPE.test(arg)) commandHost(finder, arg.replace(/:.*$/s, ''), place);
    return;
  }
  if (!FIRST_ARGUMENT.has(name) || reader.done) return;
  const server = name === 'dig' && arg.startsWith('@') ? arg.slice(1) : arg;
  if (name !== 'ssh' && !HOST_SHAPE.test(server)) return;
  reader.done = commandHost(finder, server, place);
}

/** Hosts in the arguments and redirects of one command. */
export function addCommandHosts(finder: HostFinder, command: CommandFact, index: number): void {
  const access = isClient(command.name) ? 'connect' : 'mention';
  const reader: ArgumentReader = { finder, name: command.name, place: { span: command.span, access, command: index }, done: false };
  let previous = '';
  for (const whole of command.args) {
    const arg = whole.slice(0, ARG_CHARS_MAX);
    finder.meter.steps += arg.length;
    addDevTcp(finder, arg, reader.place);
    if (!commandUrl(finder, arg, reader.place)) readBareArgument(reader, arg, previous);
    previous = whole;
  }
  for (const redirect of command.redirects) addDevTcp(finder, redirect.target.slice(0, ARG_CHARS_MAX), reader.place);
}

function addDevTcp(finder: HostFinder, text: string, place: Omit<Place, 'raw'>): void {
  const found = DEV_TCP.exec(text);
  if (found === null) return;
  const read = readAuthority(`${found[1] ?? ''}:${found[2] ?? ''}`);
  if (read !== undefined) add(finder, read, { ...place, access: 'connect', raw: found[0] });
}

/** All hosts, connections before mentions of the same place. */
export function hostFacts(finder: HostFinder): HostFact[] {
  return [...finder.found.values()];
}
