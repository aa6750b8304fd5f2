/**
 * @module What an operator does with the log of an installation: proofs since an older checkpoint, keys, archive (spec/log.md LOG-015,
 * LOG-070, LOG-071, LOG-072). One change at a time.
 */
import { isAbsolute, resolve, sep } from 'node:path';
import { type NoteVerifier, parseNoteVerifierKey } from '@countersign/crypto';
import { CodedError, err, type Fault, getOwn, isJsonObject, ok, parseJson, type Result } from '@countersign/kernel';
import {
  type ArchivedSegment,
  archiveSegments,
  type ArchiveStorage,
  type Checkpoint,
  type Log,
  MANIFEST_NAME,
  openCheckpoint,
  readManifest,
  restoreSegments,
} from '@countersign/log';
import type { ArchiveRequest, LogDesk, LogDeskFaultCode, LogDeskResult, LogKeysView, MovedSegments } from '@countersign/pipeline';
import { makeConsistency } from '@countersign/receipts';
import { openDiskArchive, type Store } from '@countersign/store';
import type { RunningLog } from './running-log.ts';

export interface LogDeskParts {
  readonly log: RunningLog;
  readonly store: Pick<Store, 'settle' | 'appliedIndex'>;
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

function verifiersOf({ active, former }: LogKeysView): readonly NoteVerifier[] {
  return [...active, ...former].flatMap((vkey) => {
    const parsed = parseNoteVerifierKey(vkey);
    return parsed.ok ? [parsed.value] : [];
  });
}

function fault(
  code: LogDeskFaultCode,
  message: string,
  more: { readonly path?: string; readonly hint?: string } = {},
): LogDeskResult<never> {
  return err({ code, message, ...more });
}

/** A checkpoint that this log signed and whose tree is its own, or why it is not. */
async function ownCheckpoint({ log: { log, keyDesk } }: LogDeskParts, note: string, path: string): Promise<LogDeskResult<Checkpoint>> {
  const opened = openCheckpoint(note, verifiersOf(keyDesk.view()));
  if (!opened.ok || opened.value.origin !== log.origin) {
    const why = opened.ok ? `it is of ${opened.value.origin}` : opened.error.message;
    return fault('checkpoint_unreadable', `this is no checkpoint that this log signed: ${why}`, { path });
  }
  const { size, root } = opened.value;
  const keep = 'keep this checkpoint: signed as it is, it proves that entries are missing or were changed';
  if (size > log.checkpoint.size)
    return fault('checkpoint_ahead', `the checkpoint covers ${size} entries, and this log has published ${log.checkpoint.size}`, {
      path,
      hint: keep,
    });
  if (Buffer.compare(await log.rootAt(size), root) !== 0)
    return fault('checkpoint_forked', `this log holds another tree of size ${size} than the one that was signed`, { path, hint: keep });
  return ok(opened.value);
}

async function consistency(parts: LogDeskParts, oldNote: string, newNote: string | undefined): Promise<LogDeskResult<Uint8Array>> {
  const { log } = parts.log;
  const newest = log.checkpoint;
  const old = await ownCheckpoint(parts, oldNote, '/old');
  if (!old.ok) return old;
  const newer = newNote === undefined ? ok(newest) : await ownCheckpoint(parts, newNote, '/new');
  if (!newer.ok) return newer;
  if (newer.value.size < old.value.size)
    return fault('checkpoint_order', 'the newer checkpoint covers less than the older one', {
      path: '/new',
      hint: 'name the older one first',
    });
  return ok(await makeConsistency(log, old.value, newer.value));
}

function timeOf(entry: Uint8Array): string {
  const parsed = parseJson(entry);
  const body = parsed.ok && isJsonObject(parsed.value.value) ? getOwn(parsed.value.value, 'body') : undefined;
  const time = isJsonObject(body) ? getOwn(body, 'time') : undefined;
  return typeof time === 'string' ? time : '';
}

/** Place of the first entry that is not older than `time`: entries stand in the order of their times, but for moments. */
async function placeAt(log: Log, time: string): Promise<number> {
  let [low, high] = [0, log.durableSize];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (timeOf(await log.readEntry(middle)) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function placeBefore(log: Log, before: number | string): Promise<LogDeskResult<number>> {
  if (typeof before === 'number' && Number.isSafeInteger(before) && before >= 0) return ok(before);
  if (typeof before === 'string' && TIME.test(before)) return ok(await placeAt(log, before));
  return fault('invalid_before', 'a place in the log is a whole number, a time has the form 2026-01-31T00:00:00.000Z', { path: '/before' });
}

function checkDirectory({ log: { place } }: LogDeskParts, directory: string): Fault<LogDeskFaultCode> | undefined {
  const path = '/directory';
  if (!isAbsolute(directory)) return { code: 'invalid_archive', message: 'the directory of an archive is an absolute path', path };
  const inside = `${resolve(directory)}${sep}`.startsWith(`${resolve(place.directory)}${sep}`);
  return inside ? { code: 'invalid_archive', message: 'an archive does not lie within the log', path } : undefined;
}

function moved(log: Log, segments: readonly ArchivedSegment[]): MovedSegments {
  return {
    segments: segments.length,
    records: segments.reduce((sum, { first, end }) => sum + end - first, 0),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    firstPresent: log.firstPresent,
  };
}

/** What the file system says of a directory that an operator named is the operator's to mend. */
function unusable(error: unknown): never {
  if (error instanceof CodedError) throw error;
  const reason = error instanceof Error ? error.message.split(',', 1)[0] : 'it failed';
  throw new CodedError(
    { code: 'archive_unusable', message: `the archive cannot be read or written: ${reason}`, hint: 'nothing was removed without a copy' },
    { cause: error },
  );
}

async function archive(parts: LogDeskParts, { before, directory }: ArchiveRequest): Promise<LogDeskResult<MovedSegments>> {
  const { store } = parts;
  const { log, position, place: home } = parts.log;
  const wrong = checkDirectory(parts, directory);
  if (wrong !== undefined) return err(wrong);
  const place = await placeBefore(log, before);
  if (!place.ok) return place;
  // A start reads again what the tables have not taken: that must be here.
  await store.settle(position, home.name);
  const limit = Math.min(place.value, store.appliedIndex(home.name) + 1);
  return ok(moved(log, await archiveSegments(log, openDiskArchive(directory), limit).catch(unusable)));
}

async function manifestFault(storage: ArchiveStorage, origin: string): Promise<Fault<LogDeskFaultCode> | undefined> {
  const bytes = await storage.read(MANIFEST_NAME).catch(unusable);
  const hint = 'name the directory that `countersign log archive` wrote';
  if (bytes === undefined) return { code: 'invalid_archive', message: 'there is no archive in this directory', path: '/directory', hint };
  const manifest = readManifest(bytes);
  if (!manifest.ok) return { code: 'invalid_archive', message: manifest.error.message, path: '/directory', hint };
  if (manifest.value.log === origin) return undefined;
  return { code: 'invalid_archive', message: `this is the archive of another log, ${manifest.value.log}`, path: '/directory', hint };
}

async function restore(parts: LogDeskParts, directory: string): Promise<LogDeskResult<MovedSegments>> {
  const { log } = parts.log;
  const storage = openDiskArchive(directory);
  const wrong = checkDirectory(parts, directory) ?? (await manifestFault(storage, log.origin));
  if (wrong !== undefined) return err(wrong);
  return ok(moved(log, await restoreSegments(log, storage).catch(unusable)));
}

/** Faults of the keys desk are those of an operator. */
function narrowed(result: Result<LogKeysView, Fault>): LogDeskResult<LogKeysView> {
  if (result.ok) return result;
  const { code, message, hint } = result.error;
  const more = hint === undefined ? {} : { hint };
  if (code === 'log_keys_full' || code === 'log_key_last') return fault(code, message, more);
  throw new CodedError(result.error);
}

export function createLogDesk(parts: LogDeskParts): LogDesk {
  const keys = parts.log.keyDesk;
  let turn: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(work: () => Promise<T>): Promise<T> => {
    const running = turn.then(work);
    turn = running.catch(() => undefined);
    return running;
  };
  return {
    keys: () => keys.view(),
    rotateKey: () => oneAtATime(async () => narrowed(await keys.rotate())),
    retireKey: () => oneAtATime(async () => narrowed(await keys.retire())),
    consistency: (old, newer) => consistency(parts, old, newer),
    archive: (request) => oneAtATime(() => archive(parts, request)),
    restore: (directory) => oneAtATime(() => restore(parts, directory)),
  };
}
