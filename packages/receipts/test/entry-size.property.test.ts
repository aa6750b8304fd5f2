import { canonicalize, utf8Length, type JsonValue } from '@countersign/kernel';
import { DECISIONS, PROTOCOL_LIMITS, RISK_LEVELS, SCORE_CIRCUITS, SEVERITIES, type Verdict } from '@countersign/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitVerdict, RECEIPT_LIMITS } from '../src/index.ts';
import { summarizeAction } from '../src/action-summary.ts';
import { verdictBytesBound } from '../src/fit-verdict.ts';
import { loggedName } from '../src/logged-name.ts';
import { action, openWorld, outcomeDraft, receiptDraft } from './fixtures.ts';

/** Text that costs much: long, of three bytes a character, of six once escaped. */
const hostile = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc
    .constantFrom('\u0001', '\u20ac', '"', '\\', '\ud83d\ude00', '/')
    .chain((unit) => fc.integer({ min: 0, max: 3000 }).map((n) => unit.repeat(n))),
);
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const span = fc.record({ path: hostile, start: count, end: count });
const reason = fc.record(
  {
    code: hostile,
    text: hostile,
    severity: fc.constantFrom(...SEVERITIES),
    score: fc.nat({ max: 1000 }),
    evidence: fc.array(span, { maxLength: 12 }),
    fact: hostile,
    layers: fc.array(hostile, { maxLength: 12 }),
  },
  { requiredKeys: ['code', 'text', 'severity', 'score', 'evidence'] },
);
const scores = fc.record(
  {
    d: fc.constantFrom([3, 3, 3, 2, 2, 3000], [0, 0, 0, 0, 1, 0]),
    composite: fc.nat({ max: 9999 }),
    level: fc.constantFrom(...RISK_LEVELS),
    circuit: fc.constantFrom(...SCORE_CIRCUITS),
    missing: fc.constant([1, 2, 3, 4, 5, 6]),
  },
  { requiredKeys: ['d', 'composite', 'level'] },
);
const verdicts: fc.Arbitrary<Verdict> = fc.record({
  scores,
  decision: fc.constantFrom(...DECISIONS),
  risk: fc.nat({ max: 1000 }),
  severity: fc.constantFrom(...SEVERITIES),
  reasons: fc.array(reason, { maxLength: 40 }),
  reasonsCut: fc.nat({ max: 1000 }),
  obligations: fc.array(hostile, { maxLength: 30 }),
  by: fc.constantFrom('judge', 'pipeline'),
});
const bytesOf = (verdict: Verdict): number => utf8Length(canonicalize(verdict as unknown as JsonValue));

test('RCPT-015 whatever the verdict, it fits, says how much was cut, and fitting again changes nothing', () => {
  fc.assert(
    fc.property(verdicts, (verdict) => {
      const fitted = fitVerdict(verdict);
      expect(bytesOf(verdict)).toBeLessThanOrEqual(verdictBytesBound(verdict));
      expect(bytesOf(fitted)).toBeLessThanOrEqual(RECEIPT_LIMITS.verdictBytesMax);
      expect(fitted.reasons.length).toBeLessThanOrEqual(PROTOCOL_LIMITS.reasonsMax);
      expect(fitted.reasons.length + fitted.reasonsCut).toBe(verdict.reasons.length + verdict.reasonsCut);
      expect([fitted.decision, fitted.risk, fitted.severity, fitted.by, fitted.scores]).toEqual([
        verdict.decision,
        verdict.risk,
        verdict.severity,
        verdict.by,
        verdict.scores,
      ]);
      expect(fitVerdict(fitted)).toEqual(fitted);
      if (bytesOf(verdict) <= RECEIPT_LIMITS.verdictBytesMax && verdict.reasons.length <= PROTOCOL_LIMITS.reasonsMax)
        expect(fitted).toBe(verdict);
    }),
    { numRuns: 60 },
  );
});

test('RCPT-001 RCPT-020 whatever the names, params, verdict and findings, the entry is at most 16 KB and is a good entry', async () => {
  const { recorder, log } = await openWorld('each');
  const names = fc.record({
    org: hostile,
    agent: hostile,
    session: hostile,
    kind: hostile,
    tool: hostile,
    traceId: hostile,
    delegation: fc.array(hostile, { maxLength: 30 }),
    key: hostile,
  });
  await fc.assert(
    fc.asyncProperty(
      names,
      verdicts,
      fc.array(fc.record({ rule: hostile, evidence: fc.array(span, { maxLength: 12 }) }), { maxLength: 50 }),
      async (name, verdict, findings) => {
        const { org, agent, session, kind, tool, traceId, delegation, key } = name;
        const params = { [key]: { [key]: Array.from({ length: 40 }, (_, i) => `value ${i}`) } };
        const hostileAction = {
          ...action(1, session),
          org,
          agent,
          kind,
          tool,
          delegation,
          params,
          trace: { traceId, spanId: traceId },
          descriptor: { hash: key },
        };
        const receipt = recorder.stageReceipt(receiptDraft(1, { action: hostileAction, verdict }));
        const outcome = recorder.stageOutcome(outcomeDraft(2, receipt.body, { findings }));
        await outcome.durable;
        for (const { index } of [receipt, outcome])
          expect((await log.readRecord(index)).entry.length).toBeLessThanOrEqual(PROTOCOL_LIMITS.entryBytesMax);
        expect(outcome.body.findings.length + outcome.body.findingsCut).toBe(findings.length);
        expect(receipt.body.action.fields.length + receipt.body.action.fieldsCut).toBe(40);
      },
    ),
    { numRuns: 40 },
  );
  await log.close();
});

test('RCPT-014 names that are cut stay different, at n and n + 1', () => {
  const longest = 'n'.repeat(RECEIPT_LIMITS.nameCharsMax);
  expect(loggedName(longest)).toBe(longest);
  expect(loggedName(`${longest}a`)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(loggedName(`${longest}a`)).not.toBe(loggedName(`${longest}b`));
  expect(loggedName('caf\u00e9')).toMatch(/^sha256:/);
});

test('fields, delegation and visited values are bounded, at n and n + 1', () => {
  const fieldsOf = (n: number): readonly [number, number] => {
    const summary = summarizeAction({ ...action(1), params: Array.from({ length: n }, () => 's') }, 'c'.repeat(64));
    return [summary.fields.length, summary.fieldsCut];
  };
  expect(fieldsOf(RECEIPT_LIMITS.fieldsMax)).toEqual([16, 0]);
  expect(fieldsOf(RECEIPT_LIMITS.fieldsMax + 1)).toEqual([16, 1]);
  expect(fieldsOf(RECEIPT_LIMITS.fieldNodesMax - 1)).toEqual([16, 4079]);
  expect(fieldsOf(RECEIPT_LIMITS.fieldNodesMax + 100)).toEqual([16, 4079]);
});
