/**
 * @module The section `origins` with its defaults filled in, laid on what it extends (spec/policy.md POL-301). Tools and hosts of a profile are merged as
 * those of the guards are, on nothing.
 */
import type { EgressAllowlistConfig, McpToolConfig } from './content.ts';
import { POLICY_LIMITS } from './limits.ts';
import { mergeGuard } from './merge-guards.ts';
import {
  type OriginBridge,
  type OriginData,
  type OriginFields,
  type OriginProfile,
  type Origins,
  type OriginTools,
  united,
  type WrittenOrigins,
  type WrittenProfile,
} from './origins.ts';

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

/** Profiles by id: a profile replaces the one of its id as a whole. */
export function layOrigins(written: WrittenOrigins | undefined, base: Origins | undefined): Origins | undefined {
  if (written === undefined) return base;
  const own = (written.profiles ?? []).map(fullProfile);
  return {
    default_behavior: written.default_behavior ?? base?.default_behavior ?? 'deny',
    profiles: united(base?.profiles ?? [], own, ({ id }) => id),
  };
}
