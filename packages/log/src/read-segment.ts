/** @module Frames of one segment, read in chunks and checked; and what damage to them means. */
import { logError } from './errors.ts';
import { findHeader, HEADER_BYTES, readBody, readHeader, type FrameHeader, type LogRecord } from './frame.ts';
import { SCAN_BYTES } from './limits.ts';
import type { JournalReading, SegmentInfo } from './storage.ts';

type Reading = Pick<JournalReading, 'read'>;

export interface Scanned {
  readonly header: FrameHeader;
  readonly record: LogRecord;
  readonly offset: number;
}

export interface Chunk {
  readonly frames: readonly Scanned[];
  /** Where the first frame that is not in `frames` starts. */
  readonly next: number;
  /** No valid frame starts at `next`, and the segment does not end there. */
  readonly damaged: boolean;
}

export interface ChunkRequest {
  readonly segment: SegmentInfo;
  readonly offset: number;
  readonly frameMax: number;
}

/** Reads the frames from `offset` on: as many as fit in one read, at least one. */
export async function readChunk(storage: Reading, request: ChunkRequest): Promise<Chunk> {
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
export async function laterWriteBehind(
  storage: Reading,
  damage: { readonly segment: SegmentInfo; readonly from: number; readonly expected: number },
): Promise<boolean> {
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

export function corrupt(segment: number, offset: number, what: string): Error {
  const place = `journal segment ${segment}, byte ${offset}`;
  return logError('log_corrupt', `${what} in journal segment ${segment} at byte ${offset}`, {
    path: place,
    hint: 'restore this segment from a copy; nothing was changed',
  });
}
