/**
 * @module The system calls that a log's disk makes, one function each: what stands between the log and the operating system, so that a
 * test can let any one of them fail. Each rejects with what the system said (`ENOSPC`, `EIO`, ...).
 */
import { constants, fstatSync, writeSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';

export interface DiskFile {
  /** Writes at `position`; the count may be less than asked for, as with any system. */
  write(bytes: Uint8Array, position: number): number | Promise<number>;
  read(into: Uint8Array, position: number): Promise<number>;
  sizeBytes(): number;
  truncate(sizeBytes: number): Promise<void>;
  /** Data and what is needed to find it. */
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `read`: there already. `write`: made where it is not there, kept where it is. `create`: empty. */
export type OpenMode = 'read' | 'write' | 'create';

export interface DiskSystem {
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  readFile(path: string): Promise<Uint8Array>;
  /** Names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Files below a folder, as paths relative to it, slash-separated. */
  listBelow(folder: string): Promise<readonly string[]>;
  sizeBytes(path: string): Promise<number>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** One that is not there is no error. */
  removeFile(path: string): Promise<void>;
  /** An empty folder. */
  removeFolder(path: string): Promise<void>;
  /** Makes the names in a folder survive a power cut. */
  syncFolder(path: string): Promise<void>;
}

/** Writes up to this size are handed to the page cache at once; larger ones in the background. */
const SYNC_WRITE_BYTES_MAX = 262_144;
const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
};

function fileOver(handle: FileHandle): DiskFile {
  return {
    write: (bytes, position) =>
      bytes.length <= SYNC_WRITE_BYTES_MAX
        ? writeSync(handle.fd, bytes, 0, bytes.length, position)
        : handle.write(bytes, 0, bytes.length, position).then(({ bytesWritten }) => bytesWritten),
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    sizeBytes: () => fstatSync(handle.fd).size,
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    datasync: () => handle.datasync(),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The operating system's own. */
export const nodeDisk: DiskSystem = {
  open: async (path, mode) => fileOver(await open(path, FLAGS[mode], OWNER_ONLY)),
  readFile: (path) => readFile(path),
  list: (folder) => readdir(folder),
  listBelow: async (folder) => {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    return found.flatMap((entry) => (entry.isFile() ? [`${entry.parentPath}/${entry.name}`.slice(folder.length + 1)] : []));
  },
  sizeBytes: async (path) => (await stat(path)).size,
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: FOLDER_OWNER_ONLY })),
  rename,
  removeFile: (path) => rm(path, { force: true }),
  removeFolder: (path) => rmdir(path),
  syncFolder,
};
