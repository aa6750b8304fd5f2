/**
 * @module Publication: tiles first, then the checkpoint that needs them, each file put in place whole. It runs behind the journal and
 * only ever over durable records, one publication at a time; what became durable meanwhile goes out with the next.
 */
import { signNote } from '@countersign/crypto';
import { checkpointText, type Checkpoint, type NoteSigner } from './checkpoint.ts';
import { createEntryBundles } from './entry-bundles.ts';
import { createHashTree, type HashTree } from './hash-tree.ts';
import type { LogStorage } from './storage.ts';
import { CHECKPOINT_PATH, partialFolder, TILE_FOLDER, TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';

/** Files written side by side. */
const WRITES_AT_ONCE = 8;

export interface PublisherOptions {
  readonly storage: LogStorage;
  readonly origin: string;
  readonly noteSigner: NoteSigner;
  readonly tileCacheMax: number;
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
  /** Puts full tiles on storage and forgets them, without a checkpoint: keeps memory bounded while the journal is read. */
  settle(): Promise<void>;
  /** Publishes what is there now. */
  publish(): Promise<Checkpoint>;
}

/** Sizes of the published files that were found on storage. */
async function publishedFiles(storage: LogStorage): Promise<Map<string, number>> {
  const files = await storage.listFiles(TILE_FOLDER);
  return new Map(files.map((file) => [file.path, file.sizeBytes]));
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += WRITES_AT_ONCE) await Promise.all(items.slice(i, i + WRITES_AT_ONCE).map(work));
}

const encoder = new TextEncoder();

export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const { storage, origin, noteSigner } = options;
  const tree = createHashTree({ readFile: (path) => storage.readFile(path), tileCacheMax: options.tileCacheMax });
  const bundles = createEntryBundles();
  /** Files known to be on storage that `settle` or `publish` may still meet. */
  const present = await publishedFiles(storage);
  let checkpoint: Checkpoint | undefined;

  const write = async (file: File): Promise<void> => {
    const path = tilePath(file);
    if (present.get(path) === file.bytes.length) return;
    await storage.replaceFile(path, file.bytes);
    present.set(path, file.bytes.length);
  };

  const dropPartials = async (file: File): Promise<void> => {
    const prefix = `${partialFolder(file)}/`;
    const stale: string[] = [];
    for (let width = 1; width < TILE_WIDTH; width += 1) if (present.delete(`${prefix}${width}`)) stale.push(`${prefix}${width}`);
    await inGroups(stale, (path) => storage.removeFile(path));
    present.delete(tilePath(file));
  };

  const takeFiles = (): File[] => [...bundles.waiting(), ...tree.waiting()];

  const forgetFull = (files: readonly File[]): void => {
    const ends = new Map<TileName['level'], number>();
    for (const { level, index } of files) ends.set(level, Math.max(index + 1, ends.get(level) ?? 0));
    for (const [level, end] of ends) {
      if (level === 'entries') bundles.forget(end);
      else tree.forget(level, end);
    }
  };

  const settle = async (): Promise<void> => {
    const full = takeFiles().filter((file) => file.width === TILE_WIDTH);
    await inGroups(full, write);
    forgetFull(full);
    await inGroups(full, dropPartials);
  };

  const publish = async (): Promise<Checkpoint> => {
    const files = takeFiles();
    const head = { origin, size: tree.size, root: tree.root() };
    const note = signNote(checkpointText(head), noteSigner);
    await inGroups(files, write);
    await storage.replaceFile(CHECKPOINT_PATH, encoder.encode(note));
    checkpoint = { ...head, note };
    const full = files.filter((file) => file.width === TILE_WIDTH);
    forgetFull(full);
    await inGroups(full, dropPartials);
    return checkpoint;
  };

  return {
    tree,
    get checkpoint() {
      return checkpoint;
    },
    add: (leaf, entry) => {
      tree.push(leaf);
      bundles.push(entry);
    },
    settle,
    publish,
  };
}
