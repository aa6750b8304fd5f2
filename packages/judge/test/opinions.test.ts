/** Outside opinions can make a verdict worse, never better; and a replay that finds one that did says so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '@countersign/kernel';
import type { CompiledPolicy } from '@countersign/policy';
import { DECISIONS, type Facts, type Judgement, SEVERITIES, type Signal, type Verdict } from '@countersign/protocol';
import type { CompiledRules } from '@countersign/rules';
import {
  findDeEscalation,
  JUDGE_LIMITS,
  type JudgingEngine,
  judgeWith,
  readOpinions,
  replay,
  type RecordedDecision,
} from '../src/index.ts';
import { action, facts, finding, guard, state } from './arbitraries.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const good = { source: 'local-model', severity: 'high', score: 800, reason: 'prompt_injection' } as const;
const llm = (value: JsonValue): Signal => ({ kind: 'llm', subject: '/content', value });

const severity = fc.constantFrom(...SEVERITIES);
const wellFormed = fc.record({
  source: fc.constantFrom('local-model', 'feed.example', 'a'),
  severity,
  score: fc.integer({ min: 0, max: 1000 }),
  reason: fc.constantFrom('prompt_injection', 'known_bad_host', 'x'),
});
const anything = fc.oneof(wellFormed, wellFormed, fc.jsonValue() as fc.Arbitrary<JsonValue>);
const signal: fc.Arbitrary<Signal> = fc.record({
  kind: fc.constantFrom('llm', 'threat-intel', 'symlink'),
  subject: fc.string({ maxLength: 20 }),
  value: anything,
});

const generated = fc.record({
  action,
  facts,
  state,
  findings: fc.array(finding, { maxLength: 40 }),
  guards: fc.array(guard, { maxLength: 4 }),
  thresholds: fc.constantFrom({ flag: 300, block: 700 }, { flag: 100, block: 500 }, { flag: 0, block: 1001 }),
  unregisteredTools: fc.constantFrom<'refuse' | 'warn'>('refuse', 'warn'),
});
type Generated = typeof generated extends fc.Arbitrary<infer T> ? T : never;

function run(input: Generated, signals: readonly Signal[]): Judgement {
  const { opinions, fault } = readOpinions(signals);
  const { opinionFault: _fault, ...base } = input.facts;
  const seen: Facts = { ...base, opinions, ...(fault === undefined ? {} : { opinionFault: fault }) };
  const { thresholds, unregisteredTools } = input;
  // Only what the judge reads of a policy; the parts that read the rest are given.
  const policy = { name: 'test', thresholds, unregisteredTools, toolThresholds: [] } as unknown as CompiledPolicy;
  return judgeWith(
    { matchRules: () => ({ findings: input.findings }), evaluateGuards: () => input.guards },
    { now: NOW, action: input.action, facts: seen, state: input.state, policy, rules: {} as CompiledRules },
  );
}

const rank = <T extends string>(names: readonly T[], name: T): number => names.indexOf(name);

describe('an opinion', () => {
  it('VER-030 is read as it is', () => {
    expect(readOpinions([llm(good), { kind: 'symlink', subject: '/a', value: null }])).toEqual({ opinions: [{ kind: 'llm', ...good }] });
  });

  it.each<[string, JsonValue]>([
    ['nothing', null],
    ['a text', 'deny'],
    ['a list', [good]],
    ['without a source', { severity: 'high', score: 1, reason: 'x' }],
    ['with one member more', { ...good, allow: true }],
    ['of an unknown severity', { ...good, severity: 'none' }],
    ['of a score below', { ...good, score: -1 }],
    ['of a score above', { ...good, score: 1001 }],
    ['of a fraction', { ...good, score: 0.5 }],
    ['of a score in words', { ...good, score: '800' }],
    ['of a source in capitals', { ...good, source: 'Model' }],
    ['with a reason that could quote', { ...good, reason: 'key is AKIA0' }],
    ['with a reason of digits', { ...good, reason: 'x1' }],
    ['with an empty reason', { ...good, reason: '' }],
  ])('VER-031 %s denies', (_name, value) => {
    expect(readOpinions([llm(value)])).toEqual({ opinions: [], fault: 'opinion.malformed' });
    fc.assert(
      fc.property(generated, (input) => {
        const { verdict } = run(input, [llm(value)]);
        expect(verdict).toMatchObject({ decision: 'deny', severity: 'critical', risk: 1000 });
        expect(verdict.reasons.map(({ code }) => code)).toContain('opinion.malformed');
      }),
      { numRuns: 20 },
    );
  });

  it('VER-031 that is malformed does not hide those that are not', () => {
    expect(readOpinions([llm(good), llm(null), llm(good)]).opinions).toHaveLength(2);
  });

  it('VER-032 of n on one action all are heard; n + 1 deny', () => {
    const many = Array.from({ length: JUDGE_LIMITS.opinionsMax }, () => llm(good));
    expect(readOpinions(many).opinions).toHaveLength(JUDGE_LIMITS.opinionsMax);
    expect(readOpinions([...many, llm(good)])).toEqual({ opinions: [], fault: 'opinion.too_many' });
  });

  it('VER-032 may have a reason of n characters; n + 1 deny', () => {
    const reason = 'a'.repeat(JUDGE_LIMITS.opinionReasonMax);
    expect(readOpinions([llm({ ...good, reason })]).fault).toBeUndefined();
    expect(readOpinions([llm({ ...good, reason: `${reason}a` })]).fault).toBe('opinion.malformed');
  });

  it('VER-033 becomes a finding with its severity and score', () => {
    fc.assert(
      fc.property(generated, wellFormed, (input, value) => {
        const judged = run({ ...input, findings: [] }, [llm(value)]);
        expect(judged.findings).toMatchObject([{ rule: `opinion.llm.${value.reason}`, severity: value.severity, score: value.score }]);
        expect(judged.verdict.risk).toBeGreaterThanOrEqual(value.score);
      }),
    );
  });

  it('VER-034 RPLY-050 never lowers decision, severity or risk, whatever it says and however many there are', () => {
    fc.assert(
      fc.property(generated, fc.array(signal, { maxLength: 20 }), (input, signals) => {
        const [without, verdict] = [run(input, []).verdict, run(input, signals).verdict];
        expect(rank(DECISIONS, verdict.decision)).toBeGreaterThanOrEqual(rank(DECISIONS, without.decision));
        expect(rank(SEVERITIES, verdict.severity)).toBeGreaterThanOrEqual(rank(SEVERITIES, without.severity));
        expect(verdict.risk).toBeGreaterThanOrEqual(without.risk);
        const more = run(input, [...signals, llm(good)]).verdict;
        expect(rank(DECISIONS, more.decision)).toBeGreaterThanOrEqual(rank(DECISIONS, verdict.decision));
        expect(more.risk).toBeGreaterThanOrEqual(verdict.risk);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('replay of opinions', () => {
  const calm: Verdict = {
    decision: 'allow',
    risk: 0,
    severity: 'info',
    reasons: [],
    reasonsCut: 0,
    obligations: [],
    by: 'judge',
  };
  const base = { time: NOW, action: { kind: 'prompt.input' }, state: {} } as unknown as RecordedDecision;

  /** An engine that says `withOpinions` where there is an opinion, and `without` where there is none. */
  function engineOf(withOpinions: Partial<Verdict>, without: Partial<Verdict>): JudgingEngine {
    return {
      policyName: 'test',
      understand: (_action, signals) => ({ opinions: readOpinions(signals).opinions }) as unknown as Facts,
      judge: ({ facts: { opinions = [] } }) =>
        ({ verdict: { ...calm, ...(opinions.length > 0 ? withOpinions : without) }, delta: {} }) as unknown as Judgement,
    };
  }

  it.each<[string, Partial<Verdict>, Partial<Verdict>]>([
    ['decision', { decision: 'warn' }, { decision: 'deny' }],
    ['severity', { decision: 'deny', severity: 'low' }, { decision: 'warn', severity: 'high' }],
    ['risk', { severity: 'high', risk: 10 }, { severity: 'high', risk: 11 }],
  ])('RPLY-050 names a lowered %s', (field, withOpinions, without) => {
    const engine = engineOf(withOpinions, without);
    const recorded = { ...base, signals: [llm(good)], verdict: { ...calm, ...withOpinions } };
    expect(replay(engine, recorded)).toMatchObject({ equal: true });
    expect(findDeEscalation(engine, recorded)).toMatchObject({ path: `/verdict/${field}` });
  });

  it('RPLY-050 says nothing where opinions raised, changed nothing, were not given, or the judge was not asked', () => {
    const signals = [llm(good)];
    const recorded = { ...base, signals, verdict: calm };
    expect(findDeEscalation(engineOf({}, {}), recorded)).toBeUndefined();
    expect(findDeEscalation(engineOf({ risk: 5 }, {}), { ...recorded, verdict: { ...calm, risk: 5 } })).toBeUndefined();
    expect(findDeEscalation(engineOf({}, { risk: 9 }), { ...recorded, signals: [] })).toBeUndefined();
    const denied: Verdict = { ...calm, by: 'pipeline', decision: 'deny' };
    expect(findDeEscalation(engineOf({}, { risk: 9 }), { ...recorded, verdict: denied })).toBeUndefined();
  });
});
