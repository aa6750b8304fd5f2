/** @module The tables of a witness. The triggers are a second lock on what the code promises: a known tree never shrinks and never goes. */
import type { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';

const VERSION = 1;

const TABLES = `
  CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, public_key BLOB NOT NULL CHECK (length(public_key) = 32)
  ) STRICT;
  CREATE TABLE logs (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), root BLOB NOT NULL CHECK (length(root) = 32)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE keys (
    origin TEXT NOT NULL REFERENCES logs(origin), key TEXT NOT NULL, PRIMARY KEY (origin, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER logs_grow BEFORE UPDATE ON logs WHEN NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
    BEGIN SELECT RAISE(ABORT, 'a witnessed tree only grows'); END;
  CREATE TRIGGER logs_stay BEFORE DELETE ON logs BEGIN SELECT RAISE(ABORT, 'a witnessed tree is never forgotten'); END;
  PRAGMA user_version = ${VERSION};
`;

function versionOf(db: DatabaseSync): number {
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  return typeof version === 'number' ? version : 0;
}

/** Makes the tables where the file is new. @throws CodedError `witness_state_newer`, `witness_state_unavailable`. */
export function prepareWitnessDatabase(db: DatabaseSync): void {
  db.exec(`PRAGMA busy_timeout = ${STORE_LIMITS.busyTimeoutMs}`);
  db.exec('PRAGMA journal_mode = WAL');
  // A commit returns after the sync of the log of writes: what `advance` promises.
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA trusted_schema = OFF');
  if (db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok') {
    throw new CodedError({ code: 'witness_state_unavailable', message: 'the state of the witness is damaged' });
  }
  const version = versionOf(db);
  if (version > VERSION) {
    throw new CodedError({
      code: 'witness_state_newer',
      message: `the state of the witness has schema ${version} and this program knows ${VERSION}`,
      hint: 'start the newer version of the program that wrote it',
    });
  }
  if (version === VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been first.
    if (versionOf(db) === 0) db.exec(TABLES);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
