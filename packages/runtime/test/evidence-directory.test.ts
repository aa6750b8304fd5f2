/** A data directory that is read as evidence, while its gateway goes on. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootOf } from '@countersign/log';
import { copyDatabase } from '../src/database-copy.ts';
import { createHashRange, heightAt, openEvidenceDirectory, readKeptEngine, type Runtime, type Subtree } from '../src/index.ts';
import { RUNTIME_LIMITS } from '../src/limits.ts';
import { act, type Actor, openIn, register } from './directory.ts';

/** Every file below a folder with its hash and the time of its last change. */
function photograph(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const seen = files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  return Object.fromEntries(
    seen.map((file) => [
      file,
      `${createHash('sha256').update(readFileSync(file)).digest('hex')} ${statSync(file, { bigint: true }).mtimeNs}`,
    ]),
  );
}

const HELLO = { kind: 'prompt.input', content: 'hello' };

async function actOften(opened: Runtime, actor: Actor, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => act(opened, actor, HELLO)));
}

/** Temporary files of this test go where nobody else makes any. */
let place = '';
const temporary = process.env['TMPDIR'];
const left = (): string[] => readdirSync(tmpdir());
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'countersign-evidence-test-'));
  mkdirSync(join(place, 'tmp'));
  process.env['TMPDIR'] = join(place, 'tmp');
});
afterAll(() => {
  if (temporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = temporary;
  rmSync(place, { recursive: true, force: true });
});

let copies = 0;
/** A closed directory with 300 receipts, copied for one test. */
async function recorded(): Promise<string> {
  const dataDir = join(place, 'template');
  if (!existsSync(dataDir)) {
    const opened = await openIn(dataDir);
    await actOften(opened, register(opened), 300);
    await opened.close();
  }
  copies += 1;
  const copy = join(place, `copy-${copies}`);
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

/** What somebody hostile could put there: a name that computes instead of holding. */
function viewInsteadOfTable(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'state.db'));
  db.exec("DROP TABLE documents; CREATE VIEW documents AS SELECT 'h' AS hash, 't' AS text");
  db.close();
}

describe('evidence', () => {
  it('RPLY-005 is read beside the process that has the directory open, and shows what was there at the opening', async () => {
    const dataDir = join(place, 'beside');
    const runtime = await openIn(dataDir);
    const actor = register(runtime);
    await actOften(runtime, actor, 5);
    await runtime.log.whenPublished(4);
    const evidence = await openEvidenceDirectory({ dataDir });
    expect(evidence).toMatchObject({ origin: runtime.log.origin, logKeys: [runtime.logKey] });
    expect([evidence.journal.size, evidence.checkpoint.size]).toEqual([5, 5]);
    await actOften(runtime, actor, 5);
    expect(evidence.journal.size).toBe(5);
    for await (const records of evidence.journal.records(0, 5)) {
      for (const record of records) {
        const { body } = JSON.parse(new TextDecoder().decode(record.entry)) as {
          body: { id: string; inputs: { policy: string; rules: string } };
        };
        expect(evidence.sealed(record, body.id)).toMatchObject({ ok: true, value: { inputs: { action: { content: 'hello' } } } });
        for (const hash of [body.inputs.policy, body.inputs.rules]) {
          expect(
            createHash('sha256')
              .update(evidence.document(hash) ?? '')
              .digest('hex'),
          ).toBe(hash);
        }
      }
    }
    await evidence.close();
  });

  it('RPLY-005 changes no byte, makes no file, and leaves none behind', async () => {
    const dataDir = await recorded();
    const before = photograph(dataDir);
    const evidence = await openEvidenceDirectory({ dataDir });
    expect(left()).toHaveLength(1);
    const second = await openEvidenceDirectory({ dataDir, copies: evidence.copies });
    await second.close();
    await evidence.rootAt(300);
    await evidence.close();
    expect(photograph(dataDir)).toEqual(before);
    expect(left()).toEqual([]);
  });

  it('RPLY-006 gives the root at every size, from tiles and from the journal behind them', async () => {
    const dataDir = await recorded();
    const opened = await openIn(dataDir);
    const roots = await Promise.all(Array.from({ length: 301 }, (_, size) => opened.log.rootAt(size)));
    await opened.close();
    const evidence = await openEvidenceDirectory({ dataDir });
    for (const [size, root] of roots.entries()) expect(Buffer.from(await evidence.rootAt(size)).equals(root), `size ${size}`).toBe(true);
    await evidence.close();
  });

  it('RPLY-006 is refused where a tile is missing that is needed', async () => {
    const dataDir = await recorded();
    rmSync(join(dataDir, 'log', 'public', 'tile', '0'), { recursive: true });
    const evidence = await openEvidenceDirectory({ dataDir });
    await expect(evidence.rootAt(299)).rejects.toMatchObject({ code: 'log_corrupt' });
    await evidence.close();
  });

  it('RPLY-006 is refused where the journal is shorter than what was published', async () => {
    const dataDir = await recorded();
    writeFileSync(join(dataDir, 'log', 'journal', '0000000000.seg'), '');
    await expect(openEvidenceDirectory({ dataDir })).rejects.toMatchObject({ code: 'log_rolled_back' });
  });

  it('RPLY-006 believes the directory of its own key only where nobody named another', async () => {
    const dataDir = await recorded();
    const foreign = join(place, 'foreign');
    const other = await openIn(foreign);
    const { logKey } = other;
    await other.close();
    await expect(openEvidenceDirectory({ dataDir, logKeys: [logKey] })).rejects.toMatchObject({ code: expect.stringMatching(/^note_/) });
    const own = readFileSync(join(dataDir, 'log.vkey'), 'utf8').trim();
    const evidence = await openEvidenceDirectory({ dataDir, logKeys: [logKey, own] });
    expect(evidence.checkpoint.size).toBe(300);
    await evidence.close();
  });

  it.each([
    [0, 'log_key_missing'],
    [RUNTIME_LIMITS.logKeysActiveMax + 1, 'log_key_malformed'],
  ])('RPLY-006 with %i keys is refused', async (count, code) => {
    const dataDir = await recorded();
    const key = readFileSync(join(dataDir, 'log.vkey'), 'utf8');
    writeFileSync(join(dataDir, 'log.vkey'), key.repeat(count));
    await expect(openEvidenceDirectory({ dataDir })).rejects.toMatchObject({ code });
  });

  it(`RPLY-006 with ${RUNTIME_LIMITS.logKeysActiveMax} keys is read`, async () => {
    const dataDir = await recorded();
    const other = join(place, 'other-keys');
    const keys = [readFileSync(join(dataDir, 'log.vkey'), 'utf8')];
    for (let n = 1; n < RUNTIME_LIMITS.logKeysActiveMax; n += 1) {
      const opened = await openIn(`${other}-${n}`);
      keys.push(`${opened.logKey}\n`);
      await opened.close();
    }
    writeFileSync(join(dataDir, 'log.vkey'), keys.join(''));
    const evidence = await openEvidenceDirectory({ dataDir });
    expect(evidence.logKeys).toHaveLength(RUNTIME_LIMITS.logKeysActiveMax);
    await evidence.close();
  });

  it.each<[string, (dataDir: string) => void, string]>([
    ['nothing', (dataDir) => rmSync(dataDir, { recursive: true }), 'no_data_directory'],
    ['no master key', (dataDir) => rmSync(join(dataDir, 'keys', 'master.key')), 'key_file_missing'],
    ['a master key for all to read', (dataDir) => chmodSync(join(dataDir, 'keys', 'master.key'), 0o644), 'key_file_unsafe'],
    ['no checkpoint', (dataDir) => rmSync(join(dataDir, 'log', 'public', 'checkpoint')), 'log_unpublished'],
    ['no vault', (dataDir) => rmSync(join(dataDir, 'vault.db')), 'vault_unavailable'],
    ['a state whose documents are a view', viewInsteadOfTable, 'state_unreadable'],
    ['a state that is none', (dataDir) => writeFileSync(join(dataDir, 'state.db'), 'x'.repeat(5000)), 'state_unreadable'],
  ])('RPLY-005 of %s is refused by its code, and leaves nothing behind', async (_name, change, code) => {
    const dataDir = await recorded();
    change(dataDir);
    await expect(openEvidenceDirectory({ dataDir })).rejects.toMatchObject({ code });
    expect(left()).toEqual([]);
  });

  it('RPLY-005 without a state has no documents', async () => {
    const dataDir = await recorded();
    rmSync(join(dataDir, 'state.db'));
    const evidence = await openEvidenceDirectory({ dataDir });
    expect(evidence.document('0'.repeat(64))).toBeUndefined();
    await evidence.close();
  });
});

describe('the copy of a database', () => {
  const fill = (db: DatabaseSync, from: number, count: number): void => {
    for (let i = from; i < from + count; i += 1) db.exec(`INSERT INTO t VALUES (${i})`);
  };
  const count = (path: string): unknown => {
    const db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare('SELECT count(*) AS n FROM t').get();
    db.close();
    return row?.['n'];
  };

  it('RPLY-005 holds what was committed, although another connection has it locked and half of it is in its log', async () => {
    const path = join(place, 'locked.db');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER)');
    fill(db, 0, 50);
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    fill(db, 50, 50);
    db.exec('BEGIN; INSERT INTO t VALUES (1000)');
    const copy = join(place, 'copy.db');
    await copyDatabase(path, copy);
    expect(count(copy)).toBe(100);
    db.exec('ROLLBACK');
    db.close();
  });

  it('RPLY-005 is given up after n tries where the file changes each time', async () => {
    const path = join(place, 'busy.db');
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE t (n INTEGER)');
    db.close();
    const copy = join(place, 'busy-copy.db');
    // Every stamp sees another file: the name moves between two of them.
    let turns = 0;
    const twin = `${path}.twin`;
    cpSync(path, twin);
    const swap = (): void => {
      turns += 1;
      for (const [from, to] of [
        [path, `${path}.x`],
        [twin, path],
        [`${path}.x`, twin],
      ] as const)
        renameSync(from, to);
    };
    await expect(copyDatabase(path, copy, swap)).rejects.toMatchObject({ code: 'state_busy' });
    expect(turns).toBe(RUNTIME_LIMITS.copyAttemptsMax);
    let once = 0;
    await copyDatabase(path, copy, () => {
      once += 1;
      if (once < RUNTIME_LIMITS.copyAttemptsMax) swap();
    });
    expect([once, count(copy)]).toEqual([RUNTIME_LIMITS.copyAttemptsMax, 0]);
  });
});

describe('hash ranges', () => {
  const leaf = (n: number): Uint8Array => createHash('sha256').update(String(n)).digest();

  function partsOf(from: number, until: number): readonly Subtree[] {
    const part = createHashRange(from);
    for (let n = from; n < until; n += 1) part.push({ height: 0, hash: leaf(n) });
    return part.parts;
  }

  it('RPLY-024 cut anywhere, and put together in order, give the root of the whole', () => {
    for (let size = 0; size < 40; size += 1) {
      const whole = Buffer.from(rootOf(Array.from({ length: size }, (_, n) => leaf(n))));
      for (let cut = 0; cut <= size; cut += 1) {
        const total = createHashRange();
        const second = Math.floor((cut + size) / 2);
        const parts = [...partsOf(0, cut), ...partsOf(cut, second), ...partsOf(second, size)];
        for (const subtree of parts) total.push(subtree);
        expect([total.end, whole.equals(total.root())]).toEqual([size, true]);
      }
    }
  });

  it.each([
    [0, 1, 0],
    [0, 2, 1],
    [0, 7, 2],
    [2, 8, 1],
    [3, 8, 0],
    [4, 8, 2],
  ])('the largest subtree from %i to %i has height %i', (start, end, height) => {
    expect(heightAt(start, end)).toBe(height);
  });
});

describe('a kept engine', () => {
  const name = '0'.repeat(64);

  it.each([
    [0, 'engine_corrupt'],
    [1, 'engine_too_large'],
  ])('RPLY-032 of the greatest size and %i bytes more is %s', async (more, code) => {
    const folder = join(place, `engines-${more}`);
    mkdirSync(folder);
    writeFileSync(join(folder, `${name}.mjs`), '');
    truncateSync(join(folder, `${name}.mjs`), RUNTIME_LIMITS.engineBytesMax + more);
    await expect(readKeptEngine(folder, name)).rejects.toMatchObject({ code });
  });

  it('RPLY-032 is not there under a name that is no hash', async () => {
    expect(await readKeptEngine(place, '../state')).toBeUndefined();
  });
});
