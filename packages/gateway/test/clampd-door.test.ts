/** The Clampd wire, route by route (spec/http.md). */
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { describe, expect, test } from 'vitest';
import {
  AGENT,
  API_KEY,
  call,
  createWorld,
  findingOf,
  jwt,
  NOW,
  OTHER,
  SECRET,
  verdictOf,
  type World,
  type WorldOptions,
} from './world.ts';

type Sent = readonly [payload: unknown, extra?: Record<string, string>];

async function post(world: World, url: string, ...[payload, extra = {}]: Sent) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const reply = await world.app.inject({ method: 'POST', url, headers: world.headers(extra), payload: text });
  return { status: reply.statusCode, text: reply.body, body: reply.json() };
}

async function once(options: WorldOptions, url: string, ...sent: Sent) {
  const world = await createWorld(options);
  return { ...(await post(world, url, ...sent)), world };
}

async function draftOf(payload: unknown, extra: Record<string, string> = {}) {
  const { world, status } = await once({}, '/v1/proxy', payload, extra);
  return { status, action: world.actions[0] };
}

describe('credentials', () => {
  test.each([
    ['no key', { 'x-ag-key': '' }, 401, 'missing_api_key'],
    ['another form', { 'x-ag-key': 'key' }, 401, 'invalid_api_key'],
    ['unknown key', { 'x-ag-key': `${API_KEY}x` }, 401, 'invalid_api_key'],
    ['no token', { authorization: '' }, 401, 'missing_jwt'],
    ['not a bearer', { authorization: 'Basic eDp5' }, 401, 'invalid_jwt'],
    ['expired', { authorization: `Bearer ${jwt({ exp: NOW - 61 })}` }, 401, 'invalid_jwt'],
    ['another secret', { authorization: `Bearer ${jwt({}, `${SECRET}x`)}` }, 401, 'invalid_jwt'],
    ['unknown agent', { authorization: `Bearer ${jwt({ sub: OTHER })}` }, 401, 'invalid_jwt'],
    ['not a UUID', { authorization: `Bearer ${jwt({ sub: 'me' })}` }, 401, 'invalid_jwt'],
  ] as const)('HTTP-001: %s is refused before the body is read', async (...[, extra, status, code]) => {
    for (const payload of [call(), '{"a":1,"a":']) {
      const reply = await once({}, '/v1/proxy', payload, extra);
      expect([reply.status, reply.body.error_code, reply.body.allowed]).toEqual([status, code, false]);
      if (code === 'invalid_jwt') expect(reply.body.error).toMatch(/JWT validation failed|InvalidSignature/); // HTTP-011
    }
  });

  test('alg none is refused (HTTP-011)', async () => {
    const [, payload = ''] = jwt().split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const reply = await once({}, '/v1/proxy', call(), { authorization: `Bearer ${header}.${payload}.` });
    expect([reply.status, reply.body.error_code]).toEqual([401, 'invalid_jwt']);
  });
});

describe('decisions', () => {
  test('HTTP-002, HTTP-003: an allow has every field', async () => {
    const { status, body } = await once({}, '/v1/proxy', call());
    expect(status).toBe(200);
    expect(body).toEqual({
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receipt_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      allowed: true,
      action: 'pass',
      risk_score: 0,
      scope_granted: 'db:query:read',
      scope_token: expect.any(String),
      tool_response: null,
      denial_reason: null,
      matched_rules: [],
      latency_ms: 0,
      degraded_stages: [],
      session_flags: [],
    });
  });

  test('HTTP-002: a denial is 200 and says why', async () => {
    const reason = { code: 'R001', text: 'drops a table', severity: 'critical', score: 950, evidence: [] } as const;
    const stateReason = { ...reason, code: 'state.rapid_fire' };
    const verdict = verdictOf({ decision: 'deny', risk: 950, reasons: [reason, stateReason], reasonsCut: 2 });
    const { status, body } = await once(
      { verdict, findings: [findingOf('R001'), findingOf('R001'), findingOf('R002')] },
      '/v1/proxy',
      call(),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      allowed: false,
      action: 'block',
      risk_score: 0.95,
      scope_granted: null,
      matched_rules: ['R001', 'R002'],
      session_flags: ['rapid_fire'],
    });
    expect(body.denial_reason).toBe('R001: drops a table; state.rapid_fire: drops a table; and 2 more (risk 0.95)');
    expect(body).not.toHaveProperty('scope_token'); // HTTP-005
  });

  test('HTTP-004: a warning is a flag', async () => {
    const { body } = await once({ verdict: verdictOf({ decision: 'warn', risk: 400 }) }, '/v1/proxy', call());
    expect(body).toMatchObject({ allowed: true, action: 'flag', risk_score: 0.4 });
  });

  test('HTTP-005: verify gives a token, inspect and scans do not', async () => {
    expect((await once({}, '/v1/verify', call())).body).toHaveProperty('scope_token');
    expect((await once({}, '/v1/inspect', { tool: 't', response_data: '' })).body).not.toHaveProperty('scope_token');
    expect((await once({}, '/v1/scan-input', { text: '' })).body).not.toHaveProperty('scope_token');
  });

  test('verify never forwards, and needs no target', async () => {
    const { world, status } = await once({}, '/v1/verify', call({ target_url: 'https://t.example/' }));
    expect([status, world.forwarded]).toEqual([200, []]);
    const { target_url: _, ...without } = call();
    expect((await once({}, '/v1/verify', without)).status).toBe(200);
    expect((await once({}, '/v1/proxy', without)).status).toBe(422);
  });

  test('identical calls without delegation are each decided', async () => {
    const world = await createWorld();
    const replies = [await post(world, '/v1/proxy', call()), await post(world, '/v1/proxy', call())];
    expect(replies.map(({ body }) => body.allowed)).toEqual([true, true]);
    expect(new Set(replies.map(({ body }) => body.request_id)).size).toBe(2);
  });
});

describe('bodies', () => {
  test.each([
    ['duplicate keys', '{"tool":"a","tool":"b","params":{},"target_url":""}', '/tool'],
    ['a prototype key', '{"tool":"a","params":{"__proto__":1},"target_url":""}', '/params/__proto__'],
    ['trailing text', '{}x', ''],
    ['nothing', '', ''],
    ['half a surrogate', '{"tool":"\\ud800","params":{},"target_url":""}', '/tool'],
  ])('HTTP-006: %s', async (...[, text, path]) => {
    const { status, body } = await once({}, '/v1/proxy', text);
    expect([status, body.error_code, body.path]).toEqual([422, 'invalid_json', path]);
  });

  test.each([
    ['no tool', { params: {}, target_url: '' }, ''],
    ['tool of another type', call({ tool: 1 }), '/tool'],
    ['empty tool', call({ tool: '' }), '/tool'],
    ['blank tool', call({ tool: '  ' }), '/tool'],
    ['control character in tool', call({ tool: 'a\u0007' }), '/tool'],
    ['target of another type', call({ target_url: 5 }), '/target_url'],
    ['bad descriptor hash', call({ tool_descriptor_hash: 'ABC' }), '/tool_descriptor_hash'],
    ['chain of another type', call({ delegation_chain: 'a,b' }), '/delegation_chain'],
    ['a list', [], ''],
    ['null', null, ''],
  ])('HTTP-007: %s', async (...[, payload, path]) => {
    const { status, body } = await once({}, '/v1/proxy', payload);
    expect([status, body.error_code, body.path, body.allowed]).toEqual([422, 'invalid_body', path, false]);
  });

  test('HTTP-007: nulls and unknown properties are tolerated, nothing is coerced', async () => {
    expect(
      (await once({}, '/v1/proxy', call({ prompt_context: null, delegation_chain: null, tool_description: null, future: 1 }))).status,
    ).toBe(200);
    const { action } = await draftOf(call({ params: { n: '1', flag: 'true' } }));
    expect(action?.params).toEqual({ n: '1', flag: 'true' });
  });

  test('another media type is 415', async () => {
    const reply = await once({}, '/v1/proxy', JSON.stringify(call()), { 'content-type': 'text/plain' });
    expect([reply.status, reply.body.error_code]).toEqual([415, 'unsupported_media_type']);
  });

  test('tool name at 256 and 257 characters', async () => {
    expect((await once({}, '/v1/proxy', call({ tool: 'x'.repeat(256) }))).status).toBe(200);
    expect((await once({}, '/v1/proxy', call({ tool: 'x'.repeat(257) }))).status).toBe(422);
  });

  test.each(['content-length', 'chunked'] as const)('HTTP-008: 1 MiB and one byte more, by %s, over a real socket', async (how) => {
    const world = await createWorld();
    await world.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = world.app.server.address() as AddressInfo;
    const send = (bytes: number): Promise<number> =>
      new Promise((resolve, reject) => {
        const padding = bytes - JSON.stringify({ text: '' }).length;
        const text = JSON.stringify({ text: 'x'.repeat(padding) });
        const headers = {
          ...world.headers(),
          connection: 'close',
          ...(how === 'content-length' ? { 'content-length': String(bytes) } : {}),
        };
        const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/v1/scan-input', headers }, (reply) => {
          reply.resume();
          resolve(reply.statusCode ?? 0);
        });
        sent.on('error', reject);
        for (let at = 0; at < text.length; at += 65_536) sent.write(text.slice(at, at + 65_536));
        sent.end();
      });
    const read = await send(1_048_576);
    const tooLarge = await send(3_000_000);
    await world.app.close();
    // The action around a text of 1 MiB is itself too large: read by the door, refused by the pipeline.
    expect(read).toBe(413);
    expect(tooLarge).toBe(413);
    expect(world.actions).toEqual([]);
  });

  test('HTTP-008: the door reads a body of n bytes and not one of n + 1', async () => {
    const world = await createWorld({ gateway: { limits: { bodyBytesMax: 1000 } } });
    const text = (bytes: number): string => JSON.stringify({ text: 'x'.repeat(bytes - JSON.stringify({ text: '' }).length) });
    expect((await post(world, '/v1/scan-input', text(1000))).status).toBe(200);
    const over = await post(world, '/v1/scan-input', text(1001));
    expect([over.status, over.body.error_code]).toEqual([413, 'payload_too_large']);
  });

  test('HTTP-009: digits survive, on the way in, out and back', async () => {
    const number = '12345678901234567890.5';
    const options = { response: { body: new TextEncoder().encode(`{"sum":${number}}`) } };
    const text = `{"tool":"t","target_url":"https://t.example/","params":{"a":[1,${number}]}}`;
    const { world, text: reply } = await once(options, '/v1/proxy', text);
    expect(world.actions[0]).toMatchObject({ params: { a: [1, number] }, exactNumbers: ['/params/a/1'] });
    expect(world.forwarded[0]?.body).toBe(`{"a":[1,${number}]}`);
    expect(reply).toContain(`"tool_response":{"sum":${number}}`);
  });
});

describe('wire -> action', () => {
  test.each([
    ['db.query', 'database.query', 'db.query'],
    ['sql.run', 'database.run', 'db.query'],
    ['run_command', 'shell.exec', 'shell.exec'],
    ['RUN_COMMAND', 'shell.exec', 'shell.exec'],
    ['cmd.run', 'shell.run', 'shell.exec'],
    ['Bash', 'shell.exec', 'shell.exec'],
    ['mcp__shell__run', 'shell.run', 'shell.exec'],
    ['mcp.fs.read', 'filesystem.read', 'file.read'],
    ['mcp__files__read_file', 'filesystem.read', 'file.read'],
    ['read_file', 'filesystem.read', 'file.read'],
    ['fs.list', 'filesystem.list', 'file.read'],
    ['file.delete', 'filesystem.delete', 'file.write'],
    ['Write', 'filesystem.write', 'file.write'],
    ['http.post', 'http.post', 'net.egress'],
    ['net.get', 'http.get', 'net.egress'],
    ['secret_read', 'secret.read', 'secret.access'],
    ['mcp__github__create_issue', 'github.create_issue', 'mcp.call'],
    ['mcp__', 'mcp__', 'tool.call'],
    ['process_data', 'function.invoke', 'tool.call'],
    ['web.search', 'web.search', 'tool.call'],
    ['Web.Search', 'Web.Search', 'tool.call'],
    ['constructor', 'constructor', 'tool.call'],
  ])('HTTP-012: %s is %s, %s', async (wire, tool, kind) => {
    const { action } = await draftOf(call({ tool: wire }));
    expect([action?.tool, action?.kind]).toEqual([tool, kind]);
  });

  test('HTTP-013: the chain of the body wins, the agent at its end is left out', async () => {
    const header = {
      'x-clampd-delegation-chain': `${OTHER}, ${AGENT}`,
      'x-clampd-delegation-trace': 'abc',
      'x-clampd-delegation-confidence': 'verified',
    };
    const fromHeader = (await draftOf(call(), header)).action;
    expect([fromHeader?.delegation, fromHeader?.origin]).toEqual([
      [OTHER],
      { delegation_confidence: 'verified', delegation_trace_id: 'abc' },
    ]);
    const fromBody = (await draftOf(call({ delegation_chain: [AGENT], delegation_trace_id: 'd', delegation_purpose: 'p' }), header)).action;
    expect([fromBody?.delegation, fromBody?.origin]).toEqual([[], { delegation_trace_id: 'd', delegation_purpose: 'p' }]);
    expect((await draftOf(call({ delegation_chain: [OTHER.toUpperCase().toLowerCase(), AGENT] }))).action?.origin).toEqual({
      delegation_confidence: 'declared',
    });
    expect((await draftOf(call({ caller_agent_id: OTHER }))).action?.delegation).toEqual([OTHER]);
    expect((await draftOf(call({ caller_agent_id: AGENT }))).action?.delegation).toEqual([]);
  });

  test.each([
    [{}, { 'x-clampd-delegation-confidence': 'sure' }, 400, 'invalid_delegation_confidence'],
    [{ caller_agent_id: 'me' }, {}, 400, 'invalid_caller_agent_id'],
    [{ delegation_chain: [AGENT, AGENT] }, {}, 400, 'invalid_delegation_chain'],
    [{ delegation_chain: [OTHER, OTHER, AGENT] }, {}, 400, 'invalid_delegation_chain'],
    [{ delegation_chain: ['a', 'b', 'c', 'd', 'e', 'f'] }, {}, 400, 'invalid_delegation_chain'],
    [{ delegation_chain: ['a', AGENT] }, {}, 403, 'delegation_unknown_caller'],
    [{}, { 'x-ag-session': 'a b' }, 400, 'invalid_session_id'],
    [{}, { 'x-ag-session': 'x'.repeat(129) }, 400, 'invalid_session_id'],
  ] as const)('HTTP-013: %j %j is %d %s', async (...[overrides, extra, status, code]) => {
    const reply = await once({}, '/v1/proxy', call(overrides), extra);
    expect([reply.status, reply.body.error_code, reply.body.allowed]).toEqual([status, code, false]);
  });

  test('a session of the client is kept; without one, two clients differ', async () => {
    expect((await draftOf(call(), { 'x-ag-session': 'x'.repeat(128) })).action?.session).toBe('x'.repeat(128));
    const sessions = await Promise.all(
      ['1.1.1.1', '1.1.1.2', '1.1.1.1'].map(async (from) => (await draftOf(call(), { 'x-forwarded-for': from })).action?.session),
    );
    expect(sessions[0]).toMatch(/^implicit:/);
    expect([sessions[0] === sessions[1], sessions[0] === sessions[2]]).toEqual([false, true]);
  });

  test.each([
    ['db.query', 200],
    ['other, database.query', 200],
    ['other', 403],
    ['!!!', 403],
    [' ', 200],
    [`${'x,'.repeat(99)}db.query`, 200],
    [`${'x,'.repeat(100)}db.query`, 403],
  ])('HTTP-014: with the list %j a call of db.query is %d', async (list, status) => {
    const reply = await once({}, '/v1/proxy', call(), { 'x-ag-authorized-tools': list });
    expect(reply.status).toBe(status);
    if (status === 403) expect([reply.body.error_code, reply.world.actions]).toEqual(['unauthorized_tool', []]);
  });

  test('HTTP-014: a listed name of 128 characters counts, one of 129 is dropped', async () => {
    for (const [length, status] of [
      [128, 200],
      [129, 403],
    ] as const) {
      const tool = 'x'.repeat(length);
      expect((await once({}, '/v1/proxy', call({ tool }), { 'x-ag-authorized-tools': tool })).status).toBe(status);
    }
  });

  test('HTTP-015: a descriptor hash is kept, or made of what is said of the tool', async () => {
    const hash = 'ab'.repeat(32);
    expect((await draftOf(call({ tool_descriptor_hash: `sha256:${hash}`, tool_description: 'd' }))).action?.descriptor).toEqual({
      hash,
      description: 'd',
    });
    const schema = { type: 'object', properties: { n: { maximum: 1 } } };
    const made = (await draftOf(call({ tool: 'x', tool_description: 'd', tool_params_schema: JSON.stringify(schema) }))).action?.descriptor;
    expect(made).toEqual({ hash: sha256Hex(canonicalize({ name: 'x', description: 'd', inputSchema: schema })), description: 'd', schema });
    expect((await draftOf(call({ tool_params_schema: '{broken' }))).action?.descriptor?.schema).toBe('{broken');
    expect((await draftOf(call())).action).not.toHaveProperty('descriptor');
  });

  test('HTTP-016: the prompt context and every parameter are part of what is judged', async () => {
    const params = { sql: 'SELECT 1', _delegation: { x: 1 }, _sync: true };
    const { action } = await draftOf(call({ prompt_context: 'please', params }));
    expect([action?.context, action?.params]).toEqual(['please', params]);
  });

  test('framework and trace come from headers, and only in their form', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { action } = await draftOf(call(), { 'user-agent': 'Clampd-SDK/1.0 <x>', traceparent });
    expect([action?.source, action?.trace]).toEqual([
      { framework: 'clampd-sdk', door: 'clampd' },
      { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
    ]);
    const odd = (await draftOf(call(), { 'user-agent': '<script>', traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01` })).action;
    expect([odd?.source.framework, odd?.trace]).toEqual(['unknown', undefined]);
  });
});

describe('forwarding', () => {
  const forward = call({ target_url: 'https://t.example/run' });

  test('an allowed call is sent on and its answer handed back', async () => {
    const { body, world } = await once({}, '/v1/proxy', forward);
    expect([body.allowed, body.tool_response]).toEqual([true, { rows: [1] }]);
    expect(world.forwarded).toEqual([{ url: 'https://t.example/run', body: '{"sql":"SELECT 1"}', token: expect.any(String) }]);
  });

  test('a text answer is a JSON string', async () => {
    const { body } = await once({ response: { body: new TextEncoder().encode('plain "text"') } }, '/v1/proxy', forward);
    expect(body.tool_response).toBe('plain "text"');
  });

  test('a denied call is not sent', async () => {
    const { world } = await once({ verdict: verdictOf({ decision: 'deny', risk: 900 }) }, '/v1/proxy', forward);
    expect(world.forwarded).toEqual([]);
  });

  test.each([
    [{ status: 'error', code: 500 }, 200, 'upstream_error: the tool failed with status 500'],
    [{ status: 'timeout' }, 200, 'upstream_timeout'],
    [{ status: 'unknown' }, 200, 'upstream_unknown'],
    [{ status: 'blocked', reason: 'redirect_blocked' }, 200, 'redirect_blocked'],
    [{ status: 'blocked', reason: 'ssrf_blocked' }, 403, undefined],
  ] as const)('HTTP-017: %j is not an allow', async (...[response, status, reason]) => {
    const reply = await once({ response }, '/v1/proxy', forward);
    expect([reply.status, reply.body.allowed]).toEqual([status, false]);
    if (reason !== undefined) expect([reply.body.tool_response, reply.body.denial_reason]).toEqual([null, expect.stringContaining(reason)]);
    else expect(reply.body.error_code).toBe('ssrf_blocked');
  });

  test('HTTP-017: what the fence withholds is not shown', async () => {
    const { body, text } = await once(
      { responseVerdict: { decision: 'deny', risk: 950 }, response: { body: new TextEncoder().encode('"secret rows"') } },
      '/v1/proxy',
      forward,
    );
    expect([body.allowed, body.tool_response, text.includes('secret rows')]).toEqual([false, null, false]);
  });
});

describe('inspection and scans', () => {
  const counts = (pii: Record<string, number>, secrets: Record<string, number> = {}) => ({ pii, secrets });
  const inspect = (response: unknown, options: WorldOptions = {}, extra = {}) =>
    once(options, '/v1/inspect', { tool: 'db.query', response_data: response, ...extra });

  test.each([
    ['nothing', 'all fine', {}, 0, true],
    ['a mail address', 'x', { email: 1 }, 0.4, true],
    ['a sensitive word', 'the password is', {}, 0.3, true],
    ['both', 'the password is', { email: 1 }, 0.7, false],
    ['a social security number', 'x', { ssn: 1 }, 0.7, false],
    ['a card', 'x', { credit_card: 2 }, 0.7, false],
    ['a medical record number', 'x', { mrn: 1 }, 0.7, false],
    ['100 KB', 'x'.repeat(102_400), {}, 0, true],
    ['one byte more', 'x'.repeat(102_401), {}, 0.2, true],
  ] as const)('HTTP-018: %s', async (...[, response, pii, risk, allowed]) => {
    const { body } = await inspect(response, { counts: counts(pii) });
    expect([body.risk_score, body.allowed]).toEqual([risk, allowed]);
  });

  test('HTTP-018: it never takes back what the verdict says', async () => {
    expect((await inspect('fine', { verdict: verdictOf({ decision: 'deny', risk: 800 }) })).body).toMatchObject({
      allowed: false,
      risk_score: 0.8,
    });
    expect((await inspect('an API_KEY=1')).body.matched_rules).toEqual(['api_key']);
  });

  test.each([
    ['db:query:read', '12 rows deleted', false],
    ['db:query:read', 'INSERT INTO t', false],
    ['db:query:read', '12 rows found', true],
    ['db:mutate:write', '12 rows deleted', true],
    ['db:query:read db:mutate:write', '12 rows deleted', true],
    ['*', '12 rows deleted', true],
  ])('HTTP-019: under %s, %j', async (scope, text, allowed) => {
    const world = await createWorld();
    const { body } = await post(world, '/v1/inspect', { tool: 't', response_data: { text }, scope_token: world.token({ scope }) });
    expect(body.allowed).toBe(allowed);
    if (!allowed) expect(body).toMatchObject({ risk_score: 0.9, denial_reason: expect.stringContaining('scope_violation') });
    expect(world.actions[0]).toMatchObject({ kind: 'tool.response', origin: { granted_scope: scope } });
  });

  test('HTTP-019: a token that does not hold is a finding', async () => {
    const { body } = await inspect('12 rows deleted', {}, { scope_token: 'a.b' });
    expect(body).toMatchObject({ allowed: true, reasoning: expect.stringContaining('scope_token_invalid') });
  });

  test('HTTP-020: an output is counted by type', async () => {
    const scan = (pii: Record<string, number>, secrets: Record<string, number>) =>
      once({ counts: counts(pii, secrets) }, '/v1/scan-output', { text: 'x' });
    expect((await scan({}, {})).body).toMatchObject({ allowed: true, risk_score: 0, pii_found: [], secrets_found: [] });
    expect((await scan({ ssn: 2, email: 1, none: 0 }, {})).body).toMatchObject({
      allowed: false,
      risk_score: 0.85,
      denial_reason: 'PII detected in output',
      pii_found: [
        { pii_type: 'email', count: 1 },
        { pii_type: 'ssn', count: 2 },
      ],
    });
    expect((await scan({}, { jwt: 1 })).body).toMatchObject({
      allowed: false,
      risk_score: 0.95,
      secrets_found: [{ secret_type: 'jwt', count: 1 }],
    });
    expect((await once({ counts: counts({ ssn: 1 }) }, '/v1/scan-input', { text: 'x' })).body).toMatchObject({
      allowed: true,
      pii_found: [{ pii_type: 'ssn', count: 1 }],
    });
  });

  test('scans are judged as what they are', async () => {
    const world = await createWorld();
    await post(world, '/v1/scan-input', { text: 'a', message_count: 3, roles: ['user'] });
    await post(world, '/v1/scan-output', { text: 'b', request_id: 'r' });
    expect(world.actions.map(({ kind, content }) => [kind, content])).toEqual([
      ['prompt.input', 'a'],
      ['model.output', 'b'],
    ]);
  });
});

describe('tokens and open routes', () => {
  const introspect = (world: World, token: string, extra: Record<string, string> = {}) => post(world, '/v1/introspect', { token }, extra);

  test('HTTP-021: a token is active once', async () => {
    const world = await createWorld();
    const token = world.token();
    expect((await introspect(world, token)).body).toEqual({
      active: true,
      sub: AGENT,
      scope: 'db:query:read',
      exp: NOW + 300,
      tool_binding: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await introspect(world, token)).body).toEqual({ active: false, reason: 'nonce_consumed' });
  });

  test('HTTP-021: an agent token is not needed, a key is', async () => {
    const world = await createWorld();
    expect((await introspect(world, world.token(), { authorization: '' })).body.active).toBe(true);
    const refused = await introspect(world, world.token(), { 'x-ag-key': '' });
    expect([refused.status, refused.body.error_code]).toEqual([401, 'missing_api_key']);
    expect((await introspect(world, world.token(), { 'x-ag-key': 'ag_test_no' })).body.error_code).toBe('invalid_api_key');
  });

  test.each([
    [{ exp: NOW - 1 }, 'expired'],
    [{ sub: '00000000-0000-7000-8000-00000000ffff' }, 'agent_denied'],
  ])('HTTP-021: %j is %s', async (claims, reason) => {
    const world = await createWorld();
    expect((await introspect(world, world.token(claims))).body).toEqual({ active: false, reason });
  });

  test('HTTP-021: of a killed agent, and forged', async () => {
    const killed = await createWorld({ agentState: 'killed' });
    expect((await introspect(killed, killed.token())).body).toEqual({ active: false, reason: 'agent_denied' });
    const world = await createWorld();
    const forged = `${world.token().slice(0, -4)}AAAA`;
    expect((await introspect(world, forged)).body).toMatchObject({ active: false, reason: expect.stringContaining('Invalid token') });
  });

  test('HTTP-022: one key, under its name', async () => {
    const { app, signer } = await createWorld();
    const reply = await app.inject('/.well-known/jwks.json');
    const x = Buffer.from(signer.publicKey).toString('base64url');
    expect(reply.json()).toEqual({ keys: [{ kty: 'OKP', crv: 'Ed25519', use: 'sig', kid: 'scope-v1', x }] });
  });

  test('HTTP-023 LOG-083: health says why', async () => {
    const good = await (await createWorld()).app.inject('/health');
    expect([good.statusCode, good.json(), good.headers['content-type']]).toEqual([
      200,
      { status: 'ok' },
      'application/json; charset=utf-8',
    ]);
    const noPolicy = await (await createWorld({ faults: ['engine-none'] })).app.inject('/health');
    expect([noPolicy.statusCode, noPolicy.json()]).toEqual([503, { status: 'unavailable', reason: 'there is no policy' }]);
    const logs = [{ name: 'team-a', reason: 'the log stopped' }];
    const oneDead = await (await createWorld({ gateway: { failedLogs: () => logs, refusedPolicy: () => 'old' } })).app.inject('/health');
    expect([oneDead.statusCode, oneDead.json()]).toEqual([200, { status: 'degraded', logs, policy: 'old' }]);
    const allDead = await (await createWorld({ gateway: { problem: () => 'x', failedLogs: () => logs } })).app.inject('/health');
    expect([allDead.statusCode, allDead.json()]).toEqual([503, { status: 'unavailable', reason: 'x' }]);
    const deadLog = await (await createWorld({ gateway: { problem: () => 'the log has failed' } })).app.inject('/health');
    expect([deadLog.statusCode, deadLog.json().reason]).toEqual([503, 'the log has failed']);
  });

  test('HTTP-024: what happened is counted, and no label comes from a request', async () => {
    const world = await createWorld();
    await post(world, '/v1/proxy', call());
    await post(world, '/v1/proxy', call(), { 'x-ag-key': '' });
    await post(world, '/v1/proxy', '{');
    await world.app.inject('/v1/evil"}');
    const { body } = await world.app.inject('/metrics');
    for (const line of [
      'agentguard_requests_total 1',
      'agentguard_allowed_total 1',
      'agentguard_denied_total 0',
      'agentguard_flagged_total 0',
      'agentguard_latency_count 1',
      'agentguard_up 1',
      'countersign_refusals_total{code="invalid_json"} 1',
      'countersign_refusals_total{code="missing_api_key"} 1',
      'countersign_decisions_in_flight 0',
    ]) {
      expect(body.split('\n')).toContain(line);
    }
    expect(body).not.toContain('evil');
  });

  test('anything else is 404, and not a yes', async () => {
    const { app, headers } = await createWorld();
    for (const [method, url] of [
      ['GET', '/v1/proxy'],
      ['POST', '/nothing'],
      ['GET', '/../../etc/passwd'],
      ['GET', '/api/v1/agents'],
    ] as const) {
      const reply = await app.inject({ method, url, headers: headers() });
      expect([reply.statusCode, reply.json().allowed]).toEqual([404, false]);
    }
  });
});

test('HTTP-025: a decision under way is answered while the gateway stops', async () => {
  const world = await createWorld({ faults: ['judge-hangs'] });
  await world.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = world.app.server.address() as AddressInfo;
  const answer = fetch(`http://127.0.0.1:${port}/v1/proxy`, { method: 'POST', headers: world.headers(), body: JSON.stringify(call()) });
  while (world.ports.gate.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = world.app.close();
  while (world.ports.gate.inFlight > 0) {
    world.expire();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const reply = await answer;
  expect([reply.status, ((await reply.json()) as { allowed: boolean }).allowed]).toEqual([503, false]);
  await closed;
});
