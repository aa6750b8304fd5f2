/** The section `posture`: read, merged, resolved, checked and described. */
import {
  compilePolicy,
  parsePolicy,
  POLICY_LIMITS,
  policyHash,
  postureFacts,
  type ResolvedPolicy,
  resolvePolicy,
} from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { compiled, documentOf, resolved, rulesets } from './support.ts';

type Said = readonly (readonly [string, string | undefined, number | undefined, number | undefined])[];

/** Faults of reading, else of resolving. */
function faults(yaml: string): Said {
  const document = parsePolicy(yaml, 'test');
  const policy = document.ok ? resolvePolicy(document.value, { rulesets, hostSets: new Map() }) : document;
  return policy.ok ? [] : policy.error.map(({ code, path, line, column }) => [code, path, line, column] as const);
}

const STATES =
  'initial: low, states: {low: {capabilities: [file_access]}, high: {capabilities: [shell, egress], budgets: {shell_commands: 3}}}';
const section = (transitions: string, states = STATES): string => `posture: {${states}, transitions: [${transitions}]}\n`;

describe('POL-200 POL-203 the section `posture`', () => {
  it('is read and filled in', () => {
    expect(resolved(section('{from: "*", to: high, on: timeout, after: 5m, requires: [{no_violations_in: 1h}]}')).posture).toEqual({
      initial: 'low',
      states: {
        low: { description: '', capabilities: ['file_access'], budgets: {} },
        high: { description: '', capabilities: ['egress', 'shell'], budgets: { shell_commands: 3 } },
      },
      transitions: [{ from: '*', to: 'high', on: 'timeout', after: '5m', requires: [{ no_violations_in: '1h' }] }],
    });
  });

  it('is absent where no document has it, so that hashes stay what they were', () => {
    expect('posture' in resolved('default')).toBe(false);
    expect(compiled('default').posture).toBeUndefined();
    expect(policyHash(resolved('posture: null\n'))).toBe(policyHash(resolved('name: ""\n')));
  });

  it('needs version 1.2.0', () => {
    expect(faults(`version: "1.1.0"\n${section('')}`)).toEqual([['policy_version_gate', 'posture', 2, 1]]);
    expect(faults(`version: "1.2.0"\n${section('')}`)).toEqual([]);
  });

  it('POL-206 the ruleset ai-agent-posture has three states and all that ai-agent says', () => {
    const policy = resolved('ai-agent-posture');
    expect(policy.guards).toEqual(resolved('ai-agent').guards);
    expect(
      Object.entries(policy.posture?.states ?? {}).map(([name, { capabilities, budgets }]) => [name, capabilities.length, budgets]),
    ).toEqual([
      ['restricted', 1, {}],
      ['standard', 3, { file_writes: 50, egress_calls: 20 }],
      ['elevated', 6, { file_writes: 200 }],
    ]);
  });
});

describe('POL-201 faults, with line and column', () => {
  it.each([
    ['posture: []', 'policy_type', 'posture'],
    ['posture: {}', 'policy_required', 'posture'],
    ['posture: {initial: nowhere}', 'policy_posture', 'posture.initial'],
    ['posture: {begin: low}', 'policy_unknown_field', 'posture.begin'],
    ['posture: {initial: a, states: {a: {capabilities: [everything]}}}', 'policy_enum', 'posture.states.a.capabilities[0]'],
    ['posture: {initial: a, states: {a: {budgets: {writes: 1}}}}', 'policy_enum', 'posture.states.a.budgets.writes'],
    ['posture: {initial: a, states: {a: {budgets: {patches: -1}}}}', 'policy_range', 'posture.states.a.budgets.patches'],
    ['posture: {initial: a, states: {a: {budgets: {patches: 1.5}}}}', 'policy_type', 'posture.states.a.budgets.patches'],
    ['posture: {initial: a, states: {a: {}, "b c": {}}}', 'policy_posture', 'posture.states."b c"'],
    ['posture: {initial: a, states: {a: {}, __proto__: {}}}', 'policy_posture', 'posture.states.__proto__'],
    ['posture: {initial: locked, states: {locked: {capabilities: [shell]}}}', 'policy_posture', 'posture.states.locked.capabilities'],
    [section('{from: low, to: high, on: approval}').trimEnd(), 'policy_enum', 'posture.transitions[0].on'],
    [section('{from: low, to: high}').trimEnd(), 'policy_required', 'posture.transitions[0]'],
    [section('{from: low, to: nowhere, on: user_approval}').trimEnd(), 'policy_posture', 'posture.transitions[0].to'],
    [section('{from: nowhere, to: low, on: user_approval}').trimEnd(), 'policy_posture', 'posture.transitions[0].from'],
    [section('{from: low, to: "*", on: user_approval}').trimEnd(), 'policy_posture', 'posture.transitions[0].to'],
    [section('{from: low, to: high, on: timeout}').trimEnd(), 'policy_required', 'posture.transitions[0]'],
    [section('{from: low, to: high, on: timeout, after: 5d}').trimEnd(), 'policy_duration', 'posture.transitions[0].after'],
    [section('{from: low, to: high, on: user_denial, after: 5m}').trimEnd(), 'policy_posture', 'posture.transitions[0].after'],
    [section('{from: low, to: high, on: user_denial, patterns: [R001]}').trimEnd(), 'policy_posture', 'posture.transitions[0].patterns'],
    [section('{from: locked, to: low, on: timeout, after: 1h}').trimEnd(), 'policy_posture', 'posture.transitions[0].on'],
    [
      section('{from: low, to: high, on: user_denial, requires: [{quiet: 1h}]}').trimEnd(),
      'policy_unknown_field',
      'posture.transitions[0].requires[0].quiet',
    ],
  ])('refuses %s', (yaml, code, path) => {
    const [first] = faults(`name: x\n${yaml}\n`);
    expect(first?.slice(0, 3)).toEqual([code, path, 2]);
    // The section stands on one line: everything below it begins behind its key.
    expect((first?.[3] ?? 0) > 1).toBe(path.includes('.'));
  });

  it('a resolved policy out of a bundle is checked in the same way', () => {
    const policy = resolved('ai-agent-posture');
    const { posture } = policy;
    const codes = (changed: object): readonly string[] => {
      const made = compilePolicy({ ...policy, posture: { ...posture, ...changed } } as ResolvedPolicy);
      return made.ok ? [] : made.error.map(({ code }) => code);
    };
    expect([codes({}), codes({ initial: 'nowhere' }), codes({ states: [] }), codes({ transitions: undefined })]).toEqual([
      [],
      ['policy_posture'],
      ['policy_type'],
      ['policy_type'],
    ]);
  });

  it('POL-204 limits, at n and n + 1', () => {
    const states = (count: number): string =>
      `posture: {initial: s0, states: {${Array.from({ length: count }, (_, i) => `s${String(i)}: {}`).join(', ')}}}\n`;
    expect([faults(states(POLICY_LIMITS.postureStatesMax)).length, faults(states(POLICY_LIMITS.postureStatesMax + 1)).length]).toEqual([
      0, 1,
    ]);
    const edges = (count: number): string =>
      section(Array.from({ length: count }, () => '{from: low, to: high, on: user_denial}').join(', '));
    const most = POLICY_LIMITS.postureTransitionsMax;
    expect([faults(edges(most)).length, faults(edges(most + 1)).length]).toEqual([0, 1]);
    const patterns = (count: number): string =>
      section(
        `{from: low, to: high, on: pattern_match, patterns: [${Array.from({ length: count }, (_, i) => `r${String(i)}`).join(', ')}]}`,
      );
    expect([
      faults(patterns(POLICY_LIMITS.posturePatternsMax)).length,
      faults(patterns(POLICY_LIMITS.posturePatternsMax + 1)).length,
    ]).toEqual([0, 1]);
    const after = (seconds: number): string => section(`{from: low, to: high, on: timeout, after: ${String(seconds)}s}`);
    expect([faults(after(POLICY_LIMITS.durationSecondsMax)).length, faults(after(POLICY_LIMITS.durationSecondsMax + 1)).length]).toEqual([
      0, 1,
    ]);
    const name = (length: number): string => `posture: {initial: ${'a'.repeat(length)}, states: {${'a'.repeat(length)}: {}}}\n`;
    expect([
      faults(name(POLICY_LIMITS.postureNameCharsMax)).length > 0,
      faults(name(POLICY_LIMITS.postureNameCharsMax + 1)).length > 0,
    ]).toEqual([false, true]);
  });
});

describe('POL-202 merge', () => {
  const heir = (posture: string, strategy = 'deep_merge'): string =>
    `extends: ai-agent-posture\nmerge_strategy: ${strategy}\nposture: ${posture}\n`;
  it('states by name, transitions as a whole where there are any, initial where it says something', () => {
    const { posture } = resolved(heir('{states: {standard: {capabilities: [egress]}, extra: {}}}'));
    expect(Object.keys(posture?.states ?? {}).toSorted()).toEqual(['elevated', 'extra', 'restricted', 'standard']);
    expect(posture?.states['standard']).toEqual({ description: '', capabilities: ['egress'], budgets: {} });
    expect([posture?.initial, posture?.transitions.length]).toEqual(['restricted', 5]);
    const other = resolved(heir('{initial: standard, transitions: [{from: standard, to: elevated, on: user_approval}]}')).posture;
    expect([other?.initial, other?.transitions.length]).toEqual(['standard', 1]);
    expect(resolved('extends: ai-agent-posture\n').posture).toEqual(resolved('ai-agent-posture').posture);
  });

  it('`merge` takes the section whole, `replace` forgets that of the base', () => {
    expect(Object.keys(resolved(heir('{initial: a, states: {a: {}}}', 'merge')).posture?.states ?? {})).toEqual(['a']);
    expect(resolved('extends: ai-agent-posture\nmerge_strategy: merge\n').posture?.initial).toBe('restricted');
    expect(resolved('extends: ai-agent-posture\nmerge_strategy: replace\n').posture).toBeUndefined();
  });

  it('what an heir leaves dangling is a fault of the heir', () => {
    const yaml = heir('{initial: a, states: {a: {}}, transitions: [{from: a, to: gone, on: user_denial}]}', 'merge');
    expect(faults(yaml).map(([code, path, line]) => [code, path, line])).toEqual([['policy_posture', 'posture.transitions[0].to', 3]]);
    expect(documentOf(yaml).content.posture?.initial).toBe('a');
  });
});

describe('POL-205 what a section says without meaning to', () => {
  it('names unreachable states, dead ends and machine transitions that permit more', () => {
    const states = 'initial: a, states: {a: {capabilities: [file_access]}, b: {capabilities: [shell]}, c: {}, island: {}, locked: {}}';
    const { posture } = resolved(
      section(
        '{from: a, to: b, on: any_violation}, {from: "*", to: c, on: critical_violation}, {from: island, to: a, on: user_approval}',
        states,
      ),
    );
    expect(posture === undefined ? undefined : postureFacts(posture)).toEqual({ unreachable: ['island'], deadEnds: ['c'], raising: [0] });
    const { posture: known } = resolved('ai-agent-posture');
    expect(known === undefined ? undefined : postureFacts(known)).toEqual({ unreachable: [], deadEnds: [], raising: [] });
  });
});
