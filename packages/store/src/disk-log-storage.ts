/**
 * @module A log storage in one directory of a local file system. Journal segments are `journal/<number>.seg`, published files lie below
 * `public/`, unfinished ones in `tmp/`. The directory belongs to one process: a SQLite file holds the operating system's own lock, which
 * ends with the process however it ends.
 *
 * `synced` keeps every promise of `LogStorage`. `fast` leaves the syncs out: all survives the end of the process, not a power cut.
 */
import { constants, writeSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError, codeOf, invariant } from '@countersign/kernel';
import type { LogStorage, SegmentInfo } from '@countersign/log';

export interface DiskLogOptions {
  /** Made where it is not there. */
  readonly directory: string;
  readonly durability: 'synced' | 'fast';
}

/** Batches up to this size are handed to the page cache at once; larger ones in the background. */
const SYNC_WRITE_BYTES_MAX = 262_144;
/** Segments held open for reading. */
const READERS_MAX = 32;
const SEGMENT = /^([0-9]{10})\.seg$/;
const PUBLISHED_PATH = /^[A-Za-z0-9][A-Za-z0-9.]{0,63}(?:\/[A-Za-z0-9][A-Za-z0-9.]{0,63}){0,15}$/;
const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;

function segmentFile(segment: number): string {
  return `${String(segment).padStart(10, '0')}.seg`;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function cannotLock(directory: string, error: unknown): CodedError {
  const held = error instanceof Error && /locked|busy/.test(error.message);
  return new CodedError(
    held
      ? {
          code: 'log_locked',
          message: 'another process holds this log',
          path: directory,
          hint: 'stop the other server, or give this one its own data directory',
        }
      : {
          code: 'log_unwritable',
          message: 'the lock of the log cannot be taken',
          path: directory,
          hint: 'check the rights of the directory',
        },
    { cause: error },
  );
}

/** Takes the directory for this process. */
function lockDirectory(directory: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(directory, 'lock'));
    lock.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    throw cannotLock(directory, error);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all of `bytes` at the handle's end, in one call wherever the system takes them in one. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const left = bytes.length - done;
    if (left <= SYNC_WRITE_BYTES_MAX) done += writeSync(handle.fd, bytes, done, left);
    else done += (await handle.write(bytes, done, left)).bytesWritten;
  }
}

interface Disk {
  readonly root: string;
  readonly synced: boolean;
}

interface JournalFiles extends Pick<LogStorage, 'segments' | 'append' | 'read' | 'truncate'> {
  close(): Promise<void>;
}

async function listSegments(folder: string): Promise<SegmentInfo[]> {
  const names = (await readdir(folder)).filter((name) => SEGMENT.test(name)).sort();
  const found = await Promise.all(
    names.map(async (name) => ({ segment: Number(name.slice(0, 10)), sizeBytes: (await stat(join(folder, name))).size })),
  );
  const gap = found.findIndex(({ segment }, i) => segment !== i);
  if (gap !== -1) {
    throw new CodedError({
      code: 'log_segment_missing',
      message: `journal segment ${gap} is missing`,
      path: join(folder, segmentFile(gap)),
      hint: 'restore it from a copy; nothing was changed',
    });
  }
  return found;
}

async function readRange(handle: FileHandle, range: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  let done = 0;
  while (done < range.length) {
    const { bytesRead } = await handle.read(bytes, done, range.length - done, range.offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function journalFiles({ root, synced }: Disk): JournalFiles {
  const folder = join(root, 'journal');
  /** The segment that is written; opened for appending, so that the system keeps the end. */
  let tail: { readonly segment: number; readonly handle: FileHandle } | undefined;
  const readers = new Map<number, Promise<FileHandle>>();

  const openTail = async (segment: number): Promise<FileHandle> => {
    if (tail?.segment === segment) return tail.handle;
    await tail?.handle.close();
    tail = { segment, handle: await open(join(folder, segmentFile(segment)), 'a', OWNER_ONLY) };
    if (synced) await syncFolder(folder);
    return tail.handle;
  };

  const reader = (segment: number): Promise<FileHandle> => {
    const known = readers.get(segment) ?? open(join(folder, segmentFile(segment)), 'r');
    readers.delete(segment);
    readers.set(segment, known);
    const [oldest] = readers;
    if (readers.size > READERS_MAX && oldest !== undefined) {
      readers.delete(oldest[0]);
      // Closing waits for the reads that are under way.
      oldest[1].then((handle) => handle.close()).catch(() => undefined);
    }
    return known;
  };

  return {
    segments: () => listSegments(folder),
    append: async (segment, bytes) => {
      const handle = await openTail(segment);
      await writeAll(handle, bytes);
      if (synced) await handle.datasync();
    },
    read: async (segment, range) => readRange(await reader(segment), range),
    truncate: async (segment, sizeBytes) => {
      const handle = await open(join(folder, segmentFile(segment)), 'r+');
      try {
        await handle.truncate(sizeBytes);
        if (synced) await handle.sync();
      } finally {
        await handle.close();
      }
    },
    close: async () => {
      await tail?.handle.close();
      for (const handle of await Promise.allSettled(readers.values())) if (handle.status === 'fulfilled') await handle.value.close();
    },
  };
}

/** Syncs a folder and every one above it up to `top`. */
async function syncUpwards(folder: string, top: string): Promise<void> {
  for (let at = folder; at.length >= top.length; at = dirname(at)) await syncFolder(at);
}

type PublishedFiles = Pick<LogStorage, 'readFile' | 'replaceFile' | 'removeFile' | 'listFiles'>;

function publishedFiles({ root, synced }: Disk): PublishedFiles {
  const top = join(root, 'public');
  const known = new Set<string>();
  let unfinished = 0;

  const placeOf = (path: string): string => {
    invariant(PUBLISHED_PATH.test(path), 'a published path is relative and plain');
    return join(top, path);
  };

  /** Makes a folder and, where it is new, syncs everything up to the top, so that it survives with what is put into it. */
  const ensureFolder = async (folder: string): Promise<void> => {
    if (known.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: FOLDER_OWNER_ONLY });
    if (synced) await syncUpwards(dirname(folder), top);
    known.add(folder);
  };

  return {
    readFile: async (path) => {
      try {
        return await readFile(placeOf(path));
      } catch (error) {
        if (isMissing(error) || codeOf(error) === 'EISDIR' || codeOf(error) === 'ENOTDIR') return undefined;
        throw error;
      }
    },
    replaceFile: async (path, bytes) => {
      const place = placeOf(path);
      unfinished += 1;
      const draft = join(root, 'tmp', String(unfinished));
      const handle = await open(draft, 'w', OWNER_ONLY);
      try {
        await writeAll(handle, bytes);
        if (synced) await handle.datasync();
      } finally {
        await handle.close();
      }
      await ensureFolder(dirname(place));
      await rename(draft, place);
      if (synced) await syncFolder(dirname(place));
    },
    removeFile: async (path) => {
      const place = placeOf(path);
      await rm(place, { force: true });
      const folder = dirname(place);
      if (!folder.endsWith('.p')) return;
      known.delete(folder);
      await rmdir(folder).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOTEMPTY' && !isMissing(error)) throw error;
      });
    },
    listFiles: async (folder) => {
      const found = await readdir(placeOf(folder), { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      return Promise.all(files.map(async (file) => ({ path: file.slice(top.length + 1), sizeBytes: (await stat(file)).size })));
    },
  };
}

/**
 * Opens the directory and locks it.
 * @throws CodedError `log_locked` when another process, or this one, already has it; `log_unwritable`; what the file system throws otherwise (`EACCES`, `ENOSPC`, ...).
 */
export async function openDiskLogStorage(options: DiskLogOptions): Promise<LogStorage> {
  const root = options.directory;
  await mkdir(join(root, 'journal'), { recursive: true, mode: FOLDER_OWNER_ONLY });
  const lock = lockDirectory(root);
  try {
    await rm(join(root, 'tmp'), { recursive: true, force: true });
    for (const folder of ['public', 'tmp']) await mkdir(join(root, folder), { recursive: true, mode: FOLDER_OWNER_ONLY });
    const disk: Disk = { root, synced: options.durability === 'synced' };
    if (disk.synced) await syncFolder(root);
    const journal = journalFiles(disk);
    return {
      ...journal,
      ...publishedFiles(disk),
      close: async () => {
        try {
          await journal.close();
        } finally {
          lock.close();
        }
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}
