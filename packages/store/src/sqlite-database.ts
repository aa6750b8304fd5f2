/**
 * @module One SQLite file of ours (`node:sqlite`): WAL, synchronous FULL, one process at a time unless its kind says otherwise, prepared
 * statements, migrations. A committed write survives a crash of the process and of the machine. Whatever SQLite throws gets the code of the file.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { CodedError, codeOf } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';

export type Row = Record<string, SQLOutputValue>;

export interface Query {
  all(...values: SQLInputValue[]): readonly Row[];
  get(...values: SQLInputValue[]): Row | undefined;
  /** Rows that were changed. */
  run(...values: SQLInputValue[]): number;
}

/** What a file is for: codes are `<name>_unavailable`, `<name>_in_use` and `<name>_newer`. */
export interface DatabaseKind {
  readonly name: 'state' | 'vault' | 'witness';
  /** More than one process may have it open: nothing that was read may be kept. */
  readonly shared?: true;
  /** Add-only, each run once, in order, in one transaction with its own record. */
  readonly migrations: readonly string[];
  /** Beside those that every file gets. */
  readonly pragmas: readonly string[];
}

export interface Database {
  query(sql: string): Query;
  /** One transaction: all of `work`, or nothing where it throws. */
  transaction(work: () => void): void;
  /** Copies the write-ahead log into the file and cuts it to nothing. */
  emptyLog(): void;
  /** Writes the file anew without what was freed in it, and empties the log. */
  compact(): void;
  close(): void;
}

/** The message names no value. */
function unavailable({ name }: DatabaseKind, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError(
    {
      code: `${name}_unavailable`,
      message: `the ${name} database failed (${codeOf(error)})`,
      hint: 'check the disk of the data directory',
    },
    { cause: error },
  );
}

function cannotOpen({ name }: DatabaseKind, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const locked = error instanceof Error && /locked|busy/.test(error.message);
  return new CodedError(
    locked
      ? {
          code: `${name}_in_use`,
          message: `another process has the ${name} open`,
          hint: 'talk to the running gateway, or stop it first',
        }
      : {
          code: `${name}_unavailable`,
          message: `the ${name} could not be opened (${codeOf(error)})`,
          hint: 'check the data directory and its rights',
        },
    { cause: error },
  );
}

function configure(db: DatabaseSync, { pragmas, shared }: DatabaseKind): void {
  db.exec(`PRAGMA busy_timeout = ${STORE_LIMITS.busyTimeoutMs}`);
  // SECURITY: caches are valid only while no other process can write, so the lock is held for as long as the file is open.
  if (shared !== true) db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA trusted_schema = OFF');
  // SECURITY: what is sorted or written anew must not pass through a file elsewhere.
  db.exec('PRAGMA temp_store = MEMORY');
  for (const pragma of pragmas) db.exec(`PRAGMA ${pragma}`);
}

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** How many migrations were run. */
function migrated(db: DatabaseSync): number {
  const row = db.prepare('SELECT max(number) AS number FROM migrations').get();
  return typeof row?.['number'] === 'number' ? row['number'] : 0;
}

function migrate(db: DatabaseSync, { name, migrations }: DatabaseKind): void {
  db.exec('CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY) STRICT');
  const done = migrated(db);
  if (done > migrations.length) {
    throw new CodedError({
      code: `${name}_newer`,
      message: `the ${name} has schema ${done} and this program knows ${migrations.length}`,
      hint: 'start the newer version of the program that wrote it',
    });
  }
  for (const [i, sql] of migrations.entries()) {
    if (i < done) continue;
    transaction(db, () => {
      // Where the file is shared, another process may have been first.
      if (migrated(db) > i) return;
      db.exec(sql);
      db.prepare('INSERT INTO migrations (number) VALUES (?)').run(i + 1);
    });
  }
}

function emptyLog(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (row?.['busy'] !== 0) throw new Error('the write-ahead log is in use');
}

function over(db: DatabaseSync, kind: DatabaseKind): Database {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unavailable(kind, error);
    }
  };
  return {
    query(sql) {
      const statement: StatementSync = db.prepare(sql);
      return {
        all: (...values) => guarded(() => statement.all(...values)),
        get: (...values) => guarded(() => statement.get(...values)),
        run: (...values) => guarded(() => Number(statement.run(...values).changes)),
      };
    },
    transaction: (work) => guarded(() => transaction(db, work)),
    emptyLog: () => guarded(() => emptyLog(db)),
    compact: () =>
      guarded(() => {
        db.exec('VACUUM');
        emptyLog(db);
      }),
    close(): void {
      if (db.isOpen) db.close();
    },
  };
}

/**
 * Makes a file for its owner only: SQLite gives the rights of the database to its WAL too, and made by SQLite itself the file would be
 * readable by others. SECURITY: a file that is there is not opened, because closing any handle of it ends every lock that this process
 * has on it (POSIX).
 */
export function makeDatabaseFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Opens (or creates) the file at `path`; `build` prepares what is asked of it.
 * @throws CodedError `<name>_in_use`, `<name>_newer`, `<name>_unavailable`.
 */
export function openDatabase<T>(path: string, kind: DatabaseKind, build: (database: Database) => T): T {
  let db: DatabaseSync | undefined;
  try {
    makeDatabaseFile(path);
    db = new DatabaseSync(path);
    configure(db, kind);
    migrate(db, kind);
    return build(over(db, kind));
  } catch (error) {
    db?.close();
    throw cannotOpen(kind, error);
  }
}
