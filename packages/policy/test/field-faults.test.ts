import type { JsonObject, JsonValue } from '@countersign/kernel';
import { compilePolicy, parsePolicy, type PolicyFault, type ResolvedPolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { DOCUMENT, RESOLVED } from '../src/fields.ts';
import { fieldsOf, type FieldPlace, wrongOf, written } from './field-samples.ts';

const ROOT: FieldPlace = { path: '', field: DOCUMENT, within: (value) => value };
const PLACES = [...fieldsOf(ROOT)];

function faults(text: string): readonly PolicyFault[] {
  const document = parsePolicy(text, 'wrong.yaml');
  return document.ok ? [] : document.error;
}

/** Rules that look at more than one field, which samples of one field do not meet. */
function isWhole(document: JsonValue): boolean {
  return faults(written(document).text).length === 0;
}

describe('POL-006 every rule of every field, broken, is one fault with its path, line and column', () => {
  const rows = PLACES.flatMap(({ path, field, within }) =>
    wrongOf(field).map((wrong) => [`${path === '' ? 'the document' : path}: ${wrong.what}`, { path, within, wrong }] as const),
  );

  it('there are hundreds of them, in every section', () => {
    expect(rows.length).toBeGreaterThan(600);
    const sections = new Set(PLACES.map(({ path }) => path.split(/[.[]/)[0]));
    for (const name of DOCUMENT.fields.keys()) expect(sections).toContain(name);
  });

  it.each(rows)('%s', (...[, { path, within, wrong }]) => {
    const document = written(within(wrong.value));
    const at = path === '' ? wrong.below.slice(1) : `${path}${wrong.below}`;
    const found = faults(document.text);
    // A document that is no mapping has no place within.
    if (at === '' && wrong.code === 'policy_type') return expect(found).toMatchObject([{ code: 'policy_type', source: 'wrong.yaml' }]);
    const [line, column] = document.places.get(at) ?? [1, 1];
    return expect(found.map((fault) => [fault.code, fault.path, fault.line, fault.column])).toEqual([[wrong.code, at, line, column]]);
  });

  it('each field by itself is right with the sample that the rows are made of', () => {
    const lone = PLACES.filter(({ field }) => field.is === 'flag' || field.is === 'score').map(({ within, field }) =>
      within(field.is === 'flag' ? false : 1),
    );
    expect(lone.filter((document) => !isWhole(document))).toEqual([]);
  });

  it('a version that is none, and what a version does not have yet', () => {
    expect(faults('name: x\nversion: "9.9"\n')).toMatchObject([{ code: 'policy_version', path: 'version', line: 2, column: 1 }]);
    expect(faults('version: "1.1.0"\nguards:\n  path_allowlist: {}\n')).toMatchObject([
      { code: 'policy_version_gate', path: 'guards.path_allowlist', line: 3, column: 3 },
    ]);
    expect(faults('version: "1.1.0"\nposture: {}\n')).toMatchObject([{ code: 'policy_version_gate', path: 'posture', line: 2, column: 1 }]);
    expect(faults('settings:\n  thresholds: {flag: 9, block: 8}\n')).toMatchObject([
      { code: 'policy_range', path: 'settings.thresholds', line: 2, column: 3 },
    ]);
  });
});

describe('POL-015 every rule of every field of a resolved policy, broken, is a fault with its path', () => {
  const places = [...fieldsOf({ path: '', field: RESOLVED, within: (value) => value })];
  const rows = places.flatMap(({ path, field, within }) =>
    wrongOf(field).map((wrong) => [`${path === '' ? 'the policy' : path}: ${wrong.what}`, { path, within, wrong }] as const),
  );

  it.each(rows)('%s', (...[, { path, within, wrong }]) => {
    const at = path === '' ? wrong.below.slice(1) : `${path}${wrong.below}`;
    // What comes out of a bundle is of no shape that a type could promise.
    const compiled = compilePolicy(within(wrong.value) as JsonObject as unknown as ResolvedPolicy);
    const found = compiled.ok ? [] : compiled.error.map((fault) => `${fault.code} ${fault.path ?? ''}`);
    expect(found).toEqual([`${wrong.code} ${at}`]);
  });
});

/** A field of HushSpec, and a value that it cannot hold. */
const HUSHSPEC: readonly (readonly [path: string, value: JsonValue, code: string])[] = [
  ...[
    'forbidden_paths',
    'path_allowlist',
    'egress',
    'secret_patterns',
    'patch_integrity',
    'shell_commands',
    'tool_access',
    'computer_use',
  ].map((rule) => [`rules.${rule}.enabled`, 'yes', 'policy_type'] as const),
  ['rules.forbidden_paths.patterns', 1, 'policy_type'],
  ['rules.forbidden_paths.exceptions', ['/x/${A}'], 'policy_placeholder'],
  ['rules.path_allowlist.read', 1, 'policy_type'],
  ['rules.path_allowlist.write', ['/x/${A}'], 'policy_placeholder'],
  ['rules.path_allowlist.patch', 'x', 'policy_type'],
  ['rules.egress.allow', ['https://a.example/x'], 'policy_host_pattern'],
  ['rules.egress.block', 1, 'policy_type'],
  ['rules.egress.default', 'perhaps', 'policy_enum'],
  ['rules.secret_patterns.patterns', 1, 'policy_type'],
  ['rules.secret_patterns.skip_paths', 1, 'policy_type'],
  ['rules.patch_integrity.max_additions', -1, 'policy_range'],
  ['rules.patch_integrity.max_deletions', 0.5, 'policy_type'],
  ['rules.patch_integrity.forbidden_patterns', ['(a+)+$'], 'policy_regex_unsafe'],
  ['rules.patch_integrity.require_balance', 1, 'policy_type'],
  ['rules.patch_integrity.max_imbalance_ratio', -1, 'policy_range'],
  ['rules.shell_commands.forbidden_patterns', 1, 'policy_type'],
  ['rules.tool_access.allow', [1], 'policy_type'],
  ['rules.tool_access.block', 1, 'policy_type'],
  ['rules.tool_access.require_confirmation', 1, 'policy_type'],
  ['rules.tool_access.default', 'perhaps', 'policy_enum'],
  ['rules.tool_access.max_args_size', -1, 'policy_range'],
  ['rules.computer_use.mode', 'perhaps', 'policy_enum'],
  ['rules.computer_use.allowed_actions', 1, 'policy_type'],
  ...['clipboard', 'file_transfer', 'audio', 'drive_mapping'].map(
    (name) => [`rules.remote_desktop_channels.${name}`, 1, 'policy_type'] as const,
  ),
  ['rules.input_injection.allowed_types', ['thought'], 'policy_enum'],
  ['rules.input_injection.require_postcondition_probe', 1, 'policy_type'],
  ['extensions.posture.initial', 'a b', 'policy_posture'],
  ['extensions.posture.states', 1, 'policy_type'],
  ['extensions.posture.transitions', 1, 'policy_type'],
  ['extensions.detection.prompt_injection.block_at_or_above', 'perhaps', 'policy_enum'],
  ['extensions.detection.prompt_injection.max_scan_bytes', 0, 'policy_range'],
  ['extensions.detection.jailbreak.block_threshold', 101, 'policy_range'],
  ['extensions.detection.jailbreak.warn_threshold', -1, 'policy_range'],
  ['rules.unknown_field', 1, 'policy_unknown_field'],
  ['rules.egress.unknown_field', 1, 'policy_unknown_field'],
  ['extensions.detection.unknown_field', 1, 'policy_unknown_field'],
  ['merge_strategy', 'perhaps', 'policy_enum'],
  ['extends', 'https://a.example/policy.yaml', 'policy_extends_pin'],
];

describe('POL-105 the same in HushSpec, with the places of its own text', () => {
  it.each(HUSHSPEC.map((row) => [row[0], ...row] as const))('%s', (...[, path, value, code]) => {
    const inner = path.split('.').reduceRight<JsonValue>((under, key) => ({ [key]: under }), value);
    const document = written({ hushspec: '0.1.0', ...(inner as JsonObject) });
    const at = Array.isArray(value) ? `${path}[0]` : path;
    const [line, column] = document.places.get(at) ?? [];
    expect(faults(document.text).map((fault) => [fault.code, fault.path, fault.line, fault.column])).toEqual([[code, at, line, column]]);
  });
});
