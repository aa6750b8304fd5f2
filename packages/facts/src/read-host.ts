/**
 * @module One host or URL, read the way clients read it: WHATWG URL for names and special schemes, `inet_aton` for what that refuses.
 */
import type { AddressClass } from '@countersign/protocol';
import { readAddress } from './addresses.ts';
import { foldEveryHomoglyph } from './homoglyphs.ts';
import { meaningOf } from './host-names.ts';
import { FACTS_LIMITS } from './limits.ts';

/** What a host is, without where it was found. */
export interface ReadHost {
  readonly host: string;
  readonly address?: AddressClass;
  readonly oddities: readonly string[];
}

/** What a URL names, without where it was found. */
export interface ReadUrl extends ReadHost {
  readonly scheme: string;
  readonly port?: number;
  readonly url?: string;
  /** Path of a `file:` URL. */
  readonly filePath?: string;
}

const ASCII = /^[\0-\x7f]*$/;
const HOST_CHARS_MAX = 512;

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
  ['ftp', 21],
  ['ftps', 990],
  ['sftp', 22],
  ['ssh', 22],
  ['git', 9418],
  ['gopher', 70],
  ['dict', 2628],
  ['ldap', 389],
  ['ldaps', 636],
  ['telnet', 23],
  ['smtp', 25],
  ['redis', 6379],
  ['mysql', 3306],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mongodb', 27_017],
]);

function unbracket(raw: string): string {
  return raw.startsWith('[') && raw.endsWith(']') ? raw.slice(1, -1) : raw;
}

function nameOddities(raw: string, host: string): string[] {
  const oddities: string[] = [];
  if (host.startsWith('xn--') || host.includes('.xn--')) oddities.push('punycode');
  if (!ASCII.test(raw)) {
    const folded = foldEveryHomoglyph(raw);
    if (folded !== raw && ASCII.test(folded)) oddities.push('homoglyph');
    else if (ASCII.test(host) && !oddities.includes('punycode')) oddities.push('homoglyph');
  }
  return oddities;
}

/** Name as a client would look it up: percent-decoded, mapped to ASCII; lower case where that fails. */
function asciiName(raw: string): string {
  const parsed = URL.parse(`http://${raw}`);
  return parsed === null || parsed.hostname === '' ? raw.toLowerCase() : parsed.hostname;
}

/** Reads a host without port; brackets are allowed. */
export function readHost(rawHost: string): ReadHost {
  const raw = unbracket(rawHost.slice(0, HOST_CHARS_MAX));
  const dotted = raw.endsWith('.') && raw.length > 1;
  const bare = dotted ? raw.replace(/\.$/, '') : raw;
  const dot = dotted ? ['trailing-dot'] : [];
  const direct = readAddress(bare);
  if (direct !== undefined) {
    const oddities = direct.canonical === bare.toLowerCase() ? dot : ['numeric', ...dot];
    return { host: direct.canonical, address: direct.kind, oddities: direct.mapped ? [...oddities, 'mapped'] : oddities };
  }
  const name = unbracket(asciiName(bare)).replace(/\.$/, '');
  const late = readAddress(name);
  if (late !== undefined)
    return { host: late.canonical, address: late.kind, oddities: ['numeric', ...dot, ...(late.mapped ? ['mapped'] : [])] };
  const meaning = meaningOf(name);
  const oddities = [...nameOddities(bare, name), ...dot, ...(meaning?.wildcard === true ? ['wildcard-dns'] : [])];
  return { host: name, ...(meaning === undefined ? {} : { address: meaning.kind }), oddities };
}

interface Authority {
  readonly userinfo?: string;
  readonly host: string;
  readonly port?: number;
}

/** No host holds `!`; in `jar:http://host!/entry` it ends one. */
const AFTER_HOST = /!.*$/s;

/** Splits `user:pass@host:port` at the last `@`, as WHATWG does. */
function splitAuthority(authority: string): Authority {
  const at = authority.lastIndexOf('@');
  const place = (at < 0 ? authority : authority.slice(at + 1)).replace(AFTER_HOST, '');
  const close = place.startsWith('[') ? place.indexOf(']') : -1;
  const colon = close >= 0 ? place.indexOf(':', close) : place.indexOf(':');
  const lone = colon >= 0 && (close >= 0 || place.indexOf(':', colon + 1) < 0);
  const digits = lone ? place.slice(colon + 1) : '';
  const port = /^[0-9]{1,5}$/.test(digits) ? Number.parseInt(digits, 10) : undefined;
  return {
    ...(at < 0 ? {} : { userinfo: authority.slice(0, at) }),
    host: lone ? place.slice(0, colon) : place,
    ...(port === undefined || port > 65_535 ? {} : { port }),
  };
}

const IGNORED = /[\t\n\r]/g;
const AUTHORITY_END = /[/?#\\]/;

function authorityText(rest: string): string {
  const end = rest.search(AUTHORITY_END);
  return end < 0 ? rest : rest.slice(0, end);
}

/** The URL as WHATWG serialises it, without userinfo. */
function serialise(text: string): string | undefined {
  const parsed = URL.parse(text);
  if (parsed === null) return undefined;
  if (parsed.username !== '') parsed.username = '';
  if (parsed.password !== '') parsed.password = '';
  return parsed.href;
}

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]{0,31}):/;
const HOSTLESS: ReadonlySet<string> = new Set([
  'file',
  'netdoc',
  'php',
  'phar',
  'zip',
  'data',
  'expect',
  'glob',
  'zlib',
  'compress.zlib',
  'compress.bzip2',
]);

/** Schemes around another URL. */
const WRAPPERS: ReadonlySet<string> = new Set(['jar', 'view-source', 'feed', 'url', 'blob']);

function userinfoOddities(userinfo: string | undefined): string[] {
  if (userinfo === undefined) return [];
  return userinfo.includes(':') ? ['userinfo', 'credentials'] : ['userinfo'];
}

/**
 * Reads a URL with a scheme. `http:host`, `http:/\host` and tabs inside are read as browsers read them.
 * Undefined where there is no scheme or nothing after it.
 */
export function readUrl(text: string): ReadUrl | undefined {
  const clean = text.slice(0, FACTS_LIMITS.urlCharsMax).trim().replace(IGNORED, '');
  const scheme = SCHEME.exec(clean)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (WRAPPERS.has(scheme)) {
    const inner = readUrl(clean.slice(scheme.length + 1));
    return inner === undefined ? undefined : { ...inner, scheme };
  }
  const rest = clean.slice(scheme.length + 1).replace(/^[/\\]{0,64}/, '');
  const url = serialise(clean);
  if (HOSTLESS.has(scheme)) return hostless({ scheme, clean, rest, url });
  const authority = splitAuthority(authorityText(rest));
  if (authority.host === '') return undefined;
  const read = readHost(authority.host);
  const port = authority.port ?? DEFAULT_PORTS.get(scheme);
  return {
    ...read,
    oddities: [...userinfoOddities(authority.userinfo), ...read.oddities],
    scheme,
    ...(port === undefined ? {} : { port }),
    ...(url === undefined ? {} : { url }),
  };
}

interface Hostless {
  readonly scheme: string;
  readonly clean: string;
  readonly rest: string;
  readonly url: string | undefined;
}

/** Schemes that name a resource on this machine; `file://host/path` names a host too. */
function hostless(parts: Hostless): ReadUrl {
  const { scheme, clean, rest, url } = parts;
  const shown = url === undefined ? {} : { url };
  const host = scheme === 'file' && /^file:\/\/[^/\\]/i.test(clean) ? authorityText(rest) : '';
  const read: ReadHost = host === '' ? { host: '', oddities: [] } : readHost(host);
  const filePath =
    scheme === 'file' || scheme === 'netdoc' ? `/${host === '' ? rest : rest.slice(host.length).replace(/^[/\\]{0,64}/, '')}` : undefined;
  return { ...read, scheme, ...shown, ...(filePath === undefined ? {} : { filePath }) };
}

/** Reads `host`, `host:port`, `user@host:port/path`, `//host/path`: an authority without a scheme. Undefined where the host is empty. */
export function readAuthority(text: string): (ReadHost & { readonly port?: number }) | undefined {
  const rest = text
    .slice(0, FACTS_LIMITS.urlCharsMax)
    .trim()
    .replace(IGNORED, '')
    .replace(/^[/\\]{0,64}/, '');
  const authority = splitAuthority(authorityText(rest));
  if (authority.host === '') return undefined;
  const read = readHost(authority.host);
  return {
    ...read,
    oddities: [...userinfoOddities(authority.userinfo), ...read.oddities],
    ...(authority.port === undefined ? {} : { port: authority.port }),
  };
}
