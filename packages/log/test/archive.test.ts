import { describe, expect, test } from 'vitest';
import {
  archiveSegments,
  type ArchiveStorage,
  createMemoryDisk,
  createMemoryStorage,
  fsckLog,
  leafHash,
  openJournalReader,
  restoreSegments,
  verifyInclusion,
  type Log,
  type MemoryDisk,
} from '../src/index.ts';
import { copyDisk, openOn, textOf, utf8, write } from './fixtures.ts';

const SMALL = { limits: { segmentBytesMax: 4000 } };
const COUNT = 900;
const entry = (n: number): string => `entry ${n}`;

function memoryArchive(files = new Map<string, Uint8Array>()): ArchiveStorage & { readonly files: Map<string, Uint8Array> } {
  return {
    files,
    read: (name) => Promise.resolve(files.get(name)),
    write: async (name, bytes) => {
      await Promise.resolve();
      files.set(name, bytes.slice());
    },
  };
}

async function filled(): Promise<{ disk: MemoryDisk; log: Log }> {
  const disk = createMemoryDisk();
  const log = await openOn(disk, SMALL);
  for (let at = 0; at < COUNT; at += 9)
    await write(
      log,
      Array.from({ length: 9 }, (_, i) => entry(at + i)),
    );
  await log.whenPublished(COUNT - 1);
  return { disk, log };
}

async function expectProven(log: Log): Promise<void> {
  const { size, root } = log.checkpoint;
  for (let index = 0; index < COUNT; index += 61) {
    const proof = await log.inclusionProof(index, size);
    expect(verifyInclusion({ index, size, leaf: leafHash(utf8(entry(index))), proof, root })).toBe(true);
    expect(textOf(await log.readEntry(index))).toBe(entry(index));
  }
}

describe('LOG-070 an archive', () => {
  test('LOG-072 leaves what stands in no full bundle yet, and opens again without what went', async () => {
    const { disk, log } = await filled();
    const moved = await archiveSegments(log, memoryArchive(), COUNT);
    expect(moved.at(-1)?.end).toBeLessThanOrEqual(768);
    expect(moved.at(-1)?.end).toBeGreaterThan(700);
    await log.close();
    const again = await openOn(disk, SMALL);
    await expectProven(again);
    await write(again, ['next']);
    await again.whenPublished(COUNT);
    await again.close();
  });

  test('takes what lies below, and every entry and proof can still be had, also after reopening', async () => {
    const { disk, log } = await filled();
    const archive = memoryArchive();
    const moved = await archiveSegments(log, archive, 500);
    expect(moved.length).toBeGreaterThan(5);
    expect(moved.every(({ end }) => end <= 500)).toBe(true);
    expect(log.firstPresent).toBe(moved.at(-1)?.end);
    await expect(log.readRecord(3)).rejects.toMatchObject({ code: 'log_archived', fault: { path: 'journal segment 0' } });
    await expect(log.scan(0).next()).rejects.toMatchObject({ code: 'log_archived' });
    expect(textOf((await log.readRecord(600)).entry)).toBe(entry(600));
    await expectProven(log);
    await log.close();
    const again = await openOn(disk, SMALL);
    expect([again.firstPresent, again.size]).toEqual([log.firstPresent, COUNT]);
    await expectProven(again);
    await write(again, ['next']);
    const storage = createMemoryStorage(disk);
    await again.whenPublished(COUNT);
    const report = await fsckLog({
      journal: await openJournalReader(createMemoryStorage(disk)),
      readFile: (path) => storage.readFile(path),
      checkpoint: again.checkpoint,
    });
    expect([report.ok, report.firstRecord, report.faults]).toEqual([true, again.firstPresent, []]);
    await again.close();
  });

  test('gives back what it took, and nothing else', async () => {
    const { disk, log } = await filled();
    const archive = memoryArchive();
    await archiveSegments(log, archive, 300);
    await archiveSegments(log, archive, 600);
    const restored = await restoreSegments(log, archive);
    expect([log.firstPresent, restored.length > 8]).toEqual([0, true]);
    for (let index = 0; index < COUNT; index += 50) expect(textOf((await log.readRecord(index)).entry)).toBe(entry(index));
    await archiveSegments(log, archive, 600);
    const name = '0000000001.seg';
    const bytes = archive.files.get(name) ?? new Uint8Array(0);
    archive.files.set(
      name,
      bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)),
    );
    await expect(restoreSegments(log, archive)).rejects.toMatchObject({ code: 'log_archive_mismatch', fault: { path: name } });
    expect(log.firstPresent).toBeGreaterThan(0);
    archive.files.set(name, bytes);
    await restoreSegments(log, archive);
    expect(log.firstPresent).toBe(0);
    await log.close();
    const again = await openOn(disk, SMALL);
    expect(again.firstPresent).toBe(0);
    await again.close();
  });

  test('of another log, that does not say what it holds, or that loses what it is given, takes nothing', async () => {
    const { log } = await filled();
    const other = memoryArchive(
      new Map([['manifest.json', utf8('{"type":"countersign.archive.v1","log":"example.org/x","segments":[]}')]]),
    );
    await expect(archiveSegments(log, other, 500)).rejects.toMatchObject({ code: 'log_archive_mismatch' });
    for (const text of ['', '[]', '{"type":"countersign.archive.v1","log":"x","segments":[{}]}']) {
      const broken = memoryArchive(new Map([['manifest.json', utf8(text)]]));
      await expect(archiveSegments(log, broken, 500)).rejects.toMatchObject({ code: 'log_archive_mismatch' });
    }
    const forgetful: ArchiveStorage = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };
    await expect(archiveSegments(log, forgetful, 500)).rejects.toMatchObject({ code: 'log_archive_mismatch' });
    const full: ArchiveStorage = { ...forgetful, write: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) };
    await expect(archiveSegments(log, full, 500)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect([log.firstPresent, log.failure]).toEqual([0, undefined]);
    await log.close();
  });

  test('that was half made by a crash is completed by the next call', async () => {
    const { disk, log } = await filled();
    const archive = memoryArchive();
    const before = copyDisk(disk);
    await archiveSegments(log, archive, 500);
    await log.close();
    // The copies and the manifest are there, and so are the segments: the crash came before they were removed.
    const again = await openOn(before, SMALL);
    const moved = await archiveSegments(again, archive, 500);
    expect(again.firstPresent).toBe(moved.at(-1)?.end);
    await restoreSegments(again, archive);
    expect(again.firstPresent).toBe(0);
    await again.close();
  });

  test('index and segment both gone is damage, by name', async () => {
    const { disk, log } = await filled();
    await archiveSegments(log, memoryArchive(), 500);
    await log.close();
    disk.indexes.delete(2);
    await expect(openOn(disk, SMALL)).rejects.toMatchObject({ code: 'log_segment_missing', fault: { path: 'journal segment 2' } });
  });
});

describe('LOG-014 fsck', () => {
  async function checked(change: (disk: MemoryDisk) => void): Promise<readonly string[]> {
    const { disk, log } = await filled();
    const { checkpoint } = log;
    await log.close();
    change(disk);
    const storage = createMemoryStorage(disk);
    const journal = await openJournalReader(storage);
    const report = await fsckLog({ journal, readFile: (path) => storage.readFile(path), checkpoint });
    expect(report.ok).toBe(report.faults.length === 0);
    return report.faults.map(({ code, path }) => `${code} ${path}`);
  }
  const flip = (disk: MemoryDisk, path: string): void => {
    const bytes = disk.files.get(path) ?? new Uint8Array(1);
    disk.files.set(
      path,
      bytes.map((byte, i) => (i === 40 ? byte ^ 4 : byte)),
    );
  };

  test('of a whole log finds nothing', async () => {
    expect(await checked(() => undefined)).toEqual([]);
  });

  test('names each published file that is missing, cut or changed, in one look', async () => {
    const faults = await checked((disk) => {
      flip(disk, 'tile/0/001');
      disk.files.delete('tile/0/002');
      disk.files.set('tile/1/000.p/3', Uint8Array.of(1));
      flip(disk, 'tile/entries/000');
      disk.files.delete('tile/entries/003.p/132');
    });
    expect([...faults].sort()).toEqual(
      [
        'tile_wrong tile/0/001',
        'tile_missing tile/0/002',
        'tile_wrong tile/1/000.p/3',
        'bundle_wrong tile/entries/000',
        'bundle_missing tile/entries/003.p/132',
      ].sort(),
    );
  });

  test('names the segment and byte of damage to the journal, and a journal that is too short', async () => {
    const damaged = await checked((disk) => {
      const bytes = disk.segments[4] ?? new Uint8Array(0);
      bytes[300] = (bytes[300] ?? 0) ^ 1;
    });
    expect(damaged.filter((fault) => fault.startsWith('journal_damaged'))).toEqual([
      expect.stringMatching(/^journal_damaged journal segment 4, byte \d+$/),
    ]);
    const short = await checked((disk) => void disk.segments.pop());
    expect(short).toContainEqual('journal_short checkpoint');
  });

  test('a journal with another record than was published leads to another root', async () => {
    const { disk, log } = await filled();
    const { disk: forkDisk, log: fork } = await filled();
    await write(log, ['one']);
    await write(fork, ['two']);
    const signed = await log.whenPublished(COUNT);
    await Promise.all([log.close(), fork.whenPublished(COUNT).then(() => fork.close())]);
    const storage = createMemoryStorage(disk);
    const report = await fsckLog({
      journal: await openJournalReader(createMemoryStorage(forkDisk)),
      readFile: (path) => storage.readFile(path),
      checkpoint: signed,
    });
    expect(report.faults.map(({ code }) => code)).toEqual(['tile_wrong', 'bundle_wrong', 'root_wrong']);
  });
});
