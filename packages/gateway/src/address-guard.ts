/**
 * @module Which addresses the gateway may connect to: public unicast and nothing else (IANA special-purpose registries), whatever way
 * they are written. Metadata services that live on public addresses are named.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Public by registry, and yet a metadata or control service of a cloud. */
const NAMED: ReadonlySet<string> = new Set(['168.63.129.16']);

function isPublicV4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && !NAMED.has(address.toString());
}

/** Only 2000::/3 is given out for the public internet; everything else, and every form that wraps an IPv4 address, is refused. */
function isPublicV6(address: ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** True for the text of an address one may connect to. Anything that is not an address is not. */
export function isPublicAddress(text: string): boolean {
  if (text.includes('%') || isIP(text) === 0) return false;
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv4 ? isPublicV4(address) : isPublicV6(address);
}
