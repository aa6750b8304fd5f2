/**
 * @module Bytes kept by their SHA-256 in one directory: what is read is checked, what is damaged is forgotten, and the oldest go first when
 * there are too many. A cache that cannot be written only costs a fetch.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { RUNTIME_LIMITS } from './limits.ts';

export interface PinnedCache {
  /** The bytes with that hash; undefined where they are not here. */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes that have that hash; others are not kept. */
  keep(sha256: string, bytes: Uint8Array): Promise<void>;
}

interface Kept {
  readonly path: string;
  readonly size: number;
  readonly writtenMs: number;
}

async function entriesOf(directory: string): Promise<readonly Kept[]> {
  const names = await readdir(directory);
  const kept = await Promise.all(
    names.map(async (name): Promise<Kept> => {
      const path = join(directory, name);
      const { size, mtimeMs } = await stat(path);
      return { path, size, writtenMs: mtimeMs };
    }),
  );
  return kept.toSorted((a, b) => a.writtenMs - b.writtenMs);
}

async function makeRoom(directory: string, bytesMax: number, wanted: number): Promise<void> {
  const entries = await entriesOf(directory);
  let total = entries.reduce((sum, entry) => sum + entry.size, wanted);
  for (const entry of entries) {
    if (total <= bytesMax) return;
    await rm(entry.path, { force: true });
    total -= entry.size;
  }
}

/** The cache in a directory, which is made when something is first kept. */
export function openPinnedCache(directory: string, bytesMax: number = RUNTIME_LIMITS.policyCacheBytesMax): PinnedCache {
  return {
    read: async (sha256) => {
      const path = join(directory, sha256);
      try {
        const bytes = new Uint8Array(await readFile(path));
        if (sha256Hex(bytes) === sha256) return bytes;
        await rm(path, { force: true });
      } catch {
        // Not there, or not to be had: it is fetched.
      }
      return undefined;
    },
    keep: async (sha256, bytes) => {
      if (bytes.length > bytesMax || sha256Hex(bytes) !== sha256) return;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await makeRoom(directory, bytesMax, bytes.length);
        const path = join(directory, sha256);
        await writeFile(`${path}.${String(process.pid)}`, bytes, { mode: 0o600 });
        await rename(`${path}.${String(process.pid)}`, path);
      } catch {
        // A full or read-only disk: the next one fetches again.
      }
    },
  };
}
