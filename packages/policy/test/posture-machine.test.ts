/** The machine: what a state permits, what leads from one to another, and what no sequence of actions can do. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Capability,
  compilePosture,
  type CompiledPosture,
  type ManualTrigger,
  openTransitions,
  POLICY_LIMITS,
  type Posture,
  postureDelta,
  postureDenial,
  settle,
  type Standing,
  standAt,
  transitionByHand,
} from '@countersign/policy';
import { type PostureState, PROTOCOL_LIMITS } from '@countersign/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolved } from './support.ts';

const T0 = 1_700_000_000;
const BUDGET_NAMES = ['file_writes', 'egress_calls', 'shell_commands', 'mcp_tool_calls', 'patches', 'custom_calls'];

function machine(
  transitions: string,
  states = 'a: {capabilities: [file_access, file_write], budgets: {file_writes: 2}}, b: {capabilities: [shell]}, c: {}',
): CompiledPosture {
  const { posture } = resolved(`posture: {initial: a, states: {${states}}, transitions: [${transitions}]}\n`);
  if (posture === undefined) throw new Error('no posture');
  return compilePosture(posture);
}

interface Step {
  readonly needs?: readonly Capability[];
  readonly violation?: 'critical' | 'any' | undefined;
  readonly matches?: readonly string[];
  readonly now?: number;
}

/** One check as the judge makes it. */
function check(
  posture: CompiledPosture | undefined,
  kept: PostureState | undefined,
  step: Step = {},
): { readonly guard: string | undefined; readonly next: PostureState | undefined } {
  const { needs = [], violation, matches = [], now = T0 } = step;
  const standing = standAt(posture, kept, now);
  if (standing === undefined) return { guard: undefined, next: kept };
  const denial = postureDenial(posture, standing.state, needs);
  const denied = denial !== undefined || violation !== undefined;
  const settled = settle(posture, standing, { needs, denial, violation, matches, denied, now });
  return { guard: denial?.guard, next: postureDelta(kept, settled) ?? kept };
}

/** The states after each step. */
function walk(posture: CompiledPosture, steps: readonly Step[]): readonly (string | undefined)[] {
  let kept: PostureState | undefined;
  return steps.map((step) => {
    const { guard, next } = check(posture, kept, step);
    kept = next;
    return guard === undefined ? kept?.state : `${guard}:${kept?.state ?? ''}`;
  });
}

const WRITE: Step = { needs: ['file_write'] };
const READ: Step = { needs: ['file_access'] };

describe('POL-210 POL-211 POL-212 a check', () => {
  it('begins at initial, refuses what the state has not, and says so in the words of the original', () => {
    const posture = machine('');
    const standing = standAt(posture, undefined, T0);
    expect(standing?.state).toEqual({ n: 0, state: 'a', entered: T0, used: {}, history: [] });
    const denial = standing === undefined ? undefined : postureDenial(posture, standing.state, ['shell']);
    expect(denial).toMatchObject({ guard: 'posture', message: "action 'shell' is not allowed in posture state 'a'" });
  });

  it('counts what was allowed and nothing else; a spent budget refuses; the rest goes on', () => {
    const posture = machine('');
    expect(walk(posture, [WRITE, { ...WRITE, violation: 'any' }, READ, WRITE, WRITE, READ])).toEqual([
      'a',
      'a',
      'a',
      'a',
      'posture_budget:a',
      'a',
    ]);
    expect(walk(machine('', 'a: {capabilities: [patch], budgets: {patches: 0}}'), [{ needs: ['patch'] }])).toEqual(['posture_budget:a']);
  });

  it('keeps nothing where nothing changed', () => {
    const posture = machine('', 'a: {capabilities: [file_access]}');
    const first = check(posture, undefined, READ).next;
    expect(first?.n).toBe(1);
    expect(check(posture, first, READ).next).toBe(first);
  });
});

describe('POL-213 triggers', () => {
  it('the last that a budget permits exhausts it, and so does the first that it refuses', () => {
    expect(walk(machine('{from: a, to: b, on: budget_exhausted}'), [WRITE, WRITE])).toEqual(['a', 'b']);
    const posture = machine('{from: a, to: b, on: budget_exhausted}', 'a: {capabilities: [patch], budgets: {patches: 0}}, b: {}');
    expect(walk(posture, [{ needs: ['patch'] }])).toEqual(['posture_budget:b']);
  });

  it('a critical violation is not also any, and what only the posture refused is none', () => {
    const posture = machine('{from: a, to: b, on: any_violation}, {from: a, to: c, on: critical_violation}');
    expect(walk(posture, [{ violation: 'any' }])).toEqual(['b']);
    expect(walk(posture, [{ violation: 'critical' }])).toEqual(['c']);
    expect(walk(machine('{from: a, to: b, on: any_violation}'), [{ violation: 'critical' }, { needs: ['shell'] }])).toEqual([
      'a',
      'posture:a',
    ]);
    // Refused by the posture, and by something else as well: that is one.
    expect(walk(posture, [{ needs: ['shell'], violation: 'critical' }])).toEqual(['posture:c']);
  });

  it('pattern_match: by rule id, by category, or by anything that was found', () => {
    const named = machine('{from: a, to: b, on: pattern_match, patterns: [R001, exfiltration]}');
    expect(walk(named, [{ matches: ['R002', 'x'] }, { matches: ['R001', 'x'] }])).toEqual(['a', 'b']);
    expect(walk(named, [{ matches: ['R002', 'exfiltration'] }])).toEqual(['b']);
    expect(walk(machine('{from: a, to: b, on: pattern_match}'), [{}, { matches: ['R009', 'x'] }])).toEqual(['a', 'b']);
  });

  it('the first transition of the list is taken; `*` covers neither its own target nor `locked`', () => {
    expect(walk(machine('{from: "*", to: c, on: any_violation}, {from: a, to: b, on: any_violation}'), [{ violation: 'any' }])).toEqual([
      'c',
    ]);
    const refill = machine('{from: "*", to: a, on: any_violation}');
    expect(walk(refill, [WRITE, WRITE, { violation: 'any' }, WRITE])).toEqual(['a', 'a', 'a', 'posture_budget:a']);
  });

  it('a transition empties the budgets and is remembered; the history holds the last 8', () => {
    const posture = machine('{from: a, to: b, on: any_violation}, {from: b, to: a, on: any_violation}');
    let kept: PostureState | undefined;
    for (let i = 0; i < 9; i += 1) kept = check(posture, kept, { violation: 'any', now: T0 + i }).next;
    expect(kept).toMatchObject({ n: 9, state: 'b', entered: T0 + 8, used: {}, violated: T0 + 8 });
    expect(kept?.history.map(({ at }) => at - T0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(kept?.history.at(-1)).toEqual({ from: 'a', to: 'b', on: 'any_violation', at: T0 + 8 });
  });
});

describe('POL-223 the state that is kept', () => {
  it('has at most half the bytes of a state slice, whatever states are called', () => {
    const [from, to] = ['f', 't'].map((letter) => letter.repeat(POLICY_LIMITS.postureNameCharsMax)) as [string, string];
    const posture = machine(
      `{from: a, to: ${from}, on: user_approval}, {from: ${from}, to: ${to}, on: critical_violation}, {from: ${to}, to: ${from}, on: critical_violation}`,
      `a: {}, ${from}: {}, ${to}: {}`,
    );
    let kept = byHand(posture, undefined, [from, 'user_approval']) as PostureState;
    for (let i = 0; i < 20; i += 1) kept = check(posture, kept, { violation: 'critical' }).next ?? kept;
    expect(kept.history).toHaveLength(PROTOCOL_LIMITS.postureHistoryMax);
    expect(JSON.stringify({ ...kept, used: Object.fromEntries(BUDGET_NAMES.map((name) => [name, 1e9])) }).length).toBeLessThan(
      PROTOCOL_LIMITS.stateSliceBytesMax / 2,
    );
  });
});

describe('POL-210 POL-214 timeouts and `requires`', () => {
  it('a timeout is due at its second, before the action is judged', () => {
    const posture = machine('{from: a, to: b, on: timeout, after: 5m}');
    expect(walk(posture, [{}, { ...READ, now: T0 + 299 }, { ...READ, now: T0 + 300 }])).toEqual(['a', 'a', 'posture:b']);
    expect(walk(posture, [{}, { ...READ, now: T0 - 1000 }])).toEqual(['a', 'a']);
  });

  it('follows at most as many as there are transitions', () => {
    const posture = machine('{from: a, to: b, on: timeout, after: 0s}, {from: b, to: a, on: timeout, after: 0s}');
    expect(standAt(posture, undefined, T0)?.changes.map(({ to }) => to)).toEqual(['b', 'a']);
  });

  it('no_violations_in is evaluated: for the machine and for a person', () => {
    const posture = machine(
      '{from: a, to: b, on: timeout, after: 1m, requires: [{no_violations_in: 1h}]}, {from: a, to: c, on: user_approval, requires: [{no_violations_in: 10m}]}',
    );
    const bad = check(posture, undefined, { violation: 'any' }).next;
    expect(standAt(posture, bad, T0 + 3599)?.state.state).toBe('a');
    expect(standAt(posture, bad, T0 + 3600)?.state.state).toBe('b');
    expect(standAt(posture, check(posture, undefined).next, T0 + 60)?.state.state).toBe('b');
    const asked = (now: number): unknown => transitionByHand(posture, bad, { to: 'c', on: 'user_approval', now });
    expect(asked(T0 + 599)).toBe('violations_too_recent');
    expect(asked(T0 + 600)).toMatchObject({ state: { state: 'c' } });
  });
});

function byHand(
  posture: CompiledPosture | undefined,
  kept: PostureState | undefined,
  asked: readonly [to: string, on: ManualTrigger],
): PostureState | string {
  const [to, on] = asked;
  const made = transitionByHand(posture, kept, { to, on, now: T0 });
  return typeof made === 'string' ? made : (postureDelta(kept, made) ?? 'unchanged');
}

describe('POL-215 POL-216 locked, and states nobody knows', () => {
  it.each([
    ['with a posture', machine('{from: "*", to: b, on: timeout, after: 1h}, {from: "*", to: a, on: any_violation}')],
    ['without one', undefined],
  ])('holds under a policy %s: nothing but a person leads out', (_, posture) => {
    const locked = byHand(posture, undefined, ['locked', 'user_denial']) as PostureState;
    expect(locked).toMatchObject({ state: 'locked', n: 1 });
    for (const step of [{}, READ, { violation: 'any' as const }, { now: T0 + 1e8 }]) {
      expect(check(posture, locked, step)).toEqual({ guard: 'posture', next: locked });
    }
    expect(byHand(posture, locked, ['b', 'user_approval'])).toBe('no_such_transition');
    expect(byHand(posture, locked, ['locked', 'user_denial'])).toBe('no_such_transition');
    const back = byHand(posture, locked, [posture === undefined ? '' : 'a', 'user_approval']) as PostureState;
    expect(check(posture, back, READ).guard).toBe(undefined);
    expect(openTransitions(posture, 'locked')).toEqual([{ from: 'locked', to: posture?.initial ?? '', on: 'user_approval' }]);
  });

  it('a lock outlives the policy under which it was made, and unlocking outside begins anew inside', () => {
    const posture = machine('');
    const locked = byHand(undefined, undefined, ['locked', 'user_denial']) as PostureState;
    expect(check(posture, locked, READ).guard).toBe('posture');
    const open = byHand(undefined, locked, ['', 'user_approval']) as PostureState;
    expect(check(posture, open, READ)).toMatchObject({ guard: undefined, next: { state: 'a', n: 3 } });
    expect(byHand(undefined, undefined, ['', 'user_approval'])).toBe('no_such_transition');
  });

  it('a state that the policy does not have permits nothing, and a person leads back to where sessions begin', () => {
    const lost = { n: 4, state: 'gone', entered: T0, used: {}, history: [] };
    const posture = machine('{from: "*", to: b, on: user_denial}');
    expect(check(posture, lost, {})).toEqual({ guard: 'posture', next: lost });
    expect(byHand(posture, lost, ['a', 'user_approval'])).toMatchObject({ state: 'a', n: 5 });
    expect(check(undefined, lost, {})).toEqual({ guard: undefined, next: lost });
  });
});

describe('POL-220 transitions by hand', () => {
  const posture = machine(
    '{from: a, to: b, on: user_approval}, {from: b, to: c, on: user_denial}, {from: a, to: c, on: critical_violation}',
  );
  it.each<readonly [from: string | undefined, to: string, on: ManualTrigger, said: string]>([
    [undefined, 'b', 'user_approval', 'b'],
    [undefined, 'b', 'user_denial', 'no_such_transition'],
    [undefined, 'c', 'user_approval', 'no_such_transition'],
    [undefined, 'a', 'user_approval', 'no_such_transition'],
    [undefined, 'nowhere', 'user_approval', 'no_such_transition'],
    [undefined, '', 'user_approval', 'no_such_transition'],
    [undefined, 'locked', 'user_denial', 'locked'],
    [undefined, 'locked', 'user_approval', 'no_such_transition'],
    ['b', 'c', 'user_denial', 'c'],
    ['b', 'c', 'user_approval', 'no_such_transition'],
    ['b', 'a', 'user_approval', 'no_such_transition'],
  ])('from %s to %s on %s: %s', (...[from, to, on, said]) => {
    const kept = from === undefined ? undefined : { n: 1, state: from, entered: T0, used: {}, history: [] };
    const made = byHand(posture, kept, [to, on]);
    expect(typeof made === 'string' ? made : made.state).toBe(said);
  });
});

const NAMES = ['s0', 's1', 's2', 'locked'] as const;
const CAPS: readonly Capability[] = ['file_access', 'file_write', 'egress', 'shell', 'mcp_tool', 'patch', 'custom'];
const after = fc.constantFrom('0s', '10s', '1m');
const transition = fc.oneof(
  fc.record({
    from: fc.constantFrom('*', 's0', 's1', 's2'),
    to: fc.constantFrom(...NAMES),
    on: fc.constant('timeout' as const),
    after,
    requires: fc.constant([]),
  }),
  fc.record({
    from: fc.constantFrom('*', 's0', 's1', 's2'),
    to: fc.constantFrom(...NAMES),
    on: fc.constantFrom(
      'user_approval' as const,
      'user_denial' as const,
      'any_violation' as const,
      'critical_violation' as const,
      'budget_exhausted' as const,
      'pattern_match' as const,
    ),
    requires: fc.constantFrom([], [{ no_violations_in: '30s' }]),
  }),
);
const config = fc.record({
  description: fc.constant(''),
  capabilities: fc.subarray([...CAPS]),
  budgets: fc.record({ file_writes: fc.nat(3), shell_commands: fc.nat(3), mcp_tool_calls: fc.nat(2) }, { requiredKeys: [] }),
});
const postures: fc.Arbitrary<Posture> = fc.record({
  initial: fc.constant('s0'),
  states: fc.record({ s0: config, s1: config, s2: config }),
  transitions: fc.array(transition, { maxLength: 6 }),
});
const steps = fc.array(
  fc.record({
    needs: fc.subarray([...CAPS], { maxLength: 2 }),
    violation: fc.constantFrom(undefined, undefined, 'any' as const, 'critical' as const),
    matches: fc.constantFrom<readonly string[]>([], ['R001', 'x']),
    wait: fc.integer({ min: -5, max: 70 }),
  }),
  { maxLength: 30 },
);

/** All states that a session was in, one check after the other. */
function* trail(posture: CompiledPosture, taken: readonly (Step & { readonly wait: number })[]): Generator<Standing['state']> {
  let kept: PostureState | undefined;
  let now = T0;
  for (const { wait, ...step } of taken) {
    now += wait;
    kept = check(posture, kept, { ...step, now }).next;
    if (kept !== undefined) yield kept;
  }
}

describe('POL-221 no sequence of actions goes where the machine does not lead', () => {
  it('every change is an edge of the policy with a trigger of the machine; budgets stay between 0 and their limit', () => {
    fc.assert(
      fc.property(postures, steps, (posture, taken) => {
        const compiled = compilePosture(posture);
        let before = posture.initial;
        let seen = 0;
        for (const state of trail(compiled, taken)) {
          for (const change of state.history.filter(({ at }) => at >= seen)) {
            const isEdge = posture.transitions.some(
              ({ from, to, on }) =>
                on === change.on && to === change.to && (from === change.from || (from === '*' && change.from !== 'locked')),
            );
            expect(isEdge && !change.on.startsWith('user_')).toBe(true);
          }
          seen = Math.max(seen, ...state.history.map(({ at }) => at));
          if (state.history.length === 0) expect(state.state).toBe(before);
          before = state.state;
          for (const [budget, used] of Object.entries(state.used)) {
            const limits: Readonly<Record<string, number>> = posture.states[state.state]?.budgets ?? {};
            const limit = limits[budget];
            expect(used >= 0 && limit !== undefined && used <= limit).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('without edges of the machine a session gains nothing, whatever it does', () => {
    fc.assert(
      fc.property(postures, steps, (posture, taken) => {
        const manual = posture.transitions.filter(({ on }) => on.startsWith('user_'));
        for (const { state } of trail(compilePosture({ ...posture, transitions: manual }), taken)) expect(state).toBe('s0');
      }),
      { numRuns: 200 },
    );
  });

  it('equal inputs give equal states', () => {
    fc.assert(
      fc.property(postures, steps, (posture, taken) => {
        const once = [...trail(compilePosture(posture), taken)];
        const again = [...trail(compilePosture(JSON.parse(JSON.stringify(posture)) as Posture), taken)];
        expect(JSON.stringify(again)).toBe(JSON.stringify(once));
      }),
      { numRuns: 100 },
    );
  });
});

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');

describe('POL-211 POL-212 the words of the original', () => {
  it.skipIf(!existsSync(archive)).each([
    ['posture_deny_capability', 'shell', {}],
    ['posture_deny_budget', 'file_write', { file_writes: 50 }],
  ] as const)('%s (needs the conformance fixtures)', (name, need, used) => {
    const text = execFileSync('tar', ['xzOf', archive, `./fixtures/receipts/${name}.json`], { encoding: 'utf8' });
    const [theirs] = (JSON.parse(text) as { provenance: { violations: readonly { guard: string; message: string }[] } }).provenance
      .violations;
    const posture = machine('', 'a: {}, work: {capabilities: [file_write], budgets: {file_writes: 50}}');
    const denial = postureDenial(posture, { n: 1, state: 'work', entered: T0, used, history: [] }, [need]);
    expect([denial?.guard, denial?.message]).toEqual([theirs?.guard, theirs?.message]);
  });
});
