/** What a column of postures may hold. */
import type { PostureState } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { parsePosture, writePosture } from '../src/posture-text.ts';

const POSTURE: PostureState = {
  n: 2,
  state: 'low',
  entered: 600,
  used: { patches: 1 },
  history: [{ from: '', to: 'low', on: 'timeout', at: 600 }],
  violated: 599,
};

describe('POL-223 the posture as text', () => {
  test('comes back as it was', () => {
    expect(parsePosture(writePosture(POSTURE))).toEqual(POSTURE);
    const { violated: _, ...calm } = POSTURE;
    expect(parsePosture(writePosture(calm))).toEqual(calm);
    const placed = { ...calm, origin: { at: 'ab', profile: 'room' }, counts: { 'origin/room/egress_calls': 2 } };
    expect(parsePosture(writePosture(placed))).toEqual(placed);
  });

  test.each<[string, object]>([
    ['n', { n: -1 }],
    ['n', { n: 1.5 }],
    ['state', { state: 7 }],
    ['entered', { entered: null }],
    ['used', { used: [] }],
    ['a count', { used: { patches: -1 } }],
    ['history', { history: {} }],
    ['a change', { history: [{ from: 'a', to: 'b', on: 'timeout' }] }],
    ['too long a history', { history: Array.from({ length: 9 }, () => ({ from: 'a', to: 'b', on: 'timeout', at: 1 })) }],
    ['violated', { violated: 'lately' }],
    ['origin', { origin: 'room' }],
    ['a place', { origin: { at: 1, profile: 'room' } }],
    ['a profile', { origin: { at: 'ab' } }],
    ['counts', { counts: [] }],
    ['a count of places', { counts: { a: -1 } }],
  ])('a bad value of %s is refused', (_, change) => {
    expect(parsePosture(JSON.stringify({ ...POSTURE, ...change }))).toBeUndefined();
  });

  test('what is no JSON object is refused', () => {
    expect([parsePosture('{'), parsePosture('[]'), parsePosture('null')]).toEqual([undefined, undefined, undefined]);
  });
});
