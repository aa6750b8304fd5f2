/**
 * @module The shape of a policy document, as data: which fields there are, what they hold, and which belong to later versions.
 */
import { BROKER, RESOLVED_BROKER } from './broker.ts';
import { DAYS } from './clampd-content.ts';
import { GUARD_NAMES, LATER_GUARDS } from './content.ts';
import { COUNT_MAX, type Field, list, shape, type Shape, text, whole, words } from './field-shapes.ts';
import { COMPUTER_USE_FIELDS, SIDE_CHANNEL_OPTIONAL } from './guards/computer-use-config.ts';
import { CUSTOM_FIELD, resolvedCustom } from './guards/custom-guards-config.ts';
import { resolvedSpider, SPIDER_FIELDS } from './guards/spider-sense-config.ts';
import { resolvedTextGuards, TEXT_GUARD_FIELDS } from './guards/text-guards-config.ts';
import { POLICY_LIMITS } from './limits.ts';
import { originsFields, resolvedOrigins } from './origins-fields.ts';
import { POSTURE, POSTURE_STATE, POSTURE_TRANSITION, STATE_NAME } from './posture-fields.ts';
import { VERIFICATION } from './verification.ts';

/** Versions that are read; anything else is refused. */
export const POLICY_VERSIONS: readonly string[] = ['1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0'];

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
  ...TEXT_GUARD_FIELDS,
  ...COMPUTER_USE_FIELDS,
  ...SPIDER_FIELDS,
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
    verification: VERIFICATION,
  },
  { nullable: new Set(['fail_fast', 'verbose_logging', 'session_timeout_secs', 'verification']) },
);

const RULE_ID: Field = { is: 'text', max: POLICY_LIMITS.ruleIdCharsMax, pattern: 'rule-id' };

const DETECTION: Shape = shape({
  paranoia_level: whole(1, 4),
  disable: list(RULE_ID),
  scores: { is: 'map', keys: RULE_ID, item: { is: 'score' } },
});

const CEDAR_TEXT: Field = { is: 'text', max: POLICY_LIMITS.cedarTextCharsMax };
const CEDAR_ENTRY = shape(
  {
    id: { is: 'text', max: POLICY_LIMITS.ruleIdCharsMax },
    mode: words({ cedar: 'cedar', dsl: 'dsl' }),
    compiled: CEDAR_TEXT,
    cedar_action: words({ deny: 'deny', remove_scope: 'remove_scope' }),
    cedar_reason: { is: 'text', max: POLICY_LIMITS.textCharsMax },
    cedar_scope: text('scope'),
  },
  { required: ['id', 'compiled'] },
);
const CEDAR: Shape = shape({
  default: words({ deny: 'deny', allow: 'allow' }),
  text: { is: 'text', max: POLICY_LIMITS.cedarTextCharsMax, blank: true },
  policies: list(CEDAR_ENTRY, 'id'),
  scopes: list(text('scope')),
  schema: CEDAR_TEXT,
});

const GLOBS = list(text('tool-glob'));
const BOUNDARY = shape(
  {
    name: { is: 'text', max: POLICY_LIMITS.ruleIdCharsMax },
    agents: GLOBS,
    orgs: GLOBS,
    max_records: whole(0, COUNT_MAX),
    max_calls_per_minute: whole(0, COUNT_MAX),
    max_bytes_per_hour: whole(0, COUNT_MAX * 1000),
    days: list(words(Object.fromEntries(DAYS.map((day) => [day, day])))),
    hours: shape({ from: whole(0, 24), to: whole(0, 24) }, { required: ['from', 'to'] }),
    utc_offset_minutes: whole(-1440, 1440),
    allow_scopes: list(text('scope')),
    allow_domains: list(text('frozen-host')),
    block_domains: list(text('frozen-host')),
    max_calls_per_session: whole(0, COUNT_MAX),
    max_payment_per_tx_cents: whole(0, COUNT_MAX * 1000),
    max_payment_per_hour_cents: whole(0, COUNT_MAX * 1000),
    approved_vendors: list(NAME),
  },
  { required: ['name'] },
);
const EXEMPTION = shape(
  {
    label: text('label'),
    rules: list(RULE_ID),
    scope: text('scope'),
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
  },
  { required: ['label', 'rules', 'scope'] },
);
const ENTITY = shape(
  {
    name: text('label'),
    tables: GLOBS,
    hosts: list(text('frozen-host')),
    paths: PATHS,
    action: words({ block: 'block', deny: 'block', warn: 'warn', flag: 'warn' }),
  },
  { required: ['name'] },
);

/** The whole document. */
export const DOCUMENT: Shape = shape(
  {
    version: { is: 'text', max: 32 },
    name: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    extends: text('reference'),
    merge_strategy: words({ replace: 'replace', merge: 'merge', deep_merge: 'deep_merge' }),
    guards: shape({ ...GUARD_FIELDS, custom: CUSTOM_FIELD }, { nullable: new Set([...GUARD_NAMES, 'custom']) }),
    settings: SETTINGS,
    detection: DETECTION,
    posture: POSTURE,
    cedar: CEDAR,
    boundaries: list(BOUNDARY, 'name'),
    exemptions: list(EXEMPTION, 'label'),
    protected_entities: list(ENTITY, 'name'),
    attenuate_only: FLAG,
    origins: originsFields(GUARD_FIELDS.egress_allowlist),
    broker: BROKER,
  },
  {
    unsupported: new Set(['custom_guards']),
    nullable: new Set([
      'extends',
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
    ]),
  },
);

interface ResolvedChange {
  readonly drop?: readonly string[];
  readonly add?: Readonly<Record<string, Field>>;
  readonly optional?: readonly string[];
}

/** Aliases are gone once a policy is resolved. */
function withoutAliases(field: Field): Field {
  return field.is === 'word' ? { ...field, words: new Map([...field.words].filter(([word, meaning]) => word === meaning)) } : field;
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
  ...resolvedTextGuards(required),
  computer_use: required(GUARD_FIELDS.computer_use),
  remote_desktop_side_channel: required(GUARD_FIELDS.remote_desktop_side_channel, { optional: SIDE_CHANNEL_OPTIONAL }),
  input_injection_capability: required(GUARD_FIELDS.input_injection_capability),
  ...resolvedSpider(required),
};

/** A resolved policy as it comes out of a bundle: nothing may be missing, nothing more may be there. */
export const RESOLVED: Shape = required(
  shape({
    format: words({ 'countersign.policy.v1': 'countersign.policy.v1' }),
    version: words(Object.fromEntries(POLICY_VERSIONS.map((version) => [version, version]))),
    name: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    guards: required(shape({ ...RESOLVED_GUARDS, custom: resolvedCustom(required) }), { optional: [...LATER_GUARDS, 'custom'] }),
    settings: required(SETTINGS, {
      add: { thresholds: required(shape({ flag: THRESHOLD, block: THRESHOLD })), verification: required(VERIFICATION) },
      optional: ['verification'],
    }),
    detection: required(DETECTION, { add: { scores: { is: 'map', keys: RULE_ID, item: THRESHOLD } } }),
    posture: required(POSTURE, {
      add: {
        states: { is: 'map', keys: STATE_NAME, item: required(POSTURE_STATE) },
        transitions: list(required(POSTURE_TRANSITION, { optional: ['after', 'patterns'] })),
      },
    }),
    cedar: required(CEDAR, {
      add: { policies: list(required(CEDAR_ENTRY, { optional: ['cedar_reason', 'cedar_scope'] }), 'id') },
      optional: ['schema'],
    }),
    boundaries: list(
      required(BOUNDARY, {
        add: { hours: required(shape({ from: whole(0, 24), to: whole(0, 24) })) },
        optional: [
          'hours',
          'allow_scopes',
          'allow_domains',
          'max_calls_per_session',
          'max_payment_per_tx_cents',
          'max_payment_per_hour_cents',
          'approved_vendors',
        ],
      }),
      'name',
    ),
    exemptions: list(required(EXEMPTION, { optional: ['description'] }), 'label'),
    protected_entities: list(required(ENTITY), 'name'),
    origins: resolvedOrigins(RESOLVED_GUARDS.egress_allowlist),
    broker: RESOLVED_BROKER,
  }),
  { optional: ['detection', 'posture', 'cedar', 'boundaries', 'exemptions', 'protected_entities', 'origins', 'broker'] },
);
