/**
 * @module `attenuate_only`: whether a policy is nowhere wider than the one it extends, field by field. One row a field; a field, guard or
 * section without a row must stay as it is. A row holds only where it follows from the guard's own code that no action
 * which the parent refuses is allowed by the child. The same table stands in `spec/policy.md`.
 */
import { canonicalize, getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import {
  asJson,
  type Detection,
  type EgressAllowlistConfig,
  type ForbiddenPathConfig,
  type GuardConfigs,
  type LaterGuard,
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
import { DETECTION_DEFAULTS } from './defaults.ts';
import { dotted } from './document-path.ts';
import { canonicalTool } from './guards/mcp-tool.ts';
import { SEVERITY_RANK } from './guards/result.ts';
import { coversHosts, coversPaths } from './pattern-cover.ts';
import { brokerWidenings, originWidenings } from './attenuation-places.ts';

/** One field that would let more through. */
export interface Widening {
  readonly path: string;
  /** What the parent says, and what the child would. Undefined: nothing. */
  readonly parent: JsonValue | undefined;
  readonly child: JsonValue | undefined;
}

/** True where the child is as tight as the parent in this field. Whole configurations, because some fields only mean something together. */
type Row<Config> = (parent: Config, child: Config) => boolean;
type Table<Config> = { readonly [Field in keyof Config]-?: Row<Config> };

const anything = (): boolean => true;
const staysOn = (parent: { readonly enabled: boolean }, child: { readonly enabled: boolean }): boolean => child.enabled || !parent.enabled;

function hasAll(list: readonly string[], wanted: readonly string[]): boolean {
  const there = new Set(list);
  return wanted.every((entry) => there.has(entry));
}

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

function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalize(a) === canonicalize(b));
}

function keysOf(a: JsonObject, b: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

interface Pair<Config> {
  readonly parent: Config;
  readonly child: Config;
}

/** Rows for the fields that have one, equality for the others: a field that is new in the format cannot widen unseen. */
function compare<Config extends object>(path: string, table: Table<Config>, { parent, child }: Pair<Config>): readonly Widening[] {
  // Configurations are JSON by construction.
  const before = parent as unknown as JsonObject;
  const after = child as unknown as JsonObject;
  const rows = new Map<string, Row<Config>>(Object.entries(table));
  return keysOf(before, after).flatMap((key) => {
    const [was, is] = [getOwn(before, key), getOwn(after, key)];
    const row = rows.get(key);
    const holds = isSame(was, is) || row?.(parent, child) === true;
    return holds ? [] : [{ path: dotted(path, key), parent: was, child: is }];
  });
}

function compareGuard<Config extends { readonly enabled: boolean }>(
  name: keyof GuardConfigs,
  table: Table<Config>,
  pair: Pair<Config>,
): readonly Widening[] {
  // A guard that is off refuses nothing; but the paths it forbids are those of the shell guard too.
  return pair.parent.enabled || name === 'forbidden_path' ? compare(`guards.${name}`, table, pair) : [];
}

/** The guards that came later have no rows: they stay as they are. */
type RowGuards = Omit<GuardConfigs, LaterGuard>;
type GuardRow = (pair: Pair<RowGuards>) => readonly Widening[];

function guardRow<Name extends keyof RowGuards>(name: Name, table: Table<RowGuards[Name]>): GuardRow {
  return ({ parent, child }) => compareGuard<RowGuards[Name]>(name, table, { parent: parent[name], child: child[name] });
}

const GUARDS: { readonly [Name in keyof RowGuards]: GuardRow } = {
  forbidden_path: guardRow('forbidden_path', FORBIDDEN_PATH),
  path_allowlist: guardRow('path_allowlist', PATH_ALLOWLIST),
  egress_allowlist: guardRow('egress_allowlist', EGRESS_ALLOWLIST),
  secret_leak: guardRow('secret_leak', SECRET_LEAK),
  patch_integrity: guardRow('patch_integrity', PATCH_INTEGRITY),
  shell_command: guardRow('shell_command', SHELL_COMMAND),
  mcp_tool: guardRow('mcp_tool', MCP_TOOL),
};

/** What stands beside the sections with a table of their own, `guards.x` included, must be equal. */
function compareRest(path: string, pair: Pair<JsonObject>, known: ReadonlySet<string>): readonly Widening[] {
  return keysOf(pair.parent, pair.child).flatMap((key) => {
    const [parent, child] = [getOwn(pair.parent, key), getOwn(pair.child, key)];
    return known.has(key) || isSame(parent, child) ? [] : [{ path: dotted(path, key), parent, child }];
  });
}

const SECTIONS: ReadonlySet<string> = new Set([
  'format',
  'version',
  'name',
  'description',
  'guards',
  'settings',
  'detection',
  'origins',
  'broker',
]);
const GUARD_SECTIONS: ReadonlySet<string> = new Set(Object.keys(GUARDS));

function guardsJson(policy: ResolvedPolicy): JsonObject {
  const guards = getOwn(asJson(policy), 'guards');
  return isJsonObject(guards) ? guards : {};
}

/** Every field in which `child` would let through what `parent` does not. Empty: the child is nowhere wider. */
export function widenings(parent: ResolvedPolicy, child: ResolvedPolicy): readonly Widening[] {
  const guards = { parent: parent.guards, child: child.guards };
  const detection = { parent: parent.detection ?? DETECTION_DEFAULTS, child: child.detection ?? DETECTION_DEFAULTS };
  return [
    ...Object.values(GUARDS).flatMap((row) => row(guards)),
    ...compareRest('guards', { parent: guardsJson(parent), child: guardsJson(child) }, GUARD_SECTIONS),
    ...compare('settings', SETTINGS, { parent: parent.settings, child: child.settings }),
    ...compare('detection', DETECTION, detection),
    ...originWidenings(parent.origins, child.origins),
    ...brokerWidenings(parent.broker, child.broker),
    ...compareRest('', { parent: asJson(parent), child: asJson(child) }, SECTIONS),
  ];
}
