/**
 * @module What a witness remembers, in one directory: `witness.db` with its logs, their keys and the newest
 * tree of each, and `lock`, which the process that signs holds for as long as it lives. Keys may be added by another process meanwhile.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseNoteVerifierKey, type NoteVerifier } from '@countersign/crypto';
import { CodedError, codeOf } from '@countersign/kernel';
import { EMPTY_TREE, sameTree, type WitnessedLog, type WitnessedTree, type WitnessState, type WitnessStep } from '@countersign/log';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import { type Database, type DatabaseKind, makeDatabaseFile, openDatabase, type Row } from './sqlite-database.ts';

const FOLDER_OWNER_ONLY = 0o700;
/** Name of the key file; `witness-identity.ts` reads it. */
export const WITNESS_KEY_FILE = 'witness.key';
/** With a control character in it nothing could ever match the first line of a note. */
const ORIGIN_SHAPE = /^[^\u0000-\u001f\u007f]+$/;

/** A log as the operator of a witness sees it. */
export interface WitnessedLogView {
  readonly origin: string;
  /** Verifier keys, `name+hash+base64`. */
  readonly keys: readonly string[];
  readonly tree: WitnessedTree;
}

/** Who the witness is, once it has signed for the first time. */
export interface WitnessName {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface WitnessStore extends WitnessState {
  identity(): WitnessName | undefined;
  /** Binds this state to a name and key, once and for good. @throws CodedError `witness_named` when it has another. */
  bind(identity: WitnessName): void;
  /**
   * Trusts a key for an origin; what is known of the log stays as it is. Trusting it again changes nothing.
   * @throws CodedError `witness_key_invalid`, `witness_origin_invalid`, `witness_logs_too_large`, `witness_keys_too_large`.
   */
  addKey(origin: string, key: string): void;
  /** No longer trusts a key; false where it was not trusted. The log and its tree stay. */
  removeKey(origin: string, key: string): boolean;
  /** Every log, by origin. */
  logs(): readonly WitnessedLogView[];
  close(): void;
}

/**
 * What the code promises, once more: a known tree never shrinks, never forks and never goes, whoever writes. Shared, so that keys can be
 * added while the witness runs: every request reads what stands there.
 */
const KIND: DatabaseKind = {
  name: 'witness',
  shared: true,
  pragmas: [],
  migrations: [
    `
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
    `,
  ],
};

function corrupt(column: string): CodedError {
  return new CodedError({ code: 'witness_unavailable', message: `the witness database holds a bad value in \`${column}\`` });
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw corrupt(column);
  return value;
}

function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw corrupt(column);
  return new Uint8Array(value);
}

function treeOf(row: Row): WitnessedTree {
  const size = row['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size)) throw corrupt('size');
  return { size, root: bytes(row, 'root') };
}

/** Parsed keys, by their text: parsing makes a key object, which costs more than using it. */
function createKeyReader(): (key: string) => NoteVerifier {
  const known = new LruMap<NoteVerifier>(STORE_LIMITS.openKeysMax);
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const parsed = parseNoteVerifierKey(key);
    if (!parsed.ok) throw corrupt('key');
    known.set(key, parsed.value);
    return parsed.value;
  };
}

function createState(db: Database): WitnessState {
  const logByOrigin = db.query('SELECT size, root FROM logs WHERE origin = ?');
  const keysByOrigin = db.query('SELECT key FROM keys WHERE origin = ? ORDER BY key');
  const grow = db.query('UPDATE logs SET size = ?, root = ? WHERE origin = ? AND size = ? AND root = ?');
  const readKey = createKeyReader();
  const known = (origin: string): WitnessedTree | undefined => {
    const [row] = logByOrigin.all(origin);
    return row === undefined ? undefined : treeOf(row);
  };
  return {
    log: (origin): WitnessedLog | undefined => {
      const tree = known(origin);
      return tree === undefined ? undefined : { tree, keys: keysByOrigin.all(origin).map((row) => readKey(text(row, 'key'))) };
    },
    advance: ({ origin, from, to }: WitnessStep): boolean => {
      if (!sameTree(from, to)) return grow.run(to.size, to.root, origin, from.size, from.root) === 1;
      const tree = known(origin);
      return tree !== undefined && sameTree(tree, to);
    },
  };
}

function refuseOrigin(origin: string): void {
  if (origin.length <= STORE_LIMITS.witnessOriginCharsMax && origin.isWellFormed() && ORIGIN_SHAPE.test(origin)) return;
  throw new CodedError({
    code: 'witness_origin_invalid',
    message: `an origin is one line of at most ${STORE_LIMITS.witnessOriginCharsMax} characters`,
    hint: 'copy the first line of a checkpoint of the log',
  });
}

function refuseKey(key: string): NoteVerifier {
  const parsed = parseNoteVerifierKey(key);
  if (parsed.ok) return parsed.value;
  throw new CodedError({
    code: 'witness_key_invalid',
    message: parsed.error.message,
    hint: 'give the verifier key of the log: `countersign log key` shows it',
  });
}

type Keys = Pick<WitnessStore, 'addKey' | 'removeKey' | 'logs'>;

function createKeys(db: Database): Keys {
  const everyLog = db.query('SELECT origin, size, root FROM logs ORDER BY origin');
  const everyKey = db.query('SELECT origin, key FROM keys ORDER BY origin, key');
  const putLog = db.query('INSERT INTO logs (origin, size, root) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const putKey = db.query('INSERT INTO keys (origin, key) VALUES (?, ?)');
  const dropKey = db.query('DELETE FROM keys WHERE origin = ? AND key = ?');

  const logs = (): readonly WitnessedLogView[] => {
    const keys = Map.groupBy(everyKey.all(), (row) => text(row, 'origin'));
    return everyLog.all().map((row) => {
      const origin = text(row, 'origin');
      return { origin, keys: (keys.get(origin) ?? []).map((one) => text(one, 'key')), tree: treeOf(row) };
    });
  };

  const refuseMany = (origin: string): void => {
    const all = logs();
    const log = all.find((one) => one.origin === origin);
    if (log === undefined && all.length >= STORE_LIMITS.witnessLogsMax) {
      throw new CodedError({ code: 'witness_logs_too_large', message: `a witness knows at most ${STORE_LIMITS.witnessLogsMax} logs` });
    }
    if (log !== undefined && log.keys.length >= STORE_LIMITS.witnessKeysPerLogMax) {
      throw new CodedError({
        code: 'witness_keys_too_large',
        message: `a log has at most ${STORE_LIMITS.witnessKeysPerLogMax} keys at once`,
        hint: 'remove one that the log no longer uses: countersign witness remove-key VKEY',
      });
    }
  };

  const insert = (origin: string, key: string): void => {
    const { keyHash, name } = refuseKey(key);
    const log = logs().find((one) => one.origin === origin);
    if (log?.keys.includes(key) === true) return;
    // Two keys that a note cannot tell apart would refuse every note of the log.
    if (log?.keys.map(refuseKey).some((other) => other.name === name && other.keyHash === keyHash) === true)
      throw new CodedError({ code: 'witness_key_invalid', message: 'the log has another key of the same name and hash' });
    refuseMany(origin);
    putLog.run(origin, EMPTY_TREE.size, EMPTY_TREE.root);
    putKey.run(origin, key);
  };

  return {
    logs,
    addKey: (origin, key) => {
      refuseOrigin(origin);
      db.transaction(() => insert(origin, key));
    },
    removeKey: (origin, key) => dropKey.run(origin, key) === 1,
  };
}

function createIdentity(db: Database): Pick<WitnessStore, 'identity' | 'bind'> {
  const read = db.query('SELECT name, public_key FROM identity');
  const write = db.query('INSERT INTO identity (one, name, public_key) VALUES (1, ?, ?) ON CONFLICT DO NOTHING');
  const identity = (): WitnessName | undefined => {
    const [row] = read.all();
    return row === undefined ? undefined : { name: text(row, 'name'), publicKey: bytes(row, 'public_key') };
  };
  return {
    identity,
    bind: ({ name, publicKey }) => {
      write.run(name, publicKey);
      const bound = identity();
      if (bound?.name === name && Buffer.from(bound.publicKey).equals(publicKey)) return;
      throw new CodedError({
        code: 'witness_named',
        message: 'this directory belongs to a witness of another name or key',
        hint: 'a key signs under one name only: give a new witness a new directory',
      });
    },
  };
}

function refuseForgotten(directory: string): void {
  if (existsSync(join(directory, 'witness.db')) || !existsSync(join(directory, WITNESS_KEY_FILE))) return;
  // SECURITY: a key that signed before, without what it signed, could be led into a fork.
  throw new CodedError({
    code: 'witness_missing',
    message: 'the key of the witness is there, but what it has signed is not',
    path: join(directory, 'witness.db'),
    hint: 'give up this key: start a new witness with a new name in a new directory',
  });
}

/** A directory for its owner only. @throws CodedError `witness_unavailable`. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: FOLDER_OWNER_ONLY });
  } catch (error) {
    throw new CodedError(
      {
        code: 'witness_unavailable',
        message: `the directory of the witness cannot be made (${codeOf(error)})`,
        path: directory,
        hint: 'name another one with --dir DIR, or check the rights of those above it',
      },
      { cause: error },
    );
  }
}

function build(db: Database): WitnessStore {
  if (db.query('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok')
    throw new CodedError({ code: 'witness_unavailable', message: 'the witness database is damaged' });
  return { ...createState(db), ...createKeys(db), ...createIdentity(db), close: () => db.close() };
}

/**
 * Opens what a witness remembers, making it where the directory is new.
 * @throws CodedError `witness_missing`, `witness_newer`, `witness_unavailable`, `witness_in_use`.
 */
export function openWitnessStore(directory: string): WitnessStore {
  makeDirectory(directory);
  refuseForgotten(directory);
  return openDatabase(join(directory, 'witness.db'), KIND, build);
}

/**
 * Takes a witness for this process, which alone may sign for it; gives back a function that lets it go. The operating system lets it go
 * too, however the process ends.
 * @throws CodedError `witness_locked`, `witness_unavailable`.
 */
export function lockWitness(directory: string): () => void {
  makeDirectory(directory);
  let lock: DatabaseSync | undefined;
  try {
    const path = join(directory, 'lock');
    makeDatabaseFile(path);
    const held = new DatabaseSync(path);
    lock = held;
    held.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return () => {
      if (held.isOpen) held.close();
    };
  } catch (error) {
    lock?.close();
    const isHeld = error instanceof Error && /locked|busy/.test(error.message);
    const fault = isHeld
      ? {
          code: 'witness_locked',
          message: 'another process signs for this witness',
          hint: 'stop the other one, or give this witness its own directory',
        }
      : { code: 'witness_unavailable', message: `the lock of the witness cannot be taken (${codeOf(error)})`, hint: 'check the rights' };
    throw new CodedError({ ...fault, path: directory }, { cause: error });
  }
}
