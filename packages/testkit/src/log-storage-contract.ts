/**
 * @module What every `LogStorage` must keep, as one suite: run it over each implementation. A crash is not part of it, since only the
 * implementation's own test can bring one about.
 */
import type { LogStorage } from '@countersign/log';
import { describe, expect, test } from 'vitest';

/** A place that storages can be opened over, one after the other. */
export interface StorageBed {
  open(): Promise<LogStorage>;
  /** Frees the place. */
  remove(): Promise<void>;
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const plain = (found: Uint8Array | undefined): readonly number[] | undefined => (found === undefined ? undefined : [...found]);

async function withBed(makeBed: () => Promise<StorageBed>, work: (bed: StorageBed) => Promise<void>): Promise<void> {
  const bed = await makeBed();
  try {
    await work(bed);
  } finally {
    await bed.remove();
  }
}

function journalContract(name: string, makeBed: () => Promise<StorageBed>): void {
  describe(`${name}: journal`, () => {
    test('segments grow at their end and are there after reopening', () =>
      withBed(makeBed, async (bed) => {
        const first = await bed.open();
        expect(await first.segments()).toEqual([]);
        await first.append(0, 0, bytes(1, 2, 3));
        await first.append(0, 3, bytes(4));
        await first.append(1, 0, bytes(5, 6));
        expect(plain(await first.read(0, { offset: 0, length: 4 }))).toEqual([1, 2, 3, 4]);
        await first.close();
        const second = await bed.open();
        expect(await second.segments()).toEqual([
          { segment: 0, sizeBytes: 4 },
          { segment: 1, sizeBytes: 2 },
        ]);
        await second.append(1, 2, bytes(7));
        expect(plain(await second.read(1, { offset: 0, length: 3 }))).toEqual([5, 6, 7]);
        await second.close();
      }));

    test('a range ends where its segment ends', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        await storage.append(0, 0, bytes(1, 2, 3));
        expect(plain(await storage.read(0, { offset: 1, length: 2 }))).toEqual([2, 3]);
        expect(plain(await storage.read(0, { offset: 2, length: 100 }))).toEqual([3]);
        expect(plain(await storage.read(0, { offset: 3, length: 1 }))).toEqual([]);
        await expect(storage.read(9, { offset: 0, length: 1 })).rejects.toThrow();
        await storage.close();
      }));

    test('a cut segment ends at the cut and grows from there', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        await storage.append(0, 0, bytes(1, 2, 3, 4));
        await storage.truncate(0, 2);
        await storage.append(0, 2, bytes(9));
        expect(plain(await storage.read(0, { offset: 0, length: 9 }))).toEqual([1, 2, 9]);
        expect(await storage.segments()).toEqual([{ segment: 0, sizeBytes: 3 }]);
        await storage.close();
      }));

    test('bytes may be reused after the call, and a large batch arrives whole', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        const large = new Uint8Array(1_000_003).map((_, i) => i % 251);
        await storage.append(0, 0, large);
        large.fill(0);
        const found = await storage.read(0, { offset: 0, length: 1_000_003 });
        expect(found.length).toBe(1_000_003);
        expect(found.every((value, i) => value === i % 251)).toBe(true);
        await storage.close();
      }));
  });
}

function segmentsContract(name: string, makeBed: () => Promise<StorageBed>): void {
  describe(`${name}: segments that are closed, gone, and back`, () => {
    test('LOG-011 bytes that would not stand at the end of their segment are refused, and nothing is written', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        await storage.append(0, 0, bytes(1, 2, 3));
        for (const offset of [0, 2, 4])
          await expect(storage.append(0, offset, bytes(9))).rejects.toMatchObject({ code: 'storage_other_end' });
        expect(plain(await storage.read(0, { offset: 0, length: 9 }))).toEqual([1, 2, 3]);
        await storage.close();
      }));

    test('LOG-013 an index is kept whole, replaced whole, and absent where none was kept', () =>
      withBed(makeBed, async (bed) => {
        const first = await bed.open();
        expect(await first.readIndex(0)).toBeUndefined();
        await first.append(0, 0, bytes(1));
        await first.writeIndex(0, bytes(1, 2));
        await first.writeIndex(0, bytes(3));
        await first.close();
        const second = await bed.open();
        expect(plain(await second.readIndex(0))).toEqual([3]);
        expect(await second.segments()).toEqual([{ segment: 0, sizeBytes: 1 }]);
        await second.close();
      }));

    test('LOG-070 a first segment that is removed leaves its index, and the others their numbers', () =>
      withBed(makeBed, async (bed) => {
        const first = await bed.open();
        for (const segment of [0, 1, 2]) await first.append(segment, 0, bytes(segment));
        await first.writeIndex(0, bytes(7));
        expect(plain(await first.read(0, { offset: 0, length: 1 }))).toEqual([0]);
        await first.removeSegment(0);
        await expect(first.read(0, { offset: 0, length: 1 })).rejects.toThrow();
        await first.close();
        const second = await bed.open();
        expect((await second.segments()).map(({ segment }) => segment)).toEqual([1, 2]);
        expect(plain(await second.readIndex(0))).toEqual([7]);
        await second.append(2, 1, bytes(9));
        await second.restoreSegment(0, bytes(0));
        expect((await second.segments()).map(({ segment }) => segment)).toEqual([0, 1, 2]);
        expect(plain(await second.read(0, { offset: 0, length: 9 }))).toEqual([0]);
        await second.close();
      }));
  });
}

function filesContract(name: string, makeBed: () => Promise<StorageBed>): void {
  describe(`${name}: published files`, () => {
    test('a file is replaced whole, and is there after reopening', () =>
      withBed(makeBed, async (bed) => {
        const first = await bed.open();
        expect(await first.readFile('checkpoint')).toBeUndefined();
        await first.replaceFile('checkpoint', bytes(1, 2, 3));
        await first.replaceFile('checkpoint', bytes(4));
        await first.replaceFile('tile/0/x001/234.p/7', bytes(5, 5));
        await first.close();
        const second = await bed.open();
        expect(plain(await second.readFile('checkpoint'))).toEqual([4]);
        expect(plain(await second.readFile('tile/0/x001/234.p/7'))).toEqual([5, 5]);
        expect(await second.readFile('tile/0/x001')).toBeUndefined();
        expect(await second.readFile('checkpoint/x')).toBeUndefined();
        await second.close();
      }));

    test('several files are put in place in one go', () =>
      withBed(makeBed, async (bed) => {
        const first = await bed.open();
        await first.replaceFile('tile/0/000.p/1', bytes(0));
        const files = Array.from({ length: 20 }, (_, i) => ({ path: `tile/${i % 3}/0${i + 10}`, bytes: bytes(i) }));
        await first.replaceFiles([...files, { path: 'tile/0/000.p/1', bytes: bytes(9) }]);
        await first.replaceFiles([]);
        await first.close();
        const second = await bed.open();
        for (const file of files) expect(plain(await second.readFile(file.path))).toEqual([...file.bytes]);
        expect(plain(await second.readFile('tile/0/000.p/1'))).toEqual([9]);
        expect((await second.listFiles('tile')).length).toBe(21);
        await second.close();
      }));

    test('a folder lists what is below it and nothing else', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        expect(await storage.listFiles('tile')).toEqual([]);
        await storage.replaceFile('checkpoint', bytes(1));
        await storage.replaceFile('tile/0/000', bytes(1, 2));
        await storage.replaceFile('tile/0/000.p/3', bytes(1, 2, 3));
        expect([...(await storage.listFiles('tile'))].sort()).toEqual(['tile/0/000', 'tile/0/000.p/3']);
        await storage.close();
      }));

    test('a removed file is gone, its siblings stay, and removing nothing is no error', () =>
      withBed(makeBed, async (bed) => {
        const storage = await bed.open();
        await storage.replaceFile('tile/0/000.p/3', bytes(1));
        await storage.replaceFile('tile/0/000.p/4', bytes(2));
        await storage.removeFile('tile/0/000.p/3');
        await storage.removeFile('tile/0/000.p/3');
        await storage.removeFile('tile/9/000.p/3');
        expect(await storage.readFile('tile/0/000.p/3')).toBeUndefined();
        expect(plain(await storage.readFile('tile/0/000.p/4'))).toEqual([2]);
        await storage.removeFile('tile/0/000.p/4');
        await storage.replaceFile('tile/0/000.p/5', bytes(3));
        expect(plain(await storage.readFile('tile/0/000.p/5'))).toEqual([3]);
        await storage.close();
      }));
  });
}

/** Declares the suite for one implementation. */
export function logStorageContract(name: string, makeBed: () => Promise<StorageBed>): void {
  journalContract(name, makeBed);
  segmentsContract(name, makeBed);
  filesContract(name, makeBed);
}
