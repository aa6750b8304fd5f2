/**
 * @module What any state store must keep of a session beside its count: numbers of which the greater is the later one.
 */
import type { StateStore } from '@countersign/pipeline';
import type { Principal, StateDelta } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';

interface SessionBed {
  readonly store: Pick<StateStore, 'sessionCalls' | 'sessionHotUntil' | 'sessionRisk' | 'stageDelta'> & {
    flush(appliedIndex: number): void;
    foldDelta(entry: {
      readonly index: number;
      readonly principal: Principal & { readonly session: string };
      readonly delta: StateDelta;
    }): void;
  };
  readonly org: { readonly id: string };
}

export const principal = (org: string, session = 's-1'): Principal & { readonly session: string } => ({
  org,
  agent: 'a',
  delegation: [],
  session,
});

export function sessionStateContract(name: string, prepare: () => SessionBed): void {
  describe(`${name}: sessions`, () => {
    test('VER-046 the heat of a session is read at once, only rises, and is there after a flush', async () => {
      const { store, org } = prepare();
      expect(await store.sessionHotUntil(org.id, 's-1')).toBe(0);
      store.stageDelta(principal(org.id), { sessionCalls: 1, hotUntil: 600 });
      store.stageDelta(principal(org.id), { sessionCalls: 2 });
      store.stageDelta(principal(org.id), { sessionCalls: 3, hotUntil: 500 });
      expect([await store.sessionHotUntil(org.id, 's-1'), await store.sessionHotUntil(org.id, 's-2')]).toEqual([600, 0]);
      store.flush(7);
      store.foldDelta({ index: 8, principal: principal(org.id), delta: { sessionCalls: 4, hotUntil: 700 } });
      store.flush(8);
      expect([await store.sessionHotUntil(org.id, 's-1'), await store.sessionCalls(org.id, 's-1')]).toEqual([700, 4]);
    });

    test('POL-158 of the rolling risk of a session the later one is read, at once and after a flush', async () => {
      const { store, org } = prepare();
      // Seconds of today, over a million tenths: more than 32 bits.
      const risk = 1_700_000_000 * 2 ** 20;
      expect(await store.sessionRisk(org.id, 's-1')).toBe(0);
      store.stageDelta(principal(org.id), { sessionCalls: 1, sessionRisk: risk + 570 });
      store.stageDelta(principal(org.id), { sessionCalls: 2 });
      store.stageDelta(principal(org.id), { sessionCalls: 3, sessionRisk: risk + 9 });
      expect([await store.sessionRisk(org.id, 's-1'), await store.sessionRisk(org.id, 's-2')]).toEqual([risk + 570, 0]);
      store.flush(7);
      store.foldDelta({ index: 8, principal: principal(org.id), delta: { sessionCalls: 4, sessionRisk: risk + 2 ** 20 } });
      store.flush(8);
      expect(await store.sessionRisk(org.id, 's-1')).toBe(risk + 2 ** 20);
    });
  });
}
