import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentWindow, joinWindows } from '@countersign/protocol';
import { readPaid, writePaid } from '../src/agent-windows.ts';

const small = fc.nat(4);
const window: fc.Arbitrary<AgentWindow> = fc.record({
  minute: small,
  calls: small,
  hour: small,
  bytes: small,
  cents: small,
  paid: fc.constantFrom<readonly string[]>([], ['a@9'], ['b@9'], ['a@9', 'b@9']),
});

describe('POL-262 windows of agents', () => {
  it('join the same way in any order, and as often as one likes', () => {
    fc.assert(
      fc.property(window, window, window, (a, b, c) => {
        expect(joinWindows(a, b)).toEqual(joinWindows(b, a));
        expect(joinWindows(joinWindows(a, b), c)).toEqual(joinWindows(a, joinWindows(b, c)));
        expect(joinWindows(joinWindows(a, b), b)).toEqual(joinWindows(a, b));
      }),
      { seed: 262 },
    );
  });

  it('a later minute or hour starts anew, and what was paid is kept as long as it says', () => {
    const before = { minute: 59, calls: 9, hour: 0, bytes: 9, cents: 9, paid: ['old@0', 'kept@1'] };
    const after = { minute: 60, calls: 1, hour: 1, bytes: 2, cents: 3, paid: ['new@25'] };
    expect(joinWindows(before, after)).toEqual({ ...after, paid: ['kept@1', 'new@25'] });
  });

  it('what was paid comes back from its column', () => {
    for (const paid of [[], ['a@1'], ['a@1', 'b@2']]) expect(readPaid(writePaid(paid))).toEqual(paid);
  });
});
