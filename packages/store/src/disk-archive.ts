/**
 * @module A directory that log segments are moved to (spec/log.md LOG-070): whole files, each written beside, synced, renamed, and its
 * folder synced, so that a file that `write` has returned for survives a power cut.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, invariant } from '@countersign/kernel';
import type { ArchiveStorage } from '@countersign/log';

const NAME = /^[a-z0-9][a-z0-9.]{0,63}$/;
const FOLDER_OWNER_ONLY = 0o700;
const FILE_OWNER_ONLY = 0o600;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w', FILE_OWNER_ONLY);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The archive in `directory`, which the first write makes where it is not there. Rejects with what the file system says. */
export function openDiskArchive(directory: string): ArchiveStorage {
  const pathOf = (name: string): string => {
    invariant(NAME.test(name), 'a name in an archive is plain');
    return join(directory, name);
  };
  return {
    read: async (name) => {
      try {
        return await readFile(pathOf(name));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: async (name, bytes) => {
      const place = pathOf(name);
      const made = await mkdir(directory, { recursive: true, mode: FOLDER_OWNER_ONLY });
      if (made !== undefined) await syncFolder(dirname(made));
      await writeSynced(`${place}.tmp`, bytes);
      await rename(`${place}.tmp`, place);
      await syncFolder(directory);
    },
  };
}
