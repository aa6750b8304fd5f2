/** Whatever fails, no answer says yes (HTTP-010). */
import { describe, expect, test } from 'vitest';
import { call, createWorld, type Fault, verdictOf, type World } from './world.ts';

const ROUTES = [
  ['/v1/proxy', call()],
  ['/v1/proxy', call({ target_url: 'https://tool.example/run' })],
  ['/v1/verify', call()],
  ['/v1/inspect', { tool: 'db.query', response_data: { rows: 1 } }],
  ['/v1/scan-input', { text: 'hello' }],
  ['/v1/scan-output', { text: 'hello' }],
] as const;

const FAULTS: readonly Fault[] = [
  'key-read',
  'jwt-read',
  'org-read',
  'agent-read',
  'calls-read',
  'engine-none',
  'engine-throws',
  'judge-throws',
  'stage-throws',
  'session-ended',
  'disk',
  'delta-throws',
  'signals',
  'clock',
  'random',
  'timer',
];

function saysYes(text: string): boolean {
  return /"allowed"\s*:\s*true/.test(text) || /"scope_token"/.test(text) || /"active"\s*:\s*true/.test(text);
}

/** Fires every timer again and again until there is an answer. */
async function expiring<T>(world: World, answer: Promise<T>): Promise<T> {
  const pending = Symbol('pending');
  for (;;) {
    const first = await Promise.race([answer, new Promise<typeof pending>((resolve) => setImmediate(resolve, pending))]);
    if (first !== pending) return first;
    world.expire();
  }
}

describe('HTTP-010: nothing that fails ends in an allow', () => {
  test('the same requests are allowed when nothing fails', async () => {
    const { app, headers } = await createWorld();
    for (const [url, payload] of ROUTES) {
      const reply = await app.inject({ method: 'POST', url, headers: headers(), payload });
      expect([url, reply.statusCode, saysYes(reply.body)]).toEqual([url, 200, true]);
    }
  });

  test.each(FAULTS)('port fault: %s', async (fault) => {
    const { app, headers } = await createWorld({ faults: [fault] });
    for (const [url, payload] of ROUTES) {
      const reply = await app.inject({ method: 'POST', url, headers: headers(), payload });
      expect([url, saysYes(reply.body)]).toEqual([url, false]);
      expect(reply.statusCode).toBeGreaterThanOrEqual(400);
      expect(reply.json()).toMatchObject({ allowed: false, action: 'block', error_code: expect.any(String) });
    }
  });

  test.each(['tool-read', 'mint'] as const)('port fault that only a call meets: %s', async (fault) => {
    const { app, headers } = await createWorld({ faults: [fault] });
    for (const url of ['/v1/proxy', '/v1/verify']) {
      const reply = await app.inject({ method: 'POST', url, headers: headers(), payload: call() });
      expect([reply.statusCode >= 500, saysYes(reply.body)]).toEqual([true, false]);
    }
  });

  test.each(['upstream', 'outcome-disk'] as const)('port fault that only a forwarded call meets: %s', async (fault) => {
    const { app, headers } = await createWorld({ faults: [fault] });
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/proxy',
      headers: headers(),
      payload: call({ target_url: 'https://t.example/' }),
    });
    expect(saysYes(reply.body)).toBe(false);
  });

  test.each(['judge-hangs', 'disk-hangs'] as const)('a port that never answers: %s', async (fault) => {
    const world = await createWorld({ faults: [fault] });
    for (const [url, payload] of ROUTES) {
      const reply = await expiring(world, world.app.inject({ method: 'POST', url, headers: world.headers(), payload }));
      expect([url, reply.statusCode, saysYes(reply.body)]).toEqual([url, 503, false]);
    }
  });

  test('a full gate refuses with 503 and the next one passes when there is room again', async () => {
    const world = await createWorld({ inFlightMax: 1 });
    expect(world.ports.gate.enter()).toBeUndefined();
    const full = await world.app.inject({ method: 'POST', url: '/v1/proxy', headers: world.headers(), payload: call() });
    expect([full.statusCode, full.json().error_code, saysYes(full.body)]).toEqual([503, 'overloaded', false]);
    world.ports.gate.leave();
    const free = await world.app.inject({ method: 'POST', url: '/v1/proxy', headers: world.headers(), payload: call() });
    expect([free.statusCode, saysYes(free.body)]).toEqual([200, true]);
  });

  test('a stopping gateway refuses (HTTP-025)', async () => {
    const world = await createWorld();
    await world.ports.gate.close();
    const reply = await world.app.inject({ method: 'POST', url: '/v1/proxy', headers: world.headers(), payload: call() });
    expect([reply.statusCode, reply.json().error_code]).toEqual([503, 'shutting_down']);
  });

  test.each(['deny', 'defer', 'modify'] as const)('HTTP-004: verdict %s is not allowed on this wire', async (decision) => {
    const { app, headers } = await createWorld({ verdict: verdictOf({ decision, risk: 900 }) });
    for (const [url, payload] of ROUTES) {
      const reply = await app.inject({ method: 'POST', url, headers: headers(), payload });
      expect([url, reply.statusCode, saysYes(reply.body)]).toEqual([url, 200, false]);
    }
  });

  test.each(['suspended', 'killed'] as const)('an agent that is %s gets 403 and a receipt', async (agentState) => {
    const { app, headers } = await createWorld({ agentState });
    const reply = await app.inject({ method: 'POST', url: '/v1/proxy', headers: headers(), payload: call() });
    expect([reply.statusCode, reply.json().error_code]).toEqual([403, `agent_${agentState}`]);
    expect(reply.json().receipt_id).toEqual(expect.any(String));
  });

  test('a watcher that fails does not change the answer to a yes or a no', async () => {
    const { app, headers } = await createWorld({ faults: ['feed'] });
    const reply = await app.inject({ method: 'POST', url: '/v1/proxy', headers: headers(), payload: call() });
    expect(reply.statusCode === 200 || !saysYes(reply.body)).toBe(true);
  });

  test('HTTP-026: no error tells a stack, a credential or a value of the body', async () => {
    for (const fault of FAULTS) {
      const world = await createWorld({ faults: [fault] });
      const marker = 'MARKER-IN-THE-BODY';
      const headers = world.headers();
      const reply = await world.app.inject({ method: 'POST', url: '/v1/proxy', headers, payload: call({ params: { sql: marker } }) });
      for (const secret of [
        marker,
        headers['x-ag-key'],
        headers['authorization']?.slice(7),
        'test fault',
        'a bug in the judge',
        '.ts:',
        'at Object',
      ]) {
        expect(reply.body).not.toContain(secret);
      }
    }
  });
});
