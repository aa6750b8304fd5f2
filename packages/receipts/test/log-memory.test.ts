import { createMemoryDisk, createMemoryStorage, openLog, type LogStorage, type MemoryDisk } from '@countersign/log';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecorder, type ReceiptRecorder } from '../src/index.ts';
import { readSegmentNotes, writeSegmentNotes } from '../src/segment-notes.ts';
import { action, logSigner, ORIGIN, outcomeDraft, receiptDraft, seededRandom, testSealer, uuid } from './fixtures.ts';

const LIMITS = { segmentBytesMax: 8000 };
const COUNT = 600;
const ENTRIES = COUNT + COUNT / 10;

interface Opened {
  readonly recorder: ReceiptRecorder;
  /** Bytes of records that opening read. */
  readonly read: number;
  readonly replayed: readonly number[];
  readonly close: () => Promise<void>;
}

async function open(disk: MemoryDisk, replayFrom = 0): Promise<Opened> {
  let read = 0;
  const inner = createMemoryStorage(disk);
  const storage: LogStorage = {
    ...inner,
    read: async (segment, range) => {
      const bytes = await inner.read(segment, range);
      read += bytes.length;
      return bytes;
    },
  };
  const log = await openLog({ storage, origin: ORIGIN, noteSigner: { name: ORIGIN, signer: logSigner }, limits: LIMITS });
  const random = seededRandom(`memory ${log.size}`);
  const replayed: number[] = [];
  const recorder = await createRecorder({
    log,
    random,
    sealer: testSealer(random),
    durability: 'synced',
    coverage: 'L1',
    signing: 'batch',
    replayFrom,
    replay: (_body, record) => replayed.push(record.index),
  });
  return { recorder, read, replayed, close: () => log.close() };
}

/** Six hundred receipts in five sessions, and an outcome behind each tenth. */
async function written(): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const { recorder, close } = await open(disk);
  for (let n = 0; n < COUNT; n += 1) {
    const { body, durable } = recorder.stageReceipt(receiptDraft(n, { action: action(n, `session-${n % 5}`) }));
    if (n % 7 === 0) await durable;
    if (n % 10 === 0) await recorder.stageOutcome(outcomeDraft(5000 + n, body)).durable;
  }
  await close();
  expect(disk.segments.length).toBeGreaterThan(10);
  return disk;
}

/** Everything that a later opening must know. */
async function known({ recorder }: Opened): Promise<unknown> {
  const ids: (number | undefined)[] = [];
  for (let n = 0; n < COUNT; n += 1) ids.push((await recorder.find(uuid(n)))?.index, (await recorder.find(uuid(5000 + n)))?.index);
  const chains = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => recorder.chain('org-1', `session-${n}`)));
  const { body } = recorder.stageReceipt(receiptDraft(9000, { action: action(9000, 'session-3') }));
  return { ids, chains, seq: body.seq, prev: body.prev };
}

describe('LOG-013 what a recorder remembers', () => {
  test('is the same from notes as from every record, and from notes it reads a fraction', async () => {
    const disk = await written();
    const copy = structuredClone({ ...disk });
    copy.indexes.clear();
    const fromRecords = await open(copy, ENTRIES);
    const fromNotes = await open(disk, ENTRIES);
    // The index and the last segment; and the records of the entry bundle that is not full.
    expect(fromNotes.read).toBeLessThan(fromRecords.read / 4);
    const [a, b] = [await known(fromNotes), await known(fromRecords)];
    expect(a).toEqual(b);
    expect(a).toMatchObject({ seq: COUNT / 5 });
    await Promise.all([fromNotes.close(), fromRecords.close()]);
    const again = await open(copy, ENTRIES);
    expect(again.read).toBeLessThan(fromRecords.read / 4);
    await again.close();
  });

  test('notes that are no notes, or of too few records, are made anew', async () => {
    const disk = await written();
    const whole = await open(disk);
    const expected = await known(whole);
    await whole.close();
    for (const notes of [Uint8Array.of(), Uint8Array.of(1, 2, 3), writeSegmentNotes({ idHashes: [1], heads: new Map() })]) {
      const other = await written();
      const log = await openLog({
        storage: createMemoryStorage(other),
        origin: ORIGIN,
        noteSigner: { name: ORIGIN, signer: logSigner },
        limits: LIMITS,
      });
      log.describeSegments(() => notes);
      for (const segment of log.closedSegments) await log.keepIndex(segment);
      await log.close();
      const opened = await open(other);
      expect(await known(opened)).toEqual(expected);
      await opened.close();
    }
  });

  test('replay sees each entry from where it is asked to on, in order, once', async () => {
    const disk = await written();
    for (const from of [0, 1, 300, ENTRIES - 1, ENTRIES, ENTRIES + 9]) {
      const opened = await open(disk, from);
      expect(opened.replayed).toEqual(Array.from({ length: Math.max(0, ENTRIES - from) }, (_, i) => from + i));
      await opened.close();
    }
  });

  test('RCPT-040 a chain is walked back from its head, and forward again', async () => {
    const opened = await open(await written());
    const places = await opened.recorder.chain('org-1', 'session-0');
    expect(places.length).toBe(COUNT / 5 + COUNT / 10);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    const { index } = opened.recorder.stageReceipt(receiptDraft(9000, { action: action(9000, 'session-0') }));
    expect(await opened.recorder.chain('org-1', 'session-0')).toEqual([...places, index]);
    expect(await opened.recorder.chain('org-1', 'nobody')).toEqual([]);
    await opened.close();
  });
});

describe('RCPT-004 nothing follows the end of a session', () => {
  const end = (recorder: ReceiptRecorder, n: number): Promise<void> =>
    recorder.stageSessionEnd({ id: uuid(n), time: '2026-01-02T03:04:09.000Z', org: 'org-1', session: 'session-1', reason: 'done' }).durable;

  test('whatever is staged, now and after any reopening, from notes and from records', async () => {
    const disk = createMemoryDisk();
    const first = await open(disk);
    const { body, durable } = first.recorder.stageReceipt(receiptDraft(1, { action: action(1, 'session-1'), outcomeBy: null }));
    await durable;
    expect(first.recorder.isEnded('org-1', 'session-1')).toBe(false);
    await end(first.recorder, 2);
    const refused = async ({ recorder }: Opened): Promise<void> => {
      expect([recorder.isEnded('org-1', 'session-1'), recorder.isEnded('org-1', 'session-2')]).toEqual([true, false]);
      expect(recorder.isEnded('org-2', 'session-1')).toBe(false);
      expect(() => recorder.stageReceipt(receiptDraft(3, { action: action(3, 'session-1') }))).toThrow('session was ended');
      expect(() => recorder.stageOutcome(outcomeDraft(4, body))).toThrow('session was ended');
      await expect((async () => end(recorder, 5))()).rejects.toMatchObject({ code: 'session_ended' });
      expect(await recorder.chain('org-1', 'session-1')).toEqual([0, 1]);
      expect(recorder.newest('org-1', 'session-1')).toBe(1);
    };
    await refused(first);
    for (let n = 100; n < 160; n += 1) await first.recorder.stageReceipt(receiptDraft(n, { action: action(n, `session-${n}`) })).durable;
    await first.close();
    expect(disk.segments.length).toBeGreaterThan(2);
    const fromNotes = await open(disk);
    await refused(fromNotes);
    await fromNotes.close();
    disk.indexes.clear();
    const fromRecords = await open(disk);
    await refused(fromRecords);
    await fromRecords.close();
  });

  test('what a log of ours never wrote behind an end does not open it again', async () => {
    const disk = createMemoryDisk();
    const first = await open(disk);
    await first.recorder.stageReceipt(receiptDraft(1, { action: action(1, 'session-1') })).durable;
    await end(first.recorder, 2);
    await first.close();
    const storage = createMemoryStorage(disk);
    const log = await openLog({ storage, origin: ORIGIN, noteSigner: { name: ORIGIN, signer: logSigner }, limits: LIMITS });
    await log.append({ entry: (await log.readRecord(0)).entry, attachments: [] }).durable;
    await log.close();
    const again = await open(disk);
    expect(again.recorder.isEnded('org-1', 'session-1')).toBe(true);
    await again.close();
  });

  test('a session awaits as long as an outcome that was asked for has not come', async () => {
    const opened = await open(createMemoryDisk());
    const { recorder } = opened;
    const { body } = recorder.stageReceipt(receiptDraft(1, { action: action(1, 'session-1'), outcomeBy: '2026-01-02T03:05:00.000Z' }));
    expect([recorder.isAwaiting('org-1', 'session-1'), recorder.isAwaiting('org-1', 'session-2')]).toEqual([true, false]);
    recorder.stageOutcome(outcomeDraft(2, body));
    expect(recorder.isAwaiting('org-1', 'session-1')).toBe(false);
    await opened.close();
  });
});

test('LOG-013 notes are read back as they were written, and never otherwise', () => {
  const head = fc.record({
    seq: fc.nat(2 ** 40),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    index: fc.nat(2 ** 40),
    closed: fc.boolean(),
  });
  const notes = fc.record({
    idHashes: fc.array(fc.nat(2 ** 32 - 1), { maxLength: 20 }),
    heads: fc.array(fc.tuple(fc.string({ unit: 'binary' }), head), { maxLength: 8 }).map((pairs) => new Map(pairs)),
  });
  fc.assert(
    fc.property(notes, fc.nat(), (one, cut) => {
      const bytes = writeSegmentNotes(one);
      expect(readSegmentNotes(bytes)).toEqual(one);
      expect(readSegmentNotes(bytes.subarray(0, cut % bytes.length))).toBeUndefined();
    }),
  );
});
