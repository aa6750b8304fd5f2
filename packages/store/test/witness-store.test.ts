import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { codeOf } from '@countersign/kernel';
import { cosignerKeyText, EMPTY_TREE, leafHash, type WitnessStep } from '@countersign/log';
import { witnessStateContract } from '@countersign/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockWitness, openWitnessIdentity, openWitnessStore, STORE_LIMITS, type WitnessStore } from '../src/index.ts';

witnessStateContract('LOG-051 SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
  return { open: () => openWitnessStore(directory), remove: () => rmSync(directory, { recursive: true, force: true }) };
});

const ORIGIN = 'log.example/one';
const publicKey = (seed: number): Uint8Array => createSigner(new Uint8Array(32).fill(seed)).publicKey;
const keyOf = (seed: number, name: string = ORIGIN): string => noteVerifierKey(name, publicKey(seed));
const random = { bytes: (length: number): Uint8Array => new Uint8Array(length).fill(9) };
const codeFrom = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
};

let directory = '';
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'countersign-witness-')), 'new');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

function withStore<T>(work: (store: WitnessStore) => T): T {
  const store = openWitnessStore(directory);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

describe('the memory of a witness on disk', () => {
  test('is for its owner only, and is synced with each step', () => {
    withStore((store) => store.addKey(ORIGIN, keyOf(1)));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'witness.db')).mode & 0o777).toBe(0o600);
  });

  test('LOG-051 even another program cannot make a known tree shrink, fork or go', () => {
    withStore((store) => {
      store.addKey(ORIGIN, keyOf(1));
      store.advance({ origin: ORIGIN, from: EMPTY_TREE, to: { size: 5, root: leafHash(Uint8Array.of(1)) } });
    });
    const db = new DatabaseSync(join(directory, 'witness.db'));
    expect(() => db.exec('UPDATE logs SET size = 4')).toThrow(/only grows/);
    expect(() => db.exec('UPDATE logs SET root = zeroblob(32)')).toThrow(/only grows/);
    expect(() => db.exec('DELETE FROM logs')).toThrow();
    db.close();
  });

  test('takes keys from one process while another has it open', () => {
    withStore((serving) => {
      expect(serving.log(ORIGIN)).toBeUndefined();
      withStore((store) => store.addKey(ORIGIN, keyOf(1)));
      expect(serving.log(ORIGIN)?.keys.map(({ name }) => name)).toEqual([ORIGIN]);
      withStore((store) => expect(store.removeKey(ORIGIN, keyOf(1))).toBe(true));
      expect(serving.log(ORIGIN)?.keys).toEqual([]);
      expect(serving.removeKey(ORIGIN, keyOf(1))).toBe(false);
      expect(serving.logs()).toEqual([{ origin: ORIGIN, keys: [], tree: EMPTY_TREE }]);
    });
  });

  test('LOG-051 of two that move on from one tree, only one does', () => {
    withStore((one) => {
      one.addKey(ORIGIN, keyOf(1));
      withStore((other) => {
        const to = (leaf: number): WitnessStep => ({
          origin: ORIGIN,
          from: EMPTY_TREE,
          to: { size: 1, root: leafHash(Uint8Array.of(leaf)) },
        });
        expect([one.advance(to(1)), other.advance(to(2)), one.advance(to(3))]).toEqual([true, false, false]);
        expect(other.log(ORIGIN)?.tree).toEqual(to(1).to);
      });
    });
  });

  test('refuses what is no key of a log, and what is no origin', () => {
    withStore((store) => {
      const cosigner = cosignerKeyText(ORIGIN, publicKey(1));
      for (const key of ['', 'x', cosigner]) expect(codeFrom(() => store.addKey(ORIGIN, key))).toBe('witness_key_invalid');
      for (const origin of ['', 'a\nb', 'a\u0000', '\ud800'])
        expect(codeFrom(() => store.addKey(origin, keyOf(1)))).toBe('witness_origin_invalid');
      const { witnessOriginCharsMax } = STORE_LIMITS;
      expect(codeFrom(() => store.addKey('o'.repeat(witnessOriginCharsMax), keyOf(1)))).toBe('nothing');
      expect(codeFrom(() => store.addKey('o'.repeat(witnessOriginCharsMax + 1), keyOf(1)))).toBe('witness_origin_invalid');
      expect(store.logs()).toHaveLength(1);
    });
  });

  test('has room for so many logs, and so many keys of one', () => {
    withStore((store) => {
      const { witnessKeysPerLogMax, witnessLogsMax } = STORE_LIMITS;
      for (let i = 0; i < witnessKeysPerLogMax; i += 1) store.addKey(ORIGIN, keyOf(i));
      expect(codeFrom(() => store.addKey(ORIGIN, keyOf(witnessKeysPerLogMax)))).toBe('witness_keys_too_large');
      store.addKey(ORIGIN, keyOf(0));
      for (let i = 1; i < witnessLogsMax; i += 1) store.addKey(`log.example/${i}`, keyOf(1));
      expect(codeFrom(() => store.addKey('one.more', keyOf(1)))).toBe('witness_logs_too_large');
      expect(store.logs()).toHaveLength(witnessLogsMax);
      expect(store.log(ORIGIN)?.keys).toHaveLength(witnessKeysPerLogMax);
    });
  });

  test('that is damaged, or of a later version, is refused', () => {
    withStore((store) => store.addKey(ORIGIN, keyOf(1)));
    const path = join(directory, 'witness.db');
    const db = new DatabaseSync(path);
    db.exec('INSERT INTO migrations (number) VALUES (99)');
    db.close();
    expect(codeFrom(() => openWitnessStore(directory))).toBe('witness_newer');
    writeFileSync(path, 'no database at all, and longer than a header of SQLite would be');
    expect(codeFrom(() => openWitnessStore(directory))).toBe('witness_unavailable');
  });

  test('whose file holds what it cannot mean fails where it is read', () => {
    withStore((store) => store.addKey(ORIGIN, keyOf(1)));
    const db = new DatabaseSync(join(directory, 'witness.db'));
    db.exec(`UPDATE keys SET key = 'no key'`);
    db.close();
    withStore((store) => expect(codeFrom(() => store.log(ORIGIN))).toBe('witness_unavailable'));
  });
});

describe('the key of a witness', () => {
  const open = (name: string | undefined): ReturnType<typeof openWitnessIdentity> =>
    withStore((store) => openWitnessIdentity({ directory, store, random, name }));
  const keyFile = (): string => join(directory, 'witness.key');

  test('is made once, in a file of its owner, and is there again', () => {
    expect(codeFrom(() => open(undefined))).toBe('witness_name_invalid');
    const made = open('w.example/1');
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(made.signer.publicKey).toEqual(createSigner(random.bytes(32)).publicKey);
    expect(open(undefined).name).toBe('w.example/1');
    expect(open('w.example/1').signer.keyId).toBe(made.signer.keyId);
    chmodSync(keyFile(), 0o644);
    expect(codeFrom(() => open(undefined))).toBe('key_file_unsafe');
  });

  test('signs under one name for good', () => {
    open('w.example/1');
    expect(codeFrom(() => open('w.example/2'))).toBe('witness_named');
    for (const name of ['', 'a b', 'a+b', 'n'.repeat(STORE_LIMITS.witnessOriginCharsMax + 1)])
      expect(codeFrom(() => open(name))).toBe('witness_name_invalid');
    expect(open(undefined).name).toBe('w.example/1');
  });

  test('is not made anew where state is bound to one, nor another taken for it', () => {
    open('n'.repeat(STORE_LIMITS.witnessOriginCharsMax));
    const text = readFileSync(keyFile(), 'utf8');
    rmSync(keyFile());
    expect(codeFrom(() => open(undefined))).toBe('key_file_missing');
    expect(existsSync(keyFile())).toBe(false);
    const other = `${text.split('\n')[0] ?? ''}\n${Buffer.alloc(32, 5).toString('base64url')}\n`;
    writeFileSync(keyFile(), other, { mode: 0o600 });
    expect(codeFrom(() => open(undefined))).toBe('witness_named');
  });

  test('LOG-051 without what it has signed is refused', () => {
    open('w.example/1');
    for (const name of ['witness.db', 'witness.db-wal', 'witness.db-shm']) rmSync(join(directory, name), { force: true });
    expect(codeFrom(() => openWitnessStore(directory))).toBe('witness_missing');
    expect(existsSync(join(directory, 'witness.db'))).toBe(false);
  });
});

describe('one process signs', () => {
  test('a second is refused, in this process and in another, until the first lets go', () => {
    const unlock = lockWitness(directory);
    expect(codeFrom(() => lockWitness(directory))).toBe('witness_locked');
    const script = `import { DatabaseSync } from 'node:sqlite'; const lock = new DatabaseSync(process.argv[1]); try { lock.exec('BEGIN EXCLUSIVE'); console.log('taken'); } catch { console.log('refused'); }`;
    const attempt = (): string =>
      execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, join(directory, 'lock')], {
        encoding: 'utf8',
      }).trim();
    expect(attempt()).toBe('refused');
    unlock();
    unlock();
    expect(attempt()).toBe('taken');
    lockWitness(directory)();
  });

  test('a directory that cannot be made is said so', () => {
    writeFileSync(join(directory, '..', 'file'), '');
    expect(codeFrom(() => lockWitness(join(directory, '..', 'file', 'below')))).toBe('witness_unavailable');
    expect(codeFrom(() => openWitnessStore(join(directory, '..', 'file', 'below')))).toBe('witness_unavailable');
  });
});
