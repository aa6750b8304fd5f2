/**
 * @module The journal: what was acknowledged is here, in order, or it never happened. Segments of frames; one batch is one write.
 *
 * Recovery reads everything once. Damage at the end that a single unfinished write can explain is cut off (it was never
 * acknowledged); any other damage is refused with its place, because what lies behind it was acknowledged.
 */
import { invariant } from '@countersign/kernel';
import { logError } from './errors.ts';
import { findHeader, HEADER_BYTES, readBody, readHeader, type FrameHeader, type LogRecord } from './frame.ts';
import { SCAN_BYTES, type LogLimits } from './limits.ts';
import type { LogStorage, SegmentInfo } from './storage.ts';

/** Offsets fit below this, so that segment and offset share one exact double. */
const SEGMENT_SPAN = 0x1_0000_0000;

/** Positions of all records, eight bytes each. */
interface Positions {
  readonly count: number;
  push(segment: number, offset: number): void;
  at(index: number): { readonly segment: number; readonly offset: number };
}

function createPositions(): Positions {
  let held = new Float64Array(1024);
  let count = 0;
  return {
    get count() {
      return count;
    },
    push: (segment, offset) => {
      if (count === held.length) {
        const larger = new Float64Array(count * 2);
        larger.set(held);
        held = larger;
      }
      held[count] = segment * SEGMENT_SPAN + offset;
      count += 1;
    },
    at: (index) => {
      const position = held[index] ?? 0;
      const segment = Math.floor(position / SEGMENT_SPAN);
      return { segment, offset: position - segment * SEGMENT_SPAN };
    },
  };
}

/** A batch as it goes to storage: frames one after the other. */
export interface JournalBatch {
  readonly bytes: Uint8Array;
  /** Where each frame starts in `bytes`. */
  readonly starts: readonly number[];
}

export interface Journal {
  /** Records that are durable. */
  readonly size: number;
  /** Writes a batch; durable on return. */
  append(batch: JournalBatch): Promise<void>;
  /** @throws CodedError `log_corrupt` when the bytes are not those that were written. */
  read(index: number): Promise<LogRecord>;
  /** Records from `from` on, in chunks, up to those durable when the chunk is read. */
  scan(from: number): AsyncGenerator<readonly LogRecord[], void, undefined>;
}

export interface RecoverOptions {
  readonly storage: LogStorage;
  readonly limits: LogLimits;
  /** Called with every chunk of recovered records, in order. The views are valid until it resolves. */
  readonly visit: (records: readonly LogRecord[]) => Promise<void>;
}

function segmentName(segment: number): string {
  return `journal segment ${segment}`;
}

interface Scanned {
  readonly header: FrameHeader;
  readonly record: LogRecord;
  readonly offset: number;
}

interface Chunk {
  readonly frames: readonly Scanned[];
  /** Where the first frame that is not in `frames` starts. */
  readonly next: number;
  /** No valid frame starts at `next`, and the segment does not end there. */
  readonly damaged: boolean;
}

interface ChunkRequest {
  readonly segment: SegmentInfo;
  readonly offset: number;
  readonly frameMax: number;
}

/** Reads the frames from `offset` on: as many as fit in one read, at least one. */
async function readChunk(storage: LogStorage, request: ChunkRequest): Promise<Chunk> {
  const { segment, offset, frameMax } = request;
  const left = segment.sizeBytes - offset;
  let bytes = await storage.read(segment.segment, { offset, length: Math.min(left, SCAN_BYTES) });
  const first = readHeader(bytes, 0);
  if (first !== undefined && first.frameLength > bytes.length && first.frameLength <= Math.min(left, frameMax)) {
    bytes = await storage.read(segment.segment, { offset, length: first.frameLength });
  }
  const frames: Scanned[] = [];
  let cursor = 0;
  while (cursor < bytes.length) {
    const header = readHeader(bytes, cursor);
    const runsOn = header === undefined ? cursor + HEADER_BYTES > bytes.length : cursor + header.frameLength > bytes.length;
    if (runsOn) return { frames, next: offset + cursor, damaged: frames.length === 0 };
    const record = header === undefined ? undefined : readBody(bytes, cursor, header);
    if (header === undefined || record === undefined) return { frames, next: offset + cursor, damaged: true };
    frames.push({ header, record, offset: offset + cursor });
    cursor += header.frameLength;
  }
  return { frames, next: offset + cursor, damaged: frames.length === 0 };
}

/** True when a frame behind `from` belongs to a later write than the one that holds, or should hold, record `expected`. */
async function laterWriteBehind(storage: LogStorage, damage: { segment: SegmentInfo; from: number; expected: number }): Promise<boolean> {
  const { segment, from, expected } = damage;
  for (let offset = from; offset < segment.sizeBytes; offset += SCAN_BYTES) {
    const bytes = await storage.read(segment.segment, { offset, length: SCAN_BYTES + HEADER_BYTES - 1 });
    for (let at = findHeader(bytes, 0); at !== -1; at = findHeader(bytes, at + 1)) {
      const header = readHeader(bytes, at);
      if (header !== undefined && header.batch > expected) return true;
    }
  }
  return false;
}

function corrupt(segment: number, offset: number, what: string): Error {
  return logError('log_corrupt', `${what} in ${segmentName(segment)} at byte ${offset}`, {
    path: `${segmentName(segment)}, byte ${offset}`,
    hint: 'restore this segment from a copy; nothing was changed',
  });
}

interface Recovery {
  readonly options: RecoverOptions;
  readonly positions: Positions;
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

/** Recovers one segment; returns its size afterwards. */
async function recoverSegment(recovery: Recovery, segment: SegmentInfo, isLast: boolean): Promise<number> {
  const { storage, limits, visit } = recovery.options;
  const frameMax = limits.recordBytesMax + SCAN_BYTES;
  let offset = 0;
  while (offset < segment.sizeBytes) {
    const chunk = await readChunk(storage, { segment, offset, frameMax });
    admit(recovery, segment.segment, chunk.frames);
    if (chunk.frames.length > 0) await visit(chunk.frames.map((frame) => frame.record));
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

/**
 * Opens the journal on `storage`, cutting off what an unfinished write left.
 * @throws CodedError `log_corrupt` for any other damage; nothing is changed then.
 */
export async function recoverJournal(options: RecoverOptions): Promise<Journal> {
  const recovery: Recovery = { options, positions: createPositions(), lastBatch: 0 };
  const sizes: number[] = [];
  const segments = await options.storage.segments();
  for (const segment of segments) {
    invariant(segment.segment === sizes.length, 'storage numbers segments from 0 without gaps');
    sizes.push(await recoverSegment(recovery, segment, segment.segment === segments.length - 1));
  }
  return journalOver(options, recovery.positions, sizes);
}

function journalOver({ storage, limits }: RecoverOptions, positions: Positions, sizes: number[]): Journal {
  const frameEnd = (index: number): number => {
    const here = positions.at(index);
    const next = index + 1 < positions.count ? positions.at(index + 1) : undefined;
    return next !== undefined && next.segment === here.segment ? next.offset : (sizes[here.segment] ?? 0);
  };
  const read = async (index: number): Promise<LogRecord> => {
    const { segment, offset } = positions.at(index);
    const bytes = await storage.read(segment, { offset, length: frameEnd(index) - offset });
    const header = readHeader(bytes, 0);
    const record = header === undefined || header.index !== index ? undefined : readBody(bytes, 0, header);
    if (record === undefined) throw corrupt(segment, offset, `record ${index} is damaged`);
    return record;
  };
  return {
    get size() {
      return positions.count;
    },
    append: async ({ bytes, starts }) => {
      const last = sizes.length - 1;
      const segment = last === -1 || (sizes[last] ?? 0) >= limits.segmentBytesMax ? last + 1 : last;
      const base = sizes[segment] ?? 0;
      await storage.append(segment, bytes);
      sizes[segment] = base + bytes.length;
      for (const start of starts) positions.push(segment, base + start);
    },
    read,
    scan: async function* scan(from) {
      const frameMax = limits.recordBytesMax + SCAN_BYTES;
      let index = from;
      while (index < positions.count) {
        const { segment, offset } = positions.at(index);
        const chunk = await readChunk(storage, { segment: { segment, sizeBytes: sizes[segment] ?? 0 }, offset, frameMax });
        const records = chunk.frames.map((frame) => frame.record);
        if (records.length === 0 || records[0]?.index !== index) throw corrupt(segment, offset, `record ${index} is damaged`);
        yield records;
        index += records.length;
      }
    },
  };
}
