import { type CompiledPosture, type ResolvedPolicy, resolvePolicy, settle, standAt, transitionByHand } from '@countersign/policy';
import type { JsonValue } from '@countersign/kernel';
import type { PostureState } from '@countersign/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPABILITIES, type Capability, LOCKED } from '../src/posture.ts';
import { compilePosture, postureDenial, type PostureEvent, type Standing } from '../src/posture-machine.ts';
import { POSTURE, POSTURE_STEP, type PostureOverlay, type PostureStep } from './later-overlays.ts';
import { laid, wider } from './attenuated.ts';
import { documentOf, rulesets } from './support.ts';

/** As in `attenuation.test.ts`. */
const OVERLAYS = Number(process.env['COUNTERSIGN_OVERLAYS'] ?? '2000');

const STATES = `  initial: restricted
  states:
    restricted: {capabilities: [file_access]}
    standard: {capabilities: [file_access, file_write, egress], budgets: {file_writes: 50}}
    shut: {}
`;
const PARENT = `posture:
${STATES}  transitions:
    - {from: restricted, to: standard, on: user_approval, requires: [{no_violations_in: 10m}]}
    - {from: "*", to: restricted, on: critical_violation}
    - {from: standard, to: restricted, on: budget_exhausted}
`;

const posture = (part: string): string => `posture:\n${part}\n`;
const KEPT = PARENT.split('transitions:\n')[1] ?? '';
const WITHOUT_RISE = KEPT.split('\n').slice(1).join('\n');
const PATH = 'posture.transitions';

describe('POL-111 attenuate_only, the posture', () => {
  it.each<readonly [what: string, child: string, paths: readonly string[]]>([
    ['a section where there was none', '', []],
    ['fewer capabilities', '  states: {standard: {capabilities: [file_access, file_write], budgets: {file_writes: 50}}}', []],
    ['one more', '  states: {restricted: {capabilities: [file_access, shell]}}', ['posture.states.restricted.capabilities']],
    [
      'a lower budget',
      '  states: {standard: {capabilities: [file_access, file_write, egress], budgets: {file_writes: 49, egress_calls: 1}}}',
      [],
    ],
    [
      'a higher one',
      '  states: {standard: {capabilities: [file_access], budgets: {file_writes: 51}}}',
      ['posture.states.standard.budgets'],
    ],
    ['none', '  states: {standard: {capabilities: [file_access, file_write]}}', ['posture.states.standard.budgets']],
    ['another beginning that permits no more', '  initial: shut', []],
    ['one that permits more', '  initial: standard', ['posture.initial']],
    ['a way up taken away', `  transitions:\n${WITHOUT_RISE}`, []],
    ['a way up that takes longer', `  transitions:\n${KEPT.replace('10m', '11m')}`, []],
    ['a way up that takes less', `  transitions:\n${KEPT.replace('10m', '9m')}`, [PATH]],
    ['a way down taken away', `  transitions:\n${KEPT.split('\n').slice(0, 1).join('\n')}`, [PATH]],
    ['a new way up', `  transitions:\n${KEPT}    - {from: shut, to: restricted, on: user_approval}`, [PATH]],
    ['a new way down', `  transitions:\n${KEPT}    - {from: "*", to: shut, on: any_violation}`, []],
    ['one before those that were there', `  transitions:\n    - {from: standard, to: shut, on: any_violation}\n${KEPT}`, [PATH]],
    [
      'one that would come before what leads further down',
      `  transitions:\n${KEPT}    - {from: standard, to: restricted, on: any_violation}`,
      [],
    ],
    ['one by a timeout', `  transitions:\n${KEPT}    - {from: standard, to: restricted, on: timeout, after: 1h}`, []],
  ])('%s', (...[, child, paths]) => {
    expect(wider(child === '' ? PARENT : posture(child), child === '' ? 'extends: permissive\n' : PARENT)).toEqual(paths);
  });

  it('a section, a state and a count that are gone or begin anew', () => {
    expect(wider('merge_strategy: replace', PARENT)).toEqual(['posture']);
    const less = PARENT.replace('    shut: {}\n', '');
    const { faults } = laid(`extends: default\nattenuate_only: true\nmerge_strategy: replace\n${less}`, PARENT);
    expect(faults.map(({ path, message }) => `${String(path)}: ${message}`)).toEqual([
      'posture.states.shut: must stay as it is in what it extends, because neither is known to be tighter: from `{"budgets":{},"capabilities":[],"description":""}` to nothing',
    ]);
    // `half` writes ten times, whatever was written before.
    const half = `posture:\n  states: {half: {capabilities: [file_write], budgets: {file_writes: 10}}}\n  transitions:\n${KEPT}`;
    expect(wider(`${half}    - {from: standard, to: half, on: any_violation}\n`, PARENT)).toEqual([PATH]);
    expect(wider(`${half.replace('[file_write]', '[]')}    - {from: standard, to: half, on: any_violation}\n`, PARENT)).toEqual([]);
  });

  it('a way down to where the machine leads up again', () => {
    const parent = `posture:
  initial: a
  states: {a: {capabilities: [file_access, egress]}, b: {capabilities: [file_access]}, up: {capabilities: [file_access, shell]}}
  transitions:
    - {from: b, to: up, on: timeout, after: 1h}
`;
    const add = (one: string): string => `${parent}    - ${one}`;
    expect(wider(add('{from: a, to: b, on: any_violation}'), parent)).toEqual([PATH]);
    expect(wider(add('{from: up, to: b, on: any_violation}'), parent)).toEqual([]);
    expect(wider(parent.replace('initial: a', 'initial: b'), parent)).toEqual(['posture.initial']);
  });

  it('a budget that is spent sooner where that begins another count', () => {
    const parent = `posture:
  initial: a
  states: {a: {capabilities: [file_write], budgets: {file_writes: 9}}, b: {capabilities: [file_write], budgets: {file_writes: 5}}}
  transitions: [{from: a, to: b, on: budget_exhausted}]
`;
    expect(wider(parent.replace('9', '8'), parent)).toEqual(['posture.states.a.budgets']);
    expect(wider(parent.replace('5', '4'), parent)).toEqual([]);
  });

  it('a graver trigger that would come before one that leads further down', () => {
    const parent = PARENT.replace('to: restricted, on: budget_exhausted', 'to: shut, on: budget_exhausted');
    const kept = parent.split('transitions:\n')[1] ?? '';
    const add = (to: string): string => posture(`  transitions:\n${kept}    - {from: standard, to: ${to}, on: any_violation}`);
    expect(wider(add('restricted'), parent)).toEqual([PATH]);
    expect(wider(add('shut'), parent)).toEqual([]);
  });
});

/** The parent with one thing or a few changed. */
function stepped(parent: PostureOverlay, { initial, state, drop, add, replace, quiet }: PostureStep): PostureOverlay {
  let transitions: readonly JsonValue[] = parent.transitions;
  if (replace !== undefined) transitions = transitions.map((one, i) => (i === replace[0] ? replace[1] : one));
  if (quiet !== undefined) {
    const requires = [{ no_violations_in: quiet[1] }];
    transitions = transitions.map((one, i) => (i === quiet[0] ? { ...(one as Readonly<Record<string, JsonValue>>), requires } : one));
  }
  if (drop !== undefined) transitions = transitions.filter((_, i) => i !== drop);
  if (add !== undefined) transitions = [...transitions.slice(0, add[0]), add[1], ...transitions.slice(add[0])];
  const states = state === undefined ? parent.states : { ...parent.states, [state[0]]: state[1] };
  return { initial: initial ?? parent.initial, states, transitions };
}

const NOW = 10_000;
const KEPT_STATE: fc.Arbitrary<PostureState | undefined> = fc.option(
  fc.record(
    {
      n: fc.constant(1),
      state: fc.constantFrom('a', 'b', 'c', 'd', LOCKED, ''),
      entered: fc.constantFrom(NOW, NOW - 5, NOW - 15, NOW - 100),
      used: fc.dictionary(fc.constantFrom('file_writes', 'egress_calls', 'shell_commands'), fc.constantFrom(0, 1, 2, 3)),
      history: fc.constant([]),
      violated: fc.constantFrom(NOW - 1, NOW - 20, NOW - 80),
    },
    { requiredKeys: ['n', 'state', 'entered', 'used', 'history'] },
  ),
  { nil: undefined },
);
const EVENT = fc.record({
  needs: fc.subarray<Capability>(['file_access', 'file_write', 'egress', 'shell'], { minLength: 1, maxLength: 2 }),
  violation: fc.constantFrom('critical', 'any', undefined),
  matches: fc.subarray(['R1', 'R2']),
});
const HAND = fc.record({
  to: fc.constantFrom('a', 'b', 'c', 'd', LOCKED),
  on: fc.constantFrom('user_approval' as const, 'user_denial' as const),
});

/** Every capability that `child` permits where `parent` does not. */
function more(parent: readonly [CompiledPosture, Standing], child: readonly [CompiledPosture, Standing]): readonly string[] {
  return CAPABILITIES.filter(
    (one) => postureDenial(parent[0], parent[1].state, [one]) !== undefined && postureDenial(child[0], child[1].state, [one]) === undefined,
  );
}

function compiledOf(policy: ResolvedPolicy): CompiledPosture {
  if (policy.posture === undefined) throw new Error('the posture is gone');
  return compilePosture(policy.posture);
}

describe(`POL-113 over ${String(OVERLAYS)} postures`, () => {
  it('no state, no moment, no event and no person permits more', { timeout: 3_600_000 }, () => {
    const seen = { accepted: 0, refused: 0, changed: 0 };
    const questions = fc.array(fc.tuple(KEPT_STATE, EVENT, HAND), { minLength: 12, maxLength: 12 });
    const property = fc.property(POSTURE, POSTURE_STEP, questions, (overlay, step, asked) => {
      const parentText = JSON.stringify({ posture: overlay });
      const known = resolvePolicy(documentOf(parentText), { rulesets, hostSets: new Map() });
      if (!known.ok) throw new Error('a parent is a policy');
      const changed = stepped(overlay, step);
      const { policy } = laid(JSON.stringify({ extends: 'default', attenuate_only: true, posture: changed }), parentText);
      seen[policy === undefined ? 'refused' : 'accepted'] += 1;
      if (policy === undefined) return;
      if (JSON.stringify(policy.posture) !== JSON.stringify(known.value.posture)) seen.changed += 1;
      const [parent, child] = [compiledOf(known.value), compiledOf(policy)];
      for (const [kept, event, hand] of asked) {
        const [before, after] = [standAt(parent, kept, NOW), standAt(child, kept, NOW)];
        if (before === undefined || after === undefined) throw new Error('a session stands somewhere');
        expect(more([parent, before], [child, after])).toEqual([]);
        // The same event from the same place: what the posture refuses in one of them is another event in the other.
        const denials = [postureDenial(parent, before.state, event.needs), postureDenial(child, before.state, event.needs)] as const;
        if (denials[0]?.code === denials[1]?.code) {
          const full = (denial: PostureEvent['denial']): Parameters<typeof settle>[2] => ({
            ...event,
            denial,
            denied: event.violation !== undefined || denial !== undefined,
            now: NOW,
          });
          const settled = [settle(parent, before, full(denials[0])), settle(child, before, full(denials[1]))] as const;
          expect(more([parent, settled[0]], [child, settled[1]])).toEqual([]);
        }
        // From two places two ways lead on: what a person does there is another question.
        if (before.state.state !== after.state.state) continue;
        // Out of `locked`, each leads back to its own beginning.
        if (hand.to === child.initial && hand.to !== parent.initial) continue;
        const asks = { ...hand, now: NOW };
        const moved = [transitionByHand(parent, kept, asks), transitionByHand(child, kept, asks)] as const;
        const [was, is] = moved.map((one, i) => (typeof one === 'string' ? (i === 0 ? before : after) : one));
        if (was !== undefined && is !== undefined) expect(more([parent, was], [child, is])).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: OVERLAYS, seed: 20_261_126, endOnFailure: true });
    expect(seen.accepted).toBeGreaterThan(OVERLAYS / 5);
    expect(seen.refused).toBeGreaterThan(OVERLAYS / 5);
    expect(seen.changed).toBeGreaterThan(OVERLAYS / 10);
  });
});
