/** What an operator holds of an agent. */
import { createMemoryStateStore, createSealer } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { expect, test } from 'vitest';

test('VER-047 trust is set by the operator, read at once, and not written down where it is the ordinary one', async () => {
  const { clock, random } = createBench();
  const store = createMemoryStateStore({ clock, random, sealer: createSealer(new Uint8Array(32), random) });
  const org = store.createOrg({ name: 'acme', mode: 'locked' });
  if (!org.ok) throw new Error(org.error.code);
  const made = store.createAgent({ org: org.value.id, name: 'x', scopes: [], trust: 'standard' });
  if (!made.ok) throw new Error(made.error.code);
  const { id, trust } = made.value.agent;
  expect([trust, (await store.agent(id))?.trust]).toEqual([undefined, undefined]);
  expect(store.setAgentTrust(id, 'untrusted')).toMatchObject({ ok: true, value: { trust: 'untrusted' } });
  expect((await store.agent(id))?.trust).toBe('untrusted');
  expect(store.setAgentTrust(id, 'standard').ok).toBe(true);
  expect([(await store.agent(id))?.trust, store.agentView(id)?.trust]).toEqual([undefined, undefined]);
  expect(store.setAgentTrust('00000000-0000-7000-8000-000000000000', 'elevated')).toMatchObject({
    ok: false,
    error: { code: 'not_found' },
  });
});
