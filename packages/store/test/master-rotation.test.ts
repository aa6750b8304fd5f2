/** A fresh master key for everything that is wrapped, killed at every step: the key in `master.key` alone opens all of it. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSealer,
  createVault,
  finishRotation,
  loadMasterKey,
  loadSigningSeed,
  openSqliteStateStore,
  openSqliteVault,
  openVaultReader,
  rotateMaster,
  STORE_LIMITS,
  type Rotated,
  type RotationStep,
  type VaultTables,
} from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes } from './vault-files.ts';

const { clock, random } = createBench();
const AAD = bytes('aad');
const SUBJECTS = 40;
const subject = (n: number) => ({ org: 'org-1', name: `user-${n}` });
const GONE = { org: 'org-1', name: 'gone' };
const PURPOSES = ['log', 'scope'];

let folder = '';
let keys = '';
/** What has to open afterwards. */
let sealed: Uint8Array[] = [];
let seeds: readonly string[] = [];
let jwtKeys: ReadonlyMap<string, string> = new Map();

const hex = (content: Uint8Array | undefined): string => Buffer.from(content ?? []).toString('hex');
const master = () => createSealer(loadMasterKey({ path: join(keys, 'master.key'), random, create: true }), random);
const seedsOf = (sealer = master()): string[] =>
  PURPOSES.map((purpose) => hex(loadSigningSeed({ path: join(keys, `${purpose}.key`), purpose, sealer, random, create: true })));
const openState = () => openSqliteStateStore(join(folder, 'state.db'), { sealer: master(), clock, random });

function withTables<T>(work: (tables: VaultTables) => T): T {
  const tables = openSqliteVault(join(folder, 'vault.db'));
  try {
    return work(tables);
  } finally {
    tables.close();
  }
}

function rotate(step?: (name: RotationStep) => void): Rotated {
  return withTables((vault) => rotateMaster({ keys, state: join(folder, 'state.db'), vault, random }, step));
}

function finish(): void {
  withTables((vault) => finishRotation({ keys, state: join(folder, 'state.db'), vault, random }));
}

async function makeInstallation(): Promise<void> {
  mkdirSync(keys, { mode: 0o700 });
  seeds = seedsOf();
  const store = openState();
  const found = new Map<string, string>();
  for (const name of ['one', 'two']) {
    const org = store.createOrg({ name, mode: 'locked' });
    if (!org.ok) throw new Error('org');
    for (const agent of ['a', 'b', 'killed']) {
      const made = store.createAgent({ org: org.value.id, name: agent, scopes: [] });
      if (!made.ok) throw new Error('agent');
      const { id } = made.value.agent;
      if (agent === 'killed') store.setAgentState({ agent: id, state: 'killed', reason: 'test' });
      found.set(id, hex(await store.agentJwtKey(id)));
    }
  }
  store.close();
  jwtKeys = found;
  withTables((tables) => {
    const vault = createVault({ tables, master: master(), clock, random, create: true });
    sealed = Array.from({ length: SUBJECTS }, (_, n) => vault.seal(subject(n), bytes(subject(n).name), AAD));
    vault.seal(GONE, bytes('gone'), AAD);
    vault.retire(GONE);
    vault.destroy({ id: 'intent-1', time: '2026-01-02T03:04:05.678Z', org: GONE.org, subject: GONE.name, by: 'operator', reason: 'asked' });
  });
}

/** Opens everything with the key in `master.key` and no other. */
async function expectWhole(): Promise<void> {
  expect(seedsOf()).toEqual(seeds);
  const store = openState();
  for (const [agent, key] of jwtKeys) expect(hex(await store.agentJwtKey(agent))).toBe(key);
  store.close();
  withTables((tables) => {
    const vault = createVault({ tables, master: master(), clock, random, create: true });
    for (const [n, content] of sealed.entries()) expect(Buffer.from(vault.open(content, AAD)).toString()).toBe(subject(n).name);
    expect(vault.intents()).toMatchObject([{ id: 'intent-1', subject: GONE.name }]);
    expect(vault.numbers()).toEqual({ subjects: sealed.length, keys: sealed.length, erased: 1 });
  });
}

/** How often a master key is named as the one that wrapped something, in all files. */
function wrapsUnder(key: Uint8Array): number {
  const header = Buffer.from(createSealer(key, random).seal('', new Uint8Array(0), new Uint8Array(0)).slice(0, 9));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const contents = files.map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const keyFiles = contents.map((content) => Buffer.from(content.toString('latin1').split('\n')[1] ?? '', 'base64url'));
  return [...contents, ...keyFiles].filter((content) => content.includes(header)).length;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-rotation-'));
  keys = join(folder, 'keys');
  await makeInstallation();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('rotation of the master key', () => {
  test('RCPT-052 wraps everything anew; the old key opens nothing, and nothing wrapped under it is left', async () => {
    const old = loadMasterKey({ path: join(keys, 'master.key'), random, create: false });
    expect(wrapsUnder(old)).toBe(4);
    expect(rotate()).toEqual({ keys: SUBJECTS, agents: 4, files: 2 });
    const fresh = loadMasterKey({ path: join(keys, 'master.key'), random, create: false });
    expect(hex(fresh)).not.toBe(hex(old));
    expect([wrapsUnder(old), wrapsUnder(fresh)]).toEqual([0, 4]);
    await expectWhole();
    const former = createSealer(old, random);
    expect(() => seedsOf(former)).toThrow(expect.objectContaining({ code: 'seal_key_unknown' }));
    expect(() => withTables((tables) => createVault({ tables, master: former, clock, random, create: true }))).toThrow(
      expect.objectContaining({ code: 'seal_key_unknown' }),
    );
  });

  test('of more keys than a page holds none is left out', async () => {
    withTables((tables) => {
      const vault = createVault({ tables, master: master(), clock, random, create: true });
      for (let n = SUBJECTS; n <= STORE_LIMITS.pageMax; n += 1) sealed.push(vault.seal(subject(n), bytes(subject(n).name), AAD));
      vault.flush();
    });
    expect(rotate()).toMatchObject({ keys: STORE_LIMITS.pageMax + 1 });
    await expectWhole();
  });

  test.each([
    ['new-key', 1, 'old'],
    ['staged', 1, 'old'],
    ['switched', 1, 'new'],
    ['file', 1, 'new'],
    ['file', 2, 'new'],
    ['agents', 1, 'new'],
    ['done', 1, 'new'],
  ] as const)('RCPT-052 killed after `%s` (%i): the %s key opens everything', async (where, nth, which) => {
    const old = loadMasterKey({ path: join(keys, 'master.key'), random, create: false });
    let met = 0;
    const kill = (name: RotationStep): void => {
      if (name === where) met += 1;
      if (name === where && met === nth) throw new Error('killed');
    };
    expect(() => rotate(kill)).toThrow('killed');
    rmSync(join(keys, 'master.key.next'), { force: true }); // The other key is not needed.
    finish();
    const current = loadMasterKey({ path: join(keys, 'master.key'), random, create: false });
    expect(hex(current) === hex(old) ? 'old' : 'new').toBe(which);
    await expectWhole();
    if (which === 'new') expect(wrapsUnder(old)).toBe(0);
    expect(wrapsUnder(current)).toBe(4);
    rotate();
    await expectWhole();
    expect(wrapsUnder(current)).toBe(0);
  });

  test('a copy that is read beside it opens under the key in force, also while new wraps are only staged', () => {
    const copy = join(folder, 'copy.db');
    const opens = (): boolean => {
      cpSync(join(folder, 'vault.db'), copy);
      const reader = openVaultReader(copy, master());
      try {
        return sealed.every((content, n) => Buffer.from(reader.open(content, AAD)).toString() === subject(n).name);
      } finally {
        reader.close();
      }
    };
    expect(opens()).toBe(true);
    const kill = (name: RotationStep): void => {
      if (name === 'switched') throw new Error('killed');
    };
    expect(() => rotate(kill)).toThrow('killed');
    expect(opens()).toBe(true);
    finish();
    expect(opens()).toBe(true);
    writeFileSync(copy, 'no database at all, but long enough to be looked at'.repeat(40));
    expect(() => openVaultReader(copy, master())).toThrow(expect.objectContaining({ code: 'vault_unavailable' }));
    expect(() => openVaultReader(join(folder, 'nowhere.db'), master())).toThrow(expect.objectContaining({ code: 'vault_unavailable' }));
  });

  test('killed again while it is being finished', async () => {
    expect(() =>
      rotate((name) => {
        if (name === 'switched') throw new Error('killed');
      }),
    ).toThrow('killed');
    const places = { keys, state: join(folder, 'state.db'), random };
    for (const where of ['file', 'agents', 'done'] as const) {
      const again = (): void =>
        withTables((vault) =>
          finishRotation({ ...places, vault }, (name) => {
            if (name === where) throw new Error('killed');
          }),
        );
      expect(again).toThrow('killed');
    }
    finish();
    await expectWhole();
  });

  test('a new key that was written and never used goes away', () => {
    expect(() =>
      rotate((name) => {
        if (name === 'new-key') throw new Error('killed');
      }),
    ).toThrow('killed');
    expect(existsSync(join(keys, 'master.key.next'))).toBe(true);
    finish();
    expect(existsSync(join(keys, 'master.key.next'))).toBe(false);
  });

  test('a key file that it cannot read stops it before anything is changed', async () => {
    writeFileSync(join(keys, 'mine.key'), 'something else\n', { mode: 0o600 });
    expect(() => rotate()).toThrow(expect.objectContaining({ code: 'key_file_malformed' }));
    finish();
    await expectWhole();
  });

  test('a state that is gone is named, and no empty one is made', () => {
    rmSync(join(folder, 'state.db'));
    expect(() => rotate()).toThrow(expect.objectContaining({ code: 'state_missing' }));
    expect(existsSync(join(folder, 'state.db'))).toBe(false);
  });
});
