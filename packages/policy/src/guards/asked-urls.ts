/**
 * @module The URLs that an action would fetch, as outside sources are asked about them. What is inside the own network is nobody else's matter
 * and is left out.
 */
import type { GuardResult, HostFact } from '@countersign/protocol';
import { POLICY_LIMITS } from '../limits.ts';
import { blind, type GuardContext, type ReportName } from './result.ts';

export interface AskedUrls {
  /** Each once. */
  readonly urls: readonly string[];
  /** Where hosts are named, or should be, that nobody could read. */
  readonly blind: GuardResult | undefined;
  /** Whether the action goes anywhere. */
  readonly concerns: boolean;
}

/** Without its fragment, which is never sent; another scheme than the web's is asked about by its host. */
function urlOf({ url, host }: HostFact): string {
  if (url !== undefined && /^https?:/.test(url)) return url.replace(/#.*$/s, '');
  return `https://${host.includes(':') ? `[${host}]` : host}/`;
}

export function askedUrls(guard: ReportName, { action, facts }: GuardContext): AskedUrls {
  const hosts = facts.hosts.filter(({ access }) => access === 'connect');
  const cut = facts.cuts.includes('hosts');
  const isEgress = action.kind === 'net.egress';
  const outside = hosts.filter(({ address }) => address === undefined || address === 'public');
  const urls = outside.map(urlOf);
  const tooLong = outside.some(({ raw, url = '' }) => Math.max(raw.length, url.length) > POLICY_LIMITS.askedUrlCharsMax);
  const seen = (): GuardResult | undefined => {
    if (cut) return blind(guard, 'More hosts than can be asked about', 'facts_cut');
    if (isEgress && hosts.length === 0) return blind(guard, 'No host could be read from the action', 'missing_host');
    return tooLong ? blind(guard, 'A URL is too long to be asked about', 'url_too_long') : undefined;
  };
  return { urls: [...new Set(urls)], blind: seen(), concerns: isEgress || cut || hosts.length > 0 };
}
