/** @module The Merkle tree of a log that is only read: from its published tiles, and behind them from the journal itself. */
import { CodedError } from '@countersign/kernel';
import { type Checkpoint, type JournalReader, leafHash, TILE_WIDTH, tilePath } from '@countersign/log';
import type { DiskLogReading } from '@countersign/store';
import { createHashRange, type HashRange, heightAt, type Subtree } from './hash-range.ts';

const TILE_HEIGHT = 8;
const HASH_BYTES = 32;

export interface EvidenceTree {
  /** Adds what lies between the end of `range` and `end`. @throws CodedError `log_corrupt`, `log_out_of_range`. */
  extend(range: HashRange, end: number): Promise<void>;
  /** Root over the first `size` records. */
  rootAt(size: number): Promise<Uint8Array>;
}

interface Sources {
  readonly storage: DiskLogReading;
  readonly journal: JournalReader;
  readonly checkpoint: Pick<Checkpoint, 'size'>;
}

/** `count` hashes of a tile level from `from` on; all lie in one tile, whole or as wide as the checkpoint left it. */
async function hashesAt({ storage, checkpoint }: Sources, level: number, place: { from: number; count: number }): Promise<Uint8Array> {
  const index = Math.floor(place.from / TILE_WIDTH);
  const width = Math.floor(checkpoint.size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  const whole = tilePath({ level, index, width: TILE_WIDTH });
  const part = tilePath({ level, index, width });
  // A partial tile goes when the whole one has come: between two looks, either may be the one that is there.
  const bytes = (await storage.readFile(whole)) ?? (await storage.readFile(part)) ?? (await storage.readFile(whole));
  const start = (place.from - index * TILE_WIDTH) * HASH_BYTES;
  const end = start + place.count * HASH_BYTES;
  if (bytes === undefined || bytes.length < end)
    throw new CodedError({
      code: 'log_corrupt',
      message: `tile \`${whole}\` is missing or too short`,
      path: whole,
      hint: 'start the gateway once: it makes missing tiles anew from its journal',
    });
  return bytes.subarray(start, end);
}

async function subtreeOf(sources: Sources, start: number, height: number): Promise<Subtree> {
  const level = Math.floor(height / TILE_HEIGHT);
  const count = 2 ** (height % TILE_HEIGHT);
  const bytes = await hashesAt(sources, level, { from: start / TILE_WIDTH ** level, count });
  const range = createHashRange();
  for (let i = 0; i < count; i += 1) range.push({ height: 0, hash: bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES) });
  return { height, hash: range.root() };
}

async function extend(sources: Sources, range: HashRange, end: number): Promise<void> {
  const published = Math.min(end, sources.checkpoint.size);
  while (range.end < published) range.push(await subtreeOf(sources, range.end, heightAt(range.end, published)));
  for await (const records of sources.journal.records(range.end, end)) {
    for (const { entry } of records) range.push({ height: 0, hash: leafHash(entry) });
  }
}

export function createEvidenceTree(sources: Sources): EvidenceTree {
  return {
    extend: (range, end) => extend(sources, range, end),
    rootAt: async (size) => {
      const range = createHashRange();
      await extend(sources, range, size);
      return range.root();
    },
  };
}
