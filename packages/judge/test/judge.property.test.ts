import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, type JsonValue, utf8Length } from '@countersign/kernel';
import { type CompiledPolicy, scopeForTool } from '@countersign/policy';
import { DECISIONS, type Judgement, PROTOCOL_LIMITS } from '@countersign/protocol';
import type { CompiledRules } from '@countersign/rules';
import { judgeWith, type JudgeInput, type JudgeParts } from '../src/index.ts';
import { action, facts, finding, guard, state } from './arbitraries.ts';
import { referenceJudge } from './reference-judge.ts';

const input = fc.record({
  action,
  facts,
  state,
  findings: fc.array(finding, { maxLength: 40 }),
  guards: fc.array(guard, { maxLength: 8 }),
  thresholds: fc.constantFrom({ flag: 300, block: 700 }, { flag: 100, block: 500 }),
  unregisteredTools: fc.constantFrom<'refuse' | 'warn'>('refuse', 'warn'),
});
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

const NOW = '2026-01-01T00:00:00.000Z';

function run(generated: Input, parts: Partial<JudgeParts> = {}): Judgement {
  const policy = {
    name: 'test',
    thresholds: generated.thresholds,
    unregisteredTools: generated.unregisteredTools,
    toolThresholds: [],
  } as unknown as CompiledPolicy;
  const judged: JudgeInput = {
    now: NOW,
    action: generated.action,
    facts: generated.facts,
    state: generated.state,
    policy,
    rules: {} as CompiledRules,
  };
  return judgeWith({ matchRules: () => ({ findings: generated.findings }), evaluateGuards: () => generated.guards, ...parts }, judged);
}

const rank = (decision: string): number => (DECISIONS as readonly string[]).indexOf(decision);
const boom = (): never => {
  throw new TypeError('a secret in the message');
};

describe('the judge', () => {
  it('VER-001 VER-002 VER-003 VER-004 VER-005 VER-006 VER-007 VER-009 VER-015 agrees with a dull second judge', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const scope = generated.state.toolScope ?? scopeForTool(generated.action.tool ?? generated.action.kind, undefined);
        const { decision, risk } = run(generated).verdict;
        expect({ decision, risk }).toEqual(referenceJudge({ ...generated, scope }));
      }),
      { numRuns: 2000 },
    );
  });

  it('VER-012 never grows more permissive when a finding, a guard or a cut is added', () => {
    fc.assert(
      fc.property(input, finding, guard, (generated, extraFinding, extraGuard) => {
        const before = run(generated).verdict;
        const refusing = { ...extraGuard, allowed: false };
        for (const more of [
          { ...generated, findings: [...generated.findings, extraFinding] },
          { ...generated, guards: [...generated.guards, refusing] },
          { ...generated, facts: { ...generated.facts, cuts: [...generated.facts.cuts, 'bytes' as const] } },
        ]) {
          const after = run(more).verdict;
          expect(rank(after.decision)).toBeGreaterThanOrEqual(rank(before.decision));
          expect(after.risk).toBeGreaterThanOrEqual(before.risk);
        }
      }),
    );
  });

  it('VER-008 denies, and says so, when a part fails; the other parts still speak', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const noRules = run(generated, { matchRules: boom }).verdict;
        expect(noRules.decision).toBe('deny');
        expect(noRules.reasons.map(({ code }) => code)).toContain('judge.rules_failed');
        const noGuards = run({ ...generated, findings: [] }, { evaluateGuards: boom }).verdict;
        expect(noGuards.reasons.map(({ code }) => code)).toContain('judge.guards_failed');
        expect(JSON.stringify([noRules, noGuards])).not.toContain('a secret');
      }),
    );
  });

  it('VER-010 keeps every verdict within its bounds, worst first, and counts what it left out', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const { verdict } = run(generated);
        expect(verdict.reasons.length).toBeLessThanOrEqual(PROTOCOL_LIMITS.reasonsMax);
        expect(utf8Length(canonicalize(verdict as unknown as JsonValue))).toBeLessThanOrEqual(PROTOCOL_LIMITS.verdictBytesMax);
        const order = ['critical', 'high', 'medium', 'low', 'info'];
        const seen = verdict.reasons.map(({ severity }) => order.indexOf(severity));
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        for (const reason of verdict.reasons) for (const { path } of reason.evidence) expect(path).toMatch(/^[A-Za-z0-9_.~/?+-]*$/);
      }),
    );
  });

  it('VER-011 gives byte-equal verdicts for equal inputs', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const copy = structuredClone(generated);
        expect(canonicalize(run(copy).verdict as unknown as JsonValue)).toBe(canonicalize(run(generated).verdict as unknown as JsonValue));
      }),
    );
  });

  it('VER-013 counts the decision, and names a pending tool once', () => {
    fc.assert(
      fc.property(input, (generated) => {
        const { delta } = run(generated);
        expect(delta.sessionCalls).toBe((generated.state.sessionCalls ?? 0) + 1);
        if (delta.pendingTool !== undefined) {
          expect(generated.state.tool).toBeUndefined();
          expect(delta.pendingTool.tool).toBe(generated.action.tool);
        }
      }),
    );
  });
});
