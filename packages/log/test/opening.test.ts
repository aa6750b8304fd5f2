import { createSigner } from '@countersign/crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryStorage, leafHash, verifyInclusion, verifierOf, type LogStorage, type MemoryDisk } from '../src/index.ts';
import { readSegmentIndex, writeSegmentIndex } from '../src/segment-index.ts';
import { restoreHashTree, createHashTree } from '../src/hash-tree.ts';
import { copyDisk, entriesOf, open, openOn, ORIGIN, signer, textOf, utf8, write } from './fixtures.ts';
import { createMemoryDisk } from '../src/index.ts';

const SMALL = { limits: { segmentBytesMax: 2000 } };
const ENTRIES = Array.from({ length: 1500 }, (_, i) => `entry ${i}`);

/** A log of many small segments, closed with their indexes. */
async function manySegments(): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const log = await openOn(disk, SMALL);
  log.describeSegments((first, end) => utf8(`notes ${first}-${end}`));
  for (let at = 0; at < ENTRIES.length; at += 7) await write(log, ENTRIES.slice(at, at + 7));
  await log.close();
  expect(disk.segments.length).toBeGreaterThan(20);
  expect(disk.indexes.size).toBe(disk.segments.length - 1);
  return disk;
}

function counted(disk: MemoryDisk): { readonly storage: LogStorage; readonly bytes: () => number } {
  const inner = createMemoryStorage(disk);
  let bytes = 0;
  return {
    bytes: () => bytes,
    storage: {
      ...inner,
      read: async (segment, range) => {
        const found = await inner.read(segment, range);
        bytes += found.length;
        return found;
      },
    },
  };
}

/** The log that is opened over a disk holds every entry, proves each, and goes on. */
async function expectWhole(disk: MemoryDisk): Promise<void> {
  const log = await openOn(disk, SMALL);
  expect(await entriesOf(log)).toEqual(ENTRIES);
  const { size, root } = log.checkpoint;
  for (let index = 0; index < size; index += 97) {
    const proof = await log.inclusionProof(index, size);
    expect(verifyInclusion({ index, size, leaf: leafHash(utf8(ENTRIES[index] ?? '')), proof, root })).toBe(true);
    expect(textOf((await log.readRecord(index)).entry)).toBe(ENTRIES[index]);
  }
  await write(log, ['next']);
  await log.close();
  const again = await openOn(disk, SMALL);
  expect(await entriesOf(again)).toEqual([...ENTRIES, 'next']);
  await again.close();
}

describe('opening', () => {
  test('LOG-013 LOG-014 reads the indexes, the last segment and the edge of the tiles, and nothing else of the journal', async () => {
    const disk = await manySegments();
    const { storage, bytes } = counted(disk);
    const log = await open({ storage, ...SMALL });
    // The last segment twice, and the records of the entry bundle that is not full: at most 255, in whole segments.
    const frame = (disk.segments[0]?.length ?? 0) / (log.closedSegments[0]?.end ?? 1);
    expect(bytes()).toBeLessThanOrEqual(2 * (disk.segments.at(-1)?.length ?? 0) + 255 * frame * 1.1);
    expect(bytes()).toBeLessThan(disk.segments.reduce((sum, segment) => sum + segment.length, 0) / 4);
    expect(log.closedSegments.map(({ first, end, notes }) => [first, end, textOf(notes)])).toEqual(
      log.closedSegments.map(({ first, end }) => [first, end, `notes ${first}-${end}`]),
    );
    expect(log.closedSegments[0]?.first).toBe(0);
    await log.close();
    await expectWhole(disk);
  });

  test('LOG-013 an index that is lost, cut, changed, of another segment or of another time is made anew from the segment', async () => {
    const disk = await manySegments();
    const damages: readonly ((indexes: Map<number, Uint8Array>) => void)[] = [
      (indexes) => indexes.delete(3),
      (indexes) => indexes.clear(),
      (indexes) => indexes.set(3, (indexes.get(3) ?? utf8('')).slice(0, -1)),
      (indexes) => indexes.set(3, indexes.get(4) ?? utf8('')),
      (indexes) => indexes.set(3, utf8('')),
      (indexes) => indexes.set(3, writeSegmentIndex({ first: 0, sizeBytes: 1, offsets: Uint32Array.of(0), notes: utf8('') })),
    ];
    for (const damage of damages) {
      const damaged = copyDisk(disk);
      damage(damaged.indexes);
      await expectWhole(damaged);
    }
  });

  test('LOG-014 LOG-027 any published file that is lost, shortened or changed is made anew, or the edge no longer matters', async () => {
    const disk = await manySegments();
    const published = [...disk.files.keys()];
    for (const path of published) {
      for (const change of [
        undefined,
        (bytes: Uint8Array) => bytes.slice(0, -1),
        (bytes: Uint8Array) => bytes.map((b, i) => (i === 5 ? b ^ 1 : b)),
      ]) {
        const damaged = copyDisk(disk);
        const bytes = damaged.files.get(path) ?? new Uint8Array(0);
        if (change === undefined) damaged.files.delete(path);
        else if (path !== 'checkpoint') damaged.files.set(path, change(bytes));
        const log = await openOn(damaged, SMALL);
        expect(await entriesOf(log)).toEqual(ENTRIES);
        expect(log.checkpoint.root).toEqual(await (await openOn(copyDisk(disk), SMALL)).rootAt(ENTRIES.length));
        await log.close();
      }
    }
  });

  test('LOG-007 LOG-014 a last segment that was replaced by another of the same length is a fork', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, ['one'], ['two'], ['tre']);
    await log.close();
    const other = createMemoryDisk();
    const forked = await openOn(other);
    await write(forked, ['one'], ['due'], ['tre']);
    await forked.close();
    disk.segments[0] = other.segments[0] ?? new Uint8Array(0);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'log_forked' });
  });

  test('LOG-010 a crash between commit and publication leaves records that the next opening publishes', async () => {
    const disk = await manySegments();
    const files = new Map(disk.files);
    const log = await openOn(disk, SMALL);
    await write(
      log,
      Array.from({ length: 300 }, (_, i) => `later ${i}`),
    );
    await log.close();
    disk.files.clear();
    for (const [path, bytes] of files) disk.files.set(path, bytes);
    const again = await openOn(disk, SMALL);
    expect([again.size, again.checkpoint.size]).toEqual([1800, 1800]);
    await again.close();
  });
});

describe('LOG-010 LOG-024 what the checkpoint on storage needs stays until another stands', () => {
  test('also while a later opening makes full tiles of what was left unpublished', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(
      log,
      Array.from({ length: 100 }, (_, i) => `entry ${i}`),
    );
    await log.close();
    const files = new Map(disk.files);
    const more = await openOn(disk);
    await write(
      more,
      Array.from({ length: 300 }, (_, i) => `later ${i}`),
    );
    await more.close();
    disk.files.clear();
    for (const [path, bytes] of files) disk.files.set(path, bytes);
    // This opening fails at its checkpoint, with every tile before it written.
    const inner = createMemoryStorage(disk);
    const storage: LogStorage = { ...inner, replaceFile: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) };
    await expect(open({ storage })).rejects.toMatchObject({ code: 'ENOSPC' });
    for (const [path, bytes] of files) expect([path, disk.files.get(path)]).toEqual([path, bytes]);
    const again = await openOn(disk);
    expect(again.checkpoint.size).toBe(400);
    await again.close();
    expect([...disk.files.keys()].filter((path) => path.includes('/000.p/'))).toEqual(['tile/1/000.p/1']);
  });

  test('LOG-027 a partial tile that is gone is cut from the full one', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(
      log,
      Array.from({ length: 100 }, (_, i) => `entry ${i}`),
    );
    await log.close();
    const checkpoint = disk.files.get('checkpoint') ?? new Uint8Array(0);
    const more = await openOn(disk);
    await write(
      more,
      Array.from({ length: 300 }, (_, i) => `later ${i}`),
    );
    await more.close();
    disk.files.set('checkpoint', checkpoint);
    const storage = { ...createMemoryStorage(disk) };
    const read: string[] = [];
    const opened = await open({ storage: { ...storage, readFile: (path) => (read.push(path), storage.readFile(path)) } });
    expect(read).toContain('tile/0/000');
    expect(opened.checkpoint.size).toBe(400);
    await opened.close();
  });
});

test('LOG-014 a tree restored from its edge is the tree, at every size', async () => {
  const files = new Map<string, Uint8Array>();
  const options = { readFile: (path: string) => Promise.resolve(files.get(path)), tileCacheMax: 4 };
  const tree = createHashTree(options);
  for (let size = 0; size <= 600; size += 1) {
    for (const { level, index, width, bytes } of tree.waiting())
      files.set(`tile/${level}/${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`, bytes);
    const restored = await restoreHashTree(options, size);
    expect(restored?.size).toBe(size);
    expect(restored?.root()).toEqual(tree.root());
    restored?.push(leafHash(utf8(`leaf ${size}`)));
    tree.push(leafHash(utf8(`leaf ${size}`)));
    expect(restored?.root()).toEqual(tree.root());
  }
  expect(await restoreHashTree({ ...options, readFile: () => Promise.resolve(undefined) }, 300)).toBeUndefined();
});

test('LOG-013 an index is read back as it was written, and not at all with any byte changed', () => {
  fc.assert(
    fc.property(
      fc.record({
        first: fc.nat(2 ** 40),
        sizeBytes: fc.nat(2 ** 40),
        offsets: fc.array(fc.nat(2 ** 32 - 1), { maxLength: 20 }).map((list) => Uint32Array.from(list)),
        notes: fc.uint8Array({ maxLength: 50 }),
      }),
      fc.nat(),
      (index, at) => {
        const bytes = writeSegmentIndex(index);
        expect(readSegmentIndex(bytes)).toEqual(index);
        const changed = bytes.slice();
        changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ 0x10;
        expect(readSegmentIndex(changed)).toBeUndefined();
      },
    ),
  );
});

describe('LOG-015 keys', () => {
  const newer = { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(21)) };
  const older = { name: ORIGIN, signer };

  test('both sign while one is replaced; then the newer alone, and the log still knows its older checkpoint', async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, ['one']);
    log.setSigners([older, newer]);
    await write(log, ['two']);
    const { note } = await log.whenPublished(1);
    expect(
      note
        .trimEnd()
        .split('\n')
        .slice(-2)
        .every((line) => line.startsWith(`\u2014 ${ORIGIN} `)),
    ).toBe(true);
    await log.close();
    await expect(openOn(disk, { noteSigner: { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(22)) } })).rejects.toMatchObject({
      code: 'log_wrong_origin',
    });
    for (const extra of [{ noteSigner: newer }, { noteSigner: older, furtherSigners: [newer] }]) await (await openOn(disk, extra)).close();
    const retired = await openOn(disk, { noteSigner: newer, formerKeys: [verifierOf(older)] });
    expect(retired.checkpoint.note.trimEnd().split('\n').length).toBe(5);
    await retired.close();
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'log_wrong_origin' });
  });
});
