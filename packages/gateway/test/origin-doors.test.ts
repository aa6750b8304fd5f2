/** Where an agent was asked, as every door hands it on: a claim, under `origin.origin` of the action. */
import { describe, expect, test } from 'vitest';
import { createHushdWorld } from './hushd-world.ts';
import { call, createWorld } from './world.ts';

const CLAIM = { provider: 'slack', space_id: 'C1', tags: ['x'], metadata: { any: 1 } };

async function handedOn(url: string, payload: object): Promise<unknown> {
  const world = await createWorld();
  const reply = await world.app.inject({ method: 'POST', url, headers: world.headers({}), payload: JSON.stringify(payload) });
  return reply.statusCode === 200 ? world.actions[0]?.origin : reply.statusCode;
}

describe('POL-302 HTTP-016 the native door', () => {
  test.each<[string, object]>([
    ['/v1/proxy', call()],
    ['/v1/verify', call()],
    ['/v1/inspect', { tool: 'database.query', response_data: 'rows' }],
    ['/v1/scan-input', { text: 'hello' }],
    ['/v1/scan-output', { text: 'hello' }],
  ])('%s takes an origin, and no other form of one', async (url, body) => {
    expect(await handedOn(url, { ...body, origin: CLAIM })).toEqual({ origin: CLAIM });
    expect(await handedOn(url, body)).toBeUndefined();
    expect(await handedOn(url, { ...body, origin: null })).toBeUndefined();
    for (const bad of ['slack', ['slack'], 7, true]) expect([bad, await handedOn(url, { ...body, origin: bad })]).toEqual([bad, 422]);
  });

  test('what the door knows stands beside the claim, and the claim cannot take its place', async () => {
    const origin = { ...CLAIM, request_id: 'forged', origin: { provider: 'forged' } };
    expect(await handedOn('/v1/scan-output', { text: 'a', request_id: 'r-1', origin })).toEqual({ origin, request_id: 'r-1' });
  });
});

describe('POL-302 HUSHD-010 the hushd door', () => {
  const check = { action_type: 'output_send', target: 'C1', content: 'hello' };
  async function checked(body: object): Promise<unknown> {
    const { send, actions } = await createHushdWorld();
    const reply = await send('POST', '/api/v1/check', { body });
    return reply.status === 200 ? actions[0] : [reply.status, reply.code];
  }

  test('takes the origin in both of its spellings, once', async () => {
    for (const name of ['origin', 'originContext'])
      expect(await checked({ ...check, [name]: CLAIM })).toMatchObject({
        kind: 'agent.message',
        content: 'hello',
        origin: { origin: CLAIM },
      });
    expect(await checked({ ...check, origin: CLAIM, originContext: CLAIM })).toEqual([400, 'INVALID_BODY']);
    expect(await checked({ ...check, originContext: 'slack' })).toEqual([400, 'INVALID_BODY']);
    expect(await checked(check)).not.toHaveProperty('origin');
  });

  test('who is at the other end stands beside the claim', async () => {
    expect(await checked({ ...check, origin: CLAIM, endpoint_agent_id: 'e' })).toMatchObject({
      origin: { origin: CLAIM, endpoint_agent_id: 'e' },
    });
  });
});
