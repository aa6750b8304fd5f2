/**
 * @module An append-only Merkle log. `append` numbers and stages a record at once; its promise resolves when the record's batch is
 * durable. Flushing starts as soon as nothing is being written; what arrives during a write goes out together with the next one.
 * Tiles and the signed checkpoint follow behind (`publisher.ts`) and are rebuilt from the journal at open.
 */
import type { NoteVerifier } from '@countersign/crypto';
import type { CodedError } from '@countersign/kernel';
import { readOwnCheckpoint, verifierOf, type Checkpoint, type NoteSigner } from './checkpoint.ts';
import type { Cosign } from './cosign.ts';
import { logError, type LogErrorCode } from './errors.ts';
import type { LogRecord } from './frame.ts';
import { recoverJournal, type ClosedSegment, type Journal } from './journal.ts';
import { LOG_LIMITS, type LogLimits } from './limits.ts';
import { parseBundle } from './entry-bundles.ts';
import { emptyRoot, leafHash, sameHash } from './merkle.ts';
import { consistencyRanges, inclusionRanges, verifyInclusion, type Range } from './proof.ts';
import { openPublisher } from './open-publisher.ts';
import type { Publisher } from './publisher.ts';
import type { LogStorage } from './storage.ts';
import { CHECKPOINT_PATH, isPublishedPath, TILE_WIDTH, tilePath } from './tile-path.ts';
import { createCore, keepIndex, startCommitting, stop, waitPublished, type Core } from './writer.ts';

export interface LogOptions {
  readonly storage: LogStorage;
  /** First line of every checkpoint; a schema-less URL such as `example.org/countersign/gateway-1`. */
  readonly origin: string;
  readonly noteSigner: NoteSigner;
  /** Keys that sign beside it while one is replaced, newer last. */
  readonly furtherSigners?: readonly NoteSigner[];
  /** Keys of this log that sign no more: a checkpoint by one of them may still be on storage. */
  readonly formerKeys?: readonly NoteVerifier[];
  readonly limits?: Partial<LogLimits>;
  /** Awaited between two publications, so that a composition root can space them. Absent: the next follows at once. `close` does not wait for it. */
  readonly pace?: () => Promise<void>;
  /** Awaited before each write to the journal, with nothing else under way: what records need must be durable when it returns. When it throws, the log has failed. */
  readonly beforeCommit?: () => Promise<void> | void;
  /** Asks witnesses, between tiles and checkpoint. */
  readonly cosign?: Cosign;
  /** Told of every checkpoint once it is on storage. Must not throw. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  /** Told once, when storage has failed and the log stops. Must not throw. */
  readonly onFailure?: () => void;
}

/** What to append. The log keeps `entry` until it is published: it must not change afterwards. Attachments are copied. */
export interface NewRecord {
  readonly entry: Uint8Array;
  readonly attachments: readonly Uint8Array[];
}

export interface Appended {
  readonly index: number;
  /** Resolves when the record survives a crash. Rejects with `log_failed` when storage failed first: the record may or may not be there then. */
  readonly durable: Promise<void>;
}

export interface Log {
  readonly origin: string;
  /** Records staged so far. */
  readonly size: number;
  /** Records that are durable. */
  readonly durableSize: number;
  /** The newest published checkpoint; there is always one. */
  readonly checkpoint: Checkpoint;
  /** Index of the first record that is here; earlier ones are in an archive. */
  readonly firstPresent: number;
  /** Segments that will not grow any more, with the notes that were kept of them. */
  readonly closedSegments: readonly ClosedSegment[];
  /** Why the log stopped, once it has. */
  readonly failure: CodedError<LogErrorCode> | undefined;
  /** @throws CodedError `log_failed`, `log_queue_full`, `log_closed`, `log_record_too_large`; then nothing was staged. */
  append(record: NewRecord): Appended;
  /** Resolves with a published checkpoint that covers record `index`. Rejects when the log fails or closes without one. */
  whenPublished(index: number): Promise<Checkpoint>;
  /** A durable record. @throws CodedError `log_out_of_range`, `log_corrupt`, `log_archived`. */
  readRecord(index: number): Promise<LogRecord>;
  /** The entry of a durable record, also of one that is in an archive. @throws CodedError `log_out_of_range`, `log_corrupt`. */
  readEntry(index: number): Promise<Uint8Array>;
  /** Durable records from `from` on, in order. */
  scan(from: number): AsyncGenerator<LogRecord, void, undefined>;
  /** Inclusion proof of `index` in the tree of the first `size` records. @throws CodedError `log_out_of_range`, `log_corrupt`. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** Proof that the tree of `oldSize` is a prefix of that of `newSize`. @throws CodedError `log_out_of_range`, `log_corrupt`. */
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** Root over the first `size` durable records. */
  rootAt(size: number): Promise<Uint8Array>;
  /** A published file (checkpoint, tile, bundle) for serving; undefined for anything else, whatever the path. */
  readPublished(path: string): Promise<Uint8Array | undefined>;
  /** From now on these sign checkpoints, the oldest first. */
  setSigners(signers: readonly NoteSigner[]): void;
  /** From now on `notesOf` says what to keep of the records `[first, end)` of a segment that was closed: to find it again without reading them. */
  describeSegments(notesOf: (first: number, end: number) => Uint8Array): void;
  /** Keeps the index of a closed segment anew, with what `describeSegments` says of it. Never rejects. */
  keepIndex(segment: ClosedSegment): Promise<void>;
  /** Bytes of a closed segment that is here. */
  segmentBytes(segment: number): Promise<Uint8Array>;
  /** Takes the first segment that is here from storage, once its bytes are elsewhere. Never the one that is written. */
  releaseSegment(): Promise<void>;
  /** Takes a released segment back. @throws CodedError `log_archive_mismatch`. */
  restoreSegment(segment: number, bytes: Uint8Array): Promise<void>;
  /** Makes everything staged durable, publishes it, and gives the storage back. Idempotent. Later appends throw `log_closed`. */
  close(): Promise<void>;
}

function refuseTooLarge({ entry, attachments }: NewRecord, limits: LogLimits): void {
  let total = entry.length;
  for (const attachment of attachments) total += attachment.length;
  if (entry.length <= limits.entryBytesMax && attachments.length <= limits.attachmentsMax && total <= limits.recordBytesMax) return;
  throw logError(
    'log_record_too_large',
    `a record of ${total} bytes with an entry of ${entry.length} and ${attachments.length} attachments exceeds a limit`,
  );
}

function refuseFullQueue(core: Core, record: NewRecord, limits: LogLimits): void {
  const records = core.gathering.count + (core.writing?.count ?? 0);
  let bytes = core.gathering.usedBytes + (core.writing?.usedBytes ?? 0) + record.entry.length;
  for (const attachment of record.attachments) bytes += attachment.length;
  if (records < limits.queueRecordsMax && bytes <= limits.queueBytesMax) return;
  throw logError('log_queue_full', `${records} records are staged and not yet durable`, { hint: 'try again once storage has caught up' });
}

function append(core: Core, record: NewRecord, limits: LogLimits): Appended {
  if (core.failure !== undefined) throw core.failure;
  if (core.closing !== undefined) throw logError('log_closed', 'the log was closed');
  refuseTooLarge(record, limits);
  refuseFullQueue(core, record, limits);
  const index = core.gathering.first + core.gathering.count;
  core.gathering.add(record.entry, record.attachments);
  startCommitting(core);
  return { index, durable: core.gathering.durable };
}

function outOfRange(what: string): CodedError<LogErrorCode> {
  return logError('log_out_of_range', `${what} is outside the log`);
}

function isIndexBelow(n: number, end: number): boolean {
  return Number.isSafeInteger(n) && n >= 0 && n < end;
}

interface Reading {
  readonly durableSize: () => number;
  readonly publisher: Publisher;
}

function rangeRoots({ publisher }: Reading, ranges: readonly Range[]): Promise<readonly Uint8Array[]> {
  return Promise.all(ranges.map((range) => publisher.tree.rangeRoot(range)));
}

function rootAt({ durableSize, publisher }: Reading, size: number): Promise<Uint8Array> {
  if (!isIndexBelow(size, durableSize() + 1)) return Promise.reject(outOfRange(`size ${size}`));
  return size === 0 ? Promise.resolve(emptyRoot()) : publisher.tree.rangeRoot({ start: 0, end: size });
}

async function inclusionProof(reading: Reading, index: number, size: number): Promise<readonly Uint8Array[]> {
  if (!isIndexBelow(size, reading.durableSize() + 1) || !isIndexBelow(index, size)) throw outOfRange(`index ${index} of size ${size}`);
  const { tree, checkpoint } = reading.publisher;
  const [leaf, proof] = await Promise.all([
    tree.rangeRoot({ start: index, end: index + 1 }),
    rangeRoots(reading, inclusionRanges(index, size)),
  ]);
  // Checked again after reading: a damaged tile must not become a proof that fails elsewhere.
  const root = checkpoint?.size === size ? checkpoint.root : await rootAt(reading, size);
  if (!verifyInclusion({ index, size, leaf, proof, root })) throw logError('log_corrupt', `the tiles do not prove record ${index}`);
  return proof;
}

async function consistencyProof(reading: Reading, oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
  if (!isIndexBelow(newSize, reading.durableSize() + 1) || !isIndexBelow(oldSize, newSize + 1)) {
    throw outOfRange(`size ${oldSize} or ${newSize}`);
  }
  return oldSize === 0 || oldSize === newSize ? [] : rangeRoots(reading, consistencyRanges(oldSize, newSize));
}

interface EntryReading extends Reading {
  readonly journal: Journal;
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
}

/** From the journal, or from the entry bundle that stays when the journal is archived: held against its leaf. */
async function readEntry({ journal, publisher, readFile }: EntryReading, index: number): Promise<Uint8Array> {
  if (!isIndexBelow(index, journal.size)) throw outOfRange(`index ${index}`);
  if (index >= journal.firstPresent) return (await journal.read(index)).entry;
  const path = tilePath({ level: 'entries', index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH });
  const bytes = await readFile(path);
  const entry = bytes === undefined ? undefined : parseBundle(bytes, TILE_WIDTH)?.[index % TILE_WIDTH];
  const [leaf] = await publisher.tree.leaves(index, 1);
  if (entry === undefined || leaf === undefined || !sameHash(leaf, leafHash(entry)))
    throw logError('log_corrupt', `the entry bundle does not hold record ${index}`, { path, hint: 'restore the archived segment' });
  return entry;
}

interface Opened {
  readonly journal: Journal;
  readonly publisher: Publisher;
  readonly core: Core;
  readonly first: Checkpoint;
  readonly setSigners: (signers: readonly NoteSigner[]) => void;
}

async function openParts(options: LogOptions, limits: LogLimits): Promise<Opened> {
  const { storage, origin, noteSigner, furtherSigners = [], formerKeys = [] } = options;
  let signers = [noteSigner, ...furtherSigners];
  const keys = [...signers.map(verifierOf), ...formerKeys];
  const published = readOwnCheckpoint(await storage.readFile(CHECKPOINT_PATH), { origin, keys });
  const journal = await recoverJournal({ storage, limits });
  if (published !== undefined && journal.size < published.size) {
    throw logError('log_rolled_back', `the journal holds ${journal.size} records, but ${published.size} were published`, {
      path: CHECKPOINT_PATH,
      hint: 'restore the journal from a copy that is at least as new as the checkpoint',
    });
  }
  const { tileCacheMax } = limits;
  const publisher = await openPublisher(
    { storage, origin, signers: () => signers, tileCacheMax, cosign: options.cosign },
    journal,
    published,
  );
  const first = await publisher.publish();
  const { pace, beforeCommit, onCheckpoint, onFailure } = options;
  const core = createCore({ journal, publisher, limits, pace, beforeCommit, onCheckpoint, onFailure });
  return {
    journal,
    publisher,
    core,
    first,
    setSigners: (next) => {
      signers = [...next];
    },
  };
}

/**
 * Opens a log, or makes a new one where storage is empty. Reads the index of each closed segment, the last segment and the right edge of
 * the tiles; cuts off what an unfinished write left, rebuilds from the journal where tiles are missing, and publishes a checkpoint.
 * @throws CodedError `log_corrupt`, `log_segment_missing`, `log_rolled_back`, `log_forked`, `log_wrong_origin`, or what storage threw.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { storage, origin } = options;
  const limits: LogLimits = { ...LOG_LIMITS, ...options.limits };
  const { journal, publisher, core, first, setSigners } = await openParts(options, limits);
  options.onCheckpoint?.(first);
  const reading: Reading = { durableSize: () => publisher.tree.size, publisher };
  return {
    origin,
    get size() {
      return core.gathering.first + core.gathering.count;
    },
    get durableSize() {
      return journal.size;
    },
    get checkpoint() {
      return publisher.checkpoint ?? first;
    },
    get firstPresent() {
      return journal.firstPresent;
    },
    get closedSegments() {
      return journal.closed;
    },
    get failure() {
      return core.failure;
    },
    append: (record) => append(core, record, limits),
    whenPublished: (index) => waitPublished(core, index),
    readRecord: (index) => (isIndexBelow(index, journal.size) ? journal.read(index) : Promise.reject(outOfRange(`index ${index}`))),
    readEntry: (index) => readEntry({ ...reading, journal, readFile: (path) => storage.readFile(path) }, index),
    scan: async function* scan(from) {
      for await (const records of journal.scan(from)) yield* records;
    },
    inclusionProof: (index, size) => inclusionProof(reading, index, size),
    consistencyProof: (oldSize, newSize) => consistencyProof(reading, oldSize, newSize),
    rootAt: (size) => rootAt(reading, size),
    readPublished: (path) => (isPublishedPath(path) ? storage.readFile(path) : Promise.resolve(undefined)),
    setSigners,
    describeSegments: (notesOf) => {
      core.notesOf = notesOf;
    },
    keepIndex: (segment) => keepIndex(core, segment),
    segmentBytes: (segment) => journal.segmentBytes(segment),
    releaseSegment: () => journal.removeFirst(),
    restoreSegment: (segment, bytes) => journal.restore(segment, bytes),
    close: () => stop(core, () => storage.close()),
  };
}
