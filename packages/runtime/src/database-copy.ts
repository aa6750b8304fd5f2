/**
 * @module A SQLite database as it is at one moment, copied beside the process that has it locked and is writing to it. The original is
 * read and nothing else: no lock, no file beside it, so that it may lie on a disk that cannot be written.
 */
import { copyFile, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { codeOf, CodedError } from '@countersign/kernel';
import { RUNTIME_LIMITS } from './limits.ts';

/** What changes whenever the main file does. */
async function stamp(path: string): Promise<string> {
  const { mtimeNs, size, ino } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

async function copyLog(from: string, to: string): Promise<void> {
  try {
    await copyFile(`${from}-wal`, `${to}-wal`);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function unreadable(path: string, error: unknown): CodedError {
  return new CodedError(
    { code: 'state_unreadable', message: `the database cannot be read (${codeOf(error)})`, path, hint: 'check its rights, or restore it' },
    { cause: error },
  );
}

/**
 * Copies the database at `from` to `to`, a place that nobody else writes. Pages move from the write-ahead log into the main file only
 * while a checkpoint runs: where the main file has not changed meanwhile, file and log fit; otherwise it is done again. `copied` is told
 * of every try before it is looked at.
 * @throws CodedError `state_unreadable`, `state_busy`.
 */
export async function copyDatabase(from: string, to: string, copied: () => void = () => undefined): Promise<void> {
  try {
    for (let attempt = 0; attempt < RUNTIME_LIMITS.copyAttemptsMax; attempt += 1) {
      const before = await stamp(from);
      await copyFile(from, to);
      await copyLog(from, to);
      copied();
      if ((await stamp(from)) === before) return takeInLog(to);
    }
  } catch (error) {
    throw unreadable(from, error);
  }
  throw new CodedError({
    code: 'state_busy',
    message: 'the database is being written too fast to be copied',
    path: from,
    hint: 'try again in a moment',
  });
}

/** Puts the log of a copy into its file, so that it can be opened for reading alone. */
function takeInLog(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}
