/**
 * @module The journal: what was acknowledged is here, in order, or it never happened. Segments of frames; one batch is one write.
 *
 * Opening reads the index of each closed segment and the whole of the last one. Damage at the end that a single unfinished write can
 * explain is cut off (it was never acknowledged); any other damage is refused with its place, because what lies behind it was acknowledged.
 */
import { logError } from './errors.ts';
import { readBody, readHeader, type FrameHeader, type LogRecord } from './frame.ts';
import { SCAN_BYTES, type LogLimits } from './limits.ts';
import { createPositions, type Positions } from './positions.ts';
import { corrupt, laterWriteBehind, readChunk, type Scanned } from './read-segment.ts';
import { readSegmentIndex, writeSegmentIndex } from './segment-index.ts';
import type { JournalStorage, SegmentInfo } from './storage.ts';

/** A batch as it goes to storage: frames one after the other. */
export interface JournalBatch {
  readonly bytes: Uint8Array;
  /** Where each frame starts in `bytes`. */
  readonly starts: readonly number[];
}

/** A segment that will not grow any more: records `[first, end)`. */
export interface ClosedSegment {
  readonly segment: number;
  readonly first: number;
  readonly end: number;
  /** What was kept with its index; undefined where the index was lost. */
  readonly notes: Uint8Array | undefined;
  /** Its bytes are here, not in an archive. */
  readonly present: boolean;
}

export interface Journal {
  /** Records that are durable. */
  readonly size: number;
  /** Index of the first record that is here, not in an archive. */
  readonly firstPresent: number;
  readonly closed: readonly ClosedSegment[];
  /** Writes a batch; durable on return. Says which segment it closed by opening the next, if it did. */
  append(batch: JournalBatch): Promise<ClosedSegment | undefined>;
  /** Keeps the index of a closed segment, with notes. */
  keepIndex(segment: number, notes: Uint8Array): Promise<void>;
  /** @throws CodedError `log_corrupt` when the bytes are not those that were written, `log_archived` when they are elsewhere. */
  read(index: number): Promise<LogRecord>;
  /** Records from `from` on, in chunks, up to those durable when the chunk is read. */
  scan(from: number): AsyncGenerator<readonly LogRecord[], void, undefined>;
  /** Bytes of a segment that is here. */
  segmentBytes(segment: number): Promise<Uint8Array>;
  /** Lets go of the first segment that is here: its bytes are elsewhere. Never the one that is written. */
  removeFirst(): Promise<void>;
  /** Takes a segment back. @throws CodedError `log_archive_mismatch` when it is not the one that went. */
  restore(segment: number, bytes: Uint8Array): Promise<void>;
}

export interface RecoverOptions {
  readonly storage: JournalStorage;
  readonly limits: LogLimits;
}

/** Everything the journal knows of one segment. */
interface Segment {
  sizeBytes: number;
  readonly first: number;
  count: number;
  notes: Uint8Array | undefined;
  present: boolean;
}

interface Recovery {
  readonly options: RecoverOptions;
  readonly positions: Positions;
  readonly segments: Segment[];
  lastBatch: number;
}

function admit(recovery: Recovery, segment: number, frames: readonly Scanned[]): void {
  for (const { header, offset } of frames) {
    const expected = recovery.positions.count;
    const batchFits = header.batch === expected || (header.batch === recovery.lastBatch && expected > 0);
    if (header.index !== expected || !batchFits) throw corrupt(segment, offset, `record ${header.index} stands where ${expected} belongs`);
    recovery.lastBatch = header.batch;
    recovery.positions.push(segment, offset);
  }
}

function frameMaxOf(limits: LogLimits): number {
  return limits.recordBytesMax + SCAN_BYTES;
}

/** Reads every frame of one segment; returns its size afterwards. */
async function scanSegment(recovery: Recovery, segment: SegmentInfo, isLast: boolean): Promise<number> {
  const { storage, limits } = recovery.options;
  let offset = 0;
  while (offset < segment.sizeBytes) {
    const chunk = await readChunk(storage, { segment, offset, frameMax: frameMaxOf(limits) });
    admit(recovery, segment.segment, chunk.frames);
    offset = chunk.next;
    if (!chunk.damaged) continue;
    const expected = recovery.positions.count;
    if (!isLast || (await laterWriteBehind(storage, { segment, from: offset + 1, expected }))) {
      throw corrupt(segment.segment, offset, `record ${expected} is damaged`);
    }
    await storage.truncate(segment.segment, offset);
    return offset;
  }
  return offset;
}

/** Takes up a segment by its index; false where there is none that fits. `sizeBytes` is undefined for an archived one. */
async function takeIndex(recovery: Recovery, segment: number, sizeBytes: number | undefined): Promise<boolean> {
  const { storage } = recovery.options;
  const bytes = await storage.readIndex(segment);
  const index = bytes === undefined ? undefined : readSegmentIndex(bytes);
  const first = recovery.positions.count;
  if (index === undefined || index.first !== first || (sizeBytes !== undefined && index.sizeBytes !== sizeBytes)) return false;
  for (const offset of index.offsets) recovery.positions.push(segment, offset);
  const count = index.offsets.length;
  recovery.segments.push({ sizeBytes: index.sizeBytes, first, count, notes: index.notes, present: sizeBytes !== undefined });
  // A later write begins a batch of its own: whatever the last batch of this segment was, the next frame starts another.
  recovery.lastBatch = -1;
  return true;
}

async function takeArchived(recovery: Recovery, before: number): Promise<void> {
  for (let segment = 0; segment < before; segment += 1) {
    if (await takeIndex(recovery, segment, undefined)) continue;
    throw logError('log_segment_missing', `journal segment ${segment} is missing, and so is its index`, {
      path: `journal segment ${segment}`,
      hint: 'restore it from a copy or an archive; nothing was changed',
    });
  }
}

/**
 * Opens the journal on `storage`, cutting off what an unfinished write left.
 * @throws CodedError `log_corrupt`, `log_segment_missing` for any other damage that opening sees; nothing is changed then.
 */
export async function recoverJournal(options: RecoverOptions): Promise<Journal> {
  const recovery: Recovery = { options, positions: createPositions(), segments: [], lastBatch: 0 };
  const found = await options.storage.segments();
  await takeArchived(recovery, found[0]?.segment ?? 0);
  for (const [i, info] of found.entries()) {
    const isLast = i === found.length - 1;
    if (!isLast && (await takeIndex(recovery, info.segment, info.sizeBytes))) continue;
    const first = recovery.positions.count;
    const sizeBytes = await scanSegment(recovery, info, isLast);
    recovery.segments.push({ sizeBytes, first, count: recovery.positions.count - first, notes: undefined, present: true });
  }
  return journalOver(recovery);
}

function closedView({ first, count, notes, present }: Segment, segment: number): ClosedSegment {
  return { segment, first, end: first + count, notes, present };
}

/** Reading one record, and many. */
function readers(recovery: Recovery): Pick<Journal, 'read' | 'scan'> {
  const { positions, segments } = recovery;
  const { storage, limits } = recovery.options;
  const frameEnd = (index: number): number => {
    const here = positions.at(index);
    const next = index + 1 < positions.count ? positions.at(index + 1) : undefined;
    return next !== undefined && next.segment === here.segment ? next.offset : (segments[here.segment]?.sizeBytes ?? 0);
  };
  const refuseArchived = (segment: number, index: number): void => {
    if (segments[segment]?.present === true) return;
    throw logError('log_archived', `record ${index} was moved to an archive`, {
      path: `journal segment ${segment}`,
      hint: 'bring it back with `countersign log restore`',
    });
  };
  const read = async (index: number): Promise<LogRecord> => {
    const { segment, offset } = positions.at(index);
    refuseArchived(segment, index);
    const bytes = await storage.read(segment, { offset, length: frameEnd(index) - offset });
    const header: FrameHeader | undefined = readHeader(bytes, 0);
    const record = header === undefined || header.index !== index ? undefined : readBody(bytes, 0, header);
    if (record === undefined) throw corrupt(segment, offset, `record ${index} is damaged`);
    return record;
  };
  return {
    read,
    scan: async function* scan(from) {
      let index = from;
      while (index < positions.count) {
        const { segment, offset } = positions.at(index);
        refuseArchived(segment, index);
        const info = { segment, sizeBytes: segments[segment]?.sizeBytes ?? 0 };
        const chunk = await readChunk(storage, { segment: info, offset, frameMax: frameMaxOf(limits) });
        const records = chunk.frames.map((frame) => frame.record);
        if (records.length === 0 || records[0]?.index !== index) throw corrupt(segment, offset, `record ${index} is damaged`);
        yield records;
        index += records.length;
      }
    },
  };
}

/** Writing: the end of the journal, and the index of what is closed. */
function writers({ positions, segments, options }: Recovery): Pick<Journal, 'append' | 'keepIndex'> {
  const { storage, limits } = options;
  const offsetsOf = ({ first, count }: Segment): Uint32Array =>
    Uint32Array.from({ length: count }, (_, i) => positions.at(first + i).offset);
  const nextSegment = (): number => {
    const last = segments.at(-1);
    return last === undefined || last.sizeBytes >= limits.segmentBytesMax ? segments.length : segments.length - 1;
  };
  return {
    append: async ({ bytes, starts }) => {
      const number = nextSegment();
      const opens = number === segments.length;
      const base = opens ? 0 : (segments[number]?.sizeBytes ?? 0);
      await storage.append(number, base, bytes);
      if (opens) segments.push({ sizeBytes: 0, first: positions.count, count: 0, notes: undefined, present: true });
      const segment = segments[number];
      if (segment !== undefined) {
        segment.sizeBytes = base + bytes.length;
        segment.count += starts.length;
      }
      for (const start of starts) positions.push(number, base + start);
      const before = opens ? segments[number - 1] : undefined;
      return before === undefined ? undefined : closedView(before, number - 1);
    },
    keepIndex: async (number, notes) => {
      const segment = segments[number];
      if (segment === undefined) return;
      segment.notes = notes;
      const { first, sizeBytes } = segment;
      await storage.writeIndex(number, writeSegmentIndex({ first, sizeBytes, offsets: offsetsOf(segment), notes }));
    },
  };
}

/** Segments that go to an archive, and come back. */
function movers({ segments, options: { storage } }: Recovery): Pick<Journal, 'segmentBytes' | 'removeFirst' | 'restore'> {
  return {
    segmentBytes: (number) => storage.read(number, { offset: 0, length: segments[number]?.sizeBytes ?? 0 }),
    restore: async (number, bytes) => {
      const segment = segments[number];
      const first = readHeader(bytes, 0);
      if (segment === undefined || segment.present || bytes.length !== segment.sizeBytes || first?.index !== segment.first) {
        throw logError('log_archive_mismatch', `these bytes are not those of journal segment ${number}`, {
          path: `journal segment ${number}`,
          hint: 'restore from the archive that this log was moved to',
        });
      }
      await storage.restoreSegment(number, bytes);
      segment.present = true;
    },
    removeFirst: async () => {
      const number = segments.findIndex((segment) => segment.present);
      const segment = segments[number];
      if (segment === undefined || number === segments.length - 1) return;
      // Without its index a segment that is elsewhere could not be passed over at the next opening.
      const kept = await storage.readIndex(number);
      const index = kept === undefined ? undefined : readSegmentIndex(kept);
      if (index?.first !== segment.first || index.sizeBytes !== segment.sizeBytes || index.offsets.length !== segment.count) {
        throw logError('log_segment_missing', `the index of journal segment ${number} is not kept, so it must stay`, {
          path: `journal segment ${number}`,
          hint: 'open the log again: the index is made anew',
        });
      }
      await storage.removeSegment(number);
      segment.present = false;
    },
  };
}

function journalOver(recovery: Recovery): Journal {
  const { positions, segments } = recovery;
  return {
    get size() {
      return positions.count;
    },
    get firstPresent() {
      return segments.find((segment) => segment.present)?.first ?? 0;
    },
    get closed() {
      return segments.slice(0, -1).map(closedView);
    },
    ...writers(recovery),
    ...readers(recovery),
    ...movers(recovery),
  };
}
