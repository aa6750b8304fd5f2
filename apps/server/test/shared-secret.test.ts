import { agentJwtKey } from '@countersign/crypto';
import type { Ports, StateStore } from '@countersign/pipeline';
import { expect, it } from 'vitest';
import { withSharedSecret } from '../src/shared-secret.ts';

/** A store that answers every read with what was asked, and has no key of its own. */
function echo(): StateStore {
  const asked = new Proxy(
    {},
    {
      get:
        (_, name) =>
        (...args: unknown[]) =>
          Promise.resolve(name === 'agentJwtKey' ? undefined : [name, ...args]),
    },
  );
  return asked as StateStore;
}

it('POL-222 with a shared secret the state is what it is without: locks, calls, heat and scopes', async () => {
  const plain = echo();
  const secret = 's'.repeat(32);
  const { state } = withSharedSecret({ state: plain } as Ports, secret);
  for (const read of ['sessionPosture', 'sessionCalls', 'sessionHotUntil'] as const)
    expect(await state[read]('org', 'session')).toEqual([read, 'org', 'session']);
  expect(await state.agent('a')).toEqual(['agent', 'a']);
  expect(await state.agentJwtKey('a')).toEqual(agentJwtKey(secret));
  expect(withSharedSecret({ state: plain } as Ports, undefined).state).toBe(plain);
});
