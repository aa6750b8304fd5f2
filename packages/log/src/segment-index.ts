/**
 * @module The index of a closed segment: where its records start, and bytes of whoever writes the log. Derived, and made anew wherever it
 * does not fit (spec/log.md, LOG-013). Form, big endian: `CSI1`, first record (6 bytes), records (4), bytes of the segment (6), bytes of
 * the notes (4), an offset of 4 bytes for each record, the notes, SHA-256 of all before.
 */
import { sha256 } from '@countersign/crypto';
import { getU32, getU48, putU32, putU48 } from './big-endian.ts';

export interface SegmentIndex {
  /** Index of the first record. */
  readonly first: number;
  /** Bytes of the segment when it was closed. */
  readonly sizeBytes: number;
  /** Where each record starts. */
  readonly offsets: Uint32Array;
  readonly notes: Uint8Array;
}

const MAGIC: readonly number[] = [0x43, 0x53, 0x49, 0x31];
const HEADER_BYTES = 24;
const SUM_BYTES = 32;

export function writeSegmentIndex(index: SegmentIndex): Uint8Array {
  const { first, sizeBytes, offsets, notes } = index;
  const bytes = new Uint8Array(HEADER_BYTES + 4 * offsets.length + notes.length + SUM_BYTES);
  bytes.set(MAGIC);
  putU48(bytes, 4, first);
  putU32(bytes, 10, offsets.length);
  putU48(bytes, 14, sizeBytes);
  putU32(bytes, 20, notes.length);
  let at = HEADER_BYTES;
  for (const offset of offsets) {
    putU32(bytes, at, offset);
    at += 4;
  }
  bytes.set(notes, at);
  bytes.set(sha256(bytes.subarray(0, at + notes.length)), at + notes.length);
  return bytes;
}

function sumHolds(bytes: Uint8Array): boolean {
  const at = bytes.length - SUM_BYTES;
  const sum = sha256(bytes.subarray(0, at));
  for (let i = 0; i < SUM_BYTES; i += 1) if (bytes[at + i] !== sum[i]) return false;
  return true;
}

/** The index in `bytes`, or undefined where they are not one, whole. */
export function readSegmentIndex(bytes: Uint8Array): SegmentIndex | undefined {
  if (bytes.length < HEADER_BYTES + SUM_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const count = getU32(bytes, 10);
  const notesBytes = getU32(bytes, 20);
  const notesAt = HEADER_BYTES + 4 * count;
  if (notesAt + notesBytes + SUM_BYTES !== bytes.length || !sumHolds(bytes)) return undefined;
  const offsets = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) offsets[i] = getU32(bytes, HEADER_BYTES + 4 * i);
  return { first: getU48(bytes, 4), sizeBytes: getU48(bytes, 14), offsets, notes: bytes.subarray(notesAt, notesAt + notesBytes) };
}
