import type { JsonValue } from '@countersign/kernel';
import { type Facts, GUARD_SIGNAL, type GuardAnswer, type Signal, signalOfAnswer, withGuardAnswers } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';

const KEY = 'ab'.repeat(32);
const FACTS = { texts: [] } as unknown as Facts;

function answersOf(...signals: readonly Signal[]): readonly GuardAnswer[] | undefined {
  return withGuardAnswers(FACTS, signals).answers;
}
const guard = (value: JsonValue): Signal => ({ kind: GUARD_SIGNAL, subject: 'g', value });

describe('POL-180 answers as signals', () => {
  it.each<GuardAnswer>([
    { guard: 'g', key: KEY, status: 'ok', answer: { a: 1 } },
    { guard: 'g', key: KEY, status: 'ok', answer: null },
    { guard: 'g', key: KEY, status: 'unavailable', reason: 'timeout' },
  ])('%j comes back as it was', (answer) => {
    expect(answersOf(signalOfAnswer(answer))).toEqual([answer]);
  });

  it('facts of an action about which nobody was asked stay the same object', () => {
    expect(withGuardAnswers(FACTS, [{ kind: 'symlink', subject: '/a', value: '/b' }])).toBe(FACTS);
  });

  it.each<JsonValue>([
    null,
    'x',
    {},
    { key: KEY },
    { key: 'short', status: 'ok', answer: 1 },
    { key: KEY.toUpperCase(), status: 'ok', answer: 1 },
    { key: KEY, status: 'ok' },
    { key: KEY, status: 'fine', answer: 1 },
    { key: KEY, status: 'unavailable' },
    { key: KEY, status: 'unavailable', reason: 'With Words' },
    { key: KEY, status: 'unavailable', reason: 'x'.repeat(41) },
  ])('%j is no answer', (value) => {
    expect(answersOf(guard(value))).toEqual([]);
  });

  it('a reason has 40 characters at most', () => {
    expect(answersOf(guard({ key: KEY, status: 'unavailable', reason: 'x'.repeat(40) }))).toHaveLength(1);
  });
});
