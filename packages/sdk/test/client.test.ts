import { agentJwtKey, verifyAgentJwt } from '@countersign/crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agent, CountersignClient, type ClientOptions, SDK_LIMITS } from '../src/index.ts';
import { answer, BLOCK, inTurn, PASS, startWireServer, type WireServer } from './wire-server.ts';

const AGENT = 'b0000000-0000-4000-8000-00000000000a';
const SECRET = `ags_${'s'.repeat(43)}`;
const KEY = `ag_test_${'k'.repeat(32)}`;

let server: WireServer;
let now = 1_800_000_000_000;
let pauses: number[] = [];
const clients: CountersignClient[] = [];

function connect(options: Partial<ClientOptions> = {}): CountersignClient {
  const world = {
    clock: { nowMs: () => now },
    delay: (ms: number) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  };
  const client = new CountersignClient({ gatewayUrl: server.url, agentId: AGENT, apiKey: KEY, secret: SECRET, world, ...options });
  clients.push(client);
  return client;
}

beforeEach(async () => {
  server = await startWireServer();
  now = 1_800_000_000_000;
  pauses = [];
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
});

describe('what goes over the wire', () => {
  it('a call: key, token, body with an empty target', async () => {
    await connect({ session: 's-1' }).proxy('database.query', { sql: 'select 1' }, { promptContext: 'please' });
    const [seen] = server.seen;
    expect(seen?.path).toBe('/v1/proxy');
    expect(seen?.headers).toMatchObject({ 'x-ag-key': KEY, 'x-ag-session': 's-1', 'content-type': 'application/json' });
    expect(seen?.body).toEqual({ tool: 'database.query', params: { sql: 'select 1' }, target_url: '', prompt_context: 'please' });
  });

  it('POL-302 where the agent was asked: of the call, else of the client; never with a token', async () => {
    const mine = { provider: 'slack', space_id: 'C1' };
    const other = { provider: 'github' };
    const client = connect({ origin: mine });
    await client.proxy('t', {});
    await client.proxy('t', {}, { origin: other });
    await client.verify('t', {}, { origin: other });
    await client.inspect('t', 'x', { origin: other });
    await client.scanInput('x');
    await client.scanOutput('x');
    await client.introspect('a.b');
    expect(server.seen.map(({ body }) => body['origin'])).toEqual([mine, other, other, other, mine, mine, undefined]);
    await connect().proxy('t', {});
    expect(server.seen.at(-1)?.body).not.toHaveProperty('origin');
  });

  it('a token that the gateway can verify, good for five minutes', async () => {
    await connect().proxy('t', {});
    const token = String(server.seen[0]?.headers.authorization).replace('Bearer ', '');
    const claims = verifyAgentJwt(token, { key: agentJwtKey(SECRET), nowSeconds: now / 1000 });
    expect(claims).toMatchObject({
      ok: true,
      value: { sub: AGENT, iss: 'countersign-sdk', iat: now / 1000, exp: now / 1000 + SDK_LIMITS.tokenSeconds },
    });
  });

  it('a descriptor, with its schema as a string', async () => {
    const descriptor = { hash: 'a'.repeat(64), description: 'reads', inputSchema: { type: 'object' } };
    await connect().verify('t', {}, { descriptor, authorizedTools: ['a.b', 'c'] });
    expect(server.seen[0]).toMatchObject({
      path: '/v1/verify',
      body: { tool_descriptor_hash: 'a'.repeat(64), tool_description: 'reads', tool_params_schema: '{"type":"object"}' },
      headers: { 'x-ag-authorized-tools': 'a.b,c' },
    });
  });

  it('a delegation, in body and headers; a single member is not one', async () => {
    const client = connect();
    await agent('root', () => client.proxy('t', {}));
    await agent('root', () => agent('leaf', () => client.proxy('t', {})));
    expect(server.seen[0]?.body).not.toHaveProperty('delegation_chain');
    expect(server.seen[1]?.body).toMatchObject({ caller_agent_id: 'root', delegation_chain: ['root', 'leaf'] });
    expect(server.seen[1]?.headers['x-clampd-delegation-chain']).toBe('root,leaf');
    expect(server.seen[1]?.headers['x-clampd-delegation-trace']).toBe(server.seen[1]?.body['delegation_trace_id']);
  });

  it('inspect, scans and introspection', async () => {
    const client = connect();
    await client.inspect('t', { rows: 1 }, { requestId: 'r', scopeToken: 'a.b' });
    await client.scanInput('hello', { messageCount: 2, roles: ['user'] });
    await client.scanOutput('hello', { requestId: 'r' });
    await client.introspect('a.b');
    expect(server.seen.map(({ path, body }) => ({ path, body }))).toEqual([
      { path: '/v1/inspect', body: { tool: 't', response_data: { rows: 1 }, request_id: 'r', scope_token: 'a.b' } },
      { path: '/v1/scan-input', body: { text: 'hello', message_count: 2, roles: ['user'] } },
      { path: '/v1/scan-output', body: { text: 'hello', request_id: 'r' } },
      { path: '/v1/introspect', body: { token: 'a.b' } },
    ]);
  });

  it('keeps the path of a gateway behind a prefix', async () => {
    await connect({ gatewayUrl: `${server.url}/guard/` }).proxy('t', {});
    expect(server.seen[0]?.path).toBe('/guard/v1/proxy');
  });
});

describe('answers', () => {
  it('a yes', async () => {
    const got = await connect().proxy('t', {});
    expect(got).toMatchObject({
      allowed: true,
      action: 'pass',
      risk: 0.05,
      receiptId: PASS.receipt_id,
      scopeToken: 'payload.signature',
      matchedRules: [],
    });
    expect(got).not.toHaveProperty('fault');
  });

  it('a no', async () => {
    server.script = answer(200, BLOCK);
    const got = await connect().proxy('t', {});
    expect(got).toMatchObject({
      allowed: false,
      action: 'block',
      risk: 0.95,
      denialReason: 'drops a table',
      matchedRules: ['R001', 'R042'],
    });
    expect(got).not.toHaveProperty('fault');
  });

  it('counts of a scan', async () => {
    const scan = { allowed: false, risk_score: 0.85, denial_reason: 'PII', matched_rules: [], latency_ms: 0 };
    server.script = answer(200, { ...scan, pii_found: [{ pii_type: 'ssn', count: 2 }], secrets_found: [{ secret_type: 'jwt', count: 1 }] });
    expect(await connect().scanOutput('x')).toMatchObject({
      allowed: false,
      pii: [{ type: 'ssn', count: 2 }],
      secrets: [{ type: 'jwt', count: 1 }],
    });
  });

  it('a token: active only where the gateway says so', async () => {
    const client = connect();
    server.script = answer(200, { active: true, sub: AGENT, scope: 'a b', exp: 5, tool_binding: 'x' });
    expect(await client.introspect('t')).toEqual({
      active: true,
      subject: AGENT,
      scope: 'a b',
      expires: 5,
      toolBinding: 'x',
      reason: null,
    });
    server.script = answer(200, { active: 'yes' });
    expect(await client.introspect('t')).toMatchObject({ active: false });
    server.script = answer(401, { error: 'no', error_code: 'invalid_jwt' });
    expect(await client.introspect('t')).toMatchObject({ active: false, reason: expect.stringContaining('invalid_jwt') });
  });
});

describe('everything that is not a clear yes is a no', () => {
  const broken: readonly (readonly [string, unknown])[] = [
    ['no JSON', '<html>'],
    ['half an answer', '{"allowed": tr'],
    ['a list', []],
    ['nothing', {}],
    ['allowed as a word', { ...PASS, allowed: 'true' }],
    ['allowed as a number', { ...PASS, allowed: 1 }],
    ['yes and block at once', { ...PASS, action: 'block' }],
    ['no and pass at once', { ...BLOCK, action: 'pass' }],
    ['an action nobody knows', { ...PASS, action: 'maybe' }],
    ['a risk over one', { ...PASS, risk_score: 1.5 }],
    ['no risk', { ...PASS, risk_score: null }],
    ['rules as a word', { ...PASS, matched_rules: 'R001' }],
    ['a rule that is no word', { ...PASS, matched_rules: [7] }],
    ['a token that is no word', { ...PASS, scope_token: 7 }],
    ['a receipt id that is no word', { ...PASS, receipt_id: {} }],
    ['no latency', { ...PASS, latency_ms: undefined }],
    ['the same key twice', `{"allowed":false,${JSON.stringify(PASS).slice(1)}`],
  ];

  it.each(broken)('a 200 with %s', async (_name, body) => {
    server.script = answer(200, body);
    const client = connect();
    expect(await client.proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_answer_invalid', risk: 1 });
  });

  it.each(
    broken.filter(
      ([name]) => !name.includes('action') && !name.includes('at once') && !name.includes('token') && name !== 'the same key twice',
    ),
  )('a scan with %s', async (_name, body) => {
    server.script = answer(200, body);
    expect(await connect().scanInput('t')).toMatchObject({ allowed: false, fault: 'gateway_answer_invalid' });
  });

  it.each([
    [400, 'invalid_session_id'],
    [401, 'invalid_jwt'],
    [403, 'agent_killed'],
    [404, 'agent_not_found'],
    [413, 'payload_too_large'],
    [422, 'tool_not_registered'],
    [429, 'rate_limited'],
    [500, 'internal'],
    [503, 'policy_unavailable'],
  ])('status %i %s, even around a yes', async (status, code) => {
    server.script = answer(status, { ...PASS, error: 'because', error_code: code });
    const got = await connect().proxy('t', {});
    expect(got).toMatchObject({ allowed: false, fault: 'gateway_refused', status, errorCode: code });
    expect(got.denialReason).toContain(code);
  });

  it('a 401 says what it usually means', async () => {
    server.script = answer(401, { error: 'JWT validation failed: InvalidSignature', error_code: 'invalid_jwt' });
    expect((await connect().proxy('t', {})).denialReason).toMatch(/suspended or killed.*InvalidSignature/);
  });

  it('a redirect is not followed', async () => {
    const target = server.url;
    server.script = (_seen, response) => response.writeHead(307, { location: `${target}/elsewhere` }).end();
    expect(await connect().proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_refused', status: 307 });
    expect(server.seen).toHaveLength(1);
  });

  it('a connection cut in the middle of a yes', async () => {
    server.script = (_seen, response) => {
      response.writeHead(200, { 'content-length': '5000' });
      response.write(JSON.stringify(PASS), () => response.destroy());
    };
    expect(await connect().proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_unreachable' });
  });

  it('an answer that does not end', async () => {
    const chunk = Buffer.alloc(1 << 20, 0x20);
    server.script = (_seen, response) => {
      response.writeHead(200);
      const more = (): void => void (response.destroyed || response.write(chunk, more));
      more();
    };
    expect(await connect().proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_answer_invalid' });
  });

  it('an answer that does not come', async () => {
    server.script = () => undefined;
    expect(await connect({ timeoutMs: 1 }).proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_timeout' });
  });

  it('nobody there', async () => {
    const client = connect();
    await server.close();
    expect(await client.proxy('t', {})).toMatchObject({ allowed: false, fault: 'gateway_unreachable' });
    expect(await client.scanOutput('t')).toMatchObject({ allowed: false, fault: 'gateway_unreachable' });
  });
});

describe('request size', () => {
  const overhead = Buffer.byteLength(JSON.stringify({ text: '' }));

  it('the largest body is sent, one byte more is refused here', async () => {
    const client = connect();
    await client.scanInput('x'.repeat(SDK_LIMITS.requestBytesMax - overhead));
    expect(server.seen).toHaveLength(1);
    const over = await client.scanInput('x'.repeat(SDK_LIMITS.requestBytesMax - overhead + 1));
    expect(over).toMatchObject({ allowed: false, fault: 'request_too_large' });
    expect(server.seen).toHaveLength(1);
  });
});

describe('repeats', () => {
  it('none unless asked for', async () => {
    server.script = answer(503, {});
    await connect().proxy('t', {});
    expect(server.seen).toHaveLength(1);
  });

  it.each([429, 500, 503])('of a %i, with doubling pauses and a fresh token', async (status) => {
    server.script = inTurn(answer(status, {}), answer(status, {}), answer(200, PASS));
    const got = await connect({ retry: { maxRetries: 2 } }).proxy('t', {});
    expect(got.allowed).toBe(true);
    expect(pauses).toEqual([500, 1000]);
  });

  it('the pause has a ceiling, the number too', async () => {
    server.script = answer(429, {});
    await connect({ retry: { maxRetries: 99, baseDelayMs: 16_000 } }).proxy('t', {});
    expect(server.seen).toHaveLength(SDK_LIMITS.retriesMax + 1);
    expect(Math.max(...pauses)).toBe(SDK_LIMITS.retryDelayMaxMs);
  });

  it.each([400, 401, 403, 404, 409, 413, 422])('not of a %i', async (status) => {
    server.script = answer(status, {});
    await connect({ retry: { maxRetries: 3 } }).proxy('t', {});
    expect(server.seen).toHaveLength(1);
  });

  it('not of a verdict, nor of an answer that cannot be read', async () => {
    const client = connect({ retry: { maxRetries: 3 } });
    server.script = answer(200, BLOCK);
    await client.proxy('t', {});
    server.script = answer(200, '{');
    await client.proxy('t', {});
    expect(server.seen).toHaveLength(2);
  });

  it('not of a call that the gateway itself forwards, nor of an introspection: either could happen twice', async () => {
    server.script = answer(503, {});
    const client = connect({ retry: { maxRetries: 3 } });
    await client.proxy('t', {}, { targetUrl: 'https://tool.example/run' });
    await client.introspect('a.b');
    expect(server.seen).toHaveLength(2);
  });
});

describe('the circuit breaker', () => {
  it('opens after the fifth failure in a row, and not after the fourth', async () => {
    server.script = answer(500, {});
    const client = connect();
    for (let i = 0; i < 4; i += 1) await client.proxy('t', {});
    server.script = answer(200, PASS);
    expect((await client.proxy('t', {})).allowed).toBe(true);
    server.script = answer(500, {});
    for (let i = 0; i < 5; i += 1) await client.proxy('t', {});
    server.script = answer(200, PASS);
    const count = server.seen.length;
    expect(await client.proxy('t', {})).toMatchObject({ allowed: false, fault: 'circuit_open' });
    expect(await client.scanInput('t')).toMatchObject({ allowed: false, fault: 'circuit_open' });
    expect(server.seen).toHaveLength(count);
  });

  it('lets one trial through when the time has come: a success closes it, a failure opens it again', async () => {
    server.script = answer(500, {});
    const client = connect({ circuitBreaker: { threshold: 1, resetTimeoutMs: 1000 } });
    await client.proxy('t', {});
    now += 999;
    expect((await client.proxy('t', {})).fault).toBe('circuit_open');
    now += 1;
    expect((await client.proxy('t', {})).fault).toBe('gateway_refused');
    now += 999;
    expect((await client.proxy('t', {})).fault).toBe('circuit_open');
    now += 1;
    server.script = answer(200, PASS);
    expect((await client.proxy('t', {})).allowed).toBe(true);
    expect((await client.proxy('t', {})).allowed).toBe(true);
  });

  it('one trial only, however many ask', async () => {
    server.script = answer(500, {});
    const client = connect({ circuitBreaker: { threshold: 1, resetTimeoutMs: 1000 } });
    await client.proxy('t', {});
    now += 1000;
    const faults = await Promise.all([client.proxy('t', {}), client.proxy('t', {}), client.proxy('t', {})]);
    expect(faults.filter(({ fault }) => fault === 'circuit_open')).toHaveLength(2);
    expect(faults.filter(({ fault }) => fault === 'gateway_refused')).toHaveLength(1);
  });

  it('a clock that jumped back does not keep it open for ever', async () => {
    server.script = inTurn(answer(500, {}), answer(200, PASS));
    const client = connect({ circuitBreaker: { threshold: 1, resetTimeoutMs: 1000 } });
    await client.proxy('t', {});
    now -= 3_600_000;
    expect((await client.proxy('t', {})).allowed).toBe(true);
  });

  it('refusals of the caller and full queues do not open it', async () => {
    const client = connect({ circuitBreaker: { threshold: 1, resetTimeoutMs: 1000 } });
    for (const status of [401, 403, 422, 429]) {
      server.script = answer(status, {});
      expect((await client.proxy('t', {})).fault).toBe('gateway_refused');
    }
  });
});

describe('configuration', () => {
  it.each([
    ['gatewayUrl', { gatewayUrl: 'file:///etc/passwd' }],
    ['gatewayUrl', { gatewayUrl: 'not a url' }],
    ['gatewayUrl', { gatewayUrl: 'http://user:pass@127.0.0.1' }],
    ['agentId', { agentId: 'me' }],
    ['apiKey', { apiKey: 'key' }],
    ['apiKey', { apiKey: 'ag_live_a\nb' }],
    ['secret', { secret: '' }],
    ['timeoutMs', { timeoutMs: -1 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['retry.maxRetries', { retry: { maxRetries: 0.5 } }],
    ['circuitBreaker.resetTimeoutMs', { circuitBreaker: { resetTimeoutMs: Infinity } }],
  ])('refuses a bad %s before any request', (path, options) => {
    expect(() => connect(options)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration', fault: expect.objectContaining({ path }) }),
    );
    expect(server.seen).toHaveLength(0);
  });
});
