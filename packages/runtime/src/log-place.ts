/** @module Where the logs of a data directory are, and which of them are there (spec/log.md LOG-080, LOG-084). */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, CodedError } from '@countersign/kernel';
import { MAIN_LOG } from '@countersign/pipeline';
import { RUNTIME_LIMITS } from './limits.ts';
import { LOG_KEY_LIST } from './log-keys.ts';

const FOLDER = 'logs';
const NAME = new RegExp(`^[a-z0-9-]{1,${RUNTIME_LIMITS.logNameCharsMax}}$`);

export interface LogPlace {
  readonly name: string;
  /** Its journal and its published files. */
  readonly directory: string;
  /** Its list of keys, its verifier keys, whom it asks for cosignatures. */
  readonly home: string;
}

/** True for a name that a log beside the main one can have. */
export function isLogName(name: string): boolean {
  return NAME.test(name) && name !== MAIN_LOG;
}

/** `name` is `main`, or one that `isLogName` knows. */
export function logPlace(dataDir: string, name: string): LogPlace {
  if (name === MAIN_LOG) return { name, directory: join(dataDir, 'log'), home: dataDir };
  const directory = join(dataDir, FOLDER, name);
  return { name, directory, home: directory };
}

/** True where the log is there: its list of keys is written once all that it needs to open is. */
export function isLogThere({ home }: LogPlace): boolean {
  return existsSync(join(home, LOG_KEY_LIST));
}

/**
 * Logs beside the main one, by name; what a creation that was cut short has left is none.
 * @throws CodedError `logs_unreadable`, `logs_full`.
 */
export function furtherLogs(dataDir: string): readonly string[] {
  const folder = join(dataDir, FOLDER);
  let names: readonly string[];
  try {
    names = existsSync(folder) ? readdirSync(folder) : [];
  } catch (error) {
    throw new CodedError(
      { code: 'logs_unreadable', message: `the folder of the logs cannot be read (${codeOf(error)})`, path: folder },
      { cause: error },
    );
  }
  const found = names.filter((name) => isLogName(name) && isLogThere(logPlace(dataDir, name))).sort();
  if (found.length < RUNTIME_LIMITS.logsMax) return found;
  throw new CodedError({
    code: 'logs_full',
    message: `an installation has at most ${RUNTIME_LIMITS.logsMax} logs, and ${found.length + 1} are here`,
    path: folder,
    hint: 'move those that nobody writes to elsewhere',
  });
}
