/** What every vault owes, whatever it keeps its keys in; and what one on a disk owes beyond that. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { hmacSha256, openAesGcm } from '@countersign/crypto';
import { CodedError } from '@countersign/kernel';
import {
  createMemoryVault,
  createSealer,
  createVault,
  openSqliteVault,
  openVaultReader,
  STORE_LIMITS,
  type Vault,
  type VaultTables,
} from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { test as propertyTest, fc } from '@fast-check/vitest';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, MASTER, vaultBed, type VaultBed } from './vault-files.ts';

const ANN = { org: 'org-1', name: 'ann@example.org' };
const BOB = { org: 'org-1', name: 'bob@example.org' };
const AAD = bytes('countersign.vault.v1\nlog\nid');
const erasure = (id: string) => ({
  id,
  time: '2026-01-02T03:04:05.678Z',
  org: 'org-1',
  subject: ANN.name,
  by: 'operator',
  reason: 'asked for',
});
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
const keyIdOf = (sealed: Uint8Array): string => Buffer.from(sealed).toString('hex', 1, 9);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);

const beds: VaultBed[] = [];
afterEach(() => {
  for (const bed of beds.splice(0)) bed.remove();
});

function disk(over?: (tables: VaultTables) => VaultTables): VaultBed {
  const bed = vaultBed(over);
  beds.push(bed);
  return bed;
}

function memory(): { open(): Vault } {
  const { clock, random } = createBench();
  const tables = createMemoryVault();
  return { open: () => createVault({ tables, master: createSealer(MASTER, random), clock, random, create: true }) };
}

describe.each([
  ['memory', memory],
  ['SQLite', disk],
])('a vault in %s', (_name, makeBed) => {
  test('RCPT-050 opens what it sealed, before the key is durable, after, and in the next process', () => {
    const bed = makeBed();
    const vault = bed.open();
    const sealed = vault.seal(ANN, bytes('content'), AAD);
    const opens = (one: Vault): boolean => same(one.open(sealed, AAD), bytes('content'));
    expect(opens(vault)).toBe(true);
    vault.flush();
    expect(opens(vault)).toBe(true);
    expect(opens(bed.open())).toBe(true);
  });

  test('RCPT-050 the form: version, key id, salt, nonce, ciphertext and tag; another process has another salt', () => {
    const bed = makeBed();
    const vault = bed.open();
    const [first, second] = [vault.seal(ANN, bytes('content'), AAD), vault.seal(ANN, bytes('content'), AAD)];
    vault.flush();
    const third = bed.open().seal(ANN, bytes('content'), AAD);
    expect([first, second, third].map((sealed) => [sealed[0], sealed.length])).toEqual(
      [
        [2, 60],
        [2, 60],
        [2, 60],
      ].map(([version]) => [version, 1 + 8 + 16 + 12 + 7 + 16]),
    );
    expect(keyIdOf(second)).toBe(keyIdOf(first));
    expect(keyIdOf(third)).toBe(keyIdOf(first));
    const part = (sealed: Uint8Array, from: number, to: number): string => Buffer.from(sealed).toString('hex', from, to);
    expect(part(second, 9, 25)).toBe(part(first, 9, 25));
    expect(part(third, 9, 25)).not.toBe(part(first, 9, 25));
    expect([first, second].map((sealed) => part(sealed, 25, 37))).toEqual(['00'.repeat(12), `${'00'.repeat(11)}01`]);
  });

  test('RCPT-051 a subject has one key, and two subjects or orgs have two', () => {
    const vault = makeBed().open();
    const ids = [ANN, ANN, BOB, { org: 'org-2', name: ANN.name }, { org: 'org-1', name: '' }].map((subject) =>
      keyIdOf(vault.seal(subject, bytes('x'), AAD)),
    );
    expect(new Set(ids).size).toBe(4);
    expect(ids[1]).toBe(ids[0]);
  });

  test('every flipped bit is noticed, and what is cut short does not open', () => {
    const vault = makeBed().open();
    const sealed = vault.seal(ANN, bytes('content'), AAD);
    for (let at = 0; at < sealed.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Uint8Array.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => vault.open(changed, AAD)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(seal_broken|vault_key_missing)$/) }),
        );
      }
      expect(() => vault.open(sealed.slice(0, at), AAD)).toThrow(code('seal_broken'));
    }
    expect(() => vault.open(sealed, bytes('elsewhere'))).toThrow(code('seal_broken'));
  });

  test('what another vault sealed is named as such', () => {
    const sealed = disk().open().seal(ANN, bytes('x'), AAD);
    const other = makeBed().open();
    other.seal(BOB, bytes('x'), AAD);
    const foreign = Uint8Array.from(sealed);
    foreign.fill(0xee, 1, 9);
    expect(() => other.open(foreign, AAD)).toThrow(code('vault_key_missing'));
  });

  test('RCPT-052 after a rotation what comes has a new key, and what was sealed still opens', () => {
    const bed = makeBed();
    const vault = bed.open();
    const before = [ANN, BOB].map((subject) => vault.seal(subject, bytes(subject.name), AAD));
    expect(vault.retire(ANN)).toBe(1);
    const after = [ANN, BOB].map((subject) => vault.seal(subject, bytes(subject.name), AAD));
    expect(keyIdOf(after[0] ?? AAD)).not.toBe(keyIdOf(before[0] ?? AAD));
    expect(keyIdOf(after[1] ?? AAD)).toBe(keyIdOf(before[1] ?? AAD));
    vault.flush();
    expect(vault.retire(ANN)).toBe(2);
    expect(vault.retire()).toBe(3);
    const again = bed.open();
    expect(keyIdOf(again.seal(BOB, bytes('x'), AAD))).not.toBe(keyIdOf(before[1] ?? AAD));
    for (const sealed of [...before, ...after]) expect(again.open(sealed, AAD).length).toBe(ANN.name.length);
    expect(again.retire({ org: 'org-1', name: 'nobody' })).toBe(0);
  });

  test('RCPT-053 what was sealed under the retired keys of a subject is gone, by name; the rest and what comes is not', () => {
    const bed = makeBed();
    const vault = bed.open();
    const gone = [vault.seal(ANN, bytes('one'), AAD)];
    vault.retire(ANN);
    gone.push(vault.seal(ANN, bytes('two'), AAD));
    const kept = [vault.seal(BOB, bytes('bob'), AAD)];
    vault.open(gone[0] ?? AAD, AAD);
    expect(vault.retire(ANN)).toBe(2);
    kept.push(vault.seal(ANN, bytes('new'), AAD));
    expect(vault.destroy(erasure('e-1'))).toEqual({ ...erasure('e-1'), keys: 2 });
    kept.push(vault.seal(ANN, bytes('more'), AAD));
    vault.flush();
    for (const again of [() => vault, () => bed.open()]) {
      const one = again();
      for (const sealed of gone) {
        expect(() => one.open(sealed, AAD)).toThrow(code('vault_erased'));
        expect(() => one.open(sealed, AAD)).toThrow('the content was erased on 2026-01-02T03:04:05.678Z');
      }
      for (const sealed of kept) expect(one.open(sealed, AAD).length).toBeGreaterThan(0);
      expect(one.numbers()).toEqual({ subjects: 2, keys: 2, erased: 2 });
    }
  });

  test('an erasure is remembered until it is settled; of nobody there is none', () => {
    const bed = makeBed();
    const vault = bed.open();
    vault.seal(ANN, bytes('one'), AAD);
    expect(vault.destroy(erasure('e-0'))).toBeUndefined(); // Not retired: it still seals.
    vault.retire(ANN);
    vault.destroy(erasure('e-1'));
    expect(vault.destroy(erasure('e-2'))).toBeUndefined();
    expect(bed.open().intents()).toEqual([{ ...erasure('e-1'), keys: 1 }]);
    bed.open().settle('e-1');
    expect(bed.open().intents()).toEqual([]);
  });
});

const failing: ReadonlySet<keyof VaultTables> = new Set(['currentKey', 'insertKeys', 'retire', 'destroy', 'key']);

/** Tables that stop working when told. */
function breakable(fault: { now: boolean }): (tables: VaultTables) => VaultTables {
  return (tables) =>
    new Proxy(tables, {
      get(target, name: keyof VaultTables) {
        if (!fault.now || !failing.has(name)) return target[name];
        return () => {
          throw new CodedError({ code: 'vault_unavailable', message: 'the vault database failed (SQLITE_FULL)' });
        };
      },
    });
}

describe('a vault on a disk', () => {
  test('RCPT-051 belongs to its user, holds no key in clear, and names nobody', () => {
    const bed = disk();
    const vault = bed.open();
    for (const subject of [ANN, BOB]) vault.seal(subject, bytes('x'), AAD);
    vault.flush();
    expect(statSync(join(bed.folder, 'vault.db')).mode & 0o777).toBe(0o600);
    const files = bed.files();
    for (const drawn of bed.drawn.filter(({ length }) => length === 32)) expect(files.includes(Buffer.from(drawn))).toBe(false);
    for (const name of ['ann@', 'bob@', 'org-1']) expect(files.includes(name)).toBe(false);
  });

  test('opens under its master key only', () => {
    const bed = disk();
    bed.open().seal(ANN, bytes('x'), AAD);
    expect(() => bed.open(new Uint8Array(32).fill(7))).toThrow(code('seal_key_unknown'));
  });

  test('RCPT-053 a copy that is only read says what was erased and what is missing', () => {
    const bed = disk();
    const vault = bed.open();
    const [gone, kept] = [ANN, BOB].map((subject) => vault.seal(subject, bytes('x'), AAD));
    vault.retire(ANN);
    vault.destroy(erasure('e-1'));
    bed.tables().close();
    const reader = openVaultReader(join(bed.folder, 'vault.db'), createSealer(MASTER, createBench().random));
    expect(reader.open(kept ?? AAD, AAD)).toHaveLength(1);
    expect(() => reader.open(gone ?? AAD, AAD)).toThrow(code('vault_erased'));
    const foreign = Uint8Array.from(kept ?? AAD).fill(0xee, 1, 9);
    expect(() => reader.open(foreign, AAD)).toThrow(code('vault_key_missing'));
    reader.close();
  });

  test('takes one process only', () => {
    const bed = disk();
    bed.open();
    expect(() => vaultAt(bed.folder)).toThrow(code('vault_in_use'));
  });

  test('keys that could not be made durable stay pending, and go with the next flush', () => {
    const fault = { now: false };
    const bed = disk(breakable(fault));
    const vault = bed.open();
    const sealed = vault.seal(ANN, bytes('x'), AAD);
    fault.now = true;
    expect(() => vault.flush()).toThrow(code('vault_unavailable'));
    expect(() => vault.seal(BOB, bytes('x'), AAD)).toThrow(code('vault_unavailable'));
    expect(() => vault.retire(ANN)).toThrow(code('vault_unavailable'));
    fault.now = false;
    vault.flush();
    expect(bed.open().open(sealed, AAD)).toHaveLength(1);
  });

  test('more subjects than are remembered: each keeps its key, and no nonce is used twice', () => {
    const vault = disk().open();
    const seal = (n: number): Uint8Array => vault.seal({ org: 'org-1', name: `user-${n}` }, bytes('x'), AAD);
    const first = seal(0);
    for (let n = 1; n < STORE_LIMITS.sealingKeysMax; n += 1) seal(n);
    expect(Buffer.from(seal(0)).subarray(0, 25)).toEqual(Buffer.from(first).subarray(0, 25));
    vault.flush();
    for (let n = 1; n <= STORE_LIMITS.sealingKeysMax; n += 1) seal(n);
    const later = seal(0);
    expect(keyIdOf(later)).toBe(keyIdOf(first));
    expect(Buffer.from(later).subarray(9, 25)).not.toEqual(Buffer.from(first).subarray(9, 25));
  });

  test('RCPT-053 of many keys, those that were destroyed are nowhere in the files, and the others are', () => {
    const bed = disk();
    const vault = bed.open();
    const subjects = Array.from({ length: 600 }, (_, n) => ({ org: 'org-1', name: `user-${n}` }));
    for (const [n, subject] of subjects.entries()) {
      vault.seal(subject, bytes('x'), AAD);
      if (n % 10 === 0) vault.flush(); // Many transactions: pages fill, split and are written again.
    }
    vault.flush();
    const tables = bed.tables();
    const wraps = [...tables.wraps()].filter(({ place }) => place === 'key').map(({ wrapped }) => wrapped);
    const again = bed.open();
    const gone = subjects.filter((_, n) => n % 6 === 0);
    for (const { name } of gone) {
      again.retire({ org: 'org-1', name });
      again.destroy({ ...erasure(`e-${name}`), subject: name });
    }
    const files = bed.files();
    const found = wraps.filter((wrapped) => files.includes(Buffer.from(wrapped))).length;
    expect([wraps.length, found]).toEqual([600, 500]);
  });

  test('RCPT-053 nothing that is left in the files opens what was erased', () => {
    const bed = disk();
    const vault = bed.open();
    const sealed = vault.seal(ANN, bytes('the secret of ann'), AAD);
    const kept = vault.seal(BOB, bytes('the secret of bob'), AAD);
    vault.flush();
    const tried = attempts(bed.files(), sealed);
    expect(tried.opened).toBe(1); // The search finds the key as long as it is there.
    vault.retire(ANN);
    vault.destroy(erasure('e-1'));
    expect(attempts(bed.files(), sealed).opened).toBe(0);
    expect(attempts(bed.files(), kept).opened).toBe(1);
    expect(attempts(bed.files(), sealed).values).toBeGreaterThan(1000);
  });
});

function vaultAt(folder: string): VaultTables {
  return openSqliteVault(join(folder, 'vault.db'));
}

/** Opens with every 32 bytes of the files as the subject key, and with whatever the master key unwraps there. */
function attempts(files: Buffer, sealed: Uint8Array): { readonly opened: number; readonly values: number } {
  const header = sealed.slice(0, 25);
  const bound = Buffer.concat([header, Uint8Array.of(0, 0, 0, AAD.length), AAD]);
  const opens = (key: Uint8Array): boolean =>
    openAesGcm({
      key: hmacSha256(key, Buffer.concat([bytes('countersign-seal-v2\n'), header.subarray(9)])),
      nonce: sealed.slice(25, 37),
      ciphertext: sealed.slice(37),
      aad: bound,
    }) !== undefined;
  const { random } = createBench();
  const master = createSealer(MASTER, random);
  const WRAPPED_BYTES = 1 + 8 + 16 + 12 + 32 + 16;
  const tried = new Set<string>(); // Most of a file is zeros.
  let opened = 0;
  for (let at = 0; at + 32 <= files.length; at += 1) {
    const window = files.toString('latin1', at, at + 32);
    if (!tried.has(window) && opens(Buffer.from(window, 'latin1'))) opened += 1;
    tried.add(window);
    const wrapped = files.subarray(at, at + WRAPPED_BYTES);
    if (wrapped[0] !== 1 || !master.isOwn(wrapped)) continue;
    try {
      if (opens(master.open('vault-key', wrapped, header.slice(1, 9)))) opened += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'seal_broken' });
    }
  }
  return { opened, values: tried.size };
}

propertyTest.prop([
  fc.record({ org: fc.string(), name: fc.string() }),
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 60 }),
])('whatever the names and bytes, what was sealed opens', (subject, plaintext, aad) => {
  const vault = memory().open();
  expect(same(vault.open(vault.seal(subject, plaintext, aad), aad), plaintext)).toBe(true);
});
