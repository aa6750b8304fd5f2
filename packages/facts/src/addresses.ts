/**
 * @module Addresses: IPv4 and IPv6 in every spelling that some resolver takes, and their class by the IANA special-purpose registries
 * (RFC 6890 and successors). Forms that carry an IPv4 address inside (mapped, compatible, NAT64, 6to4, ISATAP, Teredo) are classed by it.
 */
import type { AddressClass } from '@countersign/protocol';
import ipaddr from 'ipaddr.js';

/** An address in one spelling. */
export interface Address {
  /** Dotted decimal, or RFC 5952 text. */
  readonly canonical: string;
  readonly kind: AddressClass;
  /** It carries an IPv4 address inside an IPv6 one. */
  readonly mapped: boolean;
}

type Range = readonly [base: number, bits: number, kind: AddressClass];

function v4Of(bytes: readonly number[], at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** First match wins. Cloud metadata first: link-local, AWS time and DNS, ECS, Azure wire server, Alibaba, Oracle, Tencent. */
const V4_TABLE: readonly (readonly [base: string, bits: number, kind: AddressClass])[] = [
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['169.254.170.23', 32, 'metadata'],
  ['169.254.169.253', 32, 'metadata'],
  ['169.254.169.123', 32, 'metadata'],
  ['169.254.0.23', 32, 'metadata'],
  ['169.254.42.42', 32, 'metadata'],
  ['168.63.129.16', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['0.0.0.0', 32, 'unspecified'],
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'carrier-nat'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['255.255.255.255', 32, 'broadcast'],
  ['240.0.0.0', 4, 'reserved'],
];

const V4_RANGES: readonly Range[] = V4_TABLE.map(([base, bits, kind]) => [v4Of(base.split('.').map(Number), 0), bits, kind]);

function classOfV4(value: number): AddressClass {
  for (const [base, bits, kind] of V4_RANGES) {
    if (value >>> (32 - bits) === base >>> (32 - bits)) return kind;
  }
  return 'public';
}

function dotted(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

const V4_PART = /^(?:0[xX][0-9a-fA-F]{0,16}|[0-9]{1,20})$/;

/** One part as `inet_aton` reads it: `0x` hexadecimal, leading zero octal, else decimal; -1 where it is none. */
function partValue(part: string): number {
  if (!V4_PART.test(part)) return -1;
  if (part.length > 2 && (part.charCodeAt(1) | 0x20) === 0x78) return Number.parseInt(part.slice(2), 16);
  if (part.length === 2 && (part.charCodeAt(1) | 0x20) === 0x78) return 0;
  if (part.length > 1 && part.startsWith('0')) return /^[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number.parseInt(part, 10);
  return Number.parseInt(part, 10);
}

/** A part that is too large wraps round, as it does in careless parsers; no careful parser takes it at all. */
function wrap(value: number, modulus: number): number {
  return value % modulus;
}

function readV4(text: string): number | undefined {
  const parts = text.split('.', 6);
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  if (parts.length > 4 || parts.length === 0) return undefined;
  const values = parts.map(partValue);
  if (values.some((value) => value < 0)) return undefined;
  const last = values.pop() ?? 0;
  let address = wrap(last, 256 ** (4 - values.length));
  for (const [i, value] of values.entries()) address += wrap(value, 256) * 256 ** (3 - i);
  return address >>> 0;
}

function zeros(bytes: readonly number[], from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

function begins(bytes: readonly number[], head: readonly number[]): boolean {
  return head.every((byte, i) => bytes[i] === byte);
}

/** The IPv4 address inside, where the form carries one. */
function innerV4(bytes: readonly number[]): number | undefined {
  if (begins(bytes, [0x20, 0x02])) return v4Of(bytes, 2);
  const inner = v4Of(bytes, 12);
  if (begins(bytes, [0x20, 0x01, 0, 0])) return ~inner >>> 0;
  if (begins(bytes, [0x00, 0x64, 0xff, 0x9b])) return inner;
  return isMapped(bytes) || isIsatap(bytes) || (zeros(bytes, 0, 12) && inner > 1) ? inner : undefined;
}

/** `::ffff:a.b.c.d` and the translated form `::ffff:0:a.b.c.d`. */
function isMapped(bytes: readonly number[]): boolean {
  if (!zeros(bytes, 0, 8)) return false;
  const translated = bytes[8] === 0xff && bytes[9] === 0xff && zeros(bytes, 10, 12);
  return translated || (zeros(bytes, 8, 10) && bytes[10] === 0xff && bytes[11] === 0xff);
}

function isIsatap(bytes: readonly number[]): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

type V6Range = readonly [head: readonly number[], mask: number, kind: AddressClass];

/** Head bytes, and the mask of the last of them. */
const V6_RANGES: readonly V6Range[] = [
  [[0xfd, 0x00, 0x0e, 0xc2], 0xff, 'metadata'],
  [[0xfd, 0x20, 0x00, 0xce], 0xff, 'metadata'],
  [[0xfd, 0x00, 0xc1, 0x00], 0xff, 'metadata'],
  [[0xfc], 0xfe, 'unique-local'],
  [[0xfe, 0x80], 0xc0, 'link-local'],
  [[0xfe, 0xc0], 0xc0, 'reserved'],
  [[0xff], 0xff, 'multicast'],
  [[0x20, 0x01, 0x0d, 0xb8], 0xff, 'reserved'],
  [[0x20, 0x01, 0x00], 0xfe, 'reserved'],
  [[0x3f, 0xff, 0x00], 0xf0, 'reserved'],
  [[0x01, 0x00], 0xff, 'reserved'],
  [[0x5f, 0x00], 0xff, 'reserved'],
];

function classOfV6(bytes: readonly number[]): AddressClass {
  if (zeros(bytes, 0, 15)) return bytes[15] === 1 ? 'loopback' : 'unspecified';
  for (const [head, mask, kind] of V6_RANGES) {
    const last = head.length - 1;
    const open = head.slice(0, last);
    if (begins(bytes, open) && ((bytes[last] ?? 0) & mask) === head[last]) return kind;
  }
  return ((bytes[0] ?? 0) & 0xe0) === 0x20 ? 'public' : 'reserved';
}

const V6_CHARS = /^[0-9a-fA-F:.]{2,45}$/;

function readV6(text: string): Address | undefined {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (!V6_CHARS.test(bare) || !bare.includes(':') || !ipaddr.IPv6.isValid(bare)) return undefined;
  const parsed = ipaddr.IPv6.parse(bare);
  const bytes = parsed.toByteArray();
  const inner = zeros(bytes, 0, 15) ? undefined : innerV4(bytes);
  const canonical = parsed.toString();
  if (inner === undefined) return { canonical, kind: classOfV6(bytes), mapped: false };
  const mapped = begins(bytes, [0x20, 0x01, 0, 0]) ? classOfV6(bytes) : classOfV4(inner);
  return { canonical, kind: mapped, mapped: true };
}

/** Longest spelling of an address that is read. */
const ADDRESS_CHARS_MAX = 90;

/** Reads `text` (without brackets) as an address in any spelling; undefined where it is none. */
export function readAddress(text: string): Address | undefined {
  if (text.length === 0 || text.length > ADDRESS_CHARS_MAX) return undefined;
  if (text.includes(':')) return readV6(text);
  const first = text.charCodeAt(0);
  if (first < 0x30 || first > 0x39) return undefined;
  const value = readV4(text);
  return value === undefined ? undefined : { canonical: dotted(value), kind: classOfV4(value), mapped: false };
}
