/**
 * @module Engines kept by the hash that receipts name, so that an old verdict can be re-run after an upgrade. Only engines that this
 * installation itself has run get here: the folder is the trust list of `replay`.
 */
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { codeOf, CodedError } from '@countersign/kernel';
import type { EngineFile } from './engine-file.ts';
import { RUNTIME_LIMITS } from './limits.ts';

const HASH = /^[0-9a-f]{64}$/;
const FILE = /^([0-9a-f]{64})\.mjs$/;

export interface EngineStore {
  /** Keeps an engine; durable when it resolves. */
  keep(file: EngineFile): Promise<void>;
  /** The engine with this hash, checked, or undefined where it is not kept. @throws {CodedError} `engine_corrupt`. */
  read(hash: string): Promise<EngineFile | undefined>;
  /** Hashes of all kept engines, sorted. */
  list(): Promise<readonly string[]>;
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size > RUNTIME_LIMITS.engineBytesMax)
      throw new CodedError({ code: 'engine_too_large', message: 'a kept engine is too large', path });
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (error instanceof CodedError) throw error;
    throw new CodedError({ code: 'engine_unreadable', message: 'a kept engine cannot be read' }, { cause: error });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Temporary file, fsync, rename, fsync of the directory: there under its name only when it is whole. */
async function write(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(directory, name);
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncDirectory(directory);
}

/**
 * The engine file with this hash in a folder of such files, checked, or undefined where it is not there. Says nothing of whether to trust it.
 * @throws {CodedError} `engine_corrupt`, `engine_too_large`, `engine_unreadable`.
 */
export async function readKeptEngine(directory: string, hash: string): Promise<EngineFile | undefined> {
  if (!HASH.test(hash)) return undefined;
  const bytes = await readOptional(join(directory, `${hash}.mjs`));
  if (bytes === undefined) return undefined;
  if (sha256Hex(bytes) !== hash)
    throw new CodedError({ code: 'engine_corrupt', message: `the kept engine ${hash.slice(0, 16)} is not what it was` });
  return { hash, bytes };
}

/** Opens the folder of engines under a data directory. */
export async function openEngineStore(dataDir: string): Promise<EngineStore> {
  const directory = join(dataDir, 'engines');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return {
    async keep({ hash, bytes }: EngineFile): Promise<void> {
      const name = `${hash}.mjs`;
      if ((await readOptional(join(directory, name))) === undefined) await write(directory, name, bytes);
    },
    read: (hash) => readKeptEngine(directory, hash),
    async list(): Promise<readonly string[]> {
      const names = await readdir(directory);
      return names.flatMap((name) => FILE.exec(name)?.[1] ?? []).toSorted();
    },
  };
}
