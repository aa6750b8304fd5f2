/**
 * @module `attenuate_only` for `origins` and `broker`: both only take away, so a section that is new takes away more. What the parent says must
 * stay, and may become tighter where that is clear.
 */
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { Broker } from './broker.ts';
import type { OriginBridge, OriginData, OriginProfile, Origins } from './origins.ts';

/** A `Widening` of these sections. */
interface PlaceWidening {
  readonly path: string;
  readonly parent: JsonValue | undefined;
  readonly child: JsonValue | undefined;
}

/** Sections of a resolved policy are JSON by construction. */
const json = (value: unknown): JsonValue | undefined => value as JsonValue | undefined;

function isSame(a: unknown, b: unknown): boolean {
  const [was, is] = [json(a), json(b)];
  return was === is || (was !== undefined && is !== undefined && canonicalize(was) === canonicalize(is));
}

function keepsData(parent: OriginData | undefined, child: OriginData | undefined): boolean {
  if (parent === undefined) return true;
  if (child === undefined) return false;
  const stays = (name: 'redact_before_send' | 'block_sensitive_outputs'): boolean => child[name] || !parent[name];
  return (
    (parent.allow_external_sharing || !child.allow_external_sharing) && stays('redact_before_send') && stays('block_sensitive_outputs')
  );
}

function keepsBudgets(parent: OriginProfile['budgets'], child: OriginProfile['budgets']): boolean {
  const limits = new Map<string, number>(Object.entries(child));
  return Object.entries(parent).every(([budget, limit]) => (limits.get(budget) ?? Infinity) <= limit);
}

function keepsBridge(parent: OriginBridge | undefined, child: OriginBridge | undefined): boolean {
  if (child?.allow_cross_origin !== true) return true;
  if (parent?.allow_cross_origin !== true) return false;
  return isSame(parent.allowed_targets, child.allowed_targets) && (child.require_approval || !parent.require_approval);
}

function keepsProfile(parent: OriginProfile, child: OriginProfile): boolean {
  const rest = ({ id, match_rules, posture, mcp, egress }: OriginProfile): object => ({
    id,
    match_rules,
    ...(posture !== undefined && { posture }),
    ...(mcp !== undefined && { mcp }),
    ...(egress !== undefined && { egress }),
  });
  return (
    isSame(rest(parent), rest(child)) &&
    keepsData(parent.data, child.data) &&
    keepsBudgets(parent.budgets, child.budgets) &&
    keepsBridge(parent.bridge_policy, child.bridge_policy)
  );
}

/** Which profile an origin gets depends on all of them and their order: none may come or go. */
export function originWidenings(parent: Origins | undefined, child: Origins | undefined): readonly PlaceWidening[] {
  if (parent === undefined) return [];
  if (child === undefined) return [{ path: 'origins', parent: json(parent), child: undefined }];
  const found: PlaceWidening[] = [];
  if (child.default_behavior === 'minimal_profile' && parent.default_behavior === 'deny')
    found.push({ path: 'origins.default_behavior', parent: 'deny', child: 'minimal_profile' });
  const count = Math.max(parent.profiles.length, child.profiles.length);
  for (let i = 0; i < count; i += 1) {
    const [was, is] = [parent.profiles[i], child.profiles[i]];
    if (was !== undefined && is !== undefined && keepsProfile(was, is)) continue;
    found.push({ path: `origins.profiles[${String(i)}]`, parent: json(was), child: json(is) });
  }
  return found;
}

/** Of several providers of one host one is enough: a new one may only be of a host that none had. */
export function brokerWidenings(parent: Broker | undefined, child: Broker | undefined): readonly PlaceWidening[] {
  if (parent === undefined) return [];
  const after = new Map((child?.providers ?? []).map((provider) => [provider.name, provider]));
  const before = new Set(parent.providers.map(({ name }) => name));
  const hosts = new Set(parent.providers.map(({ host }) => host));
  const lost = parent.providers.filter((provider) => !isSame(provider, after.get(provider.name)));
  const added = [...after.values()].filter(({ name, host }) => !before.has(name) && hosts.has(host));
  const at = (name: string): string => `broker.providers[${String((child?.providers ?? []).findIndex((one) => one.name === name))}]`;
  return [
    ...lost.map((was) => ({
      path: after.has(was.name) ? at(was.name) : 'broker.providers',
      parent: json(was),
      child: json(after.get(was.name)),
    })),
    ...added.map((is) => ({ path: at(is.name), parent: undefined, child: json(is) })),
  ];
}
