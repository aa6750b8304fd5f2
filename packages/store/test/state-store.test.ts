/** Both stores under one contract, and what only a disk can do. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSealer, createMemoryStateStore, openSqliteStateStore, STORE_LIMITS, type Store } from '@countersign/store';
import { createBench, type StateBed, stateStoreContract } from '@countersign/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { STATE_MIGRATIONS } from '../src/sqlite-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-store-'));
let count = 0;
const opened = new Set<Store>();

afterAll(() => {
  for (const store of opened) store.close();
  rmSync(folder, { recursive: true });
});

function openDisk(): StateBed & { readonly path: string; readonly store: Store; readonly reopen: () => Store } {
  const { clock, random } = createBench();
  const sealer = createSealer(new Uint8Array(32).fill(3), random);
  const path = join(folder, `state-${(count += 1)}.db`);
  const open = (): Store => {
    const store = openSqliteStateStore(path, { sealer, clock, random });
    opened.add(store);
    return store;
  };
  const store = open();
  const reopen = (): Store => {
    opened.delete(store);
    store.close();
    return open();
  };
  return { store, clock, path, reopen };
}

stateStoreContract('sqlite', openDisk);
stateStoreContract('memory', () => {
  const { clock, random } = createBench();
  const sealer = createSealer(new Uint8Array(32).fill(3), random);
  return { store: createMemoryStateStore({ sealer, clock, random }), clock, reopen: undefined };
});

function created(store: Store): string {
  const org = store.createOrg({ name: 'acme', mode: 'learning' });
  if (!org.ok) throw new Error(org.error.code);
  return org.value.id;
}

describe('one file, one process', () => {
  test('a second opener is told who has it, and the first goes on', () => {
    const { store, path, clock } = openDisk();
    const { random } = createBench();
    const sealer = createSealer(new Uint8Array(32).fill(3), random);
    expect(() => openSqliteStateStore(path, { sealer, clock, random })).toThrow(expect.objectContaining({ code: 'state_in_use' }));
    expect(store.listOrgs()).toEqual([]);
  });

  test('LOG-081 a state that knew one log goes on: its orgs write to main, its mark is that of main', async () => {
    const path = join(folder, 'first-schema.db');
    const [first = ''] = STATE_MIGRATIONS;
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE migrations (number INTEGER PRIMARY KEY) STRICT; INSERT INTO migrations VALUES (1); ${first}`);
    db.exec(`INSERT INTO orgs VALUES ('o', 'old', 'locked', 1); INSERT INTO marks VALUES ('applied', 41)`);
    db.close();
    const { clock, random } = createBench();
    const store = openSqliteStateStore(path, { sealer: createSealer(new Uint8Array(32), random), clock, random });
    expect(await store.org('o')).toEqual({ id: 'o', name: 'old', mode: 'locked', log: 'main' });
    expect([store.appliedIndex(), store.knownLogs(), store.orgsOn('main')]).toEqual([41, ['main'], 1]);
    store.close();
  });

  test('a database of a newer schema is not touched', () => {
    const { store, path, reopen } = openDisk();
    store.close();
    opened.delete(store);
    const db = new DatabaseSync(path);
    db.exec('INSERT INTO migrations (number) VALUES (99)');
    db.close();
    expect(reopen).toThrow(expect.objectContaining({ code: 'state_newer' }));
  });

  test('what is not a database is state_unavailable', () => {
    const { clock, random } = createBench();
    const sealer = createSealer(new Uint8Array(32).fill(3), random);
    const options = { sealer, clock, random };
    expect(() => openSqliteStateStore(join(folder, 'none', 'state.db'), options)).toThrow(
      expect.objectContaining({ code: 'state_unavailable' }),
    );
  });

  test('nobody else can read the files', () => {
    const { store, path } = openDisk();
    created(store);
    for (const suffix of ['', '-wal']) expect(statSync(path + suffix).mode & 0o077).toBe(0);
  });

  test('a closed store answers nothing, with the code the pipeline denies on', async () => {
    const { store } = openDisk();
    store.close();
    opened.delete(store);
    await expect(store.sessionCalls('o', 's')).rejects.toMatchObject({ code: 'state_unavailable' });
    await expect(store.agent('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'state_unavailable' });
    await expect(store.consumeOnce('a', 1)).rejects.toMatchObject({ code: 'state_unavailable' });
  });

  test('a stored JWT key that was moved to another agent does not open', async () => {
    const { store, path, reopen } = openDisk();
    const org = created(store);
    const ids = ['a', 'b'].map((name) => {
      const made = store.createAgent({ org, name, scopes: [] });
      if (!made.ok) throw new Error(made.error.code);
      return made.value.agent.id;
    });
    store.close();
    opened.delete(store);
    const db = new DatabaseSync(path);
    const [a = '', b = ''] = ids;
    db.prepare('UPDATE agents SET sealed_key = (SELECT sealed_key FROM agents WHERE id = ?) WHERE id = ?').run(a, b);
    db.close();
    const again = reopen();
    await expect(again.agentJwtKey(b)).rejects.toMatchObject({ code: 'seal_broken' });
    expect(await again.agentJwtKey(a)).toHaveLength(64);
  });

  test('a value of another type or choice in the file is an error, not a guess', async () => {
    const { store, path, reopen } = openDisk();
    const org = created(store);
    store.close();
    opened.delete(store);
    const db = new DatabaseSync(path);
    db.prepare('UPDATE orgs SET mode = ?').run('open');
    db.close();
    await expect(reopen().org(org)).rejects.toMatchObject({ code: 'state_unavailable' });
  });
});

describe('limits', () => {
  test.each([
    ['name', (n: number) => ({ name: 'a'.repeat(n), scopes: [] }), STORE_LIMITS.agentNameCharsMax, 'invalid_name'],
    [
      'scopes',
      (n: number) => ({ name: 'a', scopes: Array.from({ length: n }, (_, i) => `a:b:${i}`) }),
      STORE_LIMITS.scopesMax,
      'invalid_scope',
    ],
    ['scope', (n: number) => ({ name: 'a', scopes: [`a:b:${'c'.repeat(n - 4)}`] }), STORE_LIMITS.scopeCharsMax, 'invalid_scope'],
    [
      'scopes together',
      (n: number) => {
        const full = Array.from({ length: 23 }, (_, i) => `a:${String.fromCharCode(97 + i)}:${'c'.repeat(124)}`);
        const rest = n - full.join(' ').length - 1;
        return { name: 'a', scopes: [...full, `b:b:${'d'.repeat(rest - 4)}`] };
      },
      STORE_LIMITS.scopesCharsMax,
      'invalid_scope',
    ],
  ] as const)('%s at n and n + 1', (...[, draft, max, fault]) => {
    const { store } = openDisk();
    const org = created(store);
    const at = (n: number): string => {
      const made = store.createAgent({ org, ...draft(n) });
      return made.ok ? 'ok' : made.error.code;
    };
    expect(at(max + 1)).toBe(fault);
    expect(at(max)).toBe('ok');
  });

  test('labels, reasons and policies at n and n + 1', () => {
    const { store } = openDisk();
    const org = created(store);
    const key = (n: number): boolean => store.createApiKey({ org, label: 'l'.repeat(n), kind: 'read', environment: 'test' }).ok;
    expect([key(STORE_LIMITS.labelCharsMax), key(STORE_LIMITS.labelCharsMax + 1)]).toEqual([true, false]);
    const made = store.createAgent({ org, name: 'a', scopes: [] });
    const agent = made.ok ? made.value.agent.id : '';
    const suspend = (n: number): boolean => store.setAgentState({ agent, state: 'suspended', reason: 'r'.repeat(n) }).ok;
    expect([suspend(STORE_LIMITS.reasonCharsMax + 1), suspend(0), suspend(STORE_LIMITS.reasonCharsMax)]).toEqual([false, false, true]);
  });

  test('pending tools per org: beyond the limit a new tool stays unknown', async () => {
    const { store } = openDisk();
    const org = created(store);
    const see = (n: number): void =>
      store.stageDelta({ org, agent: 'a', delegation: [], session: 's' }, { pendingTool: { tool: `t${n}`, hash: '' } });
    for (let n = 0; n <= STORE_LIMITS.pendingToolsPerOrgMax; n += 1) see(n);
    expect(await store.tool({ org, tool: `t${STORE_LIMITS.pendingToolsPerOrgMax - 1}` })).toEqual({ registration: 'pending' });
    expect(await store.tool({ org, tool: `t${STORE_LIMITS.pendingToolsPerOrgMax}` })).toEqual({});
    store.flush(0);
    expect(await store.tool({ org, tool: `t${STORE_LIMITS.pendingToolsPerOrgMax - 1}` })).toEqual({ registration: 'pending' });
    const approved = store.approveTool({ org, tool: 't0', hash: '', scope: null });
    expect(approved.ok).toBe(true);
    see(STORE_LIMITS.pendingToolsPerOrgMax);
    expect(await store.tool({ org, tool: `t${STORE_LIMITS.pendingToolsPerOrgMax}` })).toEqual({ registration: 'pending' });
  });
});
