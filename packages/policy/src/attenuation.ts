/**
 * @module `attenuate_only`: whether a policy is nowhere wider than the one it extends, field by field. One row a field; a field, guard or
 * section without a row must stay as it is. A row holds only where it follows from the guard's own code that no action
 * which the parent refuses is allowed by the child. The same table stands in `spec/policy.md`.
 */
import { getOwn, isJsonObject, type JsonObject } from '@countersign/kernel';
import { computerUseWidenings, jailbreakWidenings, PROMPT_INJECTION } from './attenuation-guards.ts';
import { brokerWidenings, originWidenings } from './attenuation-places.ts';
import { postureWidenings } from './attenuation-posture.ts';
import { anything, compare, compareRest, hasAll, type Pair, staysOn, type Table, type Widening } from './attenuation-rows.ts';
import { cedarWidenings, clampdWidenings } from './attenuation-sections.ts';
import {
  asJson,
  type Detection,
  type EgressAllowlistConfig,
  type ForbiddenPathConfig,
  type GuardConfigs,
  type GuardName,
  type McpToolConfig,
  type PatchIntegrityConfig,
  type PathAllowlistConfig,
  type PolicySettings,
  type ResolvedPolicy,
  type SecretLeakConfig,
  type SecretPattern,
  type ShellCommandConfig,
  type ToolThresholds,
} from './content.ts';
import { DETECTION_DEFAULTS, GUARD_DEFAULTS } from './defaults.ts';
import { canonicalTool } from './guards/mcp-tool.ts';
import { SEVERITY_RANK } from './guards/result.ts';
import { coversHosts, coversPaths } from './pattern-cover.ts';

function rank(words: readonly string[], word: string): number {
  return words.indexOf(word);
}

const FORBIDDEN_PATH: Table<ForbiddenPathConfig> = {
  enabled: staysOn,
  patterns: (parent, child) => hasAll(child.patterns, parent.patterns),
  exceptions: (parent, child) => hasAll(parent.exceptions, child.exceptions),
};

/** An empty list of patches stands for the list of writes. */
function patchList(config: PathAllowlistConfig): readonly string[] {
  return config.patch_allow.length > 0 ? config.patch_allow : config.file_write_allow;
}

const PATH_ALLOWLIST: Table<PathAllowlistConfig> = {
  enabled: staysOn,
  file_access_allow: (parent, child) => coversPaths(parent.file_access_allow, child.file_access_allow),
  file_write_allow: (parent, child) => coversPaths(parent.file_write_allow, child.file_write_allow),
  patch_allow: (parent, child) => coversPaths(patchList(parent), patchList(child)),
};

const EGRESS_WORDS = ['allow', 'log', 'block'];
const EGRESS_ALLOWLIST: Table<EgressAllowlistConfig> = {
  enabled: staysOn,
  // Where everything is allowed anyway, a list of what is allowed says nothing.
  allow: (parent, child) => parent.default_action === 'allow' || coversHosts(parent.allow, child.allow),
  block: (parent, child) => coversHosts(child.block, parent.block),
  default_action: (parent, child) => rank(EGRESS_WORDS, child.default_action) >= rank(EGRESS_WORDS, parent.default_action),
};

function asTight(parent: SecretPattern, child: SecretPattern | undefined): boolean {
  return (
    child?.pattern === parent.pattern &&
    SEVERITY_RANK[child.severity] >= SEVERITY_RANK[parent.severity] &&
    (parent.luhn_check || !child.luhn_check) &&
    child.masking.first <= parent.masking.first &&
    child.masking.last <= parent.masking.last
  );
}

/** A name may also be that of a built-in type, whose weight a pattern of that name takes over: new names must weigh the most. */
function keepsPatterns(parent: SecretLeakConfig, child: SecretLeakConfig): boolean {
  const named = new Map(child.patterns.map((pattern) => [pattern.name, pattern]));
  const known = new Set(parent.patterns.map((pattern) => pattern.name));
  const isNewTight = ({ name, severity, masking }: SecretPattern): boolean =>
    known.has(name) || (severity === 'critical' && masking.first <= 4 && masking.last <= 4);
  return parent.patterns.every((pattern) => asTight(pattern, named.get(pattern.name))) && child.patterns.every(isNewTight);
}

const SECRET_LEAK: Table<SecretLeakConfig> = {
  enabled: staysOn,
  redact: (parent, child) => child.redact || !parent.redact,
  severity_threshold: (parent, child) => SEVERITY_RANK[child.severity_threshold] <= SEVERITY_RANK[parent.severity_threshold],
  patterns: keepsPatterns,
  removed: (parent, child) => hasAll(parent.removed, child.removed),
  skip_paths: (parent, child) => coversPaths(parent.skip_paths, child.skip_paths),
};

const PATCH_INTEGRITY: Table<PatchIntegrityConfig> = {
  enabled: staysOn,
  max_additions: (parent, child) => child.max_additions <= parent.max_additions,
  max_deletions: (parent, child) => child.max_deletions <= parent.max_deletions,
  forbidden_patterns: (parent, child) => hasAll(child.forbidden_patterns, parent.forbidden_patterns),
  require_balance: (parent, child) => child.require_balance || !parent.require_balance,
  max_imbalance_ratio: (parent, child) => !parent.require_balance || child.max_imbalance_ratio <= parent.max_imbalance_ratio,
};

const SHELL_COMMAND: Table<ShellCommandConfig> = {
  enabled: staysOn,
  forbidden_patterns: (parent, child) => hasAll(child.forbidden_patterns, parent.forbidden_patterns),
  enforce_forbidden_paths: (parent, child) => child.enforce_forbidden_paths || !parent.enforce_forbidden_paths,
  unparsed: (parent, child) => child.unparsed === 'block' || parent.unparsed === 'warn',
};

function tools(names: readonly string[]): readonly string[] {
  return names.map(canonicalTool);
}

/** A tool on the list of confirmations passes with a warning where the policy says `warn`, whatever the other lists say of it. */
function keepsConfirmations(parent: McpToolConfig, child: McpToolConfig): boolean {
  const [before, after] = [tools(parent.require_confirmation), tools(child.require_confirmation)];
  const opens = child.confirmation === 'warn' && (parent.allow.length > 0 || parent.default_action === 'block');
  return hasAll(after, before) && (!opens || hasAll(before, after));
}

const MCP_TOOL: Table<McpToolConfig> = {
  enabled: staysOn,
  allow: (parent, child) => {
    // An empty list is no list: the default action speaks.
    if (parent.allow.length === 0) return parent.default_action === 'allow' || child.allow.length === 0;
    return child.allow.length === 0 ? child.default_action === 'block' : hasAll(tools(parent.allow), tools(child.allow));
  },
  block: (parent, child) => hasAll(tools(child.block), tools(parent.block)),
  require_confirmation: keepsConfirmations,
  default_action: (parent, child) => child.default_action === 'block' || parent.default_action === 'allow',
  max_args_size: (parent, child) => child.max_args_size <= parent.max_args_size,
  confirmation: (parent, child) => child.confirmation === 'block' || parent.confirmation === 'warn',
};

/**
 * The parent's entries stand in the child in their order, none above what it was; whatever else the child lists is below everything that
 * the parent says. Then the first entry that matches a tool is either the parent's own or lower than any.
 */
function keepsToolThresholds(parent: PolicySettings, child: PolicySettings): boolean {
  const floor = [...parent.tool_thresholds, parent.thresholds];
  const flag = Math.min(...floor.map((entry) => entry.flag));
  const block = Math.min(...floor.map((entry) => entry.block));
  let next = 0;
  for (const entry of child.tool_thresholds) {
    const wanted: ToolThresholds | undefined = parent.tool_thresholds[next];
    if (wanted?.tool.toLowerCase() === entry.tool.toLowerCase() && entry.flag <= wanted.flag && entry.block <= wanted.block) next += 1;
    else if (entry.flag > flag || entry.block > block) return false;
  }
  return next === parent.tool_thresholds.length;
}

const SETTINGS: Table<PolicySettings> = {
  // How much is reported, not what is decided.
  fail_fast: anything,
  verbose_logging: anything,
  session_timeout_secs: (parent, child) => child.session_timeout_secs <= parent.session_timeout_secs,
  thresholds: (parent, child) => child.thresholds.flag <= parent.thresholds.flag && child.thresholds.block <= parent.thresholds.block,
  tool_thresholds: keepsToolThresholds,
  unregistered_tools: (parent, child) => child.unregistered_tools === 'refuse' || parent.unregistered_tools === 'warn',
  // It is laid so that it is never switched off.
  verification: (parent, child) => child.verification?.enabled === true || parent.verification?.enabled !== true,
};

/** What a rule scores by itself is not known here, so a score may only be raised where the parent gives one, or to the whole. */
function keepsScores(parent: Detection, child: Detection): boolean {
  const scores = new Map(Object.entries(parent.scores));
  const kept = [...scores].every(([rule, score]) => (child.scores[rule] ?? 0) >= score);
  return kept && Object.entries(child.scores).every(([rule, score]) => score === 1000 || scores.has(rule));
}

const DETECTION: Table<Detection> = {
  paranoia_level: (parent, child) => child.paranoia_level >= parent.paranoia_level,
  disable: (parent, child) => hasAll(parent.disable, child.disable),
  scores: keepsScores,
};

function compareGuard<Config extends { readonly enabled: boolean }>(
  name: GuardName,
  table: Table<Config>,
  pair: Pair<Config>,
): readonly Widening[] {
  // A guard that is off refuses nothing; but the paths it forbids are those of the shell guard too.
  return pair.parent.enabled || name === 'forbidden_path' ? compare(`guards.${name}`, table, pair) : [];
}

type GuardRow = (pair: Pair<GuardConfigs>) => readonly Widening[];

function guardRow<Name extends GuardName>(name: Name, table: Table<GuardConfigs[Name]>): GuardRow {
  return ({ parent, child }) => compareGuard<GuardConfigs[Name]>(name, table, { parent: parent[name], child: child[name] });
}

const GUARDS: readonly GuardRow[] = [
  guardRow('forbidden_path', FORBIDDEN_PATH),
  guardRow('path_allowlist', PATH_ALLOWLIST),
  guardRow('egress_allowlist', EGRESS_ALLOWLIST),
  guardRow('secret_leak', SECRET_LEAK),
  guardRow('patch_integrity', PATCH_INTEGRITY),
  guardRow('shell_command', SHELL_COMMAND),
  guardRow('mcp_tool', MCP_TOOL),
  guardRow('prompt_injection', PROMPT_INJECTION),
  jailbreakWidenings,
  computerUseWidenings,
];

const SECTIONS: ReadonlySet<string> = new Set([
  'format',
  'version',
  'name',
  'description',
  'guards',
  'settings',
  'detection',
  'posture',
  'cedar',
  'boundaries',
  'exemptions',
  'protected_entities',
  'origins',
  'broker',
]);
/** Guards with rows, named one by one: a guard that is new in the format must not pass for one of them. */
const GUARD_SECTIONS: ReadonlySet<string> = new Set<GuardName>([
  'forbidden_path',
  'path_allowlist',
  'egress_allowlist',
  'secret_leak',
  'patch_integrity',
  'shell_command',
  'mcp_tool',
  'prompt_injection',
  'jailbreak',
  'computer_use',
  'remote_desktop_side_channel',
  'input_injection_capability',
]);

function guardsJson(policy: ResolvedPolicy): JsonObject {
  const guards = getOwn(asJson(policy), 'guards');
  return isJsonObject(guards) ? guards : {};
}

/** Every field in which `child` would let through what `parent` does not. Empty: the child is nowhere wider. */
export function widenings(parent: ResolvedPolicy, child: ResolvedPolicy): readonly Widening[] {
  const guards = { parent: { ...GUARD_DEFAULTS, ...parent.guards }, child: { ...GUARD_DEFAULTS, ...child.guards } };
  const detection = { parent: parent.detection ?? DETECTION_DEFAULTS, child: child.detection ?? DETECTION_DEFAULTS };
  return [
    ...GUARDS.flatMap((row) => row(guards)),
    ...compareRest('guards', { parent: guardsJson(parent), child: guardsJson(child) }, GUARD_SECTIONS),
    ...compare('settings', SETTINGS, { parent: parent.settings, child: child.settings }),
    ...compare('detection', DETECTION, detection),
    ...postureWidenings(parent.posture, child.posture),
    ...cedarWidenings(parent.cedar, child.cedar),
    ...clampdWidenings(parent, child),
    ...originWidenings(parent.origins, child.origins),
    ...brokerWidenings(parent.broker, child.broker),
    ...compareRest('', { parent: asJson(parent), child: asJson(child) }, SECTIONS),
  ];
}
