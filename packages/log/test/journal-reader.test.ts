/** The journal as somebody reads it who is not its writer. */
import { describe, expect, test } from 'vitest';
import { createMemoryDisk, createMemoryStorage, type JournalReader, type MemoryDisk, openJournalReader } from '../src/index.ts';
import { copyDisk, openOn, textOf, utf8, write } from './fixtures.ts';

const reader = (disk: MemoryDisk): Promise<JournalReader> => openJournalReader(createMemoryStorage(disk));

async function read(journal: JournalReader, from = journal.first, until = journal.size): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const records of journal.records(from, until)) for (const { entry } of records) found.push(textOf(entry));
  return found;
}

const name = (n: number): string => `entry ${n}`;
const names = (from: number, until: number): string[] => Array.from({ length: until - from }, (_, i) => name(from + i));

/** Batches of three in segments that close after a few of them. */
async function written(count: number, segmentBytesMax = 400): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const log = await openOn(disk, { limits: { segmentBytesMax } });
  for (let from = 0; from < count; from += 3) await write(log, names(from, Math.min(count, from + 3)));
  await log.close();
  return disk;
}

describe('reading beside the writer', () => {
  test('RPLY-001 gives every range as the writer would, whatever was asked for before', async () => {
    const disk = await written(30);
    expect(disk.segments.length).toBeGreaterThan(3);
    const opened = await reader(disk);
    expect([opened.first, opened.size]).toEqual([0, 30]);
    for (let from = 0; from <= 30; from += 1) {
      for (let until = from; until <= 30; until += 1) expect(await read(opened, from, until)).toEqual(names(from, until));
    }
    expect(await read(opened, 7, 9)).toEqual(names(7, 9));
  });

  test('RPLY-001 an empty journal has no records', async () => {
    const opened = await reader(createMemoryDisk());
    expect([opened.first, opened.size, await read(opened)]).toEqual([0, 0, []]);
  });

  test('RPLY-001 takes no lock, and calls nothing that could change the journal', async () => {
    const disk = await written(6);
    const storage = createMemoryStorage(disk);
    const log = await openOn(disk);
    const opened = await openJournalReader({ segments: () => storage.segments(), read: (segment, range) => storage.read(segment, range) });
    await log.close();
    expect(await read(opened)).toEqual(names(0, 6));
  });

  test('RPLY-002 ends at the last whole frame, wherever the writer is, and changes nothing', async () => {
    const disk = await written(9, 1e9);
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let length = 0; length <= whole.length; length += 1) {
      const unfinished = copyDisk(disk);
      unfinished.segments[0] = whole.slice(0, length);
      const opened = await reader(unfinished);
      expect(await read(opened)).toEqual(names(0, opened.size));
      expect(unfinished.segments[0]).toHaveLength(length);
      if (length === whole.length) expect(opened.size).toBe(9);
    }
  });

  test('RPLY-002 what is appended later is not in a reader that was opened before', async () => {
    const disk = createMemoryDisk();
    const storage = createMemoryStorage(disk);
    const log = await openOn(disk, { storage });
    await write(log, names(0, 3));
    const opened = await openJournalReader(storage);
    await write(log, names(3, 6));
    expect(await read(opened)).toEqual(names(0, 3));
    expect(await read(await openJournalReader(storage))).toEqual(names(0, 6));
    await log.close();
  });

  test('RPLY-002 a segment that was just begun holds nothing yet', async () => {
    const disk = await written(6, 1e9);
    disk.segments.push(utf8('CSJ1'));
    expect(await read(await reader(disk))).toEqual(names(0, 6));
  });

  test('RPLY-003 with any byte of the last write changed, what remains is a prefix of what was written', async () => {
    const disk = await written(6, 1e9);
    const three = (await written(3, 1e9)).segments[0]?.length ?? 0;
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let at = three; at < whole.length; at += 1) {
      const torn = copyDisk(disk);
      (torn.segments[0] ?? whole)[at] = (whole[at] ?? 0) ^ 0x40;
      const opened = await reader(torn);
      expect(opened.size).toBeGreaterThanOrEqual(3);
      expect(opened.size).toBeLessThan(6);
      expect(await read(opened)).toEqual(names(0, opened.size));
    }
  });

  test('RPLY-003 any byte changed before the last write is refused with segment and byte', async () => {
    const disk = await written(9, 1e9);
    const acknowledged = (await written(6, 1e9)).segments[0]?.length ?? 0;
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let at = 0; at < acknowledged; at += 1) {
      const changed = copyDisk(disk);
      (changed.segments[0] ?? whole)[at] = (whole[at] ?? 0) ^ 0x10;
      const reading = reader(changed).then((opened) => read(opened));
      await expect(reading, `byte ${at}`).rejects.toMatchObject({
        code: 'log_corrupt',
        fault: { path: expect.stringMatching(/^journal segment 0, byte \d+$/) },
      });
    }
  });

  test('RPLY-003 damage in a closed segment is refused, what stands before it is given', async () => {
    const disk = await written(30);
    const second = disk.segments[1] ?? new Uint8Array(0);
    second[second.length - 1] = (second.at(-1) ?? 0) ^ 1;
    const opened = await reader(disk);
    const found: string[] = [];
    const reading = (async (): Promise<void> => {
      for await (const records of opened.records(0, 30)) for (const { entry } of records) found.push(textOf(entry));
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'log_corrupt',
      fault: { path: expect.stringContaining('journal segment 1, byte') },
    });
    expect(found).toEqual(names(0, found.length));
    expect(found.length).toBeGreaterThan(0);
  });

  test('RPLY-003 a closed segment that lost its end, or all of it, is refused', async () => {
    const disk = await written(30);
    const cut = copyDisk(disk);
    cut.segments[1] = (cut.segments[1] ?? new Uint8Array(0)).slice(0, -1);
    await expect(reader(cut).then((opened) => read(opened))).rejects.toMatchObject({ code: 'log_corrupt' });
    const gone = copyDisk(disk);
    gone.segments[1] = new Uint8Array(0);
    await expect(reader(gone)).rejects.toMatchObject({ code: 'log_corrupt', fault: { path: 'journal segment 1, byte 0' } });
  });

  test('RPLY-003 a segment of another place is refused', async () => {
    const disk = await written(30);
    disk.segments[2] = (disk.segments[1] ?? new Uint8Array(0)).slice();
    await expect(reader(disk).then((opened) => read(opened))).rejects.toMatchObject({ code: 'log_corrupt' });
  });

  test('RPLY-004 a range that is not there is refused', async () => {
    const opened = await reader(await written(6));
    await expect(read(opened, 0, 7)).rejects.toMatchObject({ code: 'log_out_of_range' });
    expect(await read(opened, 6, 6)).toEqual([]);
  });

  test('RPLY-004 where older segments were archived, the first record is that of the first segment', async () => {
    const disk = await written(30);
    const storage = createMemoryStorage(disk);
    const opened = await openJournalReader({
      segments: async () => (await storage.segments()).filter(({ segment }) => segment > 1),
      read: (segment, range) => storage.read(segment, range),
    });
    expect(opened.first).toBeGreaterThan(0);
    expect(await read(opened)).toEqual(names(opened.first, 30));
    await expect(read(opened, 0, 30)).rejects.toMatchObject({
      code: 'log_out_of_range',
      fault: { hint: expect.stringContaining('restore') },
    });
  });

  test('RPLY-004 records larger than one read are read whole', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    const large = new Uint8Array(3_000_000).fill(7);
    const staged = [0, 1, 2].map((n) => log.append({ entry: utf8(name(n)), attachments: [large] }));
    await Promise.all(staged.map(({ durable }) => durable));
    await log.close();
    const opened = await reader(disk);
    expect(await read(opened)).toEqual(names(0, 3));
    expect(await read(opened, 2, 3)).toEqual(names(2, 3));
  });
});
