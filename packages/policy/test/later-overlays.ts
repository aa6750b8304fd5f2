/** Overlays of the later guards and sections: single fields with values that tighten, that widen, and that do neither. */
import type { JsonValue } from '@countersign/kernel';
import * as fc from 'fast-check';

export type Assignment = readonly [path: string, value: JsonValue];
type Fields = Readonly<Record<string, fc.Arbitrary<JsonValue>>>;

const flag = fc.boolean();
const mostlyOn = fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
const some = (items: readonly JsonValue[], least = 0): fc.Arbitrary<JsonValue> =>
  fc.subarray([...items], { minLength: least }).map((picked): JsonValue => picked);
const oneOf = (...values: readonly JsonValue[]): fc.Arbitrary<JsonValue> => fc.constantFrom(...values);

const weight = oneOf(-2, 0, 1, 2.5, 6);
const DETECTOR = 'guards.jailbreak.detector';

const GUARD_FIELDS: Fields = {
  'guards.prompt_injection.enabled': mostlyOn,
  'guards.prompt_injection.block_at_or_above': oneOf('safe', 'suspicious', 'high', 'critical'),
  'guards.prompt_injection.warn_at_or_above': oneOf('safe', 'suspicious'),
  'guards.jailbreak.enabled': mostlyOn,
  ...Object.fromEntries(['heuristic', 'statistical', 'ml', 'llm_judge'].map((layer) => [`${DETECTOR}.layers.${layer}`, flag])),
  ...Object.fromEntries(
    ['bias', 'w_ignore_policy', 'w_dan', 'w_role_change', 'w_prompt_extraction', 'w_encoded', 'w_punct', 'w_symbol_run'].map((name) => [
      `${DETECTOR}.linear_model.${name}`,
      weight,
    ]),
  ),
  [`${DETECTOR}.block_threshold`]: oneOf(20, 21, 30, 34, 40, 55, 70),
  [`${DETECTOR}.warn_threshold`]: oneOf(0, 5, 10, 20),
  [`${DETECTOR}.session_aggregation`]: mostlyOn,
  [`${DETECTOR}.session_ttl_seconds`]: oneOf(10, 1000, 3600),
  [`${DETECTOR}.session_half_life_seconds`]: oneOf(0, 10, 900, 2000),
  [`${DETECTOR}.session_block_threshold`]: oneOf(20, 60, 120, 300),
  'guards.computer_use.enabled': mostlyOn,
  'guards.computer_use.mode': oneOf('observe', 'guardrail', 'fail_closed'),
  'guards.computer_use.allowed_actions': some(['input.inject', 'remote.screen', 'remote.audio', 'remote.clipboard'], 1),
  'guards.remote_desktop_side_channel.enabled': mostlyOn,
  ...Object.fromEntries(
    ['clipboard', 'file_transfer', 'audio', 'drive_mapping', 'printing', 'session_share'].map((channel) => [
      `guards.remote_desktop_side_channel.${channel}_enabled`,
      flag,
    ]),
  ),
  'guards.remote_desktop_side_channel.max_transfer_size_bytes': oneOf(0, 10, 1000),
  'guards.remote_desktop_side_channel.threat_tier': oneOf('dev', 'internal_prod', 'internet_exposed_multi_tenant'),
  'guards.input_injection_capability.enabled': mostlyOn,
  'guards.input_injection_capability.allowed_input_types': some(['keyboard', 'mouse', 'touch'], 1),
  'guards.input_injection_capability.require_postcondition_probe': flag,
};

/** Fields that speak of the same actions: overlays of one of them meet each other. */
export const GUARD_GROUPS: readonly Fields[] = [
  'guards.prompt_injection',
  'guards.jailbreak',
  'guards.computer_use|guards.remote|guards.input',
].map((starts) =>
  Object.fromEntries(Object.entries(GUARD_FIELDS).filter(([path]) => starts.split('|').some((start) => path.startsWith(start)))),
);

/** Some assignments, each field at most once. */
export function assignments(fields: Fields, most: number): fc.Arbitrary<readonly Assignment[]> {
  return fc
    .subarray(Object.keys(fields), { minLength: 1, maxLength: Math.min(most, Object.keys(fields).length) })
    .chain((paths) => fc.tuple(...paths.map((path) => (fields[path] ?? fc.constant(null)).map((value): Assignment => [path, value]))));
}

type Tree = { [key: string]: JsonValue | Tree };

/** The document that says them. */
export function documentWith(set: readonly Assignment[], more: Readonly<Record<string, JsonValue>> = {}): string {
  const root: Tree = { ...more };
  for (const [path, value] of set) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at = root;
    // What is not there yet is made on the way; everything on the way is a tree.
    for (const key of keys) at = (at[key] ??= {}) as Tree;
    at[last] = value;
  }
  return JSON.stringify(root);
}

const scope = oneOf('db:*', 'db:query:*', 'db:query:read', 'fs:file:read', '*');
const scopes = fc.array(scope, { maxLength: 2 });
const hosts = some(['*.example', 'a.example', 'b.example', '*.b.example']);
const count = oneOf(0, 1, 5, 100);

const boundary = fc.record(
  {
    name: oneOf('one', 'two', 'three'),
    agents: some(['a*', 'agent', '*'], 1),
    max_records: count,
    max_calls_per_minute: count,
    max_bytes_per_hour: count,
    max_calls_per_session: count,
    max_payment_per_tx_cents: count,
    max_payment_per_hour_cents: count,
    approved_vendors: some(['Shop', 'SHOP', 'bank']),
    days: some(['mon', 'thu', 'sun']),
    hours: fc.record({ from: oneOf(0, 8, 20), to: oneOf(4, 9, 18) }),
    utc_offset_minutes: oneOf(0, 60, -600),
    allow_scopes: scopes,
    allow_domains: hosts,
    block_domains: hosts,
  },
  { requiredKeys: ['name'] },
);
const exemption = fc.record({ label: oneOf('one', 'two', 'three'), rules: some(['R1', 'R2', 'R3'], 1), scope });
const entity = fc.record(
  {
    name: oneOf('one', 'two', 'three'),
    tables: some(['users', 'pay*']),
    hosts,
    paths: some(['/srv/**', '/etc/hosts']),
    action: oneOf('block', 'warn'),
  },
  { requiredKeys: ['name'] },
);

function byKey(item: fc.Arbitrary<Readonly<Record<string, JsonValue>>>, key: string): fc.Arbitrary<JsonValue> {
  return fc.uniqueArray(item, { selector: (one) => one[key], maxLength: 3 }).map((list): JsonValue => list);
}

export const BOUNDARY_SECTION: Fields = { boundaries: byKey(boundary, 'name') };
export const EXEMPTION_SECTION: Fields = { exemptions: byKey(exemption, 'label') };
export const ENTITY_SECTION: Fields = { protected_entities: byKey(entity, 'name') };

/** One step from a record of the parent: most of what is made at random stands nowhere near it. */
export function boundaryStep(): fc.Arbitrary<Readonly<Record<string, JsonValue>>> {
  return boundary;
}

const PERMITS = ['permit(principal, action, resource);', 'permit(principal, action in Action::"db", resource);'];
const FORBIDS = [
  'forbid(principal, action in Action::"fs", resource);',
  '@id("x") forbid(principal == Agent::"agent", action, resource) when { context.risk_score_bps > 500 };',
];
const text = some([...PERMITS, ...FORBIDS]).map((pieces) => (pieces as readonly string[]).join('\n'));
const entry = fc.record(
  {
    id: oneOf('one', 'two'),
    compiled: oneOf(...PERMITS, ...FORBIDS),
  },
  { requiredKeys: ['id', 'compiled'] },
);
const removal = fc.record({
  id: oneOf('three', 'four'),
  compiled: oneOf(...FORBIDS),
  cedar_action: fc.constant('remove_scope'),
  cedar_scope: oneOf('db:*', 'fs:file:read'),
});
export const CEDAR_SECTION: Fields = {
  'cedar.default': oneOf('allow', 'deny'),
  'cedar.text': text,
  'cedar.policies': byKey(fc.oneof(entry, removal), 'id'),
  'cedar.scopes': some(['acme:thing:do']),
};

const CAPABILITIES = ['file_access', 'file_write', 'egress', 'shell'];
const state = fc.record(
  {
    capabilities: some(CAPABILITIES),
    budgets: fc.dictionary(fc.constantFrom('file_writes', 'egress_calls', 'shell_commands'), fc.constantFrom(0, 1, 3), { maxKeys: 2 }),
  },
  { requiredKeys: ['capabilities'] },
);
const NAMES = ['a', 'b', 'c'];
export const TRANSITION = fc
  .record({
    from: fc.constantFrom(...NAMES, '*', 'locked'),
    to: fc.constantFrom(...NAMES, 'd', 'locked'),
    on: fc.constantFrom(
      'user_approval',
      'user_denial',
      'critical_violation',
      'any_violation',
      'timeout',
      'budget_exhausted',
      'pattern_match',
    ),
    after: fc.constantFrom('0s', '10s', '1m'),
    patterns: fc.option(fc.constantFrom('R1', 'R2'), { nil: undefined }),
    quiet: fc.option(fc.constantFrom('5s', '50s'), { nil: undefined }),
  })
  .filter(({ from, on }) => from !== 'locked' || on === 'user_approval')
  .map(({ after, patterns, quiet, ...rest }): Readonly<Record<string, JsonValue>> => ({
    ...rest,
    ...(rest.on === 'timeout' && { after }),
    ...(rest.on === 'pattern_match' && patterns !== undefined && { patterns: [patterns] }),
    ...(quiet !== undefined && { requires: [{ no_violations_in: quiet }] }),
  }));

export interface PostureOverlay {
  readonly initial: string;
  readonly states: Readonly<Record<string, JsonValue>>;
  readonly transitions: readonly JsonValue[];
}

export const POSTURE: fc.Arbitrary<PostureOverlay> = fc.record({
  initial: fc.constantFrom(...NAMES),
  states: fc.record({ a: state, b: state, c: state, d: state }),
  transitions: fc.array(TRANSITION, { minLength: 1, maxLength: 4 }),
});

const STEPS = {
  initial: fc.constantFrom(...NAMES),
  state: fc.tuple(fc.constantFrom(...NAMES, 'd'), state),
  drop: fc.nat(3),
  add: fc.tuple(fc.nat(4), TRANSITION),
  replace: fc.tuple(fc.nat(3), TRANSITION),
  quiet: fc.tuple(fc.nat(3), fc.constantFrom('1s', '50s', '90s')),
};
const step = fc.record(STEPS);
export type PostureStep = Partial<typeof step extends fc.Arbitrary<infer Value> ? Value : never>;

/** What a child changes of a posture: one thing, or two. */
export const POSTURE_STEP: fc.Arbitrary<PostureStep> = fc
  .tuple(step, fc.subarray(Object.keys(STEPS) as (keyof typeof STEPS)[], { minLength: 1, maxLength: 2 }))
  .map(([all, keys]) => Object.fromEntries(keys.map((key) => [key, all[key]])));
