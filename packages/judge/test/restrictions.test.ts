/** Boundaries, protected entities, exemptions and Cedar, each in a loaded engine. */
import type { JsonValue } from '@countersign/kernel';
import { parsePolicy, resolvePolicy } from '@countersign/policy';
import { mergeRuleDocuments, parseRules, ruleSetJson } from '@countersign/rules';
import { type Action, type Judgement, PROTOCOL_LIMITS, type StateSlice, type Verdict } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { wasmBytes } from '../../facts/test/wasm-bytes.ts';
import { cedarBytes } from '../../policy/test/cedar-world.ts';
import { actionOf } from '../../policy/test/support.ts';
import { createEngine, type JudgingEngine } from '../src/index.ts';

const RULES = `
version: 1
pack: p
description: d
rules:
  - {id: A, title: t, category: gossip, severity: high, score: 0.8, kinds: [any], when: {text: {any: [shibboleth]}}, examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}
  - {id: B, title: t, category: c, severity: high, score: 0.9, exemptable: false, kinds: [any], when: {text: {any: [abracadabra]}}, examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}
  - {id: C, title: t, category: c, severity: low, score: 0.35, exemptable: false, kinds: [any], when: {text: {any: [hocus]}}, examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}
`;
const engine = await createEngine({ ...wasmBytes(), cedar: cedarBytes });
const STATE: StateSlice = { agentState: 'active', scopes: ['*'], tool: 'registered', orgMode: 'locked' };
/** A Friday, 03:04 UTC. */
const NOW = '2026-01-02T03:04:05.678Z';
const OFF = { egress_allowlist: { enabled: false } };

function load(sections: object): ReturnType<typeof engine.load> {
  const read = parseRules(RULES, 'p.yaml');
  const merged = read.ok ? mergeRuleDocuments([read.value]) : read;
  const parsed = parsePolicy(JSON.stringify({ guards: OFF, ...sections }), 'test');
  const policy = parsed.ok ? resolvePolicy(parsed.value, { rulesets: new Map(), hostSets: new Map() }) : parsed;
  if (!policy.ok || !merged.ok) throw new Error(JSON.stringify([policy, merged]));
  return engine.load({ policy: policy.value as unknown as JsonValue, rules: ruleSetJson(merged.value) });
}

const loaded = new Map<string, JudgingEngine>();

interface Over {
  readonly action?: Partial<Action>;
  readonly state?: StateSlice;
  readonly now?: string;
}

function engineFor(sections: object): JudgingEngine {
  const key = JSON.stringify(sections);
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const fresh = load(sections);
  if (!fresh.ok) throw new Error(JSON.stringify(fresh.error));
  loaded.set(key, fresh.value);
  return fresh.value;
}

function judgement(sections: object, params: JsonValue, over: Over = {}): Judgement {
  const made = engineFor(sections);
  const action = actionOf({ kind: 'db.query', tool: 'database.query', params, ...over.action });
  const facts = made.understand(action, []);
  return made.judge({ now: over.now ?? NOW, action, facts, state: { ...STATE, ...over.state } });
}

function judge(sections: object, params: JsonValue, over: Over = {}): Verdict {
  return judgement(sections, params, over).verdict;
}

const codes = ({ decision, reasons }: Verdict): readonly string[] => [decision, ...reasons.map(({ code }) => code)];
const said = (note: string): JsonValue => ({ query: 'SELECT a FROM t WHERE b = 3 LIMIT 5', note });

describe('exemptions', () => {
  const exemptions = [{ label: 'chatter', rules: ['A'], scope: 'db:query:*', description: 'the words of the house' }];

  it('POL-250 lift the findings they name where their scope covers the action, and say so', () => {
    expect(codes(judge({}, said('shibboleth')))).toEqual(['deny', 'A']);
    expect(codes(judge({ exemptions }, said('shibboleth')))).toEqual(['allow', 'scope_exemption:chatter']);
    expect(judge({ exemptions }, said('shibboleth'))).toMatchObject({
      risk: 0,
      severity: 'info',
      reasons: [{ text: 'exempt by the policy: A', score: 0 }],
    });
    expect(codes(judge({ exemptions }, said('nothing')))).toEqual(['allow']);
    expect(codes(judge({ exemptions }, { query: 'DELETE FROM t WHERE b = 3', note: 'shibboleth' }))).toEqual(['deny', 'A']);
  });

  it('POL-251 lift nothing of a text, and nothing beside a block that cannot be lifted', () => {
    const prompt: Partial<Action> = { kind: 'prompt.input', content: 'shibboleth' };
    expect(codes(judge({ exemptions: [{ ...exemptions[0], scope: '*' }] }, {}, { action: prompt }))).toEqual(['deny', 'A']);
    expect(codes(judge({ exemptions }, said('shibboleth abracadabra')))).toEqual(['deny', 'B', 'A']);
    expect(codes(judge({ exemptions }, said('shibboleth hocus')))).toEqual(['warn', 'C', 'scope_exemption:chatter']);
  });

  it('POL-251 lift no denial', () => {
    const state: StateSlice = { ...STATE, agentState: 'suspended' };
    expect(codes(judge({ exemptions }, said('shibboleth'), { state }))).toEqual([
      'deny',
      'state.agent_not_active',
      'scope_exemption:chatter',
    ]);
    const sections = { exemptions, protected_entities: [{ name: 'payroll', tables: ['t'] }] };
    expect(codes(judge(sections, said('shibboleth')))).toEqual(['deny', 'policy.protected.payroll', 'scope_exemption:chatter']);
  });

  it('POL-252 of a rule that is never exemptable do not load', () => {
    const refused = load({ exemptions: [{ label: 'x', rules: ['A', 'B', 'nobody'], scope: '*' }] });
    expect(refused.ok ? [] : refused.error).toMatchObject([{ code: 'rule_not_exemptable', path: 'exemptions[0].rules' }]);
  });
});

describe('protected entities', () => {
  it('POL-253 deny or warn where their tables, hosts or paths are touched, however these are written', () => {
    const entity = (more: object): object => ({ protected_entities: [{ name: 'payroll', ...more }] });
    const query = (text: string): JsonValue => ({ query: text });
    expect(codes(judge(entity({ tables: ['salar*'] }), query('SELECT a FROM "HR".Salaries WHERE b = 1')))).toEqual([
      'deny',
      'policy.protected.payroll',
    ]);
    expect(codes(judge(entity({ tables: ['salar*'], action: 'flag' }), query('SELECT a FROM hr.salaries WHERE b = 1')))).toEqual([
      'warn',
      'policy.protected.payroll',
    ]);
    expect(codes(judge(entity({ tables: ['salar*'] }), query('SELECT a FROM orders WHERE b = 1')))).toEqual(['allow']);
    const read: Partial<Action> = { kind: 'file.read', tool: 'filesystem.read' };
    expect(codes(judge(entity({ paths: ['/srv/pay/**'] }), { path: '/srv/x/../pay/may.csv' }, { action: read }))).toContain(
      'policy.protected.payroll',
    );
    expect(codes(judge(entity({ paths: ['/srv/pay/**'] }), { path: '/srv/play/may.csv' }, { action: read }))).toEqual(['allow']);
    const fetch: Partial<Action> = { kind: 'net.egress', tool: 'http.get' };
    expect(codes(judge(entity({ hosts: ['*.pay.example'] }), { url: 'https://API.pay.example./x' }, { action: fetch }))).toContain(
      'policy.protected.payroll',
    );
    expect(codes(judge(entity({ hosts: ['*.pay.example'] }), { url: 'https://play.example/x' }, { action: fetch }))).toEqual(['allow']);
  });
});

describe('boundaries', () => {
  const bound = (more: object): object => ({ boundaries: [{ name: 'all', ...more }] });
  const query = (text: string): JsonValue => ({ query: text });

  it('POL-254 B-001 counts the records that a call asks for, and takes no bound for too many', () => {
    const limit = (count: number): readonly string[] =>
      codes(judge(bound({ max_records: 100 }), query(`SELECT a FROM t WHERE b = 2 LIMIT ${String(count)}`)));
    expect([limit(100), limit(101)]).toEqual([['allow'], ['deny', 'boundary.B-001']]);
    const asked = (count: number | string): readonly string[] => codes(judge(bound({}), { filter: 'x', page_size: count }));
    expect([asked(1000), asked(1001), asked('1001')]).toEqual([['allow'], ['deny', 'boundary.B-001'], ['deny', 'boundary.B-001']]);
    expect(codes(judge(bound({}), query('SELECT a FROM t')))).toEqual(['deny', 'boundary.B-001']);
    expect(codes(judge({}, query('SELECT a FROM t')))).toEqual(['allow']);
  });

  it('POL-255 B-002 and B-003 know hours and days, over midnight and by an offset', () => {
    const at = (more: object, now: string): readonly string[] => codes(judge(bound(more), said('x'), { now })).slice(1);
    const office = { hours: { from: 8, to: 18 }, days: ['mon', 'tue', 'wed', 'thu', 'fri'] };
    expect(at(office, '2026-01-02T07:59:59.999Z')).toEqual(['boundary.B-002']);
    expect(at(office, '2026-01-02T08:00:00.000Z')).toEqual([]);
    expect(at(office, '2026-01-02T18:00:00.000Z')).toEqual(['boundary.B-002']);
    expect(at(office, '2026-01-03T12:00:00.000Z')).toEqual(['boundary.B-003']);
    expect(at({ ...office, utc_offset_minutes: 120 }, '2026-01-02T06:00:00.000Z')).toEqual([]);
    expect(at({ ...office, utc_offset_minutes: -600 }, '2026-01-03T01:00:00.000Z')).toEqual([]);
    const night = { hours: { from: 22, to: 6 } };
    expect([at(night, '2026-01-02T23:00:00.000Z'), at(night, '2026-01-02T05:59:00.000Z'), at(night, '2026-01-02T06:00:00.000Z')]).toEqual([
      [],
      [],
      ['boundary.B-002'],
    ]);
  });

  it('POL-256 B-006 holds an agent to its lists of scopes and domains', () => {
    expect(codes(judge(bound({ allow_scopes: ['db:query:*'] }), said('x')))).toEqual(['allow']);
    expect(codes(judge(bound({ allow_scopes: ['scm:*'] }), said('x')))).toEqual(['deny', 'boundary.B-006']);
    expect(codes(judge(bound({ allow_scopes: [] }), said('x')))).toEqual(['deny', 'boundary.B-006']);
    const fetch = (url: string): readonly string[] =>
      codes(judge(bound({ allow_domains: ['*.example.org'] }), { url }, { action: { kind: 'net.egress', tool: 'http.get' } }));
    expect(fetch('https://a.example.org/x')).toEqual(['allow']);
    expect(fetch('https://a.example.net/x')).toEqual(['deny', 'boundary.B-006']);
    expect(fetch('no address')).toEqual(['deny', 'boundary.B-006']);
  });

  it('POL-258 B-004 counts the calls of a minute over all sessions of the agent, and of a session', () => {
    const minute = Math.floor(Date.parse(NOW) / 60_000);
    const hour = Math.floor(minute / 60);
    const window = (calls: number, at = minute): StateSlice => ({
      ...STATE,
      window: { minute: at, calls, hour, bytes: 0, cents: 0, paid: [] },
    });
    const called = (state: StateSlice): readonly string[] => codes(judge(bound({ max_calls_per_minute: 5 }), said('x'), { state }));
    expect([called(STATE), called(window(4)), called(window(5))]).toEqual([['allow'], ['allow'], ['deny', 'boundary.B-004']]);
    expect([called(window(5, minute - 1)), called(window(5, minute + 1))]).toEqual([['allow'], ['deny', 'boundary.B-004']]);
    const session = (sessionCalls: number): readonly string[] =>
      codes(judge(bound({ max_calls_per_session: 3 }), said('x'), { state: { ...STATE, sessionCalls } }));
    expect([session(2), session(3)]).toEqual([['allow'], ['deny', 'boundary.B-004']]);
  });

  it('POL-258 B-005 counts the bytes of an hour, and the delta holds what was counted', () => {
    const minute = Math.floor(Date.parse(NOW) / 60_000);
    const hour = Math.floor(minute / 60);
    const at = (bytes: number): readonly string[] =>
      codes(
        judge(
          bound({ max_bytes_per_hour: 100 }),
          { note: 'é'.repeat(10) },
          { state: { ...STATE, window: { minute, calls: 1, hour, bytes, cents: 0, paid: [] } } },
        ),
      );
    expect([at(80), at(81)]).toEqual([['allow'], ['deny', 'boundary.B-005']]);
    const { delta } = judgement(bound({}), { note: 'é'.repeat(10) });
    expect(delta.window).toEqual({ minute, calls: 1, hour, bytes: 20, cents: 0, paid: [] });
    expect(judgement({}, { note: 'x' }).delta.window).toBeUndefined();
    const prompt = judgement(bound({}), {}, { action: { kind: 'prompt.input', content: 'abc' } }).delta.window;
    expect(prompt).toMatchObject({ calls: 0, bytes: 3 });
  });

  it('POL-263 a payment is counted where it is not refused, and precedes exemptions', () => {
    const pay = { action: { kind: 'tool.call', tool: 'payment.charge' } };
    const exemptions = [{ label: 'chatter', rules: ['A'], scope: '*' }];
    const sections = { ...bound({ max_payment_per_hour_cents: 700 }), exemptions };
    expect(judgement(sections, { amount_cents: 700 }, pay).delta.window?.cents).toBe(700);
    const refused = judgement(sections, { amount_cents: 701, note: 'shibboleth' }, pay);
    expect(codes(refused.verdict)).toEqual(['deny', 'boundary.B-PAYMENT-HOUR', 'scope_exemption:chatter']);
    expect(refused.delta.window?.cents).toBe(0);
    const suspended = judgement(sections, { amount_cents: 5 }, { ...pay, state: { ...STATE, agentState: 'suspended' } });
    expect([suspended.verdict.decision, suspended.delta.window?.cents]).toEqual(['deny', 0]);
  });

  it('POL-257 the first record that matches agent and org holds, and none is no boundary', () => {
    const boundaries = [
      { name: 'one', agents: ['ag*'], orgs: ['other'], allow_scopes: [] },
      { name: 'two', agents: ['agent'], max_records: 1 },
      { name: 'three', allow_scopes: [] },
    ];
    expect(codes(judge({ boundaries }, said('x')))).toEqual(['deny', 'boundary.B-001']);
    expect(codes(judge({ boundaries }, said('x'), { action: { agent: 'else' } }))).toEqual(['deny', 'boundary.B-006']);
    expect(codes(judge({ boundaries: boundaries.slice(0, 2) }, said('x'), { action: { agent: 'else' } }))).toEqual(['allow']);
  });
});

describe('Cedar in the judge', () => {
  it('POL-241 has the last word, over what exemptions left, and only restricts', () => {
    const exemptions = [{ label: 'chatter', rules: ['A'], scope: '*' }];
    const risky = { default: 'allow', text: 'forbid(principal, action, resource) when { context.risk_score_bps >= 700 };' };
    expect(codes(judge({ cedar: risky }, said('shibboleth')))).toEqual(['deny', 'A', 'policy.cedar_forbid']);
    expect(codes(judge({ cedar: risky, exemptions }, said('shibboleth')))).toEqual(['allow', 'scope_exemption:chatter']);
    const open = { text: 'permit(principal, action, resource);' };
    expect(codes(judge({ cedar: open }, said('shibboleth')))).toEqual(['deny', 'A']);
    expect(codes(judge({ cedar: open }, said('x'), { state: { ...STATE, scopes: ['scm:*'] } }))).toEqual(['deny', 'scope_not_granted']);
    expect(codes(judge({ cedar: {} }, said('x')))).toEqual(['deny', 'policy.cedar_no_permit']);
    const flagged = { default: 'allow', text: 'forbid(principal, action, resource) when { context.has_non_exemptable_block };' };
    expect(codes(judge({ cedar: flagged }, said('abracadabra')))).toEqual(['deny', 'B', 'policy.cedar_forbid']);
  });

  it('POL-242 gives equal verdicts in two engines, whatever was judged before', () => {
    const cedar = { text: 'permit(principal, action in Action::"db", resource) unless { context.labels.contains("gossip") };' };
    const fresh = load({ cedar });
    if (!fresh.ok) throw new Error(JSON.stringify(fresh.error));
    const action = actionOf({ kind: 'db.query', tool: 'database.query', params: said('x') });
    const answer = fresh.value.judge({ now: NOW, action, facts: fresh.value.understand(action, []), state: STATE }).verdict;
    judge({ cedar }, said('shibboleth'));
    expect(judge({ cedar }, said('x'))).toEqual(answer);
  });

  it('POL-242 names no more than the limits of a verdict allow', () => {
    const policies = Array.from({ length: 60 }, (_, i) => ({
      id: `p${String(i)}`,
      compiled: 'forbid(principal, action, resource);',
      cedar_reason: 'w'.repeat(900),
    }));
    const { reasons, reasonsCut } = judge({ cedar: { policies } }, said('x'));
    expect(reasons.length + reasonsCut).toBe(60);
    expect(reasons.length).toBeLessThanOrEqual(PROTOCOL_LIMITS.reasonsMax);
  });
});

describe('beside a posture', () => {
  const postureOf = (capabilities: readonly string[]): object => ({
    initial: 'begun',
    states: { begun: { capabilities }, shut: {} },
    transitions: [{ from: 'begun', to: 'shut', on: 'any_violation' }],
  });
  const [permits, refuses] = [postureOf(['mcp_tool']), postureOf(['file_access'])];

  it('POL-213 what an exemption lifted is no violation, and what Cedar or an entity refuses is one', () => {
    const exemptions = [{ label: 'chatter', rules: ['A'], scope: 'db:query:*' }];
    expect(codes(judge({ posture: permits }, said('shibboleth')))).toEqual(['deny', 'A', 'posture.transition']);
    expect(codes(judge({ posture: permits, exemptions }, said('shibboleth')))).toEqual(['allow', 'scope_exemption:chatter']);
    expect(codes(judge({ posture: permits, cedar: {} }, said('x')))).toEqual(['deny', 'policy.cedar_no_permit', 'posture.transition']);
    const entities = [{ name: 'payroll', tables: ['t'] }];
    expect(codes(judge({ posture: permits, protected_entities: entities }, said('x')))).toContain('posture.transition');
  });

  it('POL-241 Cedar hears nothing of what only the posture refuses, which stays no violation', () => {
    const cedar = { default: 'allow', text: 'forbid(principal, action, resource) when { context.risk_score_bps >= 700 };' };
    const { verdict, delta } = judgement({ posture: refuses, cedar }, said('x'));
    expect(verdict).toMatchObject({ decision: 'deny', risk: 850 });
    expect(verdict.reasons.map(({ code }) => code)).not.toContain('policy.cedar_forbid');
    expect(verdict.reasons.map(({ code }) => code)).not.toContain('posture.transition');
    expect(delta.posture?.state).not.toBe('shut');
  });

  it('POL-263 what only the posture refuses is not paid', () => {
    const boundaries = [{ name: 'b', agents: ['*'], max_payment_per_hour_cents: 700 }];
    const pay: Over = { action: { kind: 'tool.call', tool: 'payment.send' } };
    const centsUnder = (posture: object): number | undefined =>
      judgement({ boundaries, posture }, { amount_cents: 70 }, pay).delta.window?.cents;
    expect([centsUnder(permits), centsUnder(refuses)]).toEqual([70, 0]);
  });
});
