/**
 * @module The section `origins`: where an agent was asked, and what a place permits. Here: how it is written, merged and checked;
 * `judge-origin.ts` judges by it. The words are those of Clawdstrike 0.2.7 (spec/policy.md POL-300).
 */
import type { EgressAllowlistConfig, McpToolConfig, WrittenGuards } from './content.ts';
import { POLICY_LIMITS } from './limits.ts';
import { mergeGuard } from './merge-guards.ts';
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
export type OriginTools = Omit<McpToolConfig, 'confirmation'>;

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
  readonly egress?: EgressAllowlistConfig;
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
  readonly mcp?: Omit<NonNullable<WrittenGuards['mcp_tool']>, 'confirmation'>;
  readonly egress?: NonNullable<WrittenGuards['egress_allowlist']>;
  readonly data?: Written<OriginData>;
  readonly bridge_policy?: Written<OriginBridge>;
}

/** The section as written. */
export interface WrittenOrigins {
  readonly default_behavior?: Origins['default_behavior'];
  readonly profiles?: readonly WrittenProfile[];
}

const NO_TOOLS: McpToolConfig = {
  enabled: true,
  allow: [],
  block: [],
  require_confirmation: [],
  default_action: 'allow',
  max_args_size: POLICY_LIMITS.originArgsBytes,
  confirmation: 'block',
};
const NO_HOSTS: EgressAllowlistConfig = { enabled: true, allow: [], block: [], default_action: 'block' };
const CLOSED_DATA: OriginData = { allow_external_sharing: false, redact_before_send: false, block_sensitive_outputs: false };
const NO_BRIDGE: OriginBridge = { allow_cross_origin: false, allowed_targets: [], require_approval: false };

/** What a place gets that no profile matches, where the section says `minimal_profile`: no tool, and nothing sensitive leaves. */
export const MINIMAL_PROFILE: OriginProfile = {
  id: '',
  match_rules: {},
  mcp: { ...toolsOf({}), default_action: 'block' },
  data: { allow_external_sharing: false, redact_before_send: true, block_sensitive_outputs: true },
  budgets: {},
};

function toolsOf(written: NonNullable<WrittenProfile['mcp']>): OriginTools {
  const { confirmation: _, ...tools } = mergeGuard('mcp_tool', written, { base: NO_TOOLS, merged: false });
  return tools;
}

function fullRules(written: OriginFields): OriginFields {
  const { tags, ...rest } = written;
  return tags === undefined || tags.length === 0 ? rest : { ...rest, tags: [...new Set(tags)].toSorted() };
}

function fullProfile({ mcp, egress, data, bridge_policy: bridge, ...rest }: WrittenProfile): OriginProfile {
  return {
    ...rest,
    match_rules: fullRules(rest.match_rules ?? {}),
    budgets: rest.budgets ?? {},
    ...(mcp !== undefined && { mcp: toolsOf(mcp) }),
    ...(egress !== undefined && { egress: mergeGuard('egress_allowlist', egress, { base: NO_HOSTS, merged: false }) }),
    ...(data !== undefined && { data: { ...CLOSED_DATA, ...data } }),
    ...(bridge !== undefined && {
      bridge_policy: { ...NO_BRIDGE, ...bridge, allowed_targets: (bridge.allowed_targets ?? []).map(fullRules) },
    }),
  };
}

/** Entries by their key: one that is there again stands in the place of the first. */
export function united<T>(base: readonly T[], own: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  return [...new Map([...base, ...own].map((entry) => [keyOf(entry), entry])).values()];
}

/** Profiles by id: a profile replaces the one of its id as a whole. */
export function layOrigins(written: WrittenOrigins | undefined, base: Origins | undefined): Origins | undefined {
  if (written === undefined) return base;
  const own = (written.profiles ?? []).map(fullProfile);
  return {
    default_behavior: written.default_behavior ?? base?.default_behavior ?? 'deny',
    profiles: united(base?.profiles ?? [], own, ({ id }) => id),
  };
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
