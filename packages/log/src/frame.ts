/**
 * @module One record of the journal as bytes (spec/log.md, LOG-001..). A frame is
 * `magic "CSJ1" | u32 body length | u48 index | u48 batch | u32 CRC-32C of those 20 bytes | body | 16 bytes of SHA-256(header | body)`,
 * and the body is `u32 entry length | u8 n | n x u32 attachment length | 0x00 | entry | attachments`, all big endian.
 *
 * The header has its own checksum so that a later frame can be recognised in linear time behind a damaged one; `batch` is the
 * index of the first record written in the same write, which tells a torn write from damage to what was acknowledged.
 * The zero byte before the entry is the RFC 6962 leaf prefix: the leaf hash is taken from the frame without a copy.
 */
import { sha256 } from '@countersign/crypto';
import { getU32, getU48, putU32, putU48 } from './big-endian.ts';
import { crc32c } from './checksum.ts';

export const HEADER_BYTES = 24;
const SUM_BYTES = 16;
const MAGIC: readonly number[] = [0x43, 0x53, 0x4a, 0x31];

/** One record: a log entry, and bytes that are kept with it and are not part of the Merkle tree. */
export interface LogRecord {
  readonly index: number;
  readonly entry: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

/** Bytes a frame takes. */
export function frameBytes(entry: Uint8Array, attachments: readonly Uint8Array[]): number {
  let body = 6 + entry.length + 4 * attachments.length;
  for (const attachment of attachments) body += attachment.length;
  return HEADER_BYTES + body + SUM_BYTES;
}

export interface FrameInput {
  readonly index: number;
  /** Index of the first record of the same write. */
  readonly batch: number;
  readonly entry: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

/**
 * Writes a frame at `at`, where `target` has room for `frameBytes`.
 * @returns the RFC 6962 leaf hash of the entry.
 */
export function writeFrame(target: Uint8Array, at: number, frame: FrameInput): Uint8Array {
  const { entry, attachments } = frame;
  const length = frameBytes(entry, attachments);
  for (let i = 0; i < MAGIC.length; i += 1) target[at + i] = MAGIC[i] ?? 0;
  putU32(target, at + 4, length - HEADER_BYTES - SUM_BYTES);
  putU48(target, at + 8, frame.index);
  putU48(target, at + 14, frame.batch);
  putU32(target, at + 20, crc32c(target, at, at + 20));
  let cursor = at + HEADER_BYTES;
  putU32(target, cursor, entry.length);
  target[cursor + 4] = attachments.length;
  cursor += 5;
  for (const attachment of attachments) {
    putU32(target, cursor, attachment.length);
    cursor += 4;
  }
  target[cursor] = 0;
  target.set(entry, cursor + 1);
  const leaf = sha256(target.subarray(cursor, cursor + 1 + entry.length));
  cursor += 1 + entry.length;
  for (const attachment of attachments) {
    target.set(attachment, cursor);
    cursor += attachment.length;
  }
  const sum = sha256(target.subarray(at, cursor));
  for (let i = 0; i < SUM_BYTES; i += 1) target[cursor + i] = sum[i] ?? 0;
  return leaf;
}

export interface FrameHeader {
  readonly index: number;
  readonly batch: number;
  /** Bytes of the whole frame. */
  readonly frameLength: number;
}

/** The header at `at`, or undefined where there is none or its checksum does not hold. */
export function readHeader(bytes: Uint8Array, at: number): FrameHeader | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  for (let i = 0; i < MAGIC.length; i += 1) if (bytes[at + i] !== MAGIC[i]) return undefined;
  if (crc32c(bytes, at, at + 20) !== getU32(bytes, at + 20)) return undefined;
  return { index: getU48(bytes, at + 8), batch: getU48(bytes, at + 14), frameLength: getU32(bytes, at + 4) + HEADER_BYTES + SUM_BYTES };
}

function sumHolds(bytes: Uint8Array, at: number, sumAt: number): boolean {
  const sum = sha256(bytes.subarray(at, sumAt));
  for (let i = 0; i < SUM_BYTES; i += 1) if (bytes[sumAt + i] !== sum[i]) return false;
  return true;
}

function bodyParts(bytes: Uint8Array, bodyAt: number, bodyEnd: number): { entry: Uint8Array; attachments: Uint8Array[] } | undefined {
  const entryLength = getU32(bytes, bodyAt);
  const count = bytes[bodyAt + 4] ?? 0;
  let cursor = bodyAt + 6 + 4 * count;
  if (cursor + entryLength > bodyEnd || bytes[cursor - 1] !== 0) return undefined;
  const entry = bytes.subarray(cursor, cursor + entryLength);
  cursor += entryLength;
  const attachments: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const length = getU32(bytes, bodyAt + 5 + 4 * i);
    attachments.push(bytes.subarray(cursor, cursor + length));
    cursor += length;
  }
  return cursor === bodyEnd ? { entry, attachments } : undefined;
}

/**
 * The record whose frame starts at `at` and has `header`, as views into `bytes`; undefined where the checksum or the form fails.
 * The whole frame must lie inside `bytes`.
 */
export function readBody(bytes: Uint8Array, at: number, header: FrameHeader): LogRecord | undefined {
  const sumAt = at + header.frameLength - SUM_BYTES;
  if (sumAt + SUM_BYTES > bytes.length || !sumHolds(bytes, at, sumAt)) return undefined;
  const parts = bodyParts(bytes, at + HEADER_BYTES, sumAt);
  return parts === undefined ? undefined : { index: header.index, ...parts };
}

/** Where the next valid header at or after `from` starts, or -1. Linear: a header is checked by its own checksum alone. */
export function findHeader(bytes: Uint8Array, from: number): number {
  const first = MAGIC[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (readHeader(bytes, at) !== undefined) return at;
  }
  return -1;
}
