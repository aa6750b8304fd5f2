/**
 * @module How often one client may ask: token buckets by address, loopback included. Whose address it is comes from the connection;
 * `X-Forwarded-For` counts only as far as configured proxies wrote it.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';

export interface RateLimit {
  /** Requests a second that come back. */
  readonly perSecond: number;
  /** Requests at once. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A range of addresses such as `10.0.0.0/8`, or one address; undefined where it is none. */
export function rangeOf(text: string): Range | undefined {
  if (text.includes('/')) return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
  if (isIP(text) === 0) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function isWithin(text: string, ranges: readonly Range[]): boolean {
  if (text.includes('%') || isIP(text) === 0) return false;
  const address = ipaddr.process(text);
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}

/** A /64 is one client: whoever has one has all of its addresses. */
function clientName(text: string): string {
  if (text.includes('%') || isIP(text) === 0) return 'unknown';
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv4 ? address.toString() : address.parts.slice(0, 4).join(':');
}

/** The client's address: from the right of the header, the first that no configured proxy has. `proxies` are the ranges of these. */
export function clientAddress(peer: string, forwarded: string | undefined, proxies: readonly Range[]): string {
  let client = peer;
  const hops =
    forwarded === undefined
      ? []
      : forwarded
          .split(',')
          .slice(-LIMITS.forwardedHopsMax)
          .map((hop) => hop.trim());
  while (isWithin(client, proxies)) {
    const hop = hops.pop();
    if (hop === undefined || isIP(hop) === 0) return client;
    client = hop;
  }
  return client;
}

export interface RateGate {
  /** Seconds until the client may ask again, or undefined: it may now. */
  enter(address: string, nowMs: number): number | undefined;
}

/** Buckets for the newest `rateClientsMax` clients; who falls out begins with a full one again. */
export function createRateGate({ perSecond, burst }: RateLimit): RateGate {
  const buckets = new Map<string, Bucket>();
  return {
    enter(address: string, nowMs: number): number | undefined {
      const name = clientName(address);
      const known = buckets.get(name);
      const passedMs = known === undefined ? 0 : Math.max(0, nowMs - known.atMs);
      const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (passedMs * perSecond) / 1000);
      const allowed = tokens >= 1;
      buckets.delete(name);
      buckets.set(name, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
      const [oldest] = buckets.size > LIMITS.rateClientsMax ? buckets.keys() : [];
      if (oldest !== undefined) buckets.delete(oldest);
      return allowed ? undefined : Math.max(1, Math.ceil((1 - tokens) / perSecond));
    },
  };
}
