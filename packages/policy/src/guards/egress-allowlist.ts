/**
 * @module egress_allowlist: which hosts an action may connect to, in any spelling of the host. Order: block list, allow list, default.
 */
import type { GuardResult, HostFact } from '@countersign/protocol';
import type { EgressDefault } from '../content.ts';
import { firstMatch, type Glob, type StepCounter } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { allow, blind, block, quote, warn, type GuardContext } from './result.ts';

export interface EgressLists {
  readonly enabled: boolean;
  readonly allow: readonly Glob[];
  readonly block: readonly Glob[];
  readonly fallback: EgressDefault;
}

interface Ruling {
  readonly fact: HostFact;
  readonly action: EgressDefault;
  readonly pattern: string | null;
}

function rule(lists: EgressLists, fact: HostFact, counter: StepCounter): Ruling {
  const host = fact.host.toLowerCase();
  if (host === '' || host.length > POLICY_LIMITS.hostCharsMax) return { fact, action: 'block', pattern: null };
  const blocked = firstMatch(lists.block, host, counter);
  if (blocked !== undefined) return { fact, action: 'block', pattern: blocked.pattern };
  const allowed = firstMatch(lists.allow, host, counter);
  if (allowed !== undefined) return { fact, action: 'allow', pattern: allowed.pattern };
  return { fact, action: lists.fallback, pattern: null };
}

function report(rulings: readonly Ruling[], action: 'block' | 'log'): GuardResult | undefined {
  const matching = rulings.filter((ruling) => ruling.action === action);
  const [first] = matching;
  if (first === undefined) return undefined;
  const host = quote(first.fact.host === '' ? first.fact.raw : first.fact.host);
  const finding = {
    code: action === 'log' ? 'egress_logged' : first.pattern === null ? 'not_in_allowlist' : 'matches_block_list',
    message: action === 'log' ? `Egress to ${host} logged` : `Egress to ${host} blocked by policy`,
    details: { host, port: first.fact.port ?? null, matched_pattern: first.pattern, is_default: first.pattern === null },
    evidence: matching.map((ruling) => ruling.fact.span),
  };
  return action === 'log' ? warn('egress_allowlist', finding) : block('egress_allowlist', 'error', finding);
}

export function judgeEgress(lists: EgressLists, context: GuardContext): GuardResult | undefined {
  const hosts = context.facts.hosts.filter((host) => host.access === 'connect');
  const isEgress = context.action.kind === 'net.egress';
  const cut = context.facts.cuts.includes('hosts');
  if (hosts.length === 0 && !isEgress && !cut) return undefined;
  const rulings = hosts.map((host) => rule(lists, host, context.counter));
  const blocked = report(rulings, 'block');
  if (blocked !== undefined) return blocked;
  if (cut) return blind('egress_allowlist', 'More hosts than can be checked', 'facts_cut');
  if (hosts.length === 0) return blind('egress_allowlist', 'No host could be read from the action', 'missing_host');
  return report(rulings, 'log') ?? allow('egress_allowlist');
}
