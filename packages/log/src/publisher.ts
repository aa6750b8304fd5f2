/**
 * @module Publication: tiles first, then the checkpoint that needs them, each file put in place whole. It runs behind the journal and
 * only ever over durable records, one publication at a time; what became durable meanwhile goes out with the next.
 */
import { signNote } from '@countersign/crypto';
import { addSignatures, checkpointText, type Checkpoint, type NoteSigner } from './checkpoint.ts';
import type { Cosign } from './cosign.ts';
import { createEntryBundles, type EntryBundles } from './entry-bundles.ts';
import { createHashTree, restoreHashTree, treeEdge, type HashTree } from './hash-tree.ts';
import { sameHash } from './merkle.ts';
import { consistencyRanges } from './proof.ts';
import type { PublishedStorage } from './storage.ts';
import { CHECKPOINT_PATH, partialFolder, TILE_FOLDER, TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';

/** Files removed side by side. */
const REMOVALS_AT_ONCE = 8;

export interface PublisherOptions {
  readonly storage: PublishedStorage;
  readonly origin: string;
  /** Those that sign the next checkpoint, the oldest first; asked at each. */
  readonly signers: () => readonly NoteSigner[];
  readonly tileCacheMax: number;
  readonly cosign?: Cosign | undefined;
}

interface File extends TileName {
  readonly bytes: Uint8Array;
}

export interface Publisher {
  readonly tree: HashTree;
  /** The newest checkpoint on storage. */
  readonly checkpoint: Checkpoint | undefined;
  /** Takes in one durable record. The entry must not change afterwards. */
  add(leaf: Uint8Array, entry: Uint8Array): void;
  /** Takes in the entry of a record that the tree has already: for the bundle that it stands in. */
  addEntry(entry: Uint8Array): void;
  /** Puts full tiles on storage and forgets them, without a checkpoint: keeps memory bounded while the journal is read. */
  settle(): Promise<void>;
  /** Publishes what is there now. */
  publish(): Promise<Checkpoint>;
}

interface Parts {
  readonly tree: HashTree;
  readonly bundles: EntryBundles;
  /** Partial tiles that were found on storage: they go once the full one is there. */
  readonly found: Set<string>;
}

/** A group is over when all of it is: nothing is still being written once this has rejected. */
async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += REMOVALS_AT_ONCE) {
    const settled = await Promise.allSettled(items.slice(i, i + REMOVALS_AT_ONCE).map(work));
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

/** A publisher that knows of nothing published: it writes everything anew, in place of what may be there. */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const { storage, tileCacheMax } = options;
  const tree = createHashTree({ readFile: (path) => storage.readFile(path), tileCacheMax });
  return publisherOver(options, { tree, bundles: createEntryBundles(), found: new Set(await storage.listFiles(TILE_FOLDER)) });
}

function* fullTiles(size: number): Generator<string> {
  for (const { level, fullTiles: count } of treeEdge(size)) {
    for (let index = 0; index < count; index += 1) yield tilePath({ level, index, width: TILE_WIDTH });
  }
}

function* fullBundles(from: number, size: number): Generator<string> {
  for (let index = from; index < Math.floor(size / TILE_WIDTH); index += 1) yield tilePath({ level: 'entries', index, width: TILE_WIDTH });
}

/**
 * A publisher that goes on behind a published checkpoint, from the right edge of its tiles. The caller adds the entries of the bundle that
 * is not yet full, then the records behind the checkpoint. Undefined where a tile is missing or the edge does not lead to the signed root.
 * Bundles before `bundlesFrom` may be in an archive.
 */
export async function restorePublisher(
  options: PublisherOptions,
  published: Checkpoint,
  bundlesFrom: number,
): Promise<Publisher | undefined> {
  const { storage, tileCacheMax } = options;
  const tree = await restoreHashTree({ readFile: (path) => storage.readFile(path), tileCacheMax }, published.size);
  if (tree === undefined || !sameHash(tree.root(), published.root)) return undefined;
  const found = new Set(await storage.listFiles(TILE_FOLDER));
  for (const paths of [fullTiles(published.size), fullBundles(bundlesFrom, published.size)]) {
    for (const path of paths) if (!found.delete(path)) return undefined;
  }
  const bundles = createEntryBundles(Math.floor(published.size / TILE_WIDTH));
  return publisherOver(options, { tree, bundles, found }, published);
}

function signedBy(text: string, signers: readonly NoteSigner[]): string {
  const notes = signers.map((signer) => signNote(text, signer));
  return notes.reduce((note, further) => addSignatures(note, [further.slice(text.length + 1)]));
}

/** What lies on storage: written once for each width, and partial tiles gone once the full one is there. */
interface TileFiles {
  write(files: readonly File[]): Promise<void>;
  /** Removes the partial versions of full files. */
  dropPartials(full: readonly File[]): Promise<void>;
}

function tileFiles(storage: PublishedStorage, found: Set<string>): TileFiles {
  /** Partial tiles that were written from here: one of a given width has one content for ever. */
  const done = new Set<string>();
  return {
    write: async (files) => {
      const fresh = files
        .map((file) => ({ path: tilePath(file), bytes: file.bytes, width: file.width }))
        .filter(({ path }) => !done.has(path));
      await storage.replaceFiles(fresh);
      for (const { path, width } of fresh) {
        if (width === TILE_WIDTH) continue;
        done.add(path);
        found.add(path);
      }
    },
    dropPartials: async (full) => {
      const stale: string[] = [];
      for (const file of full) {
        const prefix = `${partialFolder(file)}/`;
        for (let width = 1; width < TILE_WIDTH; width += 1) if (found.delete(`${prefix}${width}`)) stale.push(`${prefix}${width}`);
      }
      for (const path of stale) done.delete(path);
      await inGroups(stale, (path) => storage.removeFile(path));
    },
  };
}

function forgetFull({ tree, bundles }: Parts, full: readonly File[]): void {
  const ends = new Map<TileName['level'], number>();
  for (const { level, index } of full) ends.set(level, Math.max(index + 1, ends.get(level) ?? 0));
  for (const [level, end] of ends) {
    if (level === 'entries') bundles.forget(end);
    else tree.forget(level, end);
  }
}

function fullOf(files: readonly File[]): readonly File[] {
  return files.filter((file) => file.width === TILE_WIDTH);
}

/** The note with the lines of the witnesses that answered. */
async function cosigned(options: PublisherOptions, tree: HashTree, checkpoint: Checkpoint): Promise<string> {
  const { cosign } = options;
  const { size, note } = checkpoint;
  if (cosign === undefined || size === 0) return note;
  const prove = (oldSize: number): Promise<readonly Uint8Array[]> =>
    oldSize === 0 || oldSize >= size
      ? Promise.resolve([])
      : Promise.all(consistencyRanges(oldSize, size).map((range) => tree.rangeRoot(range)));
  return addSignatures(note, await cosign(checkpoint, prove));
}

function publisherOver(options: PublisherOptions, parts: Parts, published?: Checkpoint): Publisher {
  const { storage, origin } = options;
  const { tree, bundles } = parts;
  const files = tileFiles(storage, parts.found);
  let checkpoint = published;
  /** Full files whose partial versions the checkpoint on storage may still need. */
  let settled: File[] = [];
  const waiting = (): File[] => [...bundles.waiting(), ...tree.waiting()];
  return {
    tree,
    get checkpoint() {
      return checkpoint;
    },
    add: (leaf, entry) => {
      tree.push(leaf);
      bundles.push(entry);
    },
    addEntry: (entry) => bundles.push(entry),
    settle: async () => {
      const full = fullOf(waiting());
      await files.write(full);
      forgetFull(parts, full);
      for (const { level, index, width } of full) settled.push({ level, index, width, bytes: NOTHING });
    },
    publish: async () => {
      const current = waiting();
      const full = fullOf(current);
      const head = { origin, size: tree.size, root: tree.root() };
      const signed = signedBy(checkpointText(head), options.signers());
      await files.write(current);
      forgetFull(parts, full);
      const note = await cosigned(options, tree, { ...head, note: signed });
      await storage.replaceFile(CHECKPOINT_PATH, encoder.encode(note));
      checkpoint = { ...head, note };
      // Only now: until this checkpoint stood, the older one needed them.
      await files.dropPartials([...settled, ...full]);
      settled = [];
      return checkpoint;
    },
  };
}
