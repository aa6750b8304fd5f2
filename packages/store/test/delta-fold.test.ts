/** State never runs ahead of the log, and folding twice changes nothing. */
import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { CodedError } from '@countersign/kernel';
import type { StateDelta } from '@countersign/protocol';
import { createMemoryStateStore, createSealer, STORE_LIMITS, type LogPosition } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { DeltaFold } from '../src/delta-fold.ts';
import { LruMap } from '../src/lru-map.ts';
import { createMemoryTables } from '../src/memory-tables.ts';

const principal = (session: string) => ({ org: 'o', agent: 'a', delegation: [], session });
const staged = (session: string, delta: StateDelta, log = 'main') => ({ log, principal: principal(session), delta, seenMs: 0 });

/** A log whose disk the test lets go. */
function createLog(): LogPosition & { size: number; release(): void; fail(): void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  return {
    size: 0,
    staged() {
      return this.size;
    },
    durable: () => new Promise((resolve, reject) => (settle = { resolve, reject })),
    release: () => settle?.resolve(),
    fail: () => settle?.reject(new CodedError({ code: 'log_failed', message: 'x' })),
  };
}

describe('write-back', () => {
  test('waits until the log has made the receipts durable, and marks exactly those', async () => {
    const tables = createMemoryTables();
    const fold = new DeltaFold(tables);
    const log = createLog();
    fold.stage(staged('s', { sessionCalls: 1 }));
    log.size = 1;
    const writing = fold.of('main').writeBack(log);
    fold.stage(staged('s', { sessionCalls: 2 }));
    log.size = 2;
    expect([tables.sessionCalls('o', 's'), tables.appliedIndex('main'), fold.sessionCalls('main', 'o', 's')]).toEqual([0, -1, 2]);
    log.release();
    await writing;
    expect([tables.sessionCalls('o', 's'), tables.appliedIndex('main'), fold.sessionCalls('main', 'o', 's')]).toEqual([1, 0, 2]);
    expect(fold.of('main').stagedCount).toBe(1);
  });

  test('when the log fails nothing is written, and everything is still read', async () => {
    const tables = createMemoryTables();
    const fold = new DeltaFold(tables);
    const log = createLog();
    fold.stage(staged('s', { sessionCalls: 1, pendingTool: { tool: 't', hash: 'h' } }));
    log.size = 1;
    const writing = fold.of('main').writeBack(log);
    fold.stage(staged('s', { pendingTool: { tool: 't', hash: 'i' } }));
    fold.forgetTool('o', 't');
    expect(fold.toolRows('o', 't').map(({ hash }) => hash)).toEqual(['h', 'i']);
    log.fail();
    await expect(writing).rejects.toMatchObject({ code: 'log_failed' });
    fold.forgetTool('o', 't');
    expect([tables.sessionCalls('o', 's'), fold.sessionCalls('main', 'o', 's'), fold.toolRows('o', 't').map(({ hash }) => hash)]).toEqual([
      0,
      1,
      ['h', 'i'],
    ]);
    fold.of('main').write(5);
    expect([tables.sessionCalls('o', 's'), tables.toolRows('o', 't').length, tables.appliedIndex('main')]).toEqual([1, 2, 5]);
  });

  test('runs on the timer until it is stopped, and tells of failures', async () => {
    const { clock, random } = createBench();
    const store = createMemoryStateStore({ sealer: createSealer(new Uint8Array(32), random), clock, random });
    const timers: (() => void)[] = [];
    const failures: unknown[] = [];
    let fails = true;
    const position = {
      staged: () => 3,
      durable: () => (fails ? Promise.reject(new CodedError({ code: 'log_failed', message: 'x' })) : Promise.resolve()),
    };
    const timer = {
      after: (_: number, work: () => void) => {
        timers.push(work);
        return () => timers.splice(timers.indexOf(work), 1);
      },
    };
    const stop = store.startWriteBack({ position, timer, failed: (error) => failures.push(error) });
    const settle = async (): Promise<void> => {
      timers.shift()?.();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    };
    store.stageDelta(principal('s'), { sessionCalls: 1 });
    await settle();
    expect([failures.length, store.appliedIndex()]).toEqual([1, -1]);
    fails = false;
    await settle();
    expect([failures.length, store.appliedIndex(), timers.length]).toEqual([1, 2, 1]);
    store.stageDelta(principal('s'), { sessionCalls: 2 });
    await stop();
    expect([store.appliedIndex(), timers.length]).toEqual([2, 0]);
    store.close();
  });

  test('too much unwritten state makes reads fail, at n and not below', () => {
    const fold = new DeltaFold(createMemoryTables());
    for (let n = 0; n < STORE_LIMITS.stagedMax - 1; n += 1) fold.stage(staged(`s${n}`, { sessionCalls: 1 }));
    expect(fold.sessionCalls('main', 'o', 's0')).toBe(1);
    fold.stage(staged('one more', { sessionCalls: 1 }));
    expect(() => fold.sessionCalls('main', 'o', 's0')).toThrow(expect.objectContaining({ code: 'state_unavailable' }));
    fold.of('main').write(0);
    expect(fold.sessionCalls('main', 'o', 's0')).toBe(1);
  });
});

describe('LOG-082 several logs', () => {
  test('what another log has staged stays out of the tables, whatever this one writes', async () => {
    const tables = createMemoryTables();
    const fold = new DeltaFold(tables);
    const other = createLog();
    fold.stage(staged('s', { sessionCalls: 5, pendingTool: { tool: 't', hash: 'h' } }, 'a'));
    other.size = 1;
    const writing = fold.of('a').writeBack(other);
    fold.stage(staged('s', { sessionCalls: 3, pendingTool: { tool: 't', hash: 'h' } }));
    expect([fold.sessionCalls('main', 'o', 's'), fold.logsHolding('o'), fold.logsHolding('p')]).toEqual([5, ['a', 'main'], []]);
    fold.of('main').write(0);
    // The count and the tool are those of its own entry: durable, and not to be had from the other log.
    expect([tables.sessionCalls('o', 's'), tables.toolRows('o', 't').length]).toEqual([3, 1]);
    expect([tables.appliedIndex('main'), tables.appliedIndex('a'), fold.sessionCalls('a', 'o', 's')]).toEqual([0, -1, 5]);
    other.release();
    await writing;
    expect([tables.sessionCalls('o', 's'), tables.appliedIndex('a'), tables.appliedLogs()]).toEqual([5, 0, ['a', 'main']]);
    expect(fold.logsHolding('o')).toEqual([]);
  });

  test('too much of one that is unwritten stops its own reads only', () => {
    const fold = new DeltaFold(createMemoryTables());
    for (let n = 0; n < STORE_LIMITS.stagedMax; n += 1) fold.stage(staged(`s${n}`, { sessionCalls: 1 }, 'a'));
    expect(() => fold.sessionCalls('a', 'o', 's0')).toThrow(expect.objectContaining({ code: 'state_unavailable' }));
    expect(fold.sessionCalls('main', 'o', 's0')).toBe(1);
  });
});

const deltas = fc.array(
  fc.record({
    session: fc.constantFrom('a', 'b'),
    calls: fc.nat(20),
    tool: fc.option(fc.constantFrom('t', 'u'), { nil: undefined }),
    hash: fc.constantFrom('', 'h', 'i'),
  }),
  { maxLength: 30 },
);

propertyTest.prop([deltas, fc.nat(30), fc.nat(30)])(
  'a crash anywhere and a fold from anywhere before give the same state',
  (history, crashAt, foldFrom) => {
    const apply = (fold: DeltaFold, from: number, to: number): void => {
      for (const { session, calls, tool, hash } of history.slice(from, to)) {
        fold.stage(staged(session, { sessionCalls: calls, ...(tool === undefined ? {} : { pendingTool: { tool, hash } }) }));
      }
    };
    const read = (fold: DeltaFold): unknown =>
      ['a', 'b']
        .map((session) => fold.sessionCalls('main', 'o', session))
        .concat(['t', 'u'].flatMap((tool) => fold.toolRows('o', tool).map(({ hash }) => hash.length)).sort((a, b) => a - b));
    const whole = new DeltaFold(createMemoryTables());
    apply(whole, 0, history.length);
    const tables = createMemoryTables();
    const before = new DeltaFold(tables);
    apply(before, 0, crashAt);
    before.of('main').write(crashAt - 1);
    const after = new DeltaFold(tables);
    apply(after, Math.min(foldFrom, crashAt), history.length);
    after.of('main').write(history.length);
    expect(read(after)).toEqual(read(whole));
  },
);

test('a bounded map forgets what was used longest ago, at n + 1', () => {
  const map = new LruMap<number>(3);
  for (const key of ['a', 'b', 'c']) map.set(key, 1);
  expect(map.size).toBe(3);
  map.get('a');
  map.set('d', 1);
  expect([map.get('a'), map.get('b'), map.get('c'), map.get('d'), map.size]).toEqual([1, undefined, 1, 1, 3]);
  map.delete('a');
  expect([map.get('a'), map.size]).toEqual([undefined, 2]);
});
