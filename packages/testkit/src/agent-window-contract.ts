/** @module What every state store owes to the windows of agents (`StateSlice.window`). A part of `stateStoreContract`. */
import type { OrgRecord, StateStore } from '@countersign/pipeline';
import { describe, expect, test } from 'vitest';

type StagedBy = Parameters<StateStore['stageDelta']>[0];

interface WindowBed {
  readonly store: StateStore & {
    flush(appliedIndex: number): void;
    foldDelta(logged: {
      readonly index: number;
      readonly principal: StagedBy;
      readonly delta: Parameters<StateStore['stageDelta']>[1];
    }): void;
  };
  readonly org: OrgRecord;
}

const by = (org: string, session: string): StagedBy => ({ org, agent: 'a', delegation: [], session });

export function windowContract(name: string, prepare: () => WindowBed): void {
  describe(`${name}: windows of agents`, () => {
    test('POL-262 are read at once over all sessions, only grow within an hour, and are there after a flush', async () => {
      const { store, org } = prepare();
      const window = { minute: 60, calls: 2, hour: 1, bytes: 10, cents: 5, paid: ['b@25'] };
      expect(await store.agentWindow(org.id, 'a')).toBeUndefined();
      store.stageDelta(by(org.id, 's-1'), { window });
      store.stageDelta(by(org.id, 's-2'), { window: { ...window, calls: 1, bytes: 11, paid: ['a@25'] } });
      const joined = { ...window, bytes: 11, paid: ['a@25', 'b@25'] };
      expect([await store.agentWindow(org.id, 'a'), await store.agentWindow(org.id, 'another')]).toEqual([joined, undefined]);
      store.flush(7);
      expect(await store.agentWindow(org.id, 'a')).toEqual(joined);
      const next = { minute: 1600, calls: 1, hour: 26, bytes: 1, cents: 0, paid: ['c@50'] };
      store.foldDelta({ index: 8, principal: by(org.id, 's-1'), delta: { window: next } });
      store.foldDelta({ index: 8, principal: by(org.id, 's-1'), delta: { window } });
      store.flush(8);
      expect(await store.agentWindow(org.id, 'a')).toEqual(next);
    });
  });
}
