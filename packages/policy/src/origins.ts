/**
 * @module The section `origins`: where an agent was asked, and what a place permits. Here: what it holds, and what is wrong with it;
 * `lay-origins.ts` merges it, `judge-origin.ts` judges by it. The words are those of Clawdstrike 0.2.7 (spec/policy.md POL-300).
 */
import { POLICY_LIMITS } from './limits.ts';
import { LOCKED, type Posture, type PostureFault } from './posture.ts';

export const VISIBILITIES = ['private', 'internal', 'public', 'external_shared', 'unknown'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** Fields of an origin that are texts. */
export const ORIGIN_TEXTS = [
  'provider',
  'tenant_id',
  'space_id',
  'space_type',
  'thread_id',
  'actor_id',
  'actor_type',
  'actor_role',
  'sensitivity',
  'provenance_confidence',
] as const;
export type OriginText = (typeof ORIGIN_TEXTS)[number];

/** Where something was asked: all of it as the client says. Also what a rule asks of it: what is absent asks nothing. */
export type OriginFields = {
  readonly [Name in OriginText]?: string;
} & {
  readonly visibility?: Visibility;
  readonly external_participants?: boolean;
  /** Of a rule: all of them must be there. */
  readonly tags?: readonly string[];
};

export const ORIGIN_BUDGETS = ['mcp_tool_calls', 'egress_calls', 'shell_commands'] as const;
export type OriginBudget = (typeof ORIGIN_BUDGETS)[number];

/** As the guard `mcp_tool`; a name that ends in `*` stands for all that begin so. */
export interface OriginTools {
  readonly enabled: boolean;
  readonly allow: readonly string[];
  readonly block: readonly string[];
  readonly require_confirmation: readonly string[];
  readonly default_action: 'allow' | 'block';
  readonly max_args_size: number;
}

/** As the guard `egress_allowlist`. */
export interface OriginHosts {
  readonly enabled: boolean;
  readonly allow: readonly string[];
  readonly block: readonly string[];
  readonly default_action: 'allow' | 'block' | 'log';
}

interface ListChanges {
  readonly additional_allow?: readonly string[];
  readonly remove_allow?: readonly string[];
  readonly additional_block?: readonly string[];
  readonly remove_block?: readonly string[];
}

export interface OriginData {
  readonly allow_external_sharing: boolean;
  readonly redact_before_send: boolean;
  readonly block_sensitive_outputs: boolean;
}

/** What may happen when a session that stands here goes on in another place. */
export interface OriginBridge {
  readonly allow_cross_origin: boolean;
  /** Empty: any place. */
  readonly allowed_targets: readonly OriginFields[];
  readonly require_approval: boolean;
}

/** A profile, resolved. What is absent restricts nothing, but for `bridge_policy`: without it no session leaves. */
export interface OriginProfile {
  readonly id: string;
  readonly match_rules: OriginFields;
  /** A state of the posture that holds besides the one of the session. */
  readonly posture?: string;
  readonly mcp?: OriginTools;
  readonly egress?: OriginHosts;
  readonly data?: OriginData;
  readonly budgets: Readonly<Partial<Record<OriginBudget, number>>>;
  readonly bridge_policy?: OriginBridge;
  readonly explanation?: string;
}

/** The section, resolved. */
export interface Origins {
  readonly default_behavior: 'deny' | 'minimal_profile';
  readonly profiles: readonly OriginProfile[];
}

type Written<T> = { readonly [Key in keyof T]?: T[Key] };

export interface WrittenProfile
  extends Pick<OriginProfile, 'id'>, Written<Pick<OriginProfile, 'match_rules' | 'posture' | 'explanation' | 'budgets'>> {
  readonly mcp?: Written<OriginTools> & ListChanges;
  readonly egress?: Written<OriginHosts> & ListChanges;
  readonly data?: Written<OriginData>;
  readonly bridge_policy?: Written<OriginBridge>;
}

/** The section as written. */
export interface WrittenOrigins {
  readonly default_behavior?: Origins['default_behavior'];
  readonly profiles?: readonly WrittenProfile[];
}

/** Entries by their key: one that is there again stands in the place of the first. */
export function united<T>(base: readonly T[], own: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  return [...new Map([...base, ...own].map((entry) => [keyOf(entry), entry])).values()];
}

/** Everything that is wrong with a section once it lies on what it extends. */
export function originFaults(origins: Origins, posture: Posture | undefined): readonly PostureFault[] {
  const faults: PostureFault[] = [];
  if (origins.profiles.length > POLICY_LIMITS.originProfilesMax) {
    const message = `more than ${String(POLICY_LIMITS.originProfilesMax)} entries`;
    faults.push({ code: 'policy_range', path: 'origins.profiles', message });
  }
  const known = Object.keys(posture?.states ?? {});
  for (const [i, { posture: state }] of origins.profiles.entries()) {
    if (state === undefined || state === LOCKED || known.includes(state)) continue;
    const hint = known.length === 0 ? 'the policy has no section `posture`' : `states: ${known.slice(0, 8).join(', ')}`;
    const path = `origins.profiles[${String(i)}].posture`;
    faults.push({ code: 'policy_posture', path, message: `there is no state \`${state}\``, hint });
  }
  return faults.slice(0, POLICY_LIMITS.faultsMax);
}
