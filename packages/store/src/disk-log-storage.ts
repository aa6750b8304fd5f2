/**
 * @module A log storage in one directory of a local file system. Journal segments are `journal/<number>.seg`, their indexes
 * `journal/<number>.idx`, published files lie below `public/`, unfinished ones in `tmp/`. The directory belongs to one process: a SQLite
 * file holds the operating system's own lock, which ends with the process however it ends.
 *
 * `synced` keeps every promise of `LogStorage`. `fast` leaves the syncs out: all survives the end of the process, not a power cut.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError, codeOf, invariant } from '@countersign/kernel';
import type { ByteRange, JournalReading, JournalStorage, LogStorage, PublishedFile, PublishedStorage, SegmentInfo } from '@countersign/log';
import { type DiskFile, type DiskSystem, nodeDisk } from './disk-system.ts';

export interface DiskLogOptions {
  /** Made where it is not there. */
  readonly directory: string;
  readonly durability: 'synced' | 'fast';
  /** The operating system's own where it is not said. */
  readonly system?: DiskSystem;
}

/** Files written side by side. */
const WRITES_AT_ONCE = 8;
/** Segments held open for reading. */
const READERS_MAX = 32;
const SEGMENT = /^([0-9]{10})\.seg$/;
const PUBLISHED_PATH = /^[A-Za-z0-9][A-Za-z0-9.]{0,63}(?:\/[A-Za-z0-9][A-Za-z0-9.]{0,63}){0,15}$/;
const FOLDER_OWNER_ONLY = 0o700;

function fileOf(segment: number, suffix: 'seg' | 'idx'): string {
  return `${String(segment).padStart(10, '0')}.${suffix}`;
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

interface Disk {
  readonly root: string;
  readonly synced: boolean;
  readonly system: DiskSystem;
}

/** Writes all of `bytes`, in one call wherever the system takes them in one. */
async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const wrote = file.write(bytes.subarray(done), position + done);
    const count = typeof wrote === 'number' ? wrote : await wrote;
    if (count <= 0) throw new CodedError({ code: 'disk_wrote_nothing', message: 'the system took no byte and gave no reason' });
    done += count;
  }
}

async function listSegments({ root, system }: Disk): Promise<SegmentInfo[]> {
  const folder = join(root, 'journal');
  const names = (await system.list(folder)).filter((name) => SEGMENT.test(name)).sort();
  const found: SegmentInfo[] = [];
  for (const name of names) found.push({ segment: Number(name.slice(0, 10)), sizeBytes: await system.sizeBytes(join(folder, name)) });
  const first = found[0]?.segment ?? 0;
  const gap = found.findIndex(({ segment }, i) => segment !== first + i);
  if (gap !== -1) throw missingSegment(join(folder, fileOf(first + gap, 'seg')), first + gap);
  return found;
}

function missingSegment(path: string, segment: number): CodedError {
  return new CodedError({
    code: 'log_segment_missing',
    message: `journal segment ${segment} is missing`,
    path,
    hint: 'restore it from a copy; nothing was changed',
  });
}

async function readRange(file: DiskFile, range: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  let done = 0;
  while (done < range.length) {
    const count = await file.read(bytes.subarray(done), range.offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

async function readOptional(system: DiskSystem, path: string): Promise<Uint8Array | undefined> {
  try {
    return await system.readFile(path);
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'EISDIR' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

interface Readers extends JournalReading {
  /** Lets go of a segment that is about to be removed. */
  forget(segment: number): Promise<void>;
  close(): Promise<void>;
}

function journalReaders(disk: Disk): Readers {
  const { root, system } = disk;
  const folder = join(root, 'journal');
  const readers = new Map<number, Promise<DiskFile>>();
  const reader = (segment: number): Promise<DiskFile> => {
    const known = readers.get(segment) ?? system.open(join(folder, fileOf(segment, 'seg')), 'read');
    readers.delete(segment);
    readers.set(segment, known);
    known.catch(() => readers.delete(segment));
    const [oldest] = readers;
    if (readers.size > READERS_MAX && oldest !== undefined) {
      readers.delete(oldest[0]);
      // Closing waits for the reads that are under way.
      oldest[1].then((file) => file.close()).catch(() => undefined);
    }
    return known;
  };
  return {
    segments: () => listSegments(disk),
    read: async (segment, range) => readRange(await reader(segment), range),
    readIndex: (segment) => readOptional(system, join(folder, fileOf(segment, 'idx'))),
    forget: async (segment) => {
      const known = readers.get(segment);
      readers.delete(segment);
      await (await known?.catch(() => undefined))?.close();
    },
    close: async () => {
      for (const file of await Promise.allSettled(readers.values())) if (file.status === 'fulfilled') await file.value.close();
    },
  };
}

interface DraftedFile {
  readonly draft: string;
  readonly place: string;
  readonly bytes: Uint8Array;
}

async function writeDraft({ system, synced }: Disk, { draft, bytes }: DraftedFile): Promise<void> {
  const handle = await system.open(draft, 'create');
  try {
    await writeAll(handle, bytes, 0);
    if (synced) await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Runs `work` over all items, some at a time; over when all of it is, also where some of it failed. */
async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += WRITES_AT_ONCE) {
    const settled = await Promise.allSettled(items.slice(i, i + WRITES_AT_ONCE).map(work));
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/** Puts whole files in place: written beside and synced, renamed, their folders synced once each. */
async function putFiles(disk: Disk, files: readonly DraftedFile[]): Promise<void> {
  const { system, synced } = disk;
  await sideBySide(files, (file) => writeDraft(disk, file));
  await sideBySide(files, ({ draft, place }) => system.rename(draft, place));
  if (synced) await sideBySide([...new Set(files.map(({ place }) => dirname(place)))], (folder) => system.syncFolder(folder));
}

type JournalFiles = JournalStorage & { close(): Promise<void> };

function journalFiles(disk: Disk, readers: Readers): JournalFiles {
  const { root, synced, system } = disk;
  const folder = join(root, 'journal');
  const pathOf = (segment: number): string => join(folder, fileOf(segment, 'seg'));
  /** The segment that is written. */
  let tail: { readonly segment: number; readonly file: DiskFile } | undefined;

  const openTail = async (segment: number): Promise<DiskFile> => {
    if (tail?.segment === segment) return tail.file;
    await tail?.file.close();
    tail = undefined;
    tail = { segment, file: await system.open(pathOf(segment), 'write') };
    if (synced) await system.syncFolder(folder);
    return tail.file;
  };

  return {
    ...readers,
    append: async (segment, offset, bytes) => {
      const file = await openTail(segment);
      const end = file.sizeBytes();
      if (end !== offset)
        throw new CodedError({ code: 'storage_other_end', message: `segment ${segment} ends at ${end}, and ${offset} was expected` });
      await writeAll(file, bytes, offset);
      if (synced) await file.datasync();
    },
    truncate: async (segment, sizeBytes) => {
      const file = await system.open(pathOf(segment), 'write');
      try {
        await file.truncate(sizeBytes);
        if (synced) await file.sync();
      } finally {
        await file.close();
      }
    },
    writeIndex: (segment, bytes) =>
      putFiles(disk, [{ draft: join(root, 'tmp', `${segment}.idx`), place: join(folder, fileOf(segment, 'idx')), bytes }]),
    removeSegment: async (segment) => {
      invariant(tail?.segment !== segment, 'the segment that is written is not removed');
      await readers.forget(segment);
      await system.removeFile(pathOf(segment));
      if (synced) await system.syncFolder(folder);
    },
    restoreSegment: (segment, bytes) => putFiles(disk, [{ draft: join(root, 'tmp', `${segment}.seg`), place: pathOf(segment), bytes }]),
    close: async () => {
      await tail?.file.close();
      await readers.close();
    },
  };
}

/** Syncs a folder and every one above it up to `top`. */
async function syncUpwards(system: DiskSystem, folder: string, top: string): Promise<void> {
  for (let at = folder; at.length >= top.length; at = dirname(at)) await system.syncFolder(at);
}

function publishedFiles(disk: Disk): PublishedStorage {
  const { root, synced, system } = disk;
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
    await system.makeFolder(folder);
    if (synced) await syncUpwards(system, dirname(folder), top);
    known.add(folder);
  };

  const replaceFiles = async (files: readonly PublishedFile[]): Promise<void> => {
    const drafted = files.map(({ path, bytes }) => {
      unfinished += 1;
      return { draft: join(root, 'tmp', String(unfinished)), place: placeOf(path), bytes };
    });
    for (const { place } of drafted) await ensureFolder(dirname(place));
    await putFiles(disk, drafted);
  };

  return {
    readFile: (path) => readOptional(system, placeOf(path)),
    replaceFile: (path, bytes) => replaceFiles([{ path, bytes }]),
    replaceFiles,
    removeFile: async (path) => {
      const place = placeOf(path);
      await system.removeFile(place);
      const folder = dirname(place);
      if (!folder.endsWith('.p')) return;
      known.delete(folder);
      await system.removeFolder(folder).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOTEMPTY' && !isMissing(error)) throw error;
      });
    },
    listFiles: async (folder) => {
      const below = await system.listBelow(placeOf(folder)).catch((error: unknown): readonly string[] => {
        if (isMissing(error)) return [];
        throw error;
      });
      return below.map((path) => `${folder}/${path}`);
    },
  };
}

/**
 * Opens the directory and locks it.
 * @throws CodedError `log_locked` when another process, or this one, already has it; `log_unwritable`; what the file system throws otherwise (`EACCES`, `ENOSPC`, ...).
 */
export async function openDiskLogStorage(options: DiskLogOptions): Promise<LogStorage> {
  const { directory: root, system = nodeDisk } = options;
  await mkdir(join(root, 'journal'), { recursive: true, mode: FOLDER_OWNER_ONLY });
  const lock = lockDirectory(root);
  try {
    await rm(join(root, 'tmp'), { recursive: true, force: true });
    for (const folder of ['public', 'tmp']) await mkdir(join(root, folder), { recursive: true, mode: FOLDER_OWNER_ONLY });
    const disk: Disk = { root, synced: options.durability === 'synced', system };
    if (disk.synced) await system.syncFolder(root);
    const journal = journalFiles(disk, journalReaders(disk));
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

/** A log directory to be read only, beside whoever writes it: no lock is taken, and nothing in it is touched. */
export interface DiskLogReading extends JournalReading, Pick<PublishedStorage, 'readFile'> {
  close(): Promise<void>;
}

/** Opens a log directory for reading. Nothing is asked of the disk before the first read. */
export function openDiskLogReading(directory: string): DiskLogReading {
  const disk: Disk = { root: directory, synced: false, system: nodeDisk };
  const files = publishedFiles(disk);
  return { ...journalReaders(disk), readFile: (path) => files.readFile(path) };
}
