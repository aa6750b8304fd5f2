import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DatabaseKind, openDatabase } from '../src/sqlite-database.ts';

const KIND: DatabaseKind = { name: 'state', pragmas: [], migrations: ['CREATE TABLE t (n INTEGER) STRICT'] };

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a second opener in one process is refused, and does not open the file to other processes', () => {
  const path = join(directory, 'state.db');
  const first = openDatabase(path, KIND, (database) => database);
  const script = `import { DatabaseSync } from 'node:sqlite'; const db = new DatabaseSync(process.argv[1]); try { db.exec('BEGIN EXCLUSIVE'); console.log('taken'); } catch { console.log('refused'); }`;
  const attempt = (): string =>
    execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, path], { encoding: 'utf8' }).trim();
  expect(attempt()).toBe('refused');
  expect(() => openDatabase(path, KIND, (database) => database)).toThrow(expect.objectContaining({ code: 'state_in_use' }));
  expect(attempt()).toBe('refused');
  first.close();
  expect(attempt()).toBe('taken');
});

test('a shared file is made once by whoever is first, and read by both', () => {
  const path = join(directory, 'witness.db');
  const shared: DatabaseKind = { ...KIND, name: 'witness', shared: true };
  const [one, two] = [openDatabase(path, shared, (database) => database), openDatabase(path, shared, (database) => database)];
  one.query('INSERT INTO t (n) VALUES (?)').run(7);
  expect(two.query('SELECT n FROM t').get()).toEqual({ n: 7 });
  one.close();
  two.close();
});
