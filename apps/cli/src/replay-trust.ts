/**
 * @module Whose engines are run: the one built here, those that the verifier's own installation has run, those in folders that the
 * verifier named, and single hashes that the verifier named. An engine that merely lies in somebody else's directory is not run.
 */
import { join } from 'node:path';
import { builtEnginePath, type EngineFile, readEngineFile, readKeptEngine } from '@countersign/runtime';

/** Plain data: threads are given it too. */
export interface EngineTrust {
  /** Folders of `<hash>.mjs` whose every engine is trusted. */
  readonly folders: readonly string[];
  /** Hashes that are trusted wherever they are found. */
  readonly hashes: readonly string[];
  /** Folders of engines of which only those in `hashes` are run. */
  readonly foreign: readonly string[];
}

/** Besides the built one: those that the installation in `dataDir` has run. */
export function ownEngines(dataDir: string): EngineTrust {
  return { folders: [join(dataDir, 'engines')], hashes: [], foreign: [] };
}

/** Gives the engine with a hash, or undefined where it is not trusted or not here. */
export type FindEngine = (hash: string) => Promise<EngineFile | undefined>;

async function findIn(folders: readonly string[], hash: string): Promise<EngineFile | undefined> {
  for (const folder of folders) {
    const file = await readKeptEngine(folder, hash);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** @throws {CodedError} `engine_missing` where none is built here; `engine_corrupt` where a trusted file is not what its name says. */
export async function openEngineTrust({ folders, hashes, foreign }: EngineTrust): Promise<FindEngine> {
  const built = await readEngineFile(builtEnginePath());
  const named = new Set(hashes);
  return async (hash) => {
    if (hash === built.hash) return built;
    // SECURITY: what is run is what was hashed; a file in a foreign folder is not even opened unless its hash was named.
    return (await findIn(folders, hash)) ?? (named.has(hash) ? findIn(foreign, hash) : undefined);
  };
}
