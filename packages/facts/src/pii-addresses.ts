/**
 * @module Addresses of machines in prose: IPv4, IPv6 and hardware addresses that nothing announces. Each colon or dot is looked at from the left once.
 */
import { readAddress } from './addresses.ts';

/** One address and what it is. */
export interface MachineAddress {
  /** An internal address is one of a network of somebody's own: it tells of machines and not of people. */
  readonly type: 'ip_address' | 'internal_address' | 'mac_address';
  readonly start: number;
  readonly end: number;
}

const ADDRESS_CHARS_MIN = 3;
const ADDRESS_CHARS_MAX = 46;
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);

function isAddressCode(code: number): boolean {
  const low = code | 0x20;
  return (code >= 0x30 && code <= 0x3a) || code === 0x2e || (low >= 0x61 && low <= 0x66);
}

/** A letter or sign that makes an address part of something longer. */
function isGlued(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d;
}

function typeOf(value: string): MachineAddress['type'] | undefined {
  if (MAC.test(value)) return 'mac_address';
  if (!value.includes(':')) return IPV4.test(value) ? typeOfAddress(value) : undefined;
  const colons = value.split(':').length - 1;
  if (colons < 2 || (!value.includes('::') && colons !== 7 && !value.includes('.'))) return undefined;
  return value === '::' ? undefined : typeOfAddress(value);
}

function typeOfAddress(value: string): MachineAddress['type'] | undefined {
  const kind = readAddress(value)?.kind;
  if (kind === undefined) return undefined;
  return kind === 'public' || kind === 'reserved' ? 'ip_address' : 'internal_address';
}

/** A version has four parts too. */
const VERSION = /\b(?:v|ver|version|release|build|sdk|firmware)[\s:=]{0,3}$/i;
const VERSION_CHARS = 12;

/** The run of hex digits, dots and colons that begins at `start`. */
function runFrom(text: string, start: number): number {
  let end = start;
  while (end < text.length && isAddressCode(text.charCodeAt(end))) end += 1;
  return end;
}

/** Where an address ends whose run ends at `run`: without the stop or colon of the sentence. */
function trimmed(text: string, start: number, run: number): number {
  let end = run;
  while (end > start && end > run - 2 && /[.:]/.test(text.charAt(end - 1)) && !text.startsWith('::', end - 2)) end -= 1;
  return end;
}

/** What the run between `start` and `run` is, where it stands by itself and is no version. */
function addressIn(text: string, start: number, run: number): MachineAddress | undefined {
  const end = trimmed(text, start, run);
  if (end - start < ADDRESS_CHARS_MIN || end - start > ADDRESS_CHARS_MAX || isGlued(text, run)) return undefined;
  const type = typeOf(text.slice(start, end));
  if (type === undefined || VERSION.test(text.slice(Math.max(0, start - VERSION_CHARS), start))) return undefined;
  return { type, start, end };
}

/** All of a text; `steps` counts what was looked at. */
export function machineAddresses(text: string): { readonly found: readonly MachineAddress[]; readonly steps: number } {
  const found: MachineAddress[] = [];
  let i = 0;
  while (i < text.length) {
    if (!isAddressCode(text.charCodeAt(i)) || (i > 0 && isGlued(text, i - 1))) {
      i += 1;
      continue;
    }
    const run = runFrom(text, i);
    const address = addressIn(text, i, run);
    if (address !== undefined) found.push(address);
    i = run;
  }
  return { found, steps: text.length };
}
