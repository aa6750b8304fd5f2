/**
 * @module The shape of a policy document, as data: which fields there are, what they hold, and which belong to later versions.
 */
import { GUARD_NAMES } from './content.ts';
import { POLICY_LIMITS } from './limits.ts';

export type Pattern = 'path-glob' | 'host-glob' | 'regex' | 'tool-glob' | 'ruleset';

export type Field =
  | { readonly is: 'text'; readonly max: number; readonly pattern?: Pattern; readonly blank?: boolean }
  | { readonly is: 'flag' }
  | { readonly is: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  | { readonly is: 'word'; readonly words: ReadonlyMap<string, string> }
  | { readonly is: 'list'; readonly item: Field; readonly key?: string }
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

/** The whole document. */
export const DOCUMENT: Shape = shape(
  {
    version: { is: 'text', max: 32 },
    name: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    extends: text('ruleset'),
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
    settings: shape(
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
    ),
  },
  {
    unsupported: new Set(['custom_guards', 'posture', 'origins', 'broker', 'hushspec', 'rules', 'extensions']),
    nullable: new Set(['extends', 'guards', 'settings']),
  },
);
