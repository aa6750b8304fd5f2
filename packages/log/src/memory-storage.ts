/**
 * @module A log storage in memory: for tests, the simulator, and short-lived logs. Its content outlives it in `MemoryDisk`,
 * so that a crash is: drop the storage, damage the disk, open a new storage over it.
 */
import { CodedError } from '@countersign/kernel';
import type { JournalStorage, LogStorage, SegmentInfo } from './storage.ts';

/** What is "on disk". Tests read it and damage it. */
export interface MemoryDisk {
  /** By number; empty where a segment was removed. */
  readonly segments: Uint8Array[];
  readonly removed: Set<number>;
  readonly indexes: Map<number, Uint8Array>;
  readonly files: Map<string, Uint8Array>;
}

export function createMemoryDisk(): MemoryDisk {
  return { segments: [], removed: new Set(), indexes: new Map(), files: new Map() };
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function missing(segment: number): CodedError {
  return new CodedError({ code: 'storage_no_segment', message: `there is no segment ${segment}` });
}

/** Segments grow in place with doubling room, so that appending is linear. */
interface Room {
  bytes: Uint8Array;
  used: number;
}

function grow(room: Room, bytes: Uint8Array): void {
  const needed = room.used + bytes.length;
  if (needed > room.bytes.length) room.bytes = joined(room.bytes.subarray(0, room.used), new Uint8Array(needed));
  room.bytes.set(bytes, room.used);
  room.used = needed;
}

function endsElsewhere(segment: number): CodedError {
  return new CodedError({ code: 'storage_other_end', message: `segment ${segment} does not end where the next bytes belong` });
}

function memoryJournal(disk: MemoryDisk): JournalStorage {
  const rooms: (Room | undefined)[] = Array.from({ length: disk.segments.length }, (_, i) => {
    const bytes = disk.segments[i];
    return bytes === undefined || disk.removed.has(i) ? undefined : { bytes: bytes.slice(), used: bytes.length };
  });
  const show = (segment: number, room: Room): void => {
    disk.segments[segment] = room.bytes.subarray(0, room.used);
  };
  const roomOf = (segment: number): Room => {
    const room = rooms[segment];
    if (room === undefined) throw missing(segment);
    return room;
  };
  return {
    segments: () =>
      Promise.resolve(rooms.flatMap((room, segment): SegmentInfo[] => (room === undefined ? [] : [{ segment, sizeBytes: room.used }]))),
    append: async (segment, offset, bytes) => {
      await Promise.resolve();
      if (segment === rooms.length) rooms.push({ bytes: new Uint8Array(0), used: 0 });
      const room = roomOf(segment);
      if (room.used !== offset) throw endsElsewhere(segment);
      grow(room, bytes);
      show(segment, room);
    },
    read: async (segment, { offset, length }) => {
      await Promise.resolve();
      const room = roomOf(segment);
      return room.bytes.slice(offset, Math.min(room.used, offset + length));
    },
    truncate: async (segment, sizeBytes) => {
      await Promise.resolve();
      const room = roomOf(segment);
      if (sizeBytes > room.used) throw missing(segment);
      room.used = sizeBytes;
      show(segment, room);
    },
    readIndex: (segment) => Promise.resolve(disk.indexes.get(segment)?.slice()),
    writeIndex: async (segment, bytes) => {
      await Promise.resolve();
      disk.indexes.set(segment, bytes.slice());
    },
    removeSegment: async (segment) => {
      await Promise.resolve();
      roomOf(segment);
      rooms[segment] = undefined;
      disk.segments[segment] = new Uint8Array(0);
      disk.removed.add(segment);
    },
    restoreSegment: async (segment, bytes) => {
      await Promise.resolve();
      if (segment >= rooms.length) throw missing(segment);
      const room: Room = { bytes: bytes.slice(), used: bytes.length };
      rooms[segment] = room;
      disk.removed.delete(segment);
      show(segment, room);
    },
  };
}

/** A storage over `disk`. Everything resolves in a later microtask, as a real disk would. */
export function createMemoryStorage(disk: MemoryDisk = createMemoryDisk()): LogStorage {
  return {
    ...memoryJournal(disk),
    readFile: (path) => Promise.resolve(disk.files.get(path)?.slice()),
    replaceFile: async (path, bytes) => {
      await Promise.resolve();
      disk.files.set(path, bytes.slice());
    },
    replaceFiles: async (files) => {
      await Promise.resolve();
      for (const { path, bytes } of files) disk.files.set(path, bytes.slice());
    },
    removeFile: async (path) => {
      await Promise.resolve();
      disk.files.delete(path);
    },
    listFiles: async (folder) => {
      await Promise.resolve();
      return [...disk.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    },
    close: () => Promise.resolve(),
  };
}
