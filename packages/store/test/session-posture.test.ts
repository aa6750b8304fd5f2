/** The posture of a session in both stores, and the permission to move it on a key. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostureState, Principal } from '@countersign/protocol';
import { createMemoryStateStore, createSealer, openSqliteStateStore, type Store } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'countersign-posture-'));
const opened: Store[] = [];
let count = 0;

afterAll(() => {
  for (const store of opened) store.close();
  rmSync(folder, { recursive: true });
});

function value<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly code: string } }): T {
  if (result.ok) return result.value;
  throw new Error(`refused: ${result.error.code}`);
}

function code(result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } }): string {
  return result.ok ? 'ok' : result.error.code;
}

const principal = (org: string): Principal & { readonly session: string } => ({ org, agent: 'a', delegation: [], session: 's-1' });

function openStore(which: 'memory' | 'sqlite'): { readonly store: Store; readonly org: { readonly id: string } } {
  const { clock, random } = createBench();
  const parts = { sealer: createSealer(new Uint8Array(32).fill(3), random), clock, random };
  const store = which === 'memory' ? createMemoryStateStore(parts) : openSqliteStateStore(join(folder, `state-${(count += 1)}.db`), parts);
  opened.push(store);
  return { store, org: value(store.createOrg({ name: 'acme', mode: 'learning' })) };
}

describe.each(['memory', 'sqlite'] as const)('%s', (which) => {
  const open = (): ReturnType<typeof openStore> => openStore(which);

  test('POL-223 the posture of a session is read at once, the later one wins in any order, and it is there after a flush', async () => {
    const { store, org } = open();
    const posture = (n: number, state: string): PostureState => ({
      n,
      state,
      entered: 600 + n,
      used: { shell_commands: n },
      history: [{ from: 'low', to: state, on: 'user_approval', at: 600 }],
      ...(n > 1 ? { violated: 601 } : {}),
    });
    expect(await store.sessionPosture(org.id, 's-1')).toBeUndefined();
    store.stageDelta(principal(org.id), { sessionCalls: 1, posture: posture(1, 'low') });
    store.stageDelta(principal(org.id), { sessionCalls: 2, posture: posture(3, 'cell') });
    store.stageDelta(principal(org.id), { sessionCalls: 3, posture: posture(2, 'high') });
    store.stageDelta(principal(org.id), { sessionCalls: 4 });
    expect([await store.sessionPosture(org.id, 's-1'), await store.sessionPosture(org.id, 's-2')]).toEqual([posture(3, 'cell'), undefined]);
    store.flush(7);
    store.foldDelta({ index: 5, principal: principal(org.id), delta: { sessionCalls: 2, posture: posture(2, 'high') } });
    store.flush(8);
    expect(await store.sessionPosture(org.id, 's-1')).toEqual(posture(3, 'cell'));
    store.foldDelta({ index: 9, principal: principal(org.id), delta: { sessionCalls: 5, posture: posture(4, 'locked') } });
    store.flush(9);
    expect(await store.sessionPosture(org.id, 's-1')).toEqual(posture(4, 'locked'));
  });

  test('POL-221 a key for a person may carry a permission, a key that carries decisions never', () => {
    const { store, org } = open();
    const draft = { org: org.id, label: '', environment: 'live' as const, permissions: ['posture:transition' as const] };
    expect(value(store.createApiKey({ ...draft, kind: 'read' })).apiKey.permissions).toEqual(['posture:transition']);
    expect(code(store.createApiKey({ ...draft, kind: 'write' }))).toBe('invalid_permission');
    value(store.createApiKey({ org: org.id, label: '', environment: 'live', kind: 'write' }));
    const listed = store.listApiKeys({ org: org.id }).toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
    expect(listed.map(({ kind, permissions }) => [kind, permissions])).toEqual([
      ['read', ['posture:transition']],
      ['write', undefined],
    ]);
  });
});
