/** @module Entry bundles of tlog-tiles: up to 256 entries, each behind its length in two bytes. Those not yet published wait here. */
import { TILE_WIDTH } from './tile-path.ts';

export interface Bundle {
  readonly level: 'entries';
  readonly index: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

export interface EntryBundles {
  push(entry: Uint8Array): void;
  /** Bundles that wait, full ones first; the last may be partial. */
  waiting(): readonly Bundle[];
  /** Forgets full bundles below `index`. */
  forget(index: number): void;
}

const FIRST_ROOM = 65_536;

/** Bundles from the first on, or behind `before` full ones. */
export function createEntryBundles(before: number = 0): EntryBundles {
  const full: Bundle[] = [];
  let room: Uint8Array = new Uint8Array(FIRST_ROOM);
  let used = 0;
  let index = before;
  let width = 0;
  const reserve = (bytes: number): void => {
    if (used + bytes <= room.length) return;
    const larger = new Uint8Array((used + bytes) * 2);
    larger.set(room.subarray(0, used));
    room = larger;
  };
  const closeBundle = (): void => {
    full.push({ level: 'entries', index, width, bytes: room.slice(0, used) });
    index += 1;
    width = 0;
    used = 0;
  };
  return {
    push: (entry) => {
      reserve(2 + entry.length);
      room[used] = entry.length >>> 8;
      room[used + 1] = entry.length & 0xff;
      room.set(entry, used + 2);
      used += 2 + entry.length;
      width += 1;
      if (width === TILE_WIDTH) closeBundle();
    },
    waiting: () => (width === 0 ? [...full] : [...full, { level: 'entries', index, width, bytes: room.slice(0, used) }]),
    forget: (below) => {
      let count = 0;
      while (count < full.length && (full[count]?.index ?? below) < below) count += 1;
      full.splice(0, count);
    },
  };
}

/** Where the entry at `cursor` ends, or undefined where the bundle ends earlier. */
function entryEnd(bytes: Uint8Array, cursor: number): number | undefined {
  const end = cursor + 2 + (((bytes[cursor] ?? 0) << 8) | (bytes[cursor + 1] ?? 0));
  return end > bytes.length ? undefined : end;
}

/** The entries of a bundle, or undefined where its form is wrong or it does not hold `width` of them. */
export function parseBundle(bytes: Uint8Array, width: number): readonly Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  let cursor = 0;
  while (cursor < bytes.length) {
    const end = entryEnd(bytes, cursor);
    if (end === undefined || entries.length === width) return undefined;
    entries.push(bytes.subarray(cursor + 2, end));
    cursor = end;
  }
  return entries.length === width ? entries : undefined;
}

/** The bundle of the first `width` entries, or undefined where there are fewer. */
export function cutBundle(bytes: Uint8Array, width: number): Uint8Array | undefined {
  let cursor = 0;
  for (let entries = 0; entries < width; entries += 1) {
    const end = entryEnd(bytes, cursor);
    if (end === undefined) return undefined;
    cursor = end;
  }
  return bytes.subarray(0, cursor);
}
