/**
 * @module The shape of the section `origins`, as written and as resolved.
 */
import { COUNT_MAX, type Field, list, shape, type Shape, text, whole, words, wordsOf } from './field-shapes.ts';
import { POLICY_LIMITS } from './limits.ts';
import { ORIGIN_BUDGETS, ORIGIN_TEXTS, VISIBILITIES } from './origins.ts';
import { STATE_NAME } from './posture-fields.ts';

const FLAG: Field = { is: 'flag' };
const NAME: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax };
const NAMES: Field = list(text('tool-prefix'));

const PLACE_FIELDS: Readonly<Record<string, Field>> = {
  ...Object.fromEntries(ORIGIN_TEXTS.map((name) => [name, NAME])),
  visibility: wordsOf(VISIBILITIES),
  external_participants: FLAG,
  tags: list(NAME),
};
const PLACE: Shape = shape(PLACE_FIELDS, { nullable: new Set(Object.keys(PLACE_FIELDS)) });
const BUDGETS: Field = { is: 'map', keys: wordsOf(ORIGIN_BUDGETS), item: whole(0, COUNT_MAX) };

const TOOL_LISTS = { allow: NAMES, block: NAMES, require_confirmation: NAMES };
const TOOL_CHANGES = { additional_allow: NAMES, remove_allow: NAMES, additional_block: NAMES, remove_block: NAMES };
const ARGS: Field = whole(0, POLICY_LIMITS.argsBytesMax);
const DATA_FLAGS = { allow_external_sharing: FLAG, redact_before_send: FLAG, block_sensitive_outputs: FLAG };
const BRIDGE = { allow_cross_origin: FLAG, allowed_targets: list(PLACE), require_approval: FLAG };
const BEHAVIOR = wordsOf(['deny', 'minimal_profile']);

const allOf = (fields: Readonly<Record<string, Field>>): Shape => shape(fields, { required: Object.keys(fields) });
const anyOf = (fields: Readonly<Record<string, Field>>): Shape => shape(fields, { nullable: new Set(Object.keys(fields)) });

/** What the guard `egress_allowlist` has, as written. `egress` is its own shape, so that both stay one. */
export function originsFields(egress: Shape): Shape {
  const fields: Readonly<Record<string, Field>> = {
    id: text('label'),
    match_rules: PLACE,
    posture: STATE_NAME,
    mcp: anyOf({
      enabled: FLAG,
      ...TOOL_LISTS,
      default_action: words({ allow: 'allow', block: 'block', deny: 'block' }),
      max_args_size: ARGS,
      ...TOOL_CHANGES,
    }),
    egress,
    data: anyOf(DATA_FLAGS),
    budgets: BUDGETS,
    bridge_policy: anyOf(BRIDGE),
    explanation: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
  };
  const profile = shape(fields, { required: ['id'], nullable: new Set(Object.keys(fields).filter((name) => name !== 'id')) });
  return anyOf({ default_behavior: BEHAVIOR, profiles: list(profile, 'id') });
}

/** The same of a resolved policy. `egress` is the resolved shape of the guard. */
export function resolvedOrigins(egress: Shape): Shape {
  const profile = shape(
    {
      id: text('label'),
      match_rules: shape(PLACE_FIELDS),
      posture: STATE_NAME,
      mcp: allOf({ enabled: FLAG, ...TOOL_LISTS, default_action: wordsOf(['allow', 'block']), max_args_size: ARGS }),
      egress,
      data: allOf(DATA_FLAGS),
      budgets: BUDGETS,
      bridge_policy: allOf({ ...BRIDGE, allowed_targets: list(shape(PLACE_FIELDS)) }),
      explanation: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    },
    { required: ['id', 'match_rules', 'budgets'] },
  );
  return allOf({ default_behavior: BEHAVIOR, profiles: list(profile, 'id') });
}
