/**
 * @module A log storage in memory: for tests, the simulator, and short-lived logs. Its content outlives it in `MemoryDisk`,
 * so that a crash is: drop the storage, damage the disk, open a new storage over it.
 */
import { CodedError } from '@countersign/kernel';
import type { LogStorage, SegmentInfo } from './storage.ts';

/** What is "on disk". Tests read it and damage it. */
export interface MemoryDisk {
  readonly segments: Uint8Array[];
  readonly files: Map<string, Uint8Array>;
}

export function createMemoryDisk(): MemoryDisk {
  return { segments: [], files: new Map() };
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

/** A storage over `disk`. Everything resolves in a later microtask, as a real disk would. */
export function createMemoryStorage(disk: MemoryDisk = createMemoryDisk()): LogStorage {
  const rooms: Room[] = disk.segments.map((bytes) => ({ bytes: bytes.slice(), used: bytes.length }));
  const show = (segment: number, room: Room): void => {
    disk.segments[segment] = room.bytes.subarray(0, room.used);
  };
  return {
    segments: () => Promise.resolve(rooms.map((room, segment): SegmentInfo => ({ segment, sizeBytes: room.used }))),
    append: async (segment, bytes) => {
      await Promise.resolve();
      if (segment === rooms.length) rooms.push({ bytes: new Uint8Array(0), used: 0 });
      const room = rooms[segment];
      if (room === undefined) throw missing(segment);
      grow(room, bytes);
      show(segment, room);
    },
    read: async (segment, { offset, length }) => {
      await Promise.resolve();
      const room = rooms[segment];
      if (room === undefined) throw missing(segment);
      return room.bytes.slice(offset, Math.min(room.used, offset + length));
    },
    truncate: async (segment, sizeBytes) => {
      await Promise.resolve();
      const room = rooms[segment];
      if (room === undefined || sizeBytes > room.used) throw missing(segment);
      room.used = sizeBytes;
      show(segment, room);
    },
    readFile: (path) => Promise.resolve(disk.files.get(path)?.slice()),
    replaceFile: async (path, bytes) => {
      await Promise.resolve();
      disk.files.set(path, bytes.slice());
    },
    removeFile: async (path) => {
      await Promise.resolve();
      disk.files.delete(path);
    },
    listFiles: async (folder) => {
      await Promise.resolve();
      const inside = [...disk.files].filter(([path]) => path.startsWith(`${folder}/`));
      return inside.map(([path, bytes]) => ({ path, sizeBytes: bytes.length }));
    },
    close: () => Promise.resolve(),
  };
}
