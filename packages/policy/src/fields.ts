/**
 * @module The shape of a policy document, as data: which fields there are, what they hold, and which belong to later versions.
 */
import { GUARD_NAMES } from './content.ts';
import { POLICY_LIMITS } from './limits.ts';

/** Versions that are read; anything else is refused. */
export const POLICY_VERSIONS: readonly string[] = ['1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0'];

export type Pattern = 'path-glob' | 'host-glob' | 'frozen-host' | 'regex' | 'tool-glob' | 'reference' | 'rule-id';

export type Field =
  | { readonly is: 'text'; readonly max: number; readonly pattern?: Pattern; readonly blank?: boolean }
  | { readonly is: 'flag' }
  | { readonly is: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  | { readonly is: 'word'; readonly words: ReadonlyMap<string, string> }
  | { readonly is: 'list'; readonly item: Field; readonly key?: string }
  /** A number above 0 and up to 1 with at most two decimals, kept as thousandths. */
  | { readonly is: 'score' }
  /** Keys of one kind, each with a value of one kind. */
  | { readonly is: 'map'; readonly keys: Field; readonly item: Field }
  | Shape;

export interface Shape {
  readonly is: 'shape';
  readonly fields: ReadonlyMap<string, Field>;
  readonly required?: readonly string[];
  /** Fields that the format knows and this version does not carry out. */
  readonly unsupported?: ReadonlySet<string>;
  /** Fields where a bare key (null) means what leaving it out means. */
  readonly nullable?: ReadonlySet<string>;
}

const FLAG: Field = { is: 'flag' };
const NAME: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax };
const SEVERITY: Field = words({
  info: 'info',
  low: 'info',
  warning: 'warning',
  medium: 'warning',
  error: 'error',
  high: 'error',
  critical: 'critical',
});
const ALLOW_BLOCK: Field = words({ allow: 'allow', block: 'block', deny: 'block' });
const BLOCK_WARN: Field = words({ block: 'block', warn: 'warn' });

function words(table: Readonly<Record<string, string>>): Field {
  return { is: 'word', words: new Map(Object.entries(table)) };
}

function whole(min: number, max: number): Field {
  return { is: 'number', min, max, whole: true };
}

function text(pattern: Pattern): Field {
  return { is: 'text', max: pattern === 'regex' ? POLICY_LIMITS.regexCharsMax : POLICY_LIMITS.entryCharsMax, pattern };
}

function list(item: Field, key?: string): Field {
  return key === undefined ? { is: 'list', item } : { is: 'list', item, key };
}

function shape(fields: Readonly<Record<string, Field>>, extra: Omit<Shape, 'is' | 'fields'> = {}): Shape {
  return { is: 'shape', fields: new Map(Object.entries(fields)), ...extra };
}

const COUNT_MAX = 1_000_000_000;
const PATHS = list(text('path-glob'));
const HOSTS = list(text('host-glob'));
const REGEXES = list(text('regex'));
const TOOLS = list(NAME);

const SECRET_PATTERN = shape(
  {
    name: NAME,
    pattern: text('regex'),
    severity: SEVERITY,
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    luhn_check: FLAG,
    masking: shape({ first: whole(0, 255), last: whole(0, 255) }),
  },
  { required: ['name', 'pattern'], nullable: new Set(['description', 'masking']) },
);

const GUARD_FIELDS: Readonly<Record<(typeof GUARD_NAMES)[number], Shape>> = {
  forbidden_path: shape(
    { enabled: FLAG, patterns: PATHS, exceptions: PATHS, additional_patterns: PATHS, remove_patterns: PATHS },
    { nullable: new Set(['patterns']) },
  ),
  path_allowlist: shape({ enabled: FLAG, file_access_allow: PATHS, file_write_allow: PATHS, patch_allow: PATHS }),
  egress_allowlist: shape(
    {
      enabled: FLAG,
      allow: HOSTS,
      block: HOSTS,
      default_action: words({ allow: 'allow', block: 'block', deny: 'block', log: 'log' }),
      additional_allow: HOSTS,
      remove_allow: HOSTS,
      additional_block: HOSTS,
      remove_block: HOSTS,
    },
    { nullable: new Set(['default_action']) },
  ),
  secret_leak: shape({
    enabled: FLAG,
    redact: FLAG,
    severity_threshold: SEVERITY,
    patterns: list(SECRET_PATTERN, 'name'),
    additional_patterns: list(SECRET_PATTERN, 'name'),
    remove_patterns: list(NAME),
    skip_paths: PATHS,
  }),
  patch_integrity: shape({
    enabled: FLAG,
    max_additions: whole(0, COUNT_MAX),
    max_deletions: whole(0, COUNT_MAX),
    forbidden_patterns: REGEXES,
    require_balance: FLAG,
    max_imbalance_ratio: { is: 'number', min: 0, max: COUNT_MAX, whole: false },
  }),
  shell_command: shape({ enabled: FLAG, forbidden_patterns: REGEXES, enforce_forbidden_paths: FLAG, unparsed: BLOCK_WARN }),
  mcp_tool: shape(
    {
      enabled: FLAG,
      allow: TOOLS,
      block: TOOLS,
      require_confirmation: TOOLS,
      default_action: ALLOW_BLOCK,
      max_args_size: whole(0, POLICY_LIMITS.argsBytesMax),
      confirmation: BLOCK_WARN,
      additional_allow: TOOLS,
      remove_allow: TOOLS,
      additional_block: TOOLS,
      remove_block: TOOLS,
    },
    { nullable: new Set(['default_action', 'max_args_size']) },
  ),
};

const THRESHOLD: Field = whole(1, 1000);

const SETTINGS: Shape = shape(
  {
    fail_fast: FLAG,
    verbose_logging: FLAG,
    session_timeout_secs: whole(1, COUNT_MAX),
    thresholds: shape({ flag: THRESHOLD, block: THRESHOLD }),
    tool_thresholds: list(
      shape(
        { tool: text('tool-glob'), flag: THRESHOLD, block: THRESHOLD, reason: { is: 'text', max: POLICY_LIMITS.textCharsMax } },
        { required: ['tool', 'flag', 'block'] },
      ),
      'tool',
    ),
    unregistered_tools: words({ refuse: 'refuse', warn: 'warn' }),
  },
  { unsupported: new Set(['verification']), nullable: new Set(['fail_fast', 'verbose_logging', 'session_timeout_secs']) },
);

const RULE_ID: Field = { is: 'text', max: POLICY_LIMITS.ruleIdCharsMax, pattern: 'rule-id' };

const DETECTION: Shape = shape({
  paranoia_level: whole(1, 4),
  disable: list(RULE_ID),
  scores: { is: 'map', keys: RULE_ID, item: { is: 'score' } },
});

/** The whole document. */
export const DOCUMENT: Shape = shape(
  {
    version: { is: 'text', max: 32 },
    name: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    extends: text('reference'),
    merge_strategy: words({ replace: 'replace', merge: 'merge', deep_merge: 'deep_merge' }),
    guards: shape(GUARD_FIELDS, {
      unsupported: new Set([
        'prompt_injection',
        'jailbreak',
        'computer_use',
        'remote_desktop_side_channel',
        'input_injection_capability',
        'spider_sense',
        'custom',
      ]),
      nullable: new Set(GUARD_NAMES),
    }),
    settings: SETTINGS,
    detection: DETECTION,
    attenuate_only: FLAG,
  },
  {
    unsupported: new Set(['custom_guards', 'posture', 'origins', 'broker']),
    nullable: new Set(['extends', 'guards', 'settings', 'detection']),
  },
);

interface ResolvedChange {
  readonly drop?: readonly string[];
  readonly add?: Readonly<Record<string, Field>>;
  readonly optional?: readonly string[];
}

/** Aliases are gone once a policy is resolved. */
function withoutAliases(field: Field): Field {
  return field.is === 'word' ? { is: 'word', words: new Map([...field.words].filter(([word, meaning]) => word === meaning)) } : field;
}

function required(base: Shape, change: ResolvedChange = {}): Shape {
  const kept = [...base.fields, ...Object.entries(change.add ?? {})].filter(([name]) => change.drop?.includes(name) !== true);
  const fields = new Map(kept.map(([name, field]) => [name, withoutAliases(field)]));
  return { is: 'shape', fields, required: [...fields.keys()].filter((name) => change.optional?.includes(name) !== true) };
}

const LIST_CHANGES = ['additional_allow', 'remove_allow', 'additional_block', 'remove_block'] as const;
const PATTERN_CHANGES = ['additional_patterns', 'remove_patterns'] as const;
const FULL_SECRET_PATTERN = required(SECRET_PATTERN, {
  add: { masking: required(shape({ first: whole(0, 255), last: whole(0, 255) })) },
  optional: ['description'],
});

const RESOLVED_GUARDS: Readonly<Record<(typeof GUARD_NAMES)[number], Shape>> = {
  forbidden_path: required(GUARD_FIELDS.forbidden_path, { drop: PATTERN_CHANGES }),
  path_allowlist: required(GUARD_FIELDS.path_allowlist),
  egress_allowlist: required(GUARD_FIELDS.egress_allowlist, {
    drop: LIST_CHANGES,
    add: { allow: list(text('frozen-host')), block: list(text('frozen-host')) },
  }),
  secret_leak: required(GUARD_FIELDS.secret_leak, {
    drop: PATTERN_CHANGES,
    add: { patterns: list(FULL_SECRET_PATTERN, 'name'), removed: list(NAME) },
  }),
  patch_integrity: required(GUARD_FIELDS.patch_integrity),
  shell_command: required(GUARD_FIELDS.shell_command),
  mcp_tool: required(GUARD_FIELDS.mcp_tool, { drop: LIST_CHANGES }),
};

/** A resolved policy as it comes out of a bundle: nothing may be missing, nothing more may be there. */
export const RESOLVED: Shape = required(
  shape({
    format: words({ 'countersign.policy.v1': 'countersign.policy.v1' }),
    version: words(Object.fromEntries(POLICY_VERSIONS.map((version) => [version, version]))),
    name: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    guards: required(shape(RESOLVED_GUARDS)),
    settings: required(SETTINGS, { add: { thresholds: required(shape({ flag: THRESHOLD, block: THRESHOLD })) } }),
    detection: required(DETECTION, { add: { scores: { is: 'map', keys: RULE_ID, item: THRESHOLD } } }),
  }),
  { optional: ['detection'] },
);
