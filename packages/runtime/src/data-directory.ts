/** @module What a data directory must be before anything in it is opened: writable, and all there. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, CodedError } from '@countersign/kernel';

const OWNER_ONLY = 0o700;

/** `mkdir -p` in steps that end: Node's own asks for ever where a parent is there and nothing can be made in it (`/proc`). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: OWNER_ONLY });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path || existsSync(dirname(path))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: OWNER_ONLY });
  }
}

/** @throws {CodedError} `data_directory_unwritable`. */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    for (const folder of [dataDir, join(dataDir, 'keys')]) await makeFolder(folder);
  } catch (error) {
    throw new CodedError(
      {
        code: 'data_directory_unwritable',
        message: `the data directory cannot be made or written (${codeOf(error)})`,
        path: dataDir,
        hint: 'name another one, or check its rights and those of the directories above it',
      },
      { cause: error },
    );
  }
}

/**
 * A log without its state would be folded into nothing.
 * @throws {CodedError} `state_missing`.
 */
export function checkStateExists(path: string, logSize: number): void {
  if (logSize === 0 || existsSync(path)) return;
  throw new CodedError({
    code: 'state_missing',
    message: `the log has ${logSize} entries, but its state is gone`,
    path,
    hint: 'restore `state.db` from a backup: agents, keys and policies are in it',
  });
}

/**
 * Without the keys of the vault nothing that was sealed opens again; a new vault would hide that.
 * @throws {CodedError} `vault_missing`.
 */
export function checkVaultExists(path: string, logSize: number): void {
  if (logSize === 0 || existsSync(path)) return;
  throw new CodedError({
    code: 'vault_missing',
    message: `the log has ${logSize} entries, but the keys of what was sealed with them are gone`,
    path,
    hint: 'restore `vault.db` from a backup',
  });
}

/**
 * State follows the log. One that has seen more than the log holds means that receipts were lost which somebody was given.
 * @param applied Index of the last entry that the state has seen, -1 for none.
 * @throws {CodedError} `log_behind_state`.
 */
export function checkLogReaches(applied: number, log: { readonly size: number; readonly path: string }): void {
  if (applied < log.size) return;
  throw new CodedError({
    code: 'log_behind_state',
    message: `the log has ${log.size} entries, but its state has seen ${applied + 1}: receipts that were given out are missing`,
    path: log.path,
    hint: 'restore the whole data directory from one backup',
  });
}
