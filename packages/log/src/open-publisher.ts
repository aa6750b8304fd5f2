/**
 * @module Taking up publication where it stands: from the right edge of the tiles where it leads to the signed checkpoint, from the
 * journal otherwise (spec/log.md, LOG-007, LOG-014, LOG-027).
 */
import { logError } from './errors.ts';
import type { LogRecord } from './frame.ts';
import type { Journal } from './journal.ts';
import type { Checkpoint } from './checkpoint.ts';
import { leafHash, sameHash } from './merkle.ts';
import { createPublisher, restorePublisher, type Publisher, type PublisherOptions } from './publisher.ts';
import { CHECKPOINT_PATH, TILE_WIDTH } from './tile-path.ts';

function forked(size: number): Error {
  return logError('log_forked', `the journal does not lead to the published checkpoint of size ${size}`, {
    path: CHECKPOINT_PATH,
    hint: 'the journal or the checkpoint was replaced; restore both from one copy',
  });
}

/** Everything from the journal. */
async function rebuild(options: PublisherOptions, journal: Journal, published: Checkpoint | undefined): Promise<Publisher> {
  const publisher = await createPublisher(options);
  for await (const records of journal.scan(0)) {
    for (const { entry } of records) {
      publisher.add(leafHash(entry), entry);
      if (publisher.tree.size === published?.size && !sameHash(publisher.tree.root(), published.root)) throw forked(published.size);
    }
    await publisher.settle();
  }
  return publisher;
}

/** Compares records that were published with the leaves that were; takes the entries of the bundle that is not full yet. */
async function recall(publisher: Publisher, records: readonly LogRecord[], published: Checkpoint): Promise<boolean> {
  const bundleFrom = published.size - (published.size % TILE_WIDTH);
  for (let at = 0; at < records.length;) {
    const from = records[at]?.index ?? 0;
    const count = Math.min(records.length - at, TILE_WIDTH - (from % TILE_WIDTH));
    const leaves = await publisher.tree.leaves(from, count);
    for (const { index, entry } of records.slice(at, at + count)) {
      const leaf = leaves[index - from];
      if (leaf === undefined || !sameHash(leaf, leafHash(entry))) return false;
      if (index >= bundleFrom) publisher.addEntry(entry);
    }
    at += count;
  }
  return true;
}

/** Goes on behind the checkpoint; undefined where the journal that is here does not fit what was published. */
async function goOn(options: PublisherOptions, journal: Journal, published: Checkpoint): Promise<Publisher | undefined> {
  const bundlesFrom = Math.floor(journal.firstPresent / TILE_WIDTH);
  const publisher = await restorePublisher(options, published, bundlesFrom);
  if (publisher === undefined) return undefined;
  const lastFirst = journal.closed.at(-1)?.end ?? 0;
  const from = Math.min(lastFirst, published.size - (published.size % TILE_WIDTH));
  for await (const records of journal.scan(from)) {
    const known = records.filter(({ index }) => index < published.size);
    if (!(await recall(publisher, known, published))) return undefined;
    for (const { index, entry } of records) if (index >= published.size) publisher.add(leafHash(entry), entry);
    await publisher.settle();
  }
  return publisher;
}

/**
 * A publisher over everything that is durable.
 * @throws CodedError `log_forked`; `log_archived` where tiles are missing and what they are made from is in an archive; what storage throws.
 */
export async function openPublisher(options: PublisherOptions, journal: Journal, published: Checkpoint | undefined): Promise<Publisher> {
  const goesOn = published === undefined ? undefined : await goOn(options, journal, published);
  return goesOn ?? rebuild(options, journal, published);
}
