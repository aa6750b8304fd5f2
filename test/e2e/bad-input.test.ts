/** Whatever is sent to a real gateway: a stable code, a sentence, nothing that leaks, nothing allowed, and a log that still holds. */
import { createHmac } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { agentJwtKey, base64url, mintAgentJwt } from '@countersign/crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../../bench/server-process.ts';
import { expectClean, followedReceipts, type Gateway, type Reply, openGateway } from './gateway-world.ts';

let gateway: Gateway;
let running = true;

const LIMIT = 1_048_576;
const SELECT = { sql: 'SELECT name FROM users WHERE id = 5' };
const call = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({ tool: 'database.query', params: SELECT, target_url: '', ...more });

beforeAll(async () => {
  gateway = await openGateway();
});

afterEach(async () => {
  if (!running) return;
  const good = await gateway.call('database.query', SELECT);
  expect([good.status, good.body['allowed']], 'the gateway goes on').toEqual([200, true]);
});

afterAll(() => gateway.close());

/** Sends bytes as they are and reads until the other side ends. */
async function raw(bytes: string): Promise<Reply> {
  const { hostname, port } = new URL(gateway.ready.url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), text: body, body: JSON.parse(body) as Record<string, unknown> };
}

async function* chunks(body: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 65_536) yield Buffer.from(body.slice(at, at + 65_536));
}

describe('bodies', () => {
  it.each([
    ['nothing', '', 'invalid_json', ''],
    ['half a document', '{"tool":"x",', 'invalid_json', ''],
    ['more than a document', `${call()} true`, 'invalid_json', ''],
    ['a key twice', '{"tool":"x","tool":"y","params":{},"target_url":""}', 'invalid_json', '/tool'],
    ['a key twice, once escaped', '{"tool":"x","too\\u006c":"y","params":{},"target_url":""}', 'invalid_json', '/tool'],
    ['__proto__ in params', '{"tool":"x","params":{"__proto__":{"allowed":true}},"target_url":""}', 'invalid_json', '/params/__proto__'],
    ['half a surrogate pair', '{"tool":"x","params":{"a":"\\ud800"},"target_url":""}', 'invalid_json', '/params/a'],
    ['a raw NUL', '{"tool":"x","params":"\u0000","target_url":""}', 'invalid_json', '/params'],
    ['an escaped NUL in a name', '{"tool":"x\\u0000y","params":{},"target_url":""}', 'invalid_body', '/tool'],
    ['a byte order mark', `\ufeff${call()}`, 'invalid_json', ''],
    ['not a number', '{"tool":"x","params":NaN,"target_url":""}', 'invalid_json', '/params'],
    ['200 deep', call({ params: 0 }).replace(':0', `:${'['.repeat(200)}${']'.repeat(200)}`), 'invalid_json', `/params${'/0'.repeat(63)}`],
    ['an array', '[]', 'invalid_body', ''],
    ['null', 'null', 'invalid_body', ''],
    ['a number for the tool', call({ tool: 5 }), 'invalid_body', '/tool'],
    ['an empty tool', call({ tool: '' }), 'invalid_body', '/tool'],
    ['a tool of 257 characters', call({ tool: 'a'.repeat(257) }), 'invalid_body', '/tool'],
    ['no params', '{"tool":"x","target_url":""}', 'invalid_body', ''],
    ['no target', '{"tool":"x","params":{}}', 'invalid_body', ''],
    ['a number for the target', call({ target_url: 1 }), 'invalid_body', '/target_url'],
    ['a text for the chain', call({ delegation_chain: 'a,b' }), 'invalid_body', '/delegation_chain'],
    ['a descriptor hash that is none', call({ tool_descriptor_hash: 'abc' }), 'invalid_body', '/tool_descriptor_hash'],
  ])('%s', async (...[, body, code, path]) => {
    const reply = await gateway.send({ body });
    gateway.expectRefusal(reply, 422, code);
    expect(reply.body['path'], reply.text).toBe(path);
    expect(reply.body['receipt_id']).toBeNull();
  });

  it.each([
    ['a byte that is never UTF-8', [0xff]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
    ['half a character', [0xe2, 0x82]],
  ])('bytes that are not UTF-8: %s', async (...[, bytes]) => {
    const [before = '', after = ''] = call({ params: { sql: 'X' } }).split('X');
    const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    gateway.expectRefusal(await gateway.send({ body }), 422, 'invalid_json');
  });

  it('a body that is no JSON by its own word', async () => {
    gateway.expectRefusal(await gateway.send({ body: call(), headers: { 'content-type': 'text/plain' } }), 415, 'unsupported_media_type');
  });

  const padded = (bytes: number): string => call().padEnd(bytes, ' ');

  it.each([
    ['by its length', (body: string) => body],
    ['in chunks', chunks],
  ])('the limit, %s: n is read and judged, n + 1 and 2 MB are not', async (...[, form]) => {
    const atLimit = await gateway.send({ body: form(padded(LIMIT)) });
    expect([atLimit.status, atLimit.body['allowed']], atLimit.text.slice(0, 300)).toEqual([200, true]);
    for (const bytes of [LIMIT + 1, 2_000_000]) {
      const over = await gateway.send({ body: form(padded(bytes)) });
      gateway.expectRefusal(over, 413, 'payload_too_large');
      expect(over.body['hint']).toBe('send at most 1 MiB');
    }
  });

  it('an action that with its envelope is over the limit says how large it is', async () => {
    const empty = call({ tool: 'custom.note', params: '' }).length;
    const reply = await gateway.send({ body: call({ tool: 'custom.note', params: 'a'.repeat(LIMIT - empty) }) });
    gateway.expectRefusal(reply, 413, 'payload_too_large');
    expect(reply.body['error']).toMatch(/^an action has at most 1048576 bytes, and this one has \d+$/);
  });
});

describe('requests', () => {
  it('a header beyond the limit', async () => {
    const reply = await raw(`POST /v1/proxy HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(20_000)}\r\n\r\n`);
    gateway.expectRefusal(reply, 431, 'headers_too_large');
  });

  it.each([
    ['no HTTP at all', 'HELLO THERE\r\n\r\n'],
    ['two lengths', 'POST /v1/proxy HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n{}'],
    ['a length and chunks', 'POST /v1/proxy HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a path that cannot be decoded', 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ])('%s', async (...[, bytes]) => {
    gateway.expectRefusal(await raw(bytes), 400, 'malformed_request');
  });

  it('a route that is not there, and one by another method', async () => {
    gateway.expectRefusal(await gateway.send({ path: '/v1/execute', body: call() }), 404, 'not_found');
    gateway.expectRefusal(await raw('GET /v1/proxy HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'), 404, 'not_found');
  });

  it.each(['a b', 'a/../b', 'ü', 'a'.repeat(129), '<script>'])('a session id that is none: %s', async (session) => {
    const headers = { 'x-ag-session': Buffer.from(session).toString('latin1') };
    gateway.expectRefusal(await gateway.send({ body: call(), headers }), 400, 'invalid_session_id');
  });

  it('a kind of action that nobody knows does not pass for a known one', async () => {
    const reply = await gateway.call('quantum.entangle', { x: 1 }, { kind: 'allow', action: 'pass', allowed: true, verdict: 'allow' });
    expect([reply.status, reply.body['action']], reply.text).toEqual([200, 'flag']);
    const { body } = await gateway.operator('GET', `/api/v1/receipts/${String(reply.body['receipt_id'])}`);
    expect(JSON.stringify(body)).toContain('"kind":"tool.call"');
  });
});

describe('who asks', () => {
  const claims = (more: Record<string, unknown> = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return { sub: gateway.ready.agentId, iss: 'e2e', iat: now, exp: now + 600, ...more };
  };
  const sign = (header: unknown, payload: unknown, key: Uint8Array): string => {
    const signed = [header, payload].map((part) => base64url(Buffer.from(JSON.stringify(part)))).join('.');
    return `${signed}.${base64url(createHmac('sha256', key).update(signed).digest())}`;
  };
  const key = (): Uint8Array => agentJwtKey(gateway.ready.agentSecret);
  const HS256 = { alg: 'HS256', typ: 'JWT' };

  it.each<readonly [string, () => string]>([
    ['expired', () => mintAgentJwt({ key: key(), claims: claims({ exp: 1_700_000_000 }) })],
    ['of tomorrow', () => sign(HS256, claims({ nbf: claims().exp + 86_400 }), key())],
    ['signed with another key', () => mintAgentJwt({ key: agentJwtKey(`ags_${'b'.repeat(40)}`), claims: claims() })],
    ['signed with the secret itself', () => sign(HS256, claims(), Buffer.from(gateway.ready.agentSecret))],
    ['with other claims than were signed', () => forged(mintAgentJwt({ key: key(), claims: claims() }), claims({ scopes: ['*'] }))],
    ['alg none', () => `${sign({ alg: 'none' }, claims(), key()).split('.').slice(0, 2).join('.')}.`],
    ['alg nOnE with a good signature', () => sign({ alg: 'nOnE' }, claims(), key())],
    ['alg RS256 over the HMAC key', () => sign({ alg: 'RS256', typ: 'JWT' }, claims(), key())],
    ['without an end', () => sign(HS256, { sub: gateway.ready.agentId }, key())],
    ['of nobody', () => mintAgentJwt({ key: key(), claims: claims({ sub: '01900000-0000-7000-8000-000000000000' }) })],
    ['with a name for an id', () => sign(HS256, claims({ sub: 'first-agent' }), key())],
    ['with critical extensions', () => sign({ ...HS256, crit: ['b64'], b64: false }, claims(), key())],
    ['that is no token', () => 'e30.e30'],
  ])('a token %s', async (...[, token]) => {
    const reply = await gateway.send({ body: call(), headers: { authorization: `Bearer ${token()}` } });
    gateway.expectRefusal(reply, 401, 'invalid_jwt');
    expect(reply.body['error']).toMatch(/JWT validation failed|InvalidSignature/);
    expectClean(reply.text, [token()]);
  });

  function forged(token: string, payload: unknown): string {
    const [header = '', , signature = ''] = token.split('.');
    return `${header}.${base64url(Buffer.from(JSON.stringify(payload)))}.${signature}`;
  }

  it('no key, no token, and a key of another form', async () => {
    const { url } = gateway.ready;
    const bare = (headers: Record<string, string>): Promise<Reply> =>
      fetch(`${url}/v1/proxy`, { method: 'POST', body: '{"tool":', headers }).then(async (response) => {
        const answer = await response.text();
        return { status: response.status, text: answer, body: JSON.parse(answer) as Record<string, unknown> };
      });
    gateway.expectRefusal(await bare({ 'content-type': 'application/json' }), 401, 'missing_api_key');
    gateway.expectRefusal(await bare({ 'x-ag-key': 'ag_live_nobody' }), 401, 'invalid_api_key');
    gateway.expectRefusal(await bare({ 'x-ag-key': "' OR 1=1 --" }), 401, 'invalid_api_key');
    gateway.expectRefusal(await bare({ 'x-ag-key': gateway.ready.apiKey }), 401, 'missing_jwt');
  });

  it('a revoked key', async () => {
    const made = await gateway.operator('POST', '/api/v1/keys', { label: 'short-lived' });
    const { apiKey, key: secret } = made.body as { apiKey: { id: string }; key: string };
    expect((await gateway.send({ body: call(), headers: { 'x-ag-key': secret } })).status).toBe(200);
    await gateway.operator('POST', `/api/v1/keys/${apiKey.id}/revoke`);
    const reply = await gateway.send({ body: call(), headers: { 'x-ag-key': secret } });
    gateway.expectRefusal(reply, 401, 'invalid_api_key');
    expectClean(reply.text, [secret]);
  });

  it('a suspended agent, and then a killed one', async () => {
    const made = await gateway.operator('POST', '/api/v1/agents', { name: 'doomed', scopes: ['*'] });
    const { agent, secret } = made.body as { agent: { id: string }; secret: string };
    const token = mintAgentJwt({ key: agentJwtKey(secret), claims: claims({ sub: agent.id }) });
    const ask = (): Promise<Reply> => gateway.send({ body: call(), headers: { authorization: `Bearer ${token}` } });
    expect((await ask()).body['allowed']).toBe(true);
    await gateway.operator('POST', `/api/v1/agents/${agent.id}/state`, { state: 'suspended', reason: 'e2e' });
    const suspended = await ask();
    gateway.expectRefusal(suspended, 403, 'agent_suspended');
    expect(suspended.body['receipt_id'], 'a refusal of a known agent is recorded').toEqual(expect.any(String));
    await gateway.operator('POST', `/api/v1/agents/${agent.id}/state`, { state: 'killed', reason: 'e2e' });
    const killed = await ask();
    expect([
      [401, 'invalid_jwt'],
      [403, 'agent_killed'],
    ]).toContainEqual([killed.status, killed.body['error_code']]);
    const delegated = await gateway.send({ body: call({ delegation_chain: [agent.id, gateway.ready.agentId] }) });
    gateway.expectRefusal(delegated, 403, 'agent_killed');
    const back = await gateway.operator('POST', `/api/v1/agents/${agent.id}/state`, { state: 'active', reason: 'e2e' });
    gateway.expectRefusal(back, 409, 'invalid_state_transition');
  });

  it.each([
    ['6 deep', ['a', 'b', 'c', 'd', 'e', 'f'], 400, 'invalid_delegation_chain', 'Delegation depth'],
    ['a circle', ['a', 'b', 'a'], 400, 'invalid_delegation_chain', 'Circular delegation'],
    ['a circle in other case', ['Agent-A', 'b', 'AGENT-a'], 400, 'invalid_delegation_chain', 'Circular delegation'],
    ['unknown members', ['a', 'b'], 403, 'delegation_unknown_caller', 'not an agent of this org'],
  ] as const)('a delegation chain: %s', async (...[, chain, status, code, words]) => {
    const inBody = await gateway.send({ body: call({ delegation_chain: chain }) });
    const inHeader = await gateway.send({ body: call(), headers: { 'x-clampd-delegation-chain': chain.join(',') } });
    for (const reply of [inBody, inHeader]) {
      gateway.expectRefusal(reply, status, code);
      expect(reply.body['error']).toContain(words);
    }
  });

  it('a tool that a locked org does not know, and an agent of another org', async () => {
    const made = await gateway.operator('POST', '/api/v1/orgs', { name: 'locked', mode: 'locked' });
    const org = (made.body as { org: { id: string } }).org.id;
    const { agent, secret } = (await gateway.operator('POST', '/api/v1/agents', { name: 'locked-agent', scopes: ['*'], org })).body as {
      agent: { id: string };
      secret: string;
    };
    const { key: apiKey } = (await gateway.operator('POST', '/api/v1/keys', { label: 'locked', org })).body as { key: string };
    const token = mintAgentJwt({ key: agentJwtKey(secret), claims: claims({ sub: agent.id }) });
    const headers = { 'x-ag-key': apiKey, authorization: `Bearer ${token}` };
    const unknown = await gateway.send({ body: call(), headers });
    gateway.expectRefusal(unknown, 422, 'tool_not_registered');
    expect(unknown.body['receipt_id']).toEqual(expect.any(String));
    const worse = await gateway.send({ body: call({ params: { sql: 'DROP TABLE users' } }), headers });
    expect([worse.status, worse.body['allowed']], 'what more there is to say is said').toEqual([200, false]);
    expect(worse.body).toMatchObject({
      matched_rules: expect.arrayContaining(['R001']),
      denial_reason: expect.stringContaining('tool_not_registered'),
    });
    await gateway.operator('POST', '/api/v1/tools/approve', { tool: 'database.query', org });
    expect((await gateway.send({ body: call(), headers })).body['allowed']).toBe(true);
    gateway.expectRefusal(await gateway.send({ body: call(), headers: { 'x-ag-key': apiKey } }), 403, 'org_mismatch');
  });

  it('a scope token twice, another one changed, and one of nobody', async () => {
    const { scope_token: token } = (await gateway.call('database.query', SELECT)).body as { scope_token: string };
    const introspect = async (sent: string) => (await gateway.send({ path: '/v1/introspect', body: JSON.stringify({ token: sent }) })).body;
    expect(await introspect(token)).toMatchObject({ active: true, sub: gateway.ready.agentId });
    expect(await introspect(token)).toEqual({ active: false, reason: 'nonce_consumed' });
    const fresh = (await gateway.call('database.query', SELECT)).body['scope_token'] as string;
    const [payload = '', signature = ''] = fresh.split('.');
    const widened = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const other = base64url(Buffer.from(JSON.stringify({ ...widened, scope: '*' })));
    for (const bad of [
      `${other}.${signature}`,
      `${payload}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
      `${payload}.`,
      payload,
      'x',
    ])
      expect(await introspect(bad)).toEqual({ active: false, reason: expect.stringMatching(/^Invalid token: .{10}/) });
    expect(await introspect(fresh), 'what was tried with copies of it does not consume a token').toMatchObject({ active: true });
  });
});

describe('policies and rules', () => {
  const TYPO = 'version: "1.1.0"\nname: x\nextends: default\nguards:\n  egress_allowlist:\n    default_acton: log\n';

  it('a policy with a typo changes nothing', async () => {
    const before = await gateway.operator('GET', '/api/v1/policies/active');
    const reply = await gateway.operator('POST', '/api/v1/policies', { source: TYPO });
    gateway.expectRefusal(reply, 422, 'policy_rejected');
    expect(reply.body).toMatchObject({ path: 'guards.egress_allowlist.default_acton', hint: 'did you mean `default_action`?' });
    expect((await gateway.operator('GET', '/api/v1/policies/active')).text).toBe(before.text);
  });

  it('the command line says line and column of it, exit 3', async () => {
    for (const command of ['validate', 'apply']) {
      const human = await gateway.cli(['policy', command, '-'], TYPO);
      expect([human.code, human.stdout]).toEqual([3, '']);
      expect(human.stderr).toContain('-:6:5: guards.egress_allowlist.default_acton');
      expectClean(human.stderr);
    }
    const machine = JSON.parse((await gateway.cli(['policy', 'validate', '-', '--json'], TYPO)).stdout) as Record<string, unknown>;
    expect(machine).toMatchObject({ exit_code: 3, error: { kind: 'policy_unknown_field', line: 6, column: 5 } });
  });

  const EVIL = ['(a+)+$', '(a|a)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a+)\\1'];

  it.each(EVIL)('a policy with the pattern %s is refused with its place, and changes nothing', async (pattern) => {
    const source = `version: "1.1.0"\nname: x\nguards:\n  secret_leak:\n    patterns:\n      - { name: evil, pattern: '${pattern}', severity: critical }\n`;
    const before = await gateway.operator('GET', '/api/v1/policies/active');
    const reply = await gateway.operator('POST', '/api/v1/policies', { source });
    gateway.expectRefusal(reply, 422, 'policy_rejected');
    expect(reply.body['path']).toBe('guards.secret_leak.patterns[0].pattern');
    expect((await gateway.operator('GET', '/api/v1/policies/active')).text).toBe(before.text);
    const validated = await gateway.cli(['policy', 'validate', '-'], source);
    expect([validated.code, validated.stdout]).toEqual([3, '']);
    expect(validated.stderr).toMatch(/-:6:\d+: guards\.secret_leak\.patterns\[0\]\.pattern: /);
    expectClean(validated.stderr);
  });

  it.each(EVIL)('a rule file with the pattern %s is refused with its line', async (regex) => {
    const file = [
      'version: 1',
      'pack: evil',
      'rules:',
      '  - id: X900',
      '    title: Runs for ever',
      '    category: injection',
      '    severity: high',
      '    score: 0.8',
      '    when:',
      '      text:',
      `        regex: '${regex}'`,
      '    tags: {owasp: [ASI02], atlas: [], cwe: []}',
      '    examples:',
      '      positive: [{response: aaaaaaaaab}]',
      '      negative: [{response: b}]',
      '',
    ].join('\n');
    const ended = await gateway.cli(['rules', 'test', '-'], file);
    expect(ended.code, ended.stdout + ended.stderr).toBe(3);
    expect(ended.stderr).toMatch(/-:11:\d+: /);
    expectClean(ended.stderr);
  });
});

it('after all of this the log verifies, and everything that was acknowledged is in it', async () => {
  const { dataDir } = gateway.ready;
  running = false;
  expect(await gateway.server.kill('SIGTERM')).toBe(0);
  const again = await startServer(dataDir);
  try {
    const receipts = await followedReceipts(again.ready.url, dataDir);
    expect([...gateway.acknowledged].filter((id) => !receipts.has(id))).toEqual([]);
    expect(gateway.acknowledged.size).toBeGreaterThan(60);
  } finally {
    await again.kill('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  }
});
