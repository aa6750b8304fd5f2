/** Who may call what at the hushd door, how often, and from where. */
import { describe, expect, it } from 'vitest';
import { HUSHD_ROUTES, type HushdNeed } from '../src/doors/hushd-routes.ts';
import { clientAddress, createRateGate, rangeOf } from '../src/doors/hushd-rate.ts';
import { GATEWAY_LIMITS } from '../src/index.ts';
import { ADMIN_KEY, CHECK_KEY, createHushdWorld, EXPIRED_KEY, READ_KEY } from './hushd-world.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const ROUTES = Object.entries(HUSHD_ROUTES).map(([name, need]): [Method, string, HushdNeed] => {
  const [method = '', route = ''] = name.split(' ');
  return [method as Method, route.replace(':id', 'some-id'), need];
});
const CLOSED = ROUTES.filter(([, , need]) => need !== 'public');

describe('HUSHD-002: authentication is never off', () => {
  it.each(CLOSED)('%s %s without a key, with an unknown one and with an expired one', async (method, url) => {
    const { send } = await createHushdWorld();
    const replies = [
      await send(method, url, { key: null }),
      await send(method, url, { key: 'somebody-else-made-it' }),
      await send(method, url, { key: EXPIRED_KEY }),
    ];
    expect(replies.map(({ status, code }) => [status, code])).toEqual(Array.from({ length: 3 }, () => [401, 'UNAUTHORIZED']));
    const messages = replies.map(({ body }) => (body['error'] as { message: string } | undefined)?.message);
    expect(new Set(messages).size).toBe(1);
  });

  it('the body is not read before that: bad credentials with a bad body are 401', async () => {
    const { send } = await createHushdWorld();
    expect((await send('POST', '/api/v1/check', { key: null, body: '{' })).status).toBe(401);
    expect((await send('POST', '/api/v1/check', { body: '{' })).code).toBe('INVALID_JSON');
  });

  it('a key in another header, another scheme or the query opens nothing', async () => {
    const { hushd } = await createHushdWorld();
    for (const headers of [{ 'x-api-key': ADMIN_KEY }, { authorization: `Basic ${ADMIN_KEY}` }, { authorization: ADMIN_KEY }]) {
      expect((await hushd.inject({ url: `/api/v1/me?key=${ADMIN_KEY}`, headers })).statusCode).toBe(401);
    }
  });
});

describe('HUSHD-004: one table of scopes, and deny by default', () => {
  const SCOPED = CLOSED.filter(([, , need]) => need !== 'any-key');

  it.each(SCOPED)('%s %s only for the scope %s', async (method, url, need) => {
    const { send } = await createHushdWorld();
    for (const [scope, key] of [
      ['check', CHECK_KEY],
      ['read', READ_KEY],
    ] as const) {
      if (scope === need) continue;
      expect(await send(method, url, { key, body: method === 'GET' ? undefined : {} })).toMatchObject({
        status: 403,
        code: 'INSUFFICIENT_SCOPE',
      });
    }
  });

  it('a route that nobody put into the table cannot be added', async () => {
    const { hushd } = await createHushdWorld();
    expect(() => hushd.get('/api/v1/backdoor', () => 'open')).toThrow('a route of the hushd door stands in its table');
  });

  it.each([
    ['GET', '/api/v1/nothing'],
    ['GET', '/api/v1/check'],
    ['POST', '/api/v1/policy'],
    ['GET', '/api/v1/policy/'],
    ['GET', '/API/V1/policy'],
    ['GET', '/api/v1//policy'],
  ] as const)('%s %s is 401 without a key and 404 with any', async (method, url) => {
    const { send } = await createHushdWorld();
    expect((await send(method, url, { key: null })).status).toBe(401);
    expect(await send(method, url, { key: ADMIN_KEY })).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('HEAD is no way around the table', async () => {
    const { hushd } = await createHushdWorld();
    const reply = await hushd.inject({ method: 'HEAD', url: '/api/v1/policy', headers: { authorization: `Bearer ${READ_KEY}` } });
    expect(reply.statusCode).toBe(404);
  });
});

describe('HUSHD-009: what does not exist here is refused by name', () => {
  it.each(['/api/v1/broker/revoke-all', '/api/v1/shutdown', '/api/v1/rbac/roles', '/v1/certifications', '/api/v1/receipts/replay'])(
    '%s',
    async (url) => {
      const { send } = await createHushdWorld();
      expect(await send('POST', url, { key: CHECK_KEY, body: {} })).toMatchObject({ status: 403, code: 'INSUFFICIENT_SCOPE' });
      expect(await send('POST', url, { key: ADMIN_KEY, body: {} })).toMatchObject({ status: 501, code: 'UNSUPPORTED_ENDPOINT' });
    },
  );
});

describe('HUSHD-005: how often', () => {
  it('a loopback peer is limited like any other, before its key is looked at, and /health is not', async () => {
    const { send } = await createHushdWorld({ hushd: { rateLimit: { perSecond: 2, burst: 3 } } });
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await send('GET', '/api/v1/me', { key: 'guess' })).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    const limited = await send('GET', '/api/v1/me');
    expect(limited).toMatchObject({ status: 429, code: 'RATE_LIMITED', body: { error: { retryAfter: 1 } } });
    expect(limited.headers['retry-after']).toBe('1');
    expect((await send('GET', '/health', { key: null })).status).toBe(200);
    expect((await send('GET', '/ready', { key: null })).status).toBe(429);
  });

  it('what was used comes back with time, up to the burst', () => {
    const gate = createRateGate({ perSecond: 10, burst: 2 });
    expect([gate.enter('192.0.2.1', 0), gate.enter('192.0.2.1', 0), gate.enter('192.0.2.1', 0)]).toEqual([undefined, undefined, 1]);
    expect(gate.enter('192.0.2.2', 0)).toBeUndefined();
    expect([gate.enter('192.0.2.1', 99), gate.enter('192.0.2.1', 101)]).toEqual([1, undefined]);
    expect([1, 2, 3].map(() => gate.enter('192.0.2.1', 1_000_000))).toEqual([undefined, undefined, 1]);
  });

  it('a clock that goes back gives nothing', () => {
    const gate = createRateGate({ perSecond: 10, burst: 1 });
    expect([gate.enter('192.0.2.1', 1000), gate.enter('192.0.2.1', 0)]).toEqual([undefined, 1]);
  });

  it('all addresses of a /64 are one client, in every spelling', () => {
    const gate = createRateGate({ perSecond: 1, burst: 1 });
    expect(gate.enter('2001:db8::1', 0)).toBeUndefined();
    expect(gate.enter('2001:db8:0:0:ffff::2', 0)).toBe(1);
    expect(gate.enter('2001:db8:0:1::2', 0)).toBeUndefined();
    expect(gate.enter('::ffff:192.0.2.1', 0)).toBeUndefined();
    expect(gate.enter('192.0.2.1', 0)).toBe(1);
  });

  it(`remembers ${GATEWAY_LIMITS.rateClientsMax} clients, and forgets the one that was seen first`, () => {
    const gate = createRateGate({ perSecond: 1, burst: 1 });
    const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    for (let n = 0; n < GATEWAY_LIMITS.rateClientsMax; n += 1) gate.enter(address(n), 0);
    expect(gate.enter(address(0), 0)).toBe(1);
    gate.enter('192.0.2.1', 0);
    expect(gate.enter(address(1), 0)).toBeUndefined();
  });
});

describe('HUSHD-006: whose address it is', () => {
  const ranges = ['10.0.0.0/8', '192.0.2.7'].map((text) => rangeOf(text)).filter((range) => range !== undefined);

  it.each([
    ['a stranger is believed nothing', ['203.0.113.5', '198.51.100.1'], '203.0.113.5'],
    ['a proxy names its client', ['10.1.1.1', '198.51.100.1'], '198.51.100.1'],
    ['what the client wrote itself stands further left', ['10.1.1.1', '1.2.3.4, 198.51.100.1'], '198.51.100.1'],
    ['proxies behind each other', ['192.0.2.7', '1.2.3.4, 198.51.100.1, 10.9.9.9'], '198.51.100.1'],
    ['a mapped spelling of the proxy', ['::ffff:10.1.1.1', '198.51.100.1'], '198.51.100.1'],
    ['no header', ['10.1.1.1', undefined], '10.1.1.1'],
    ['no address in it', ['10.1.1.1', 'unknown'], '10.1.1.1'],
    ['only proxies', ['10.1.1.1', '10.2.2.2'], '10.2.2.2'],
  ] as const)('%s', (_, [peer, forwarded], client) => {
    expect(clientAddress(peer, forwarded, ranges)).toBe(client);
  });

  it(`reads the last ${GATEWAY_LIMITS.forwardedHopsMax} members`, () => {
    const proxies = (count: number): string => ['198.51.100.1', ...Array.from({ length: count }, () => '10.0.0.1')].join(',');
    expect(clientAddress('10.1.1.1', proxies(GATEWAY_LIMITS.forwardedHopsMax - 1), ranges)).toBe('198.51.100.1');
    expect(clientAddress('10.1.1.1', proxies(GATEWAY_LIMITS.forwardedHopsMax), ranges)).toBe('10.0.0.1');
  });

  it('a client cannot give itself another name to be limited by', async () => {
    const { send } = await createHushdWorld({ hushd: { rateLimit: { perSecond: 1, burst: 1 } } });
    await send('GET', '/api/v1/me');
    expect((await send('GET', '/api/v1/me', { headers: { 'x-forwarded-for': '198.51.100.9' } })).status).toBe(429);
  });
});
