/**
 * @module How a record becomes public, in three steps (spec/log.md, LOG-010), and two loops that drive them: `commitAll` and, behind it,
 * `publishAll`. Storage failing in either stops both for good.
 *
 * 1. *Stage* (`staging.ts`): a number, and a place in the batch that gathers. A crash leaves no trace of it.
 * 2. *Commit* (`journal.ts`): one write and one sync for the whole batch, then everybody who waits is told. A crash before the sync has
 *    returned leaves all, some or none of the batch: opening cuts it back to whole records, none of which was acknowledged to anybody.
 *    A crash after it leaves all of it, whether or not somebody was told.
 * 3. *Publish* (`publisher.ts`): tiles, then cosignatures, then the checkpoint that needs them. A crash leaves the older checkpoint with all
 *    its tiles, and perhaps tiles that no checkpoint names yet; what is missing is published at the next opening.
 */
import { invariant, type CodedError } from '@countersign/kernel';
import type { Checkpoint } from './checkpoint.ts';
import { logError, logFailed, type LogErrorCode } from './errors.ts';
import type { ClosedSegment, Journal } from './journal.ts';
import type { LogLimits } from './limits.ts';
import type { Publisher } from './publisher.ts';
import { createBatch, type Batch } from './staging.ts';

export interface WriterOptions {
  readonly journal: Journal;
  readonly publisher: Publisher;
  readonly limits: LogLimits;
  readonly pace: (() => Promise<void>) | undefined;
  readonly beforeCommit: (() => Promise<void> | void) | undefined;
  readonly onCheckpoint: ((checkpoint: Checkpoint) => void) | undefined;
  readonly onFailure: (() => void) | undefined;
}

interface Waiter {
  readonly index: number;
  resolve(checkpoint: Checkpoint): void;
  reject(error: Error): void;
}

/** State of a writer; `startCommitting`, `startPublishing` and `stop` are all that changes it. */
export interface Core {
  readonly options: WriterOptions;
  gathering: Batch;
  writing: Batch | undefined;
  spare: Uint8Array | undefined;
  failure: CodedError<LogErrorCode> | undefined;
  closing: Promise<void> | undefined;
  committing: Promise<void> | undefined;
  publishing: Promise<void> | undefined;
  waiters: Waiter[];
  /** Ends the pause between two publications. */
  hurry: () => void;
  /** What is to be found again of the records of a closed segment. */
  notesOf: (first: number, end: number) => Uint8Array;
  /** Indexes under way. */
  indexing: Promise<void>;
}

export function createCore(options: WriterOptions): Core {
  return {
    options,
    gathering: createBatch(options.journal.size, undefined),
    writing: undefined,
    spare: undefined,
    failure: undefined,
    closing: undefined,
    committing: undefined,
    publishing: undefined,
    waiters: [],
    hurry: () => undefined,
    notesOf: () => new Uint8Array(0),
    indexing: Promise.resolve(),
  };
}

/** Keeps the index of a segment, behind those under way. One that cannot be kept is made again at the next opening: no reason to stop. */
export function keepIndex(core: Core, segment: ClosedSegment): Promise<void> {
  const keep = (): Promise<void> => core.options.journal.keepIndex(segment.segment, core.notesOf(segment.first, segment.end));
  core.indexing = core.indexing.then(keep).catch(() => undefined);
  return core.indexing;
}

/** Stops the log: everything that waits is rejected, nothing is accepted any more. */
export function fail(core: Core, cause: unknown): void {
  if (core.failure === undefined) core.options.onFailure?.();
  core.failure ??= logFailed(cause);
  const { failure } = core;
  core.gathering.reject(failure);
  for (const waiter of core.waiters.splice(0)) waiter.reject(failure);
}

function takeInto(core: Core, batch: Batch): void {
  for (let i = 0; i < batch.count; i += 1) {
    const leaf = batch.leaves[i];
    const entry = batch.entries[i];
    invariant(leaf !== undefined && entry !== undefined, 'a batch has a leaf and an entry for each record');
    core.options.publisher.add(leaf, entry);
  }
}

function unpublished(core: Core): number {
  return core.options.journal.size - (core.options.publisher.checkpoint?.size ?? 0);
}

/** Waits until no more records wait for publication than may. */
async function leaveRoom(core: Core): Promise<void> {
  const surplus = unpublished(core) - core.options.limits.unpublishedRecordsMax;
  if (surplus <= 0) return;
  core.hurry();
  // A publication that fails has stopped the log by then; the loop sees it.
  await covered(core, (core.options.publisher.checkpoint?.size ?? 0) + surplus - 1).catch(() => undefined);
}

/** Step 2. */
async function commit(core: Core, batch: Batch): Promise<void> {
  const { journal, beforeCommit } = core.options;
  const before = beforeCommit?.();
  if (before !== undefined) await before;
  const closed = await journal.append({ bytes: batch.bytes(), starts: batch.starts });
  takeInto(core, batch);
  core.spare = batch.buffer();
  core.writing = undefined;
  // Last: whoever waits for it may stage the next record at once.
  batch.resolve();
  if (closed !== undefined) void keepIndex(core, closed);
}

async function commitAll(core: Core): Promise<void> {
  // One microtask later, so that records staged in one go share a write.
  await Promise.resolve();
  while (core.gathering.count > 0 && core.failure === undefined) {
    const batch = core.gathering;
    core.writing = batch;
    core.gathering = createBatch(batch.first + batch.count, core.spare);
    core.spare = undefined;
    try {
      await commit(core, batch);
    } catch (error) {
      fail(core, error);
      batch.reject(core.failure ?? logFailed(error));
      break;
    }
    startPublishing(core);
    await leaveRoom(core);
  }
  core.writing = undefined;
}

export function startCommitting(core: Core): void {
  core.committing ??= commitAll(core)
    .catch((error: unknown) => {
      fail(core, error);
    })
    .finally(() => {
      core.committing = undefined;
      if (core.gathering.count > 0 && core.failure === undefined) startCommitting(core);
    });
}

/** Step 3. */
async function publishOnce(core: Core): Promise<void> {
  const checkpoint = await core.options.publisher.publish();
  const due = core.waiters.filter((waiter) => waiter.index < checkpoint.size);
  core.waiters = core.waiters.filter((waiter) => waiter.index >= checkpoint.size);
  for (const waiter of due) waiter.resolve(checkpoint);
  core.options.onCheckpoint?.(checkpoint);
}

/** The pause that the composition root asked for, cut short by `hurry`. */
async function pause(core: Core): Promise<void> {
  const { pace, limits } = core.options;
  const awaited = core.waiters.some((waiter) => waiter.index < core.options.journal.size);
  if (pace === undefined || core.closing !== undefined || awaited || unpublished(core) > limits.unpublishedRecordsMax) return;
  const hurried = Promise.withResolvers<void>();
  core.hurry = hurried.resolve;
  await Promise.race([pace(), hurried.promise]);
}

async function publishAll(core: Core): Promise<void> {
  try {
    while (unpublished(core) > 0 && core.failure === undefined) {
      await publishOnce(core);
      await pause(core);
    }
  } catch (error) {
    fail(core, error);
  }
}

export function startPublishing(core: Core): void {
  core.publishing ??= publishAll(core).finally(() => {
    core.publishing = undefined;
    if (unpublished(core) > 0 && core.failure === undefined) startPublishing(core);
  });
}

async function drain(core: Core): Promise<void> {
  core.hurry();
  if (core.gathering.count > 0 && core.failure === undefined) startCommitting(core);
  while (core.committing !== undefined || core.publishing !== undefined) {
    core.hurry();
    await core.committing;
    await core.publishing;
  }
  await core.indexing;
  for (const waiter of core.waiters.splice(0)) waiter.reject(logError('log_closed', 'the log was closed'));
}

/** Flushes, publishes, then runs `release`. Later calls wait for the first. */
export function stop(core: Core, release: () => Promise<void>): Promise<void> {
  core.closing ??= Promise.resolve()
    .then(() => drain(core))
    .finally(release);
  return core.closing;
}

/** The next checkpoint over record `index`. */
function covered(core: Core, index: number): Promise<Checkpoint> {
  const { promise, resolve, reject } = Promise.withResolvers<Checkpoint>();
  core.waiters.push({ index, resolve, reject });
  return promise;
}

/** Waits for a checkpoint over record `index`, without a pause where the record is there already. */
export function waitPublished(core: Core, index: number): Promise<Checkpoint> {
  const newest = core.options.publisher.checkpoint;
  if (newest !== undefined && index < newest.size) return Promise.resolve(newest);
  if (core.failure !== undefined) return Promise.reject(core.failure);
  if (core.closing !== undefined) return Promise.reject(logError('log_closed', 'the log was closed'));
  if (index < core.options.journal.size) core.hurry();
  return covered(core, index);
}
