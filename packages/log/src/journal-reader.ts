/**
 * @module The journal, read by somebody else than its writer: without a lock, without changing a byte, while the writer may be
 * appending. What an unfinished write has left behind the last whole frame is not there yet; any other damage is refused with its place
 * (spec/replay.md, RPLY-001 to RPLY-004). No index file is needed: the first frame of a segment names its first record.
 */
import { logError } from './errors.ts';
import { findHeader, HEADER_BYTES, readBody, readHeader, type FrameHeader, type LogRecord } from './frame.ts';
import { LOG_LIMITS, SCAN_BYTES } from './limits.ts';
import type { LogStorage, SegmentInfo } from './storage.ts';

/** The two calls of a storage that reading needs. */
export type JournalSource = Pick<LogStorage, 'segments' | 'read'>;

export interface JournalReader {
  /** Index of the first record that is here; above 0 where older segments were archived. */
  readonly first: number;
  /** Whole records that were there when the reader was opened: indexes below it can be read. */
  readonly size: number;
  /** Where the next record would begin: segment and byte, for people. */
  readonly end: string;
  /**
   * Records `[from, until)` in chunks, in order. The views of a chunk are valid until the next one is asked for.
   * @throws CodedError `log_out_of_range`; `log_corrupt` with segment and byte where a record is not what was written.
   */
  records(from: number, until: number): AsyncGenerator<readonly LogRecord[], void, undefined>;
}

/** No frame that was written whole is longer. */
const FRAME_BYTES_MAX = LOG_LIMITS.recordBytesMax + SCAN_BYTES;

interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly index: number;
}

interface Opened {
  readonly source: JournalSource;
  /** Segments that hold records, in order, as long as they were at the opening. */
  readonly segments: readonly (SegmentInfo & { readonly first: number })[];
}

function placeText(segment: number, offset: number): string {
  return `journal segment ${segment}, byte ${offset}`;
}

function damaged({ segment, offset, index }: Place): Error {
  return logError('log_corrupt', `record ${index} is damaged in journal segment ${segment} at byte ${offset}`, {
    path: placeText(segment, offset),
    hint: 'restore this segment from a copy; nothing was changed',
  });
}

function outOfRange(from: number, until: number, reader: { first: number; size: number }): Error {
  return logError('log_out_of_range', `records ${from} to ${until} are not all among ${reader.first} to ${reader.size}`, {
    hint: reader.first > 0 ? 'bring archived segments back with `log restore`' : 'ask for records that the log holds',
  });
}

/** Bytes of a segment from `offset` on, in windows: at least what is asked for, unless the segment ends before. */
interface Window {
  /** Makes `[offset, offset + length)` readable; false where the segment ends before that. */
  hold(offset: number, length: number): Promise<boolean>;
  readonly bytes: Uint8Array;
  /** Offset in the segment of the first of `bytes`. */
  readonly start: number;
}

function openWindow(source: JournalSource, { segment, sizeBytes }: SegmentInfo): Window {
  let bytes: Uint8Array = new Uint8Array(0);
  let start = 0;
  return {
    get bytes() {
      return bytes;
    },
    get start() {
      return start;
    },
    hold: async (offset, length) => {
      if (offset + length > sizeBytes) return false;
      if (offset >= start && offset + length <= start + bytes.length) return true;
      bytes = await source.read(segment, { offset, length: Math.min(Math.max(length, SCAN_BYTES), sizeBytes - offset) });
      start = offset;
      return length <= bytes.length;
    },
  };
}

/** The header at `offset`, where the frame lies whole within the segment; undefined otherwise. */
async function wholeFrame(window: Window, offset: number): Promise<FrameHeader | undefined> {
  if (!(await window.hold(offset, HEADER_BYTES))) return undefined;
  const header = readHeader(window.bytes, offset - window.start);
  if (header === undefined || header.frameLength > FRAME_BYTES_MAX) return undefined;
  return (await window.hold(offset, header.frameLength)) ? header : undefined;
}

async function bodyHolds(window: Window, offset: number, header: FrameHeader): Promise<boolean> {
  return (await window.hold(offset, header.frameLength)) && readBody(window.bytes, offset - window.start, header) !== undefined;
}

/** Only the header: hopping from frame to frame needs no body. */
async function headerAt(window: Window, offset: number): Promise<FrameHeader | undefined> {
  return (await window.hold(offset, HEADER_BYTES)) ? readHeader(window.bytes, offset - window.start) : undefined;
}

/** True when a frame behind `offset` belongs to a later write than the one that should hold record `index` (LOG-006). */
async function laterWriteBehind(source: JournalSource, segment: SegmentInfo, place: Place): Promise<boolean> {
  for (let offset = place.offset + 1; offset < segment.sizeBytes; offset += SCAN_BYTES) {
    const length = Math.min(SCAN_BYTES + HEADER_BYTES - 1, segment.sizeBytes - offset);
    const bytes = await source.read(segment.segment, { offset, length });
    for (let at = findHeader(bytes, 0); at !== -1; at = findHeader(bytes, at + 1)) {
      if ((readHeader(bytes, at)?.batch ?? 0) > place.index) return true;
    }
  }
  return false;
}

interface Tail {
  /** Index behind the last whole record. */
  readonly size: number;
  /** Byte behind it. */
  readonly sizeBytes: number;
}

/** Walks the last segment: to its end, or to what an unfinished write left. */
async function findTail(source: JournalSource, segment: SegmentInfo, first: number): Promise<Tail> {
  const window = openWindow(source, segment);
  let here: Place = { segment: segment.segment, offset: 0, index: first };
  let batch: Place & { readonly number: number } = { ...here, number: -1 };
  while (here.offset < segment.sizeBytes) {
    const header = await wholeFrame(window, here.offset);
    if (header === undefined || header.index !== here.index) break;
    if (header.batch !== batch.number) batch = { ...here, number: header.batch };
    here = { segment: segment.segment, offset: here.offset + header.frameLength, index: here.index + 1 };
  }
  if (here.offset < segment.sizeBytes && (await laterWriteBehind(source, segment, here))) throw damaged(here);
  return wholeBodies(window, batch, here);
}

/** The end of the bodies that hold, from the start of the last write on: only that one can be unfinished. */
async function wholeBodies(window: Window, batch: Place, end: Place): Promise<Tail> {
  let { offset, index } = batch;
  while (offset < end.offset) {
    const header = await wholeFrame(window, offset);
    if (header === undefined || !(await bodyHolds(window, offset, header))) break;
    offset += header.frameLength;
    index += 1;
  }
  return { size: index, sizeBytes: offset };
}

interface Listed {
  readonly held: (SegmentInfo & { readonly first: number })[];
  /** A last segment in which nothing whole stands. */
  readonly begun: SegmentInfo | undefined;
}

/** The first record of each segment, read from its first header. */
async function firstRecords(source: JournalSource): Promise<Listed> {
  const listed = await source.segments();
  const held: (SegmentInfo & { first: number })[] = [];
  for (const segment of listed) {
    const header = readHeader(await source.read(segment.segment, { offset: 0, length: HEADER_BYTES }), 0);
    if (header !== undefined) held.push({ ...segment, first: header.index });
    // Only the segment that was begun last may have nothing whole in it.
    else if (segment === listed.at(-1)) return { held, begun: segment };
    else throw damaged({ segment: segment.segment, offset: 0, index: held.at(-1)?.first ?? 0 });
  }
  return { held, begun: undefined };
}

/** The tail of the journal. A segment behind the last one that holds records was begun when that one was whole. */
async function tailOf(source: JournalSource, { held, begun }: Listed): Promise<Tail> {
  const last = held.at(-1);
  const tail = last === undefined ? { size: 0, sizeBytes: 0 } : await findTail(source, last, last.first);
  if (begun === undefined) return tail;
  if (last !== undefined && tail.sizeBytes < last.sizeBytes)
    throw damaged({ segment: last.segment, offset: tail.sizeBytes, index: tail.size });
  const place = { segment: begun.segment, offset: 0, index: tail.size };
  if (await laterWriteBehind(source, begun, place)) throw damaged(place);
  return tail;
}

/** Where record `index` stands: from the nearest place known before it, from header to header. */
async function locate(opened: Opened, index: number, known: Place | undefined): Promise<Place> {
  const holder = opened.segments.findLast(({ first }) => first <= index);
  if (holder === undefined) throw outOfRange(index, index + 1, { first: opened.segments[0]?.first ?? 0, size: 0 });
  const start = { segment: holder.segment, offset: 0, index: holder.first };
  let here = known !== undefined && known.segment === holder.segment && known.index <= index ? known : start;
  const window = openWindow(opened.source, holder);
  while (here.index < index) {
    const header = await headerAt(window, here.offset);
    if (header?.index !== here.index) throw damaged(here);
    here = { segment: here.segment, offset: here.offset + header.frameLength, index: here.index + 1 };
  }
  return here;
}

interface Read {
  readonly records: readonly LogRecord[];
  readonly next: Place;
}

/** The records from a place on that one read holds, at least one, none at or above `until`. */
async function readChunk(opened: Opened, from: Place, until: number): Promise<Read> {
  const segment = opened.segments.find((other) => other.segment === from.segment);
  if (segment === undefined) throw damaged(from);
  const window = openWindow(opened.source, segment);
  if ((await wholeFrame(window, from.offset)) === undefined) throw damaged(from);
  const { bytes } = window;
  const records: LogRecord[] = [];
  let here = from;
  while (here.index < until) {
    const at = here.offset - from.offset;
    const header = readHeader(bytes, at);
    const runsOn = header === undefined ? at + HEADER_BYTES > bytes.length : at + header.frameLength > bytes.length;
    if (runsOn && records.length > 0) break;
    const record = header === undefined || header.index !== here.index ? undefined : readBody(bytes, at, header);
    if (header === undefined || record === undefined) throw damaged(here);
    records.push(record);
    here = { segment: here.segment, offset: here.offset + header.frameLength, index: here.index + 1 };
  }
  return { records, next: nextPlace(opened, here) };
}

/** The same place, or the start of the segment that begins with its record. */
function nextPlace({ segments }: Opened, place: Place): Place {
  const here = segments.find(({ segment }) => segment === place.segment);
  if (here === undefined || place.offset < here.sizeBytes) return place;
  const next = segments.find(({ segment }) => segment === place.segment + 1);
  if (next === undefined) return place;
  if (next.first !== place.index) throw damaged({ segment: next.segment, offset: 0, index: place.index });
  return { segment: next.segment, offset: 0, index: place.index };
}

/**
 * Opens a journal for reading. Reads the first header of each segment, and the headers of the last segment.
 * @throws CodedError `log_corrupt` for damage that no unfinished write explains, or what the source throws.
 */
export async function openJournalReader(source: JournalSource): Promise<JournalReader> {
  const listed = await firstRecords(source);
  const { held } = listed;
  const tail = await tailOf(source, listed);
  const segments = held.map((segment, i) => (i === held.length - 1 ? { ...segment, sizeBytes: tail.sizeBytes } : segment));
  const opened: Opened = { source, segments: segments.filter(({ sizeBytes }) => sizeBytes > 0) };
  const end = placeText(held.at(-1)?.segment ?? 0, tail.sizeBytes);
  const bounds = { first: held[0]?.first ?? 0, size: tail.size, end };
  // Workers ask for ranges that rise: the place behind the last one is where the next search begins.
  let known: Place | undefined;
  return {
    ...bounds,
    records: async function* records(from, until) {
      if (from >= until) return;
      if (from < bounds.first || until > bounds.size) throw outOfRange(from, until, bounds);
      let place = await locate(opened, from, known);
      while (place.index < until) {
        const chunk = await readChunk(opened, place, until);
        known = chunk.next;
        place = chunk.next;
        yield chunk.records;
      }
    },
  };
}
