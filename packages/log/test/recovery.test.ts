import { describe, expect, test } from 'vitest';
import { createMemoryDisk, type MemoryDisk } from '../src/index.ts';
import { copyDisk, entriesOf, openOn, ORIGIN, write, open, textOf } from './fixtures.ts';
import { createSigner } from '@countersign/crypto';

/** A journal of two batches and where the second begins; published files are left out, as if the crash came before publication. */
async function twoBatches(): Promise<{ disk: MemoryDisk; start: number }> {
  const disk = createMemoryDisk();
  const log = await openOn(disk);
  await write(log, ['one', 'two']);
  const start = disk.segments[0]?.length ?? 0;
  await write(log, ['three', 'four']);
  await log.close();
  disk.files.clear();
  return { disk, start };
}

const ALL = ['one', 'two', 'three', 'four'];

function isPrefix(found: readonly string[], least: number): boolean {
  return found.length >= least && found.every((entry, i) => entry === ALL[i]);
}

describe('a torn tail', () => {
  test('LOG-006 is cut off wherever the last write ended, and the log goes on from there', async () => {
    const { disk, start } = await twoBatches();
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let length = start; length <= whole.length; length += 1) {
      const crashed = copyDisk(disk);
      crashed.segments[0] = whole.slice(0, length);
      const log = await openOn(crashed);
      const found = await entriesOf(log);
      expect(isPrefix(found, 2)).toBe(true);
      await write(log, ['next']);
      await log.close();
      const again = await openOn(crashed);
      expect(await entriesOf(again)).toEqual([...found, 'next']);
      await again.close();
    }
  });

  test('LOG-006 is never served: with any byte of the last write changed, what remains is a prefix of what was written', async () => {
    const { disk, start } = await twoBatches();
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let at = start; at < whole.length; at += 1) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const crashed = copyDisk(disk);
        const bytes = whole.slice();
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        crashed.segments[0] = bytes;
        const log = await openOn(crashed);
        const found = await entriesOf(log);
        expect(isPrefix(found, 2) && found.length < 4).toBe(true);
        await log.close();
      }
    }
  });

  test('may have its pages in any order: zeros in front of valid frames of the same write are cut with them', async () => {
    const { disk, start } = await twoBatches();
    const bytes = (disk.segments[0] ?? new Uint8Array(0)).slice();
    bytes.fill(0, start, start + 30);
    disk.segments[0] = bytes;
    const log = await openOn(disk);
    expect(await entriesOf(log)).toEqual(['one', 'two']);
    await log.close();
  });
});

describe('damage to what was acknowledged', () => {
  test('LOG-006 is refused with its place at every byte, and nothing is changed', async () => {
    const { disk, start } = await twoBatches();
    const whole = disk.segments[0] ?? new Uint8Array(0);
    for (let at = 0; at < start; at += 1) {
      const damaged = copyDisk(disk);
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      damaged.segments[0] = bytes;
      const before = bytes.slice();
      await expect(openOn(damaged)).rejects.toMatchObject({
        code: 'log_corrupt',
        fault: { path: expect.stringMatching(/^journal segment 0, byte \d+$/) },
      });
      expect(damaged.segments[0]).toEqual(before);
    }
  });

  test('in a segment that is not the last is refused even at its end', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk, { limits: { segmentBytesMax: 1 } });
    await write(log, ['one'], ['two'], ['three']);
    await log.close();
    expect(disk.segments.length).toBe(3);
    disk.files.clear();
    disk.segments[1] = (disk.segments[1] ?? new Uint8Array(0)).slice(0, -1);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'log_corrupt', fault: { path: expect.stringContaining('segment 1') } });
  });

  test('LOG-011 is found when a record is read', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, ['one', 'two']);
    const bytes = disk.segments[0] ?? new Uint8Array(0);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await expect(log.readRecord(1)).rejects.toMatchObject({ code: 'log_corrupt' });
    expect(textOf((await log.readRecord(0)).entry)).toBe('one');
    await expect(log.readRecord(2)).rejects.toMatchObject({ code: 'log_out_of_range' });
    await log.close();
  });
});

describe('a published checkpoint', () => {
  test('LOG-007 that covers more than the journal holds refuses the journal', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, ['one'], ['two']);
    await log.close();
    disk.segments[0] = (disk.segments[0] ?? new Uint8Array(0)).slice(0, -1);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'log_rolled_back' });
  });

  test('LOG-007 that another journal led to refuses the journal', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, ['one'], ['two']);
    await log.close();
    const other = createMemoryDisk();
    const forked = await openOn(other);
    await write(forked, ['one'], ['deux'], ['trois']);
    await forked.close();
    other.files.set('checkpoint', disk.files.get('checkpoint') ?? new Uint8Array(0));
    await expect(openOn(other)).rejects.toMatchObject({ code: 'log_forked' });
  });

  test('LOG-007 of another log, another key, or of no form at all is refused', async () => {
    const disk = createMemoryDisk();
    await (await openOn(disk)).close();
    await expect(openOn(disk, { origin: 'example.org/other' })).rejects.toMatchObject({ code: 'log_wrong_origin' });
    const noteSigner = { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(8)) };
    await expect(openOn(disk, { noteSigner })).rejects.toMatchObject({ code: 'log_wrong_origin' });
    disk.files.set('checkpoint', Uint8Array.of(1, 2, 3));
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'log_wrong_origin' });
  });
});

test('LOG-027 tiles and checkpoint that were lost are rebuilt byte for byte', async () => {
  const disk = createMemoryDisk();
  const log = await openOn(disk);
  await write(
    log,
    Array.from({ length: 600 }, (_, i) => `entry ${i}`),
  );
  await log.close();
  const published = new Map(disk.files);
  for (const lost of [['checkpoint', 'tile/0/000'], ['tile/entries/001'], [...published.keys()]]) {
    for (const path of lost) disk.files.delete(path);
    await (await openOn(disk)).close();
    expect([...disk.files.keys()].sort()).toEqual([...published.keys()].sort());
    for (const [path, bytes] of published) expect([path, disk.files.get(path)]).toEqual([path, bytes]);
  }
});

test('LOG-026 an empty log has a checkpoint of size 0, and can be opened again', async () => {
  const log = await open();
  expect(log.checkpoint.size).toBe(0);
  expect(Buffer.from(log.checkpoint.root).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  await log.close();
});
