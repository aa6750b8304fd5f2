/**
 * @module Hosts that policies may be fetched from: named by the operator, resolved once for each fetch, and never inside the own network
 * unless the operator said that too.
 */
import { lookup } from 'node:dns/promises';
import { readAddress } from '@countersign/facts';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import type { HostSets } from './host-sets.ts';

export interface PolicyHosts {
  /** Names, or `*.example.com`; their addresses must be public. */
  readonly outside: readonly string[];
  /** Names whose addresses may be private. */
  readonly inside: readonly string[];
}

export interface PinnedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a host. */
export type ResolveHost = (host: string) => Promise<readonly PinnedAddress[]>;

/** The sets `policy-sources` and `policy-sources-inside` of the operator; empty where there are none. */
export function policyHosts(sets: HostSets): PolicyHosts {
  return { outside: sets['policy-sources'] ?? [], inside: sets['policy-sources-inside'] ?? [] };
}

/** Asks the resolver of this machine. */
export const resolveHost: ResolveHost = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

function names(list: readonly string[], host: string): boolean {
  return list.some((entry) => (entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : entry === host));
}

export function isAllowed(hosts: PolicyHosts, host: string): boolean {
  return names(hosts.outside, host) || names(hosts.inside, host);
}

/** One address to connect to. Every address of the host must be of a class that is allowed: one bad one spoils the name. */
export async function pinAddress(host: string, hosts: PolicyHosts, resolve: ResolveHost): Promise<Result<PinnedAddress, Fault>> {
  const inside = names(hosts.inside, host);
  let found: readonly PinnedAddress[];
  try {
    found = await resolve(host);
  } catch (error) {
    return err({ code: 'policy_source_unreachable', message: `the host \`${host}\` does not resolve (${codeOf(error)})` });
  }
  const bad = found.find(({ address }) => !isReachable(address, inside));
  const [first] = found;
  if (bad !== undefined || first === undefined) {
    return err({
      code: 'policy_source_address',
      message: `the host \`${host}\` leads to an address that is not public`,
      hint: 'name a host of your own network with `countersign hosts set policy-sources-inside HOST...`',
    });
  }
  return ok(first);
}

/** Metadata services, broadcasts and the like are nobody's policy server. */
function isReachable(address: string, inside: boolean): boolean {
  const kind = readAddress(address)?.kind;
  return kind === 'public' || (inside && (kind === 'private' || kind === 'loopback' || kind === 'carrier-nat'));
}
