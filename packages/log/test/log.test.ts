import { describe, expect, test } from 'vitest';
import {
  createMemoryDisk,
  createMemoryStorage,
  leafHash,
  LOG_LIMITS,
  verifyConsistency,
  verifyInclusion,
  type Checkpoint,
} from '../src/index.ts';
import { entriesOf, gated, open, openOn, textOf, utf8, write } from './fixtures.ts';

test('every record is proven by the published checkpoint, before and after reopening', async () => {
  const disk = createMemoryDisk();
  let log = await openOn(disk);
  for (let i = 0; i < 600; i += 1) log.append({ entry: utf8(`entry ${i}`), attachments: [utf8(`side ${i}`)] });
  expect((await log.whenPublished(599)).size).toBe(600);
  for (const pass of [0, 1]) {
    const { size, root } = log.checkpoint;
    for (let index = 0; index < size; index += 7) {
      const proof = await log.inclusionProof(index, size);
      expect(verifyInclusion({ index, size, leaf: leafHash(utf8(`entry ${index}`)), proof, root })).toBe(true);
      const older = await log.consistencyProof(index, size);
      expect(verifyConsistency({ oldSize: index, oldRoot: await log.rootAt(index), newSize: size, newRoot: root, proof: older })).toBe(
        true,
      );
      expect(textOf((await log.readRecord(index)).attachments[0])).toBe(`side ${index}`);
    }
    await log.close();
    if (pass === 0) log = await openOn(disk);
  }
});

describe('group commit', () => {
  test('LOG-001 what is staged in one go is one write; what arrives during a write is the next', async () => {
    const gate = gated(createMemoryStorage());
    const log = await open({ storage: gate.storage });
    gate.hold();
    const first = [log.append({ entry: utf8('a'), attachments: [] }), log.append({ entry: utf8('b'), attachments: [] })];
    await Promise.resolve();
    await Promise.resolve();
    expect(gate.writes.length).toBe(1);
    const second = Array.from({ length: 50 }, (_, i) => log.append({ entry: utf8(`c${i}`), attachments: [] }));
    expect([first[0]?.index, first[1]?.index, second[0]?.index]).toEqual([0, 1, 2]);
    expect([log.size, log.durableSize]).toEqual([52, 0]);
    gate.release();
    await Promise.all(second.map(({ durable }) => durable));
    expect(gate.writes.length).toBe(2);
    expect(log.durableSize).toBe(52);
    await log.close();
  });

  test('LOG-005 nothing is durable, published or readable before its write is done', async () => {
    const gate = gated(createMemoryStorage());
    const log = await open({ storage: gate.storage });
    gate.hold();
    let isDurable = false;
    const { durable } = log.append({ entry: utf8('a'), attachments: [] });
    const settled = durable.then(() => {
      isDurable = true;
    });
    for (let i = 0; i < 100; i += 1) await Promise.resolve();
    expect([isDurable, log.checkpoint.size, await entriesOf(log)]).toEqual([false, 0, []]);
    await expect(log.readRecord(0)).rejects.toMatchObject({ code: 'log_out_of_range' });
    gate.release();
    await settled;
    expect(await entriesOf(log)).toEqual(['a']);
    await log.close();
  });

  test('LOG-024 checkpoints only grow, and each proves the one before', async () => {
    const seen: Checkpoint[] = [];
    const log = await open({ onCheckpoint: (checkpoint) => seen.push(checkpoint) });
    for (let i = 0; i < 40; i += 1) await write(log, [`entry ${i}`]);
    await log.whenPublished(39);
    expect(seen.at(-1)?.size).toBe(40);
    for (let i = 1; i < seen.length; i += 1) {
      const [older, newer] = [seen[i - 1] ?? log.checkpoint, seen[i] ?? log.checkpoint];
      expect(newer.size).toBeGreaterThan(older.size);
      const proof = await log.consistencyProof(older.size, newer.size);
      expect(verifyConsistency({ oldSize: older.size, oldRoot: older.root, newSize: newer.size, newRoot: newer.root, proof })).toBe(true);
    }
    await log.close();
  });

  test('a pause between publications is cut short by close', async () => {
    const log = await open({ pace: () => new Promise(() => undefined) });
    await write(log, ['a'], ['b'], ['c']);
    await log.close();
    expect(log.checkpoint.size).toBe(3);
  });

  test('LOG-009 a pause is cut short when too much waits for publication', async () => {
    const log = await open({ pace: () => new Promise(() => undefined), limits: { unpublishedRecordsMax: 4 } });
    for (let i = 0; i < 30; i += 1) await write(log, [`entry ${i}`]);
    expect(30 - log.checkpoint.size).toBeLessThanOrEqual(5);
    await log.close();
  });
});

describe('failure', () => {
  const broken = Object.assign(new Error('no space'), { code: 'ENOSPC' });

  test('LOG-008 of the journal rejects what is pending, and everything after', async () => {
    const disk = createMemoryDisk();
    const gate = gated(createMemoryStorage(disk));
    const log = await open({ storage: gate.storage });
    await write(log, ['kept']);
    gate.hold();
    gate.failWith(broken, 'append');
    const pending = log.append({ entry: utf8('a'), attachments: [] });
    await Promise.resolve();
    await Promise.resolve();
    const gathered = log.append({ entry: utf8('b'), attachments: [] });
    const published = log.whenPublished(gathered.index);
    gate.release();
    for (const promise of [pending.durable, gathered.durable, published])
      await expect(promise).rejects.toMatchObject({ code: 'log_failed', message: expect.stringContaining('ENOSPC') });
    expect(() => log.append({ entry: utf8('c'), attachments: [] })).toThrow(expect.objectContaining({ code: 'log_failed' }));
    expect(log.failure?.code).toBe('log_failed');
    await log.close();
    const again = await openOn(disk);
    expect(await entriesOf(again)).toEqual(['kept']);
    await again.close();
  });

  test('LOG-008 of what a batch needs before it is written stops the log, and nothing of the batch is there', async () => {
    const disk = createMemoryDisk();
    const order: string[] = [];
    const storage = createMemoryStorage(disk);
    const told = { ...storage, append: (...args: Parameters<typeof storage.append>) => (order.push('written'), storage.append(...args)) };
    let fails: 'no' | 'thrown' | 'rejected' = 'no';
    const beforeCommit = (): Promise<void> | void => {
      order.push('prepared');
      if (fails === 'thrown') throw broken;
      return fails === 'rejected' ? Promise.reject(broken) : undefined;
    };
    for (const how of ['thrown', 'rejected'] as const) {
      fails = 'no';
      const log = await open({ storage: told, beforeCommit });
      await write(log, [how]);
      expect(order.splice(0)).toEqual(['prepared', 'written']);
      fails = how;
      const { durable } = log.append({ entry: utf8('a'), attachments: [] });
      await expect(durable).rejects.toMatchObject({ code: 'log_failed', message: expect.stringContaining('ENOSPC') });
      expect(order.splice(0)).toEqual(['prepared']);
      expect(() => log.append({ entry: utf8('b'), attachments: [] })).toThrow(expect.objectContaining({ code: 'log_failed' }));
      await log.close();
    }
    const again = await openOn(disk);
    expect(await entriesOf(again)).toEqual(['thrown', 'rejected']);
    await again.close();
  });

  test('of publication stops the log too, but loses nothing that was acknowledged', async () => {
    const disk = createMemoryDisk();
    const gate = gated(createMemoryStorage(disk));
    const log = await open({ storage: gate.storage });
    gate.failWith(broken, 'replaceFile');
    await write(log, ['kept']);
    await expect(log.whenPublished(0)).rejects.toMatchObject({ code: 'log_failed' });
    expect(() => log.append({ entry: utf8('c'), attachments: [] })).toThrow(expect.objectContaining({ code: 'log_failed' }));
    await log.close();
    const again = await openOn(disk);
    expect(await entriesOf(again)).toEqual(['kept']);
    await again.close();
  });

  test('a closed log takes nothing, and closing twice is closing once', async () => {
    const log = await open();
    const waiting = log.whenPublished(7);
    await Promise.all([log.close(), log.close(), expect(waiting).rejects.toMatchObject({ code: 'log_closed' })]);
    expect(() => log.append({ entry: utf8('c'), attachments: [] })).toThrow(expect.objectContaining({ code: 'log_closed' }));
    await expect(log.whenPublished(0)).rejects.toMatchObject({ code: 'log_closed' });
  });

  test('LOG-041 a damaged or lost tile is refused, not turned into a wrong proof', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk, { limits: { tileCacheMax: 1 } });
    await write(
      log,
      Array.from({ length: 600 }, (_, i) => `entry ${i}`),
    );
    await log.whenPublished(599);
    const tile = disk.files.get('tile/0/000') ?? new Uint8Array(0);
    disk.files.set(
      'tile/0/000',
      tile.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );
    await expect(log.inclusionProof(0, 600)).rejects.toMatchObject({ code: 'log_corrupt' });
    disk.files.delete('tile/0/001');
    await expect(log.inclusionProof(300, 600)).rejects.toMatchObject({ code: 'log_corrupt', fault: { path: 'tile/0/001' } });
    await log.close();
  });
});

describe('limits, at n and n + 1', () => {
  const append = (log: Awaited<ReturnType<typeof open>>, entry: number, attachments: readonly number[] = []): (() => unknown) => {
    return () => log.append({ entry: new Uint8Array(entry), attachments: attachments.map((length) => new Uint8Array(length)) });
  };

  test('LOG-004 entry, attachments and record', async () => {
    const log = await open({ limits: { attachmentsMax: 2, recordBytesMax: 70_000 } });
    const tooLarge = expect.objectContaining({ code: 'log_record_too_large' });
    expect(append(log, LOG_LIMITS.entryBytesMax)).not.toThrow();
    expect(append(log, LOG_LIMITS.entryBytesMax + 1)).toThrow(tooLarge);
    expect(append(log, 0, [1, 1])).not.toThrow();
    expect(append(log, 0, [1, 1, 1])).toThrow(tooLarge);
    expect(append(log, 1, [69_999])).not.toThrow();
    expect(append(log, 1, [70_000])).toThrow(tooLarge);
    expect(log.size).toBe(3);
    await log.close();
    expect(log.checkpoint.size).toBe(3);
  });

  test('LOG-009 queue in records', async () => {
    const gate = gated(createMemoryStorage());
    const log = await open({ storage: gate.storage, limits: { queueRecordsMax: 3 } });
    gate.hold();
    append(log, 1)();
    await Promise.resolve();
    await Promise.resolve();
    append(log, 1)();
    append(log, 1)();
    expect(append(log, 1)).toThrow(expect.objectContaining({ code: 'log_queue_full' }));
    gate.release();
    await log.whenPublished(2);
    expect(append(log, 1)).not.toThrow();
    await log.close();
  });

  test('queue in bytes', async () => {
    const log = await open({ limits: { queueBytesMax: 1000 } });
    expect(append(log, 0, [1001])).toThrow(expect.objectContaining({ code: 'log_queue_full' }));
    expect(append(log, 0, [1000])).not.toThrow();
    expect(append(log, 0)).toThrow(expect.objectContaining({ code: 'log_queue_full' }));
    await log.close();
  });

  test('a segment is left once it is full, and records are read across segments', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk, { limits: { segmentBytesMax: 200 } });
    for (let i = 0; i < 10; i += 1) await write(log, [`entry ${i}`]);
    expect(disk.segments.length).toBeGreaterThan(2);
    for (const segment of disk.segments.slice(0, -1)) expect(segment.length).toBeGreaterThanOrEqual(200);
    expect((await entriesOf(log)).length).toBe(10);
    expect(textOf((await log.readRecord(9)).entry)).toBe('entry 9');
    await log.close();
  });
});

test('only published paths are served', async () => {
  const log = await open();
  await write(log, ['a']);
  await log.whenPublished(0);
  expect(textOf(await log.readPublished('checkpoint'))).toBe(log.checkpoint.note);
  expect((await log.readPublished('tile/0/000.p/1'))?.length).toBe(32);
  for (const path of [
    '',
    '/checkpoint',
    'journal/0000000000.seg',
    'tile/../checkpoint',
    'tile/0',
    'lock',
    'tile/0/000.p/1/',
    `tile/${'x000/'.repeat(40)}000`,
  ]) {
    expect(await log.readPublished(path)).toBeUndefined();
  }
  await log.close();
});

test('ranges outside the log are refused', async () => {
  const log = await open();
  await write(log, ['a', 'b']);
  const outOfRange = { code: 'log_out_of_range' };
  for (const [index, size] of [
    [2, 2],
    [0, 3],
    [-1, 2],
    [0.5, 2],
  ] as const)
    await expect(log.inclusionProof(index, size)).rejects.toMatchObject(outOfRange);
  for (const [older, newer] of [
    [3, 2],
    [0, 3],
    [-1, 1],
  ] as const)
    await expect(log.consistencyProof(older, newer)).rejects.toMatchObject(outOfRange);
  await expect(log.rootAt(3)).rejects.toMatchObject(outOfRange);
  await log.close();
});
