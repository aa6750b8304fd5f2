/** The posture in the judge: denials, reasons, what is kept, and who may move a session. */
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { type CompiledPolicy, compilePosture, type Posture } from '@countersign/policy';
import type { Action, Authority, Finding, Judgement, PostureState, Reason, Severity, StateSlice } from '@countersign/protocol';
import type { CompiledRules } from '@countersign/rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeWith, type JudgeParts } from '../src/index.ts';
import { action as anyAction, facts as anyFacts, finding as anyFinding, guard as anyGuard, state as anyState } from './arbitraries.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const SECONDS = Date.parse(NOW) / 1000;

const POSTURE: Posture = {
  initial: 'low',
  states: {
    low: { description: '', capabilities: ['file_access', 'mcp_tool'], budgets: { mcp_tool_calls: 2 } },
    high: { description: '', capabilities: ['file_access', 'mcp_tool', 'shell', 'file_write'], budgets: {} },
    cell: { description: '', capabilities: [], budgets: {} },
  },
  transitions: [
    { from: 'low', to: 'high', on: 'user_approval', requires: [] },
    { from: '*', to: 'cell', on: 'critical_violation', requires: [] },
  ],
};

const EMPTY_FACTS = {
  texts: [],
  commands: [],
  statements: [],
  codes: [],
  paths: [],
  hosts: [],
  effects: [],
  secrets: [],
  pii: [],
  cuts: [],
  encodings: [],
  steps: 0,
};

function actionOf(kind: string, params: JsonValue = {}): Action {
  const source = { framework: 'test', door: 'test' };
  return { v: 1, id: 'i', kind, params, source, org: 'o', agent: 'a', session: 's', delegation: [] };
}

function found(severity: Severity, score: number): Finding {
  const tags = { owasp: [], atlas: [], cwe: [] };
  return {
    rule: 'R1',
    title: 't',
    category: 'c',
    severity,
    score,
    evidence: [],
    evidenceCut: 0,
    fact: 'text',
    tags,
    layers: [],
    exemptable: true,
  };
}

interface Asked {
  readonly posture?: PostureState | undefined;
  readonly authority?: Authority;
  readonly findings?: readonly Finding[];
  readonly policy?: Posture | undefined;
  readonly facts?: object;
  readonly parts?: Partial<JudgeParts>;
}

function judged(action: Action, asked: Asked = {}): Judgement {
  const { findings = [], parts = {}, posture, authority } = asked;
  const section = 'policy' in asked ? asked.policy : POSTURE;
  const policy = {
    thresholds: { flag: 300, block: 700 },
    unregisteredTools: 'warn',
    toolThresholds: [],
    posture: section === undefined ? undefined : compilePosture(section),
  } as unknown as CompiledPolicy;
  const state: StateSlice = {
    agentState: 'active',
    scopes: ['*'],
    ...(posture === undefined ? {} : { posture }),
    ...(authority === undefined ? {} : { authority }),
  };
  const facts = { ...EMPTY_FACTS, ...asked.facts } as never;
  return judgeWith(
    { matchRules: () => ({ findings }), evaluateGuards: () => [], ...parts },
    { now: NOW, action, facts, state, policy, rules: {} as CompiledRules },
  );
}

function codes({ verdict }: Judgement): readonly string[] {
  return verdict.reasons.map(({ code }: Reason) => code);
}

function at(state: string): PostureState {
  return { n: 3, state, entered: SECONDS - 10, used: {}, history: [] };
}

describe('VER-014 POL-211 POL-213 the posture in a verdict', () => {
  it('what a state does not permit is denied by the guard of that name; nothing that is allowed says anything', () => {
    const denied = judged(actionOf('shell.exec'));
    expect([denied.verdict.decision, codes(denied)]).toEqual(['deny', ['guard.posture.capability_not_allowed']]);
    expect(denied.guards).toMatchObject([
      {
        guard: 'posture',
        severity: 'high',
        message: "action 'shell' is not allowed in posture state 'low'",
        details: { capability: 'shell', state: 'low' },
      },
    ]);
    expect(codes(judged(actionOf('file.read')))).toEqual([]);
    expect(judged(actionOf('shell.exec'), { policy: undefined }).verdict.decision).toBe('allow');
  });

  it('a budget is counted in the delta, and refuses when it is spent', () => {
    const once = judged(actionOf('mcp.call'), { posture: at('low') });
    expect(once.delta.posture).toEqual({ ...at('low'), n: 4, used: { mcp_tool_calls: 1 } });
    const spent = { ...at('low'), used: { mcp_tool_calls: 2 } };
    const denied = judged(actionOf('mcp.call'), { posture: spent });
    expect([codes(denied), denied.delta.posture]).toEqual([['guard.posture_budget.budget_exhausted'], undefined]);
  });

  it('a violation is kept with the verdict that denied, and a transition is one of its reasons', () => {
    const denied = judged(actionOf('file.read'), { findings: [found('critical', 900)] });
    expect(denied.verdict.decision).toBe('deny');
    expect(denied.verdict.reasons.find(({ code }) => code === 'posture.transition')).toMatchObject({
      severity: 'info',
      score: 0,
      text: 'low -> cell on critical_violation',
    });
    expect(denied.delta.posture).toMatchObject({ state: 'cell', violated: SECONDS, n: 1 });
    // A critical finding that does not deny is no violation.
    expect(judged(actionOf('file.read'), { findings: [found('critical', 500)] }).delta.posture).toMatchObject({ state: 'low' });
    expect(judged(actionOf('shell.exec')).delta.posture).not.toHaveProperty('violated');
  });

  it('POL-217 a text takes no capability; `locked` refuses it all the same', () => {
    for (const kind of ['prompt.input', 'model.output', 'tool.response']) {
      expect(judged(actionOf(kind), { posture: at('cell') }).verdict.decision).toBe('allow');
      expect(codes(judged(actionOf(kind), { posture: at('locked') }))).toEqual(['guard.posture.state_locked']);
    }
    expect(codes(judged(actionOf('agent.message'), { posture: at('cell') }))).toEqual(['guard.posture.capability_not_allowed']);
  });

  it('a tool by any name takes what it does: a command is shell, a written file is file_write', () => {
    const span = { path: '/params', start: 0, end: 1 };
    const effect = { span, kind: 'writes', target: '/x', place: '', command: -1 };
    expect(
      codes(
        judged(actionOf('mcp.call'), {
          facts: { commands: [{ name: 'ls', line: 'ls', args: [], redirects: [], wrappers: [], pipedFrom: -1 }] },
        }),
      ),
    ).toContain('guard.posture.capability_not_allowed');
    expect(codes(judged(actionOf('tool.call'), { facts: { effects: [effect] } }))).toContain('guard.posture.capability_not_allowed');
    expect(codes(judged(actionOf('tool.call'), { facts: { effects: [{ ...effect, kind: 'reads' }] } }))).toEqual([]);
  });

  it.each([
    ['with', POSTURE],
    ['without', undefined],
  ])('POL-215 locked holds under a policy %s posture, and nothing of it changes', (_, policy) => {
    for (const kind of ['file.read', 'tool.call', 'shell.exec', 'nonsense']) {
      const denied = judged(actionOf(kind), { policy, posture: at('locked'), findings: [found('critical', 900)] });
      expect([denied.verdict.decision, codes(denied).includes('guard.posture.state_locked'), denied.delta.posture]).toEqual([
        'deny',
        true,
        undefined,
      ]);
    }
  });
});

describe('POL-220 POL-221 who moves a session', () => {
  const up = actionOf('session.transition', { to: 'high', on: 'user_approval', reason: 'rm -rf / was a mistake' });

  it('an agent never does, whatever it sends', () => {
    for (const policy of [POSTURE, undefined]) {
      const denied = judged(up, { policy });
      expect([denied.verdict.decision, codes(denied).includes('posture.transition_not_permitted')]).toEqual(['deny', true]);
      expect(denied.delta.posture?.state ?? 'low').toBe('low');
    }
  });

  it('an operator does, along an edge of the policy, and the reason says which', () => {
    const allowed = judged(up, { authority: 'posture:transition', findings: [found('critical', 1000)] });
    expect([allowed.verdict.decision, allowed.verdict.reasons]).toMatchObject([
      'allow',
      [{ code: 'posture.transition', text: 'low -> high on user_approval' }],
    ]);
    expect(allowed.delta.posture).toMatchObject({
      state: 'high',
      entered: SECONDS,
      history: [{ from: 'low', to: 'high', on: 'user_approval', at: SECONDS }],
    });
  });

  it.each<[JsonValue, Authority, string]>([
    [{ to: 'cell', on: 'user_approval' }, 'posture:transition', 'posture.no_such_transition'],
    [{ to: 'high', on: 'critical_violation' }, 'posture:transition', 'posture.transition_malformed'],
    [{ to: 7, on: 'user_approval' }, 'posture:transition', 'posture.transition_malformed'],
    ['high', 'posture:transition', 'posture.transition_malformed'],
    [{ to: 'high', on: 'user_approval' }, 'posture:lock', 'posture.transition_not_permitted'],
    [{ on: 'user_approval' }, 'posture:lock', 'posture.transition_not_permitted'],
    [{ to: 'locked', on: 'user_denial' }, 'posture:lock', 'posture.transition'],
  ])('%j with %s: %s', (params, authority, code) => {
    const made = judged(actionOf('session.transition', params), { authority });
    expect(codes(made)).toEqual([code]);
    expect(made.verdict.decision).toBe(code === 'posture.transition' ? 'allow' : 'deny');
    expect(made.delta.posture?.state).toBe(code === 'posture.transition' ? 'locked' : undefined);
  });

  it('an authority is good for nothing but that action', () => {
    expect(codes(judged(actionOf('shell.exec'), { authority: 'posture:transition' }))).toEqual(['guard.posture.capability_not_allowed']);
  });
});

describe('POL-222 the judge with a posture', () => {
  const posture: fc.Arbitrary<PostureState | undefined> = fc.option(
    fc.record({
      n: fc.nat(9),
      state: fc.constantFrom('low', 'high', 'cell', 'locked', '', 'gone'),
      entered: fc.constant(SECONDS),
      used: fc.constantFrom({}, { mcp_tool_calls: 2 }),
      history: fc.constant([]),
    }),
    { nil: undefined },
  );
  const input = fc.record({
    action: anyAction,
    facts: anyFacts,
    state: anyState,
    posture,
    findings: fc.array(anyFinding, { maxLength: 4 }),
    guards: fc.array(anyGuard, { maxLength: 2 }),
  });

  function run(generated: typeof input extends fc.Arbitrary<infer T> ? T : never, section: Posture | undefined): Judgement {
    const compiled = section === undefined ? undefined : compilePosture(section);
    const policy = {
      thresholds: { flag: 300, block: 700 },
      unregisteredTools: 'warn',
      toolThresholds: [],
      posture: compiled,
    } as unknown as CompiledPolicy;
    const state = { ...generated.state, ...(generated.posture === undefined ? {} : { posture: generated.posture }) };
    const parts = { matchRules: () => ({ findings: generated.findings }), evaluateGuards: () => generated.guards };
    return judgeWith(parts, { now: NOW, action: generated.action, facts: generated.facts, state, policy, rules: {} as CompiledRules });
  }

  it('gives equal verdicts and deltas for equal inputs, and is never more permissive than without one', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const once = run(generated, POSTURE);
        const text = (judgement: Judgement): string => canonicalize([judgement.verdict, judgement.delta] as unknown as JsonValue);
        expect(text(run(structuredClone(generated), POSTURE))).toBe(text(once));
        if (once.verdict.decision === 'allow') expect(run({ ...generated, posture: undefined }, undefined).verdict.decision).toBe('allow');
        if (generated.posture?.state === 'locked' || generated.posture?.state === 'gone') expect(once.verdict.decision).toBe('deny');
        expect((once.delta.posture?.n ?? 1) > (generated.posture?.n ?? 0) || once.delta.posture === undefined).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('a posture that fails denies', () => {
    const broken = { ...at('low'), history: null } as unknown as PostureState;
    const made = judged(actionOf('file.read'), { posture: broken, findings: [found('critical', 900)] });
    expect([made.verdict.decision, codes(made).includes('judge.posture_failed')]).toEqual(['deny', true]);
    const worse = judged(actionOf('session.transition', { to: 'high', on: 'user_approval' }), {
      posture: broken,
      authority: 'posture:transition',
    });
    expect([worse.verdict.decision, codes(worse)]).toEqual(['deny', ['judge.posture_failed']]);
  });
});
