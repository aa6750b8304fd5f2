/**
 * @module How a guard block lies on top of what it extends: lists are added to and taken from, single fields replace, and
 * what the block does not mention stays as the base has it. Laws (tested): merging an empty block changes nothing;
 * adding what is there changes nothing; what is removed is gone whatever was added before.
 */
import type { GuardConfigs, GuardName, SecretLeakConfig, WrittenGuards } from './content.ts';
import { fullPattern } from './defaults.ts';
import { COMPUTER_USE_MERGERS } from './guards/computer-use-config.ts';
import { SPIDER_MERGERS } from './guards/spider-sense-config.ts';
import { TEXT_GUARD_MERGERS } from './guards/text-guards-config.ts';

interface ListChange {
  /** Replaces the base when it holds anything, or when there is nothing to inherit from. */
  readonly replace?: readonly string[] | undefined;
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** `merged`: the block extends a policy, so an empty list says nothing. */
export interface Ground<Config> {
  readonly base: Config;
  readonly merged: boolean;
}

function distinct(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}

function applyList(ground: Ground<readonly string[]>, change: ListChange): readonly string[] {
  const replaces = change.replace !== undefined && (!ground.merged || change.replace.length > 0);
  const from = replaces ? (change.replace ?? []) : ground.base;
  const removed = new Set(change.remove);
  return distinct([...from, ...(change.add ?? [])]).filter((item) => !removed.has(item));
}

function mergeSecrets(block: NonNullable<WrittenGuards['secret_leak']>, ground: Ground<SecretLeakConfig>): SecretLeakConfig {
  const { base, merged } = ground;
  const remove = new Set(block.remove_patterns);
  const own = [...(block.patterns ?? []), ...(block.additional_patterns ?? [])].map(fullPattern);
  const wanted = new Set(own.map((pattern) => pattern.name));
  const inherited = block.patterns === undefined ? base.patterns : [];
  const named = new Map([...inherited, ...own].map((pattern) => [pattern.name, pattern]));
  return {
    enabled: block.enabled ?? base.enabled,
    redact: block.redact ?? base.redact,
    severity_threshold: block.severity_threshold ?? base.severity_threshold,
    patterns: [...named.values()].filter((pattern) => !remove.has(pattern.name)),
    removed: distinct([...base.removed.filter((name) => !wanted.has(name) || remove.has(name)), ...remove]),
    skip_paths: merged ? distinct([...base.skip_paths, ...(block.skip_paths ?? [])]) : (block.skip_paths ?? base.skip_paths),
  };
}

type Mergers = {
  readonly [Name in GuardName]: (block: NonNullable<WrittenGuards[Name]>, ground: Ground<GuardConfigs[Name]>) => GuardConfigs[Name];
};

const MERGERS: Mergers = {
  forbidden_path: (block, { base, merged }) => ({
    enabled: block.enabled ?? base.enabled,
    patterns: applyList(
      { base: base.patterns, merged: false },
      { replace: block.patterns, add: block.additional_patterns, remove: block.remove_patterns },
    ),
    exceptions: merged ? distinct([...base.exceptions, ...(block.exceptions ?? [])]) : (block.exceptions ?? base.exceptions),
  }),
  path_allowlist: (block, { base, merged }) => ({
    enabled: block.enabled ?? true,
    file_access_allow: applyList({ base: base.file_access_allow, merged }, { replace: block.file_access_allow }),
    file_write_allow: applyList({ base: base.file_write_allow, merged }, { replace: block.file_write_allow }),
    patch_allow: applyList({ base: base.patch_allow, merged }, { replace: block.patch_allow }),
  }),
  egress_allowlist: (block, { base, merged }) => ({
    enabled: block.enabled ?? base.enabled,
    allow: applyList({ base: base.allow, merged }, { replace: block.allow, add: block.additional_allow, remove: block.remove_allow }),
    block: applyList({ base: base.block, merged }, { replace: block.block, add: block.additional_block, remove: block.remove_block }),
    default_action: block.default_action ?? base.default_action,
  }),
  secret_leak: mergeSecrets,
  patch_integrity: (block, { base }) => ({ ...base, ...block }),
  shell_command: (block, { base }) => ({ ...base, ...block }),
  mcp_tool: (block, { base, merged }) => ({
    enabled: block.enabled ?? base.enabled,
    allow: applyList({ base: base.allow, merged }, { replace: block.allow, add: block.additional_allow, remove: block.remove_allow }),
    block: applyList({ base: base.block, merged }, { replace: block.block, add: block.additional_block, remove: block.remove_block }),
    require_confirmation: applyList({ base: base.require_confirmation, merged }, { replace: block.require_confirmation }),
    default_action: block.default_action ?? base.default_action,
    max_args_size: block.max_args_size ?? base.max_args_size,
    confirmation: block.confirmation ?? base.confirmation,
  }),
  ...TEXT_GUARD_MERGERS,
  ...COMPUTER_USE_MERGERS,
  ...SPIDER_MERGERS,
};

/** One guard block on its base. */
export function mergeGuard<Name extends GuardName>(
  name: Name,
  block: NonNullable<WrittenGuards[Name]>,
  ground: Ground<GuardConfigs[Name]>,
): GuardConfigs[Name] {
  return MERGERS[name](block, ground);
}
