/**
 * @module The tables of the vault in a SQLite file.
 *
 * SECURITY: wrapped keys lie in a table of their own that only grows at its end and whose rows keep their size, so SQLite never moves
 * a row and overwriting one leaves no copy in the gaps of pages; `secure_delete` zeroes what is freed; the write-ahead log is emptied.
 */
import type { SQLOutputValue } from 'node:sqlite';
import { CodedError } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import { type Database, openDatabase, type Row } from './sqlite-database.ts';
import type { IntentRow, KeyRow, VaultTables, Wrap, WrapPlace } from './vault-tables.ts';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE wraps (serial INTEGER PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
  CREATE TABLE keys (
    id BLOB PRIMARY KEY CHECK (length(id) = 8), serial INTEGER NOT NULL UNIQUE REFERENCES wraps(serial),
    handle BLOB, current INTEGER NOT NULL, created_ms INTEGER NOT NULL, erased_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keys_by_handle ON keys (handle);
  CREATE TABLE intents (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE staged (place TEXT NOT NULL, name TEXT NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (place, name)) STRICT, WITHOUT ROWID;
  `,
];

/** A stored value that is not of its column's type means the file was tampered with or torn. */
function corrupt(column: string): CodedError {
  return new CodedError({ code: 'vault_unavailable', message: `the vault database holds a bad value in \`${column}\`` });
}

function isBlob(value: SQLOutputValue | undefined): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array;
}

function blob(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!isBlob(value)) throw corrupt(column);
  return value;
}

function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw corrupt(column);
  return value;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw corrupt(column);
  return value;
}

/** A key as `id`, `wrapped` and `erased_ms` say. */
export function readKey(row: Row): KeyRow {
  const erasedMs = row['erased_ms'] === null ? null : integer(row, 'erased_ms');
  return { id: blob(row, 'id'), wrapped: erasedMs === null ? blob(row, 'wrapped') : null, erasedMs };
}

type SecretTables = Pick<VaultTables, 'secret' | 'putSecret' | 'intents' | 'settle'>;

function createSecretTables(db: Database): SecretTables {
  const secret = db.query('SELECT wrapped FROM secrets WHERE name = ?');
  const putSecret = db.query('INSERT INTO secrets (name, wrapped) VALUES (?, ?)');
  const intents = db.query('SELECT id, wrapped FROM intents ORDER BY id');
  const settle = db.query('DELETE FROM intents WHERE id = ?');
  return {
    secret(name) {
      const row = secret.get(name);
      return row === undefined ? undefined : blob(row, 'wrapped');
    },
    putSecret: (name, wrapped) => void putSecret.run(name, wrapped),
    intents: () => intents.all().map((row): IntentRow => ({ id: text(row, 'id'), wrapped: blob(row, 'wrapped') })),
    settle: (id) => void settle.run(id),
  };
}

type KeyTables = Pick<VaultTables, 'key' | 'currentKey' | 'insertKeys' | 'retire' | 'numbers'>;

function createKeyTables(db: Database): KeyTables {
  const columns = 'keys.id, wraps.wrapped, keys.erased_ms FROM keys JOIN wraps USING (serial)';
  const key = db.query(`SELECT ${columns} WHERE keys.id = ?`);
  const current = db.query(`SELECT ${columns} WHERE keys.handle = ? AND keys.current = 1 ORDER BY serial DESC LIMIT 1`);
  const wrap = db.query('INSERT INTO wraps (wrapped) VALUES (?) RETURNING serial');
  const insert = db.query('INSERT INTO keys (id, serial, handle, current, created_ms) VALUES (?, ?, ?, 1, ?)');
  const count = db.query('SELECT count(*) AS count FROM keys WHERE handle = ?');
  const countAll = db.query('SELECT count(*) AS count FROM keys WHERE handle IS NOT NULL');
  const retire = db.query('UPDATE keys SET current = 0 WHERE handle = ? AND current = 1');
  const retireAll = db.query('UPDATE keys SET current = 0 WHERE current = 1');
  const numbers = db.query('SELECT count(DISTINCT handle) AS subjects, count(handle) AS keys, count(erased_ms) AS erased FROM keys');
  const found = (row: Row | undefined): KeyRow | undefined => (row === undefined ? undefined : readKey(row));
  return {
    key: (id) => found(key.get(id)),
    currentKey: (handle) => found(current.get(handle)),
    insertKeys: (keys) =>
      db.transaction(() => {
        for (const { id, handle, wrapped, createdMs } of keys) {
          const row = wrap.get(wrapped);
          if (row === undefined) throw corrupt('serial');
          insert.run(id, integer(row, 'serial'), handle, createdMs);
        }
      }),
    retire(handle) {
      if (handle === undefined) retireAll.run();
      else retire.run(handle);
      const row = handle === undefined ? countAll.get() : count.get(handle);
      return row === undefined ? 0 : integer(row, 'count');
    },
    numbers() {
      const row = numbers.get();
      if (row === undefined) throw corrupt('count');
      return { subjects: integer(row, 'subjects'), keys: integer(row, 'keys'), erased: integer(row, 'erased') };
    },
  };
}

function createErasing(db: Database): Pick<VaultTables, 'destroy' | 'emptyLog'> {
  const count = db.query('SELECT count(*) AS count FROM keys WHERE handle = ? AND current = 0');
  const overwrite = db.query(
    'UPDATE wraps SET wrapped = zeroblob(length(wrapped)) WHERE serial IN (SELECT serial FROM keys WHERE handle = ? AND current = 0)',
  );
  const mark = db.query('UPDATE keys SET handle = NULL, erased_ms = ? WHERE handle = ? AND current = 0');
  const intend = db.query('INSERT INTO intents (id, wrapped) VALUES (?, ?)');
  return {
    destroy(handle, { erasedMs, intent }) {
      let keys = 0;
      db.transaction(() => {
        const row = count.get(handle);
        keys = row === undefined ? 0 : integer(row, 'count');
        if (keys === 0) return;
        const { id, wrapped } = intent(keys);
        intend.run(id, wrapped);
        overwrite.run(handle);
        mark.run(erasedMs, handle);
      });
      if (keys > 0) db.emptyLog();
      return keys;
    },
    emptyLog: () => db.emptyLog(),
  };
}

type RotationTables = Pick<VaultTables, 'wraps' | 'stage' | 'staged' | 'anyStaged' | 'applyStaged' | 'dropStaged'>;

const PLACES: readonly WrapPlace[] = ['key', 'secret', 'intent', 'agent', 'file'];

function readWrap(row: Row): Wrap {
  const place = PLACES.find((one) => one === row['place']);
  if (place === undefined) throw corrupt('place');
  return { place, name: text(row, 'name'), wrapped: blob(row, 'wrapped') };
}

/** Only rows of keys that were not destroyed. */
const LIVE_KEYS = `
  SELECT wraps.serial AS serial, 'key' AS place, lower(hex(keys.id)) AS name, wraps.wrapped AS wrapped
  FROM wraps JOIN keys USING (serial) WHERE wraps.serial > ? AND keys.erased_ms IS NULL ORDER BY wraps.serial LIMIT ?`;
const OTHERS = `SELECT 'secret' AS place, name, wrapped FROM secrets UNION ALL SELECT 'intent', id, wrapped FROM intents`;
const APPLY = `
  UPDATE wraps SET wrapped = staged.wrapped FROM staged, keys
  WHERE staged.place = 'key' AND keys.id = unhex(staged.name) AND wraps.serial = keys.serial AND keys.erased_ms IS NULL`;

function createRotation(db: Database): RotationTables {
  const page = db.query(LIVE_KEYS);
  const others = db.query(OTHERS);
  const stage = db.query('INSERT INTO staged (place, name, wrapped) VALUES (?, ?, ?)');
  const staged = db.query('SELECT place, name, wrapped FROM staged WHERE place = ? ORDER BY name');
  const any = db.query('SELECT place, name, wrapped FROM staged LIMIT 1');
  const drop = db.query('DELETE FROM staged');
  const applied = [
    APPLY,
    `UPDATE secrets SET wrapped = staged.wrapped FROM staged WHERE staged.place = 'secret' AND staged.name = secrets.name`,
    `UPDATE intents SET wrapped = staged.wrapped FROM staged WHERE staged.place = 'intent' AND staged.name = intents.id`,
  ].map((sql) => db.query(sql));
  return {
    *wraps() {
      yield* others.all().map(readWrap);
      for (let after = 0; ;) {
        const rows = page.all(after, STORE_LIMITS.pageMax);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = integer(last, 'serial');
        yield* rows.map(readWrap);
      }
    },
    stage: (wraps) =>
      db.transaction(() => {
        for (const { place, name, wrapped } of wraps) stage.run(place, name, wrapped);
      }),
    staged: (place) => staged.all(place).map(readWrap),
    anyStaged() {
      const row = any.get();
      return row === undefined ? undefined : readWrap(row);
    },
    applyStaged() {
      db.transaction(() => {
        for (const query of applied) query.run();
        drop.run();
      });
      db.compact();
    },
    dropStaged() {
      drop.run();
      db.emptyLog();
    },
  };
}

/**
 * Opens (or creates) the vault at `path`.
 * @throws CodedError `vault_in_use`, `vault_newer`, `vault_unavailable`.
 */
export function openSqliteVault(path: string): VaultTables {
  return openDatabase(path, { name: 'vault', migrations: MIGRATIONS, pragmas: ['secure_delete = ON'] }, (db) => ({
    ...createSecretTables(db),
    ...createKeyTables(db),
    ...createErasing(db),
    ...createRotation(db),
    close: () => db.close(),
  }));
}
