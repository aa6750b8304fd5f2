/**
 * @module What a witness remembers, in one directory: `witness.db` (SQLite, WAL, synchronous FULL) with its logs, their keys and the newest
 * tree of each, and `lock`, which the process that signs holds for as long as it lives. Keys may be added by another process meanwhile.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { parseNoteVerifierKey, type NoteVerifier } from '@countersign/crypto';
import { CodedError, codeOf } from '@countersign/kernel';
import { EMPTY_TREE, sameTree, type WitnessedLog, type WitnessedTree, type WitnessState, type WitnessStep } from '@countersign/log';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import { prepareWitnessDatabase } from './witness-schema.ts';

const OWNER_ONLY = 0o600;
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

/** Turns whatever SQLite throws into one code. */
function unavailable(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError(
    {
      code: 'witness_state_unavailable',
      message: `the state of the witness failed (${codeOf(error)})`,
      hint: 'check the disk and the rights',
    },
    { cause: error },
  );
}

type Row = Record<string, SQLOutputValue>;

interface Query {
  all(...values: SQLInputValue[]): readonly Row[];
  /** Rows changed. */
  run(...values: SQLInputValue[]): number;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unavailable(error);
  }
}

function prepare(db: DatabaseSync, sql: string): Query {
  const statement = db.prepare(sql);
  return {
    all: (...values) => guarded(() => statement.all(...values)),
    run: (...values) => guarded(() => Number(statement.run(...values).changes)),
  };
}

function corrupt(column: string): CodedError {
  return new CodedError({ code: 'witness_state_unavailable', message: `the state of the witness holds a bad value in \`${column}\`` });
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

function createState(db: DatabaseSync): WitnessState {
  const logByOrigin = prepare(db, 'SELECT size, root FROM logs WHERE origin = ?');
  const keysByOrigin = prepare(db, 'SELECT key FROM keys WHERE origin = ? ORDER BY key');
  const grow = prepare(db, 'UPDATE logs SET size = ?, root = ? WHERE origin = ? AND size = ? AND root = ?');
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

function createKeys(db: DatabaseSync): Keys {
  const everyLog = prepare(db, 'SELECT origin, size, root FROM logs ORDER BY origin');
  const everyKey = prepare(db, 'SELECT origin, key FROM keys ORDER BY origin, key');
  const putLog = prepare(db, 'INSERT INTO logs (origin, size, root) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const putKey = prepare(db, 'INSERT INTO keys (origin, key) VALUES (?, ?)');
  const dropKey = prepare(db, 'DELETE FROM keys WHERE origin = ? AND key = ?');

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
      guarded(() => db.exec('BEGIN IMMEDIATE'));
      try {
        insert(origin, key);
        guarded(() => db.exec('COMMIT'));
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    removeKey: (origin, key) => dropKey.run(origin, key) === 1,
  };
}

function createIdentity(db: DatabaseSync): Pick<WitnessStore, 'identity' | 'bind'> {
  const read = prepare(db, 'SELECT name, public_key FROM identity');
  const write = prepare(db, 'INSERT INTO identity (one, name, public_key) VALUES (1, ?, ?) ON CONFLICT DO NOTHING');
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

/**
 * Makes a file for its owner only, which SQLite by itself would not. One that is there is not touched: closing any handle of it would take
 * the system's locks from this process.
 */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', OWNER_ONLY));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function refuseForgotten(directory: string): void {
  if (existsSync(join(directory, 'witness.db')) || !existsSync(join(directory, WITNESS_KEY_FILE))) return;
  // SECURITY: a key that signed before, without what it signed, could be led into a fork.
  throw new CodedError({
    code: 'witness_state_missing',
    message: 'the key of the witness is there, but what it has signed is not',
    path: join(directory, 'witness.db'),
    hint: 'give up this key: start a new witness with a new name in a new directory',
  });
}

/**
 * Opens what a witness remembers, making it where the directory is new.
 * @throws CodedError `witness_state_missing`, `witness_state_newer`, `witness_state_unavailable`.
 */
export function openWitnessStore(directory: string): WitnessStore {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: FOLDER_OWNER_ONLY });
    refuseForgotten(directory);
    const path = join(directory, 'witness.db');
    makeFile(path);
    const opened = new DatabaseSync(path);
    db = opened;
    prepareWitnessDatabase(opened);
    return {
      ...createState(opened),
      ...createKeys(opened),
      ...createIdentity(opened),
      close: () => {
        if (opened.isOpen) opened.close();
      },
    };
  } catch (error) {
    db?.close();
    throw unavailable(error);
  }
}

/**
 * Takes a witness for this process, which alone may sign for it; gives back a function that lets it go. The operating system lets it go
 * too, however the process ends.
 * @throws CodedError `witness_locked`, `witness_state_unavailable`.
 */
export function lockWitness(directory: string): () => void {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: FOLDER_OWNER_ONLY });
    const path = join(directory, 'lock');
    makeFile(path);
    const held = new DatabaseSync(path);
    lock = held;
    held.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return () => {
      if (held.isOpen) held.close();
    };
  } catch (error) {
    lock?.close();
    if (!(error instanceof Error && /locked|busy/.test(error.message))) throw unavailable(error);
    throw new CodedError(
      {
        code: 'witness_locked',
        message: 'another process signs for this witness',
        path: directory,
        hint: 'stop the other one, or give this witness its own directory',
      },
      { cause: error },
    );
  }
}
