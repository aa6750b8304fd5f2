/** A decision of a known agent reads nothing from the tables; a change by an operator makes the next one read again. */
import { sha256Hex } from '@countersign/crypto';
import { createSealer } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { expect, test } from 'vitest';
import { createMemoryTables } from '../src/memory-tables.ts';
import { createStateStore } from '../src/state-store.ts';
import type { StateTables } from '../src/state-tables.ts';

/** The same tables, with every call written down. */
function counted(tables: StateTables): { readonly tables: StateTables; readonly calls: string[] } {
  const calls: string[] = [];
  const handler: ProxyHandler<StateTables> = {
    get(target, name: keyof StateTables) {
      calls.push(name);
      return target[name];
    },
  };
  return { tables: new Proxy(tables, handler), calls };
}

test('hot reads touch no table', async () => {
  const { clock, random } = createBench();
  const { tables, calls } = counted(createMemoryTables());
  const store = createStateStore(tables, { clock, random, sealer: createSealer(new Uint8Array(32), random) });
  const org = store.createOrg({ name: 'acme', mode: 'locked' });
  if (!org.ok) throw new Error(org.error.code);
  const made = store.createAgent({ org: org.value.id, name: 'bot', scopes: ['*'] });
  const key = store.createApiKey({ org: org.value.id, label: '', kind: 'write', environment: 'live' });
  const tool = store.approveTool({ org: org.value.id, tool: 't', hash: '', scope: null });
  if (!made.ok || !key.ok || !tool.ok) throw new Error('refused');
  const { agent } = made.value;
  const decide = async (): Promise<unknown> => {
    await store.apiKey(sha256Hex(key.value.key));
    await store.agentJwtKey(agent.id);
    await store.org(org.value.id);
    await store.agent(agent.id);
    await store.tool({ org: org.value.id, tool: 't' });
    await store.sessionHotUntil(org.value.id, 's');
    await store.sessionPosture(org.value.id, 's');
    const soFar = await store.sessionCalls(org.value.id, 's');
    store.stageDelta({ org: org.value.id, agent: agent.id, delegation: [], session: 's' }, { sessionCalls: soFar + 1 });
    return store.agent(agent.id);
  };
  await decide();
  calls.splice(0);
  for (let n = 0; n < 100; n += 1) await decide();
  expect(calls).toEqual([]);
  expect(await store.sessionCalls(org.value.id, 's')).toBe(101);

  store.setAgentState({ agent: agent.id, state: 'killed', reason: 'r' });
  calls.splice(0);
  expect(await decide()).toMatchObject({ state: 'killed' });
  expect(calls).toEqual(['agent']);
});
