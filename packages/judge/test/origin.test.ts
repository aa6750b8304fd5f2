/** Origins and brokered hosts in the judge: denials, reasons, what is kept, and that nobody gains by them. */
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { type CompiledPolicy, compilePolicy, parsePolicy, resolvePolicy } from '@countersign/policy';
import { type Action, DECISIONS, type Facts, type Judgement, type PostureState, type StateDelta } from '@countersign/protocol';
import type { CompiledRules } from '@countersign/rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeWith, type JudgeParts } from '../src/index.ts';
import { action as anyAction, facts as anyFacts, finding as anyFinding, guard as anyGuard, state as anyState } from './arbitraries.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const SECONDS = Date.parse(NOW) / 1000;

const POLICY = `posture:
  initial: low
  states: {low: {capabilities: [mcp_tool, shell, egress]}, cell: {}}
  transitions: [{from: low, to: cell, on: any_violation}]
origins:
  profiles:
    - id: room
      match_rules: {provider: slack}
      mcp: {block: [drop], require_confirmation: [ask]}
      egress: {allow: [api.example, api.pay.example], default_action: log}
      budgets: {mcp_tool_calls: 2}
      bridge_policy: {allow_cross_origin: true, allowed_targets: [{provider: github}]}
    - {id: review, match_rules: {provider: github}}
broker:
  providers:
    - {name: pay, host: api.pay.example, secret_ref: S, exact_paths: [/v1], methods: [GET], max_executions: 1}
`;

function compiled(yaml: string): CompiledPolicy {
  const document = parsePolicy(yaml, 'test');
  const resolved = document.ok ? resolvePolicy(document.value, { rulesets: new Map(), hostSets: new Map() }) : document;
  const policy = resolved.ok ? compilePolicy(resolved.value) : resolved;
  if (!policy.ok) throw new Error(JSON.stringify(policy.error));
  return policy.value;
}

const WHOLE = compiled(POLICY);
const { origins: _o, broker: _b, ...bare } = WHOLE;
const WITHOUT: CompiledPolicy = bare;

const EMPTY = {
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
const SLACK: JsonObject = { provider: 'slack', space_id: 'C1' };
const GITHUB: JsonObject = { provider: 'github' };

function actionOf(kind: string, more: Partial<Action> = {}, claim: JsonObject | null = SLACK): Action {
  const source = { framework: 'test', door: 'test' };
  const origin = claim === null ? {} : { origin: { origin: claim } };
  return { v: 1, id: 'i', kind, source, org: 'o', agent: 'a', session: 's', delegation: [], ...origin, ...more };
}

function hostFact(url: string, host: string): Facts['hosts'][number] {
  return { span: { path: '/params/url', start: 0, end: url.length }, raw: url, host, url, oddities: [], access: 'connect', command: -1 };
}

interface Asked {
  readonly facts?: Partial<Facts>;
  readonly posture?: PostureState | undefined;
  readonly policy?: CompiledPolicy;
  readonly parts?: Partial<JudgeParts>;
}

function judged(action: Action, asked: Asked = {}): Judgement {
  const state = {
    agentState: 'active' as const,
    scopes: ['*'],
    tool: 'registered' as const,
    ...(asked.posture && { posture: asked.posture }),
  };
  return judgeWith(
    { matchRules: () => ({ findings: [] }), evaluateGuards: () => [], ...asked.parts },
    { now: NOW, action, facts: { ...EMPTY, ...asked.facts }, state, policy: asked.policy ?? WHOLE, rules: {} as CompiledRules },
  );
}

const codes = ({ verdict }: Judgement): readonly string[] => verdict.reasons.map(({ code }) => code);
const call = (tool: string, claim: JsonObject | null = SLACK): Action => actionOf('mcp.call', { tool, params: {} }, claim);

describe('POL-310 an origin in a verdict', () => {
  it('every verdict says that the origin is what the client said', () => {
    const allowed = judged(call('x'));
    expect([allowed.verdict.decision, allowed.verdict.reasons]).toMatchObject([
      'allow',
      [
        {
          code: 'guard.origin.asserted',
          severity: 'info',
          score: 0,
          text: 'origin judged as profile room (match_rules), by what the client says of it, which nobody verified',
        },
      ],
    ]);
    expect(allowed.guards).toMatchObject([
      {
        guard: 'origin',
        allowed: true,
        details: { enclave: { profile_id: 'room', resolution_path: 'match_rules' }, provenance: 'asserted' },
      },
    ]);
  });

  it('without one nothing is allowed, texts included; without the section nobody asks', () => {
    for (const kind of ['mcp.call', 'file.read', 'prompt.input', 'model.output', 'tool.response', 'agent.message', 'nonsense']) {
      const denied = judged(actionOf(kind, { tool: 'x' }, null));
      expect([kind, denied.verdict.decision, codes(denied).includes('guard.origin.origin_required')]).toEqual([kind, 'deny', true]);
    }
    expect(judged(actionOf('prompt.input', {}, null), { policy: WITHOUT }).verdict.decision).toBe('allow');
  });

  it('what a profile refuses is a denial of guard `origin`, and a violation; what would need a yes is of severity medium', () => {
    const denied = judged(call('drop'));
    expect([denied.verdict.decision, denied.verdict.severity, codes(denied)]).toEqual([
      'deny',
      'high',
      ['guard.origin.tool_blocked', 'guard.origin.asserted', 'posture.transition'],
    ]);
    expect(denied.delta.posture).toMatchObject({ state: 'cell', origin: { profile: 'room' } });
    const asks = judged(call('ask'));
    expect([asks.verdict.decision, asks.verdict.severity]).toEqual(['deny', 'medium']);
  });

  it('a host that is only logged warns', () => {
    const action = actionOf('net.egress', { params: { url: 'https://b.example/' } });
    const warned = judged(action, { facts: { hosts: [hostFact('https://b.example/', 'b.example')] } });
    expect([warned.verdict.decision, codes(warned)]).toEqual(['warn', ['guard.origin.egress_logged', 'guard.origin.asserted']]);
  });

  it('a budget is counted in the posture of the session; that it ran out is no violation', () => {
    const posture = judged(call('x')).delta.posture;
    expect(posture).toEqual({
      n: 1,
      state: 'low',
      entered: SECONDS,
      used: {},
      history: [],
      origin: { at: expect.stringMatching(/^[0-9a-f]{32}$/), profile: 'room' },
      counts: { 'origin/room/mcp_tool_calls': 1 },
    });
    const second = judged(call('x'), { posture }).delta.posture;
    expect(second).toMatchObject({ n: 2, counts: { 'origin/room/mcp_tool_calls': 2 }, origin: posture?.origin });
    const third = judged(call('x'), { posture: second });
    expect([third.verdict.decision, codes(third), third.delta.posture]).toEqual([
      'deny',
      ['guard.origin.budget_exhausted', 'guard.origin.asserted'],
      undefined,
    ]);
  });

  it('what is denied counts nothing, and binds a session that stood nowhere', () => {
    const denied = judged(call('drop'), { policy: compiled(POLICY.replace('{from: low, to: cell, on: any_violation}', '')) });
    expect(denied.delta.posture?.counts).toBeUndefined();
    expect(codes(judged(call('x', { provider: 'slack', space_id: 'C2' }), { posture: denied.delta.posture }))).toContain(
      'guard.origin.cross_origin_target',
    );
  });

  it('a session goes on elsewhere only where it was allowed to, and stands there after', () => {
    const { posture } = judged(call('x')).delta;
    const gone = judged(call('y', GITHUB), { posture });
    expect([gone.verdict.decision, gone.delta.posture?.origin?.profile]).toEqual(['allow', 'review']);
    expect(gone.delta.posture?.counts).toEqual({ 'origin/room/mcp_tool_calls': 1 });
    const back = judged(call('x'), { posture: gone.delta.posture });
    expect([back.verdict.decision, codes(back), back.delta.posture?.origin]).toMatchObject([
      'deny',
      expect.arrayContaining(['guard.origin.cross_origin']),
      { profile: 'review' },
    ]);
  });

  it('an operator moves a session without a place, and what it remembers stays', () => {
    const posture = { ...(judged(call('drop')).delta.posture ?? { n: 0, state: '', entered: 0, used: {}, history: [] }) };
    const action = actionOf('session.transition', { params: { to: 'locked', on: 'user_denial', reason: 'r' } }, null);
    const state = { agentState: 'active' as const, posture, authority: 'posture:lock' as const };
    const parts = { matchRules: () => ({ findings: [] }), evaluateGuards: () => [] };
    const moved = judgeWith(parts, { now: NOW, action, facts: EMPTY, state, policy: WHOLE, rules: {} as CompiledRules });
    expect([moved.verdict.decision, moved.delta.posture]).toMatchObject(['allow', { state: 'locked', origin: posture.origin }]);
  });

  it('a policy without posture keeps places too', () => {
    const policy = compiled(POLICY.slice(POLICY.indexOf('origins:')));
    const { posture } = judged(call('x'), { policy }).delta;
    expect(posture).toMatchObject({ n: 1, state: '', counts: { 'origin/room/mcp_tool_calls': 1 }, origin: { profile: 'room' } });
    expect(judged(call('x'), { policy, posture }).delta.posture).toMatchObject({ n: 2, counts: { 'origin/room/mcp_tool_calls': 2 } });
    // A posture that comes later begins at its beginning.
    expect(judged(call('x'), { posture }).delta.posture).toMatchObject({ state: 'low', counts: { 'origin/room/mcp_tool_calls': 2 } });
  });

  it('a part that fails denies', () => {
    const hostile = { ...WHOLE, origins: null as never };
    expect(codes(judged(call('x'), { policy: hostile }))).toContain('judge.origin_failed');
    const broken = { ...WHOLE, broker: null as never };
    const hosts = [hostFact('https://b.example/', 'b.example')];
    expect(codes(judged(call('x'), { policy: broken, facts: { hosts } }))).toContain('judge.broker_failed');
  });
});

describe('POL-317 a brokered host in a verdict', () => {
  const url = 'https://api.pay.example/v1';
  const facts = { hosts: [hostFact(url, 'api.pay.example')] };
  const get = actionOf('net.egress', { params: { url, method: 'GET' } });

  it('passes as the provider lists it, is counted, and refused after', () => {
    const once = judged(get, { facts });
    expect([once.verdict.decision, once.delta.posture?.counts]).toEqual(['allow', { 'broker/pay': 1 }]);
    const again = judged(get, { facts, posture: once.delta.posture });
    expect([again.verdict.decision, codes(again)]).toMatchObject(['deny', expect.arrayContaining(['guard.broker.executions_exhausted'])]);
  });

  it('a risk that needs an approval is that of the scores, and where there are none the worst', () => {
    const policy = compiled(POLICY.replace('max_executions: 1', 'approval_required_risk_levels: [medium, high]'));
    const said = judged(get, { facts, policy });
    const { level } = said.verdict.scores ?? {};
    expect(codes(said).includes('guard.broker.approval_required_risk')).toBe(level !== 'low');
    const never = compiled(POLICY.replace('max_executions: 1', `approval_required_risk_levels: [${level === 'low' ? 'high' : 'low'}]`));
    expect(judged(get, { facts, policy: never }).verdict.decision).toBe('allow');
    // No scores can be made of facts without effects.
    const blind = judged(get, { facts: { ...facts, paths: undefined as never }, policy: never });
    expect(codes(blind)).toContain('guard.broker.approval_required_risk');
  });
});

describe('POL-304 POL-316 the judge with origins and a broker', () => {
  const claim = fc.constantFrom<JsonObject | undefined>(
    undefined,
    SLACK,
    GITHUB,
    { provider: 'teams' },
    { provider: 'slack', visibility: 'x' },
  );
  const kept = fc.constantFrom<PostureState['origin']>(
    undefined,
    { at: '0'.repeat(32), profile: 'room' },
    { at: '1'.repeat(32), profile: 'gone' },
  );
  const input = fc.record({
    action: anyAction,
    facts: anyFacts,
    state: anyState,
    findings: fc.array(anyFinding, { maxLength: 3 }),
    guards: fc.array(anyGuard, { maxLength: 2 }),
    claim,
    kept,
  });
  type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

  function run(generated: Input, policy: CompiledPolicy): Judgement {
    const { claim: said, kept: origin, findings, guards } = generated;
    const action = said === undefined ? generated.action : { ...generated.action, origin: { origin: said } };
    const posture = { n: 1, state: 'low', entered: SECONDS, used: {}, history: [], ...(origin === undefined ? {} : { origin }) };
    const parts = { matchRules: () => ({ findings }), evaluateGuards: () => guards };
    return judgeWith(parts, {
      now: NOW,
      action,
      facts: generated.facts,
      state: { ...generated.state, posture },
      policy,
      rules: {} as CompiledRules,
    });
  }

  const rank = ({ verdict }: Judgement): number => DECISIONS.indexOf(verdict.decision);

  it('is never more permissive than without them, and gives equal answers to equal questions', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const once = run(generated, WHOLE);
        const text = (one: Judgement): string => canonicalize([one.verdict, one.delta] as unknown as JsonValue);
        expect(text(run(structuredClone(generated), WHOLE))).toBe(text(once));
        expect(rank(once)).toBeGreaterThanOrEqual(rank(run(generated, WITHOUT)));
      }),
      { numRuns: 800, seed: 21 },
    );
  });

  it('a session never changes its place on a denial, and counts never go back', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const { verdict, delta }: { verdict: Judgement['verdict']; delta: StateDelta } = run(generated, WHOLE);
        if (verdict.decision === 'deny' && generated.kept !== undefined)
          expect(delta.posture?.origin ?? generated.kept).toEqual(generated.kept);
        for (const count of Object.values(delta.posture?.counts ?? {})) expect(count).toBeGreaterThan(0);
      }),
      { numRuns: 800, seed: 22 },
    );
  });
});
