/**
 * @module The Merkle tree as tiles: the newest hashes of each level in memory, everything older on storage. Appending costs one
 * node hash amortised; any subtree root costs a bounded number of tile reads.
 */
import { logError } from './errors.ts';
import { createFrontier, foldFrontier, type Frontier, HASH_BYTES, nodeHash } from './merkle.ts';
import type { Range } from './proof.ts';
import { TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';

const TILE_HEIGHT = 8;

/** One hash tile that waits for publication. */
export interface HashTile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Hashes of one tile level, from the first tile that is not yet dropped. */
interface Level {
  firstTile: number;
  hashes: Uint8Array[];
}

export interface HashTree {
  readonly size: number;
  push(leaf: Uint8Array): void;
  root(): Uint8Array;
  /** Tiles that wait: every level, full ones and the partial one at its end. */
  waiting(): readonly HashTile[];
  /** Forgets full tiles of `level` below `index`: they are on storage. */
  forget(level: number, index: number): void;
  /** Root over leaves `[start, end)`, a range as a proof has them. */
  rangeRoot(range: Range): Promise<Uint8Array>;
  /** Leaf hashes `[from, from + count)`, all in one tile. */
  leaves(from: number, count: number): Promise<readonly Uint8Array[]>;
}

/** Where a tree of `size` leaves stands on storage at each level: full tiles, and the width of the partial one behind them. */
export function treeEdge(size: number): readonly { readonly level: number; readonly fullTiles: number; readonly width: number }[] {
  const edge: { level: number; fullTiles: number; width: number }[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    edge.push({ level, fullTiles: Math.floor(hashes / TILE_WIDTH), width: hashes % TILE_WIDTH });
  }
  return edge;
}

export interface HashTreeOptions {
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
  readonly tileCacheMax: number;
}

/** Root of `2^k` hashes. */
function perfectRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) next.push(nodeHash(row[i] ?? new Uint8Array(0), row[i + 1] ?? new Uint8Array(0)));
    row = next;
  }
  return row[0] ?? new Uint8Array(0);
}

/** The perfect subtrees of a range, left to right; `start` is aligned as proofs align it. */
function perfectParts(range: Range): readonly { readonly height: number; readonly start: number }[] {
  const parts: { height: number; start: number }[] = [];
  let start = range.start;
  while (start < range.end) {
    let height = 0;
    let width = 1;
    while (start + width * 2 <= range.end && start % (width * 2) === 0) {
      width *= 2;
      height += 1;
    }
    parts.push({ height, start });
    start += width;
  }
  return parts;
}

function tileBytes(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  for (let i = 0; i < hashes.length; i += 1) bytes.set(hashes[i] ?? new Uint8Array(0), i * HASH_BYTES);
  return bytes;
}

/** Full tiles on storage, the most recently used kept. */
function createTileReader({ readFile, tileCacheMax }: HashTreeOptions): (level: number, index: number) => Promise<Uint8Array> {
  const cache = new Map<string, Uint8Array>();
  return async (level, index) => {
    const path = tilePath({ level, index, width: TILE_WIDTH });
    const known = cache.get(path);
    const bytes = known ?? (await readFile(path));
    if (bytes?.length !== TILE_WIDTH * HASH_BYTES) {
      throw logError('log_corrupt', `tile \`${path}\` is missing or has the wrong size`, {
        path,
        hint: 'open the log again: tiles are rebuilt from the journal',
      });
    }
    cache.delete(path);
    cache.set(path, bytes);
    if (cache.size > tileCacheMax) cache.delete(cache.keys().next().value ?? path);
    return bytes;
  };
}

export function createHashTree(options: HashTreeOptions): HashTree {
  return treeOver(options, { frontier: createFrontier(), levels: [{ firstTile: 0, hashes: [] }] });
}

/** The first hashes of a tile: from its partial version, or from the full one that may have taken its place. */
async function partialHashes(options: HashTreeOptions, tile: TileName): Promise<Uint8Array[] | undefined> {
  const { width } = tile;
  if (width === 0) return [];
  const partial = await options.readFile(tilePath(tile));
  const bytes = partial ?? (await options.readFile(tilePath({ ...tile, width: TILE_WIDTH })))?.subarray(0, width * HASH_BYTES);
  if (bytes?.length !== width * HASH_BYTES) return undefined;
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/**
 * The tree of `size` leaves from the right edge of its tiles, without a look at any leaf before; undefined where a partial tile is
 * missing or has the wrong size. Whether it is the right tree only its root says: compare it with a signed one.
 */
export async function restoreHashTree(options: HashTreeOptions, size: number): Promise<HashTree | undefined> {
  const levels: Level[] = [];
  for (const { level, fullTiles, width } of treeEdge(size)) {
    const hashes = await partialHashes(options, { level, index: fullTiles, width });
    if (hashes === undefined) return undefined;
    levels.push({ firstTile: fullTiles, hashes });
  }
  const held = treeOver(options, { frontier: createFrontier(), levels });
  const parts: Uint8Array[] = [];
  for (const { height, start } of perfectParts({ start: 0, end: size })) {
    parts.push(await held.rangeRoot({ start, end: start + 2 ** height }));
  }
  return treeOver(options, {
    frontier: createFrontier({ size, parts }),
    levels: levels.length === 0 ? [{ firstTile: 0, hashes: [] }] : levels,
  });
}

interface Held {
  readonly frontier: Frontier;
  readonly levels: Level[];
}

function treeOver(options: HashTreeOptions, { frontier, levels }: Held): HashTree {
  const readTile = createTileReader(options);

  const sink = (height: number, hash: Uint8Array): void => {
    if (height % TILE_HEIGHT !== 0) return;
    const at = height / TILE_HEIGHT;
    const level = levels[at];
    if (level === undefined) levels.push({ firstTile: 0, hashes: [hash] });
    else level.hashes.push(hash);
  };

  /** `count` hashes of a level from `from` on; all lie in one tile. */
  const hashesAt = async (at: number, from: number, count: number): Promise<readonly Uint8Array[]> => {
    const level = levels[at];
    const inMemory = from - (level?.firstTile ?? 0) * TILE_WIDTH;
    if (level !== undefined && inMemory >= 0) return level.hashes.slice(inMemory, inMemory + count);
    const tile = await readTile(at, Math.floor(from / TILE_WIDTH));
    const first = from % TILE_WIDTH;
    return Array.from({ length: count }, (_, i) => tile.subarray((first + i) * HASH_BYTES, (first + i + 1) * HASH_BYTES));
  };

  const perfect = async (height: number, start: number): Promise<Uint8Array> => {
    const at = Math.floor(height / TILE_HEIGHT);
    const inTile = height % TILE_HEIGHT;
    return perfectRoot(await hashesAt(at, start / 2 ** (at * TILE_HEIGHT), 2 ** inTile));
  };

  return {
    get size() {
      return frontier.size;
    },
    push: (leaf) => {
      frontier.push(leaf, sink);
    },
    root: () => frontier.root(),
    waiting: () => levels.flatMap((level, at) => waitingTiles(level, at)),
    forget: (at, index) => {
      const level = levels[at];
      if (level === undefined || index <= level.firstTile) return;
      level.hashes = level.hashes.slice((index - level.firstTile) * TILE_WIDTH);
      level.firstTile = index;
    },
    rangeRoot: async (range) => {
      const roots: Uint8Array[] = [];
      for (const { height, start } of perfectParts(range)) roots.push(await perfect(height, start));
      return foldFrontier(roots);
    },
    leaves: (from, count) => hashesAt(0, from, count),
  };
}

function waitingTiles(level: Level, at: number): HashTile[] {
  const tiles: HashTile[] = [];
  for (let from = 0; from < level.hashes.length; from += TILE_WIDTH) {
    const hashes = level.hashes.slice(from, from + TILE_WIDTH);
    tiles.push({ level: at, index: level.firstTile + from / TILE_WIDTH, width: hashes.length, bytes: tileBytes(hashes) });
  }
  return tiles;
}
