/** An application with the SDK: against a real gateway, in its own process, and with the shapes that Clampd clients look for. */
import { rm } from 'node:fs/promises';
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import { verifyBundle } from '@countersign/receipts/verify';
import { CountersignBlockedError, CountersignClient, currentScopeToken, guard } from '@countersign/sdk';
import { openEmbedded } from '@countersign/sdk/embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, newDirectory, openGateway } from './gateway-world.ts';

async function thrownBy(work: () => Promise<unknown>): Promise<CountersignBlockedError> {
  const thrown: unknown = await work().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof CountersignBlockedError) return thrown;
  throw new Error(`not blocked: ${String(thrown)}`);
}

describe('against a gateway', () => {
  let gateway: Gateway;
  let client: CountersignClient;
  const ran: unknown[] = [];

  beforeAll(async () => {
    gateway = await openGateway({ JWT_SECRET: 'an-operator-secret-of-forty-characters!!' });
    const { url, apiKey, agentId, agentSecret } = gateway.ready;
    client = new CountersignClient({ gatewayUrl: url, apiKey, agentId, secret: agentSecret, session: 'sdk-test' });
  });

  afterAll(async () => {
    await client.close();
    await gateway.close();
  });

  const query = (sql: string): Promise<unknown> =>
    guard(
      (params: { sql: string }) => {
        ran.push(params.sql);
        return { rows: [1], token: currentScopeToken() };
      },
      { toolName: 'database.query', client },
    )({ sql });

  it('guard lets a call through, once, with a scope token for the tool', async () => {
    const result = (await query('SELECT name FROM users WHERE id = 5')) as { rows: number[]; token: string };
    expect([result.rows, ran]).toEqual([[1], ['SELECT name FROM users WHERE id = 5']]);
    expect(await client.introspect(result.token)).toMatchObject({ active: true, subject: gateway.ready.agentId });
    expect(await client.introspect(result.token)).toMatchObject({ active: false, reason: 'nonce_consumed' });
  });

  it('guard refuses with rules, risk and the receipt, which is in the log', async () => {
    ran.length = 0;
    const error = await thrownBy(() => query('DROP TABLE users'));
    expect(error).toMatchObject({ code: 'denied', rules: expect.arrayContaining(['R001']), receiptId: expect.any(String) });
    expect([error.risk >= 0.9, ran]).toEqual([true, []]);
    expect(error.message).toContain('R001');
    const { body } = await gateway.operator('GET', `/api/v1/receipts/${String(error.receiptId)}`);
    expect(JSON.stringify(body)).toContain('"decision":"deny"');
  });

  it('a refusal of a known agent names its receipt too', async () => {
    const made = await gateway.operator('POST', '/api/v1/agents', { name: 'sdk-doomed', scopes: ['*'] });
    const { agent, secret } = made.body as { agent: { id: string }; secret: string };
    await gateway.operator('POST', `/api/v1/agents/${agent.id}/state`, { state: 'suspended', reason: 'e2e' });
    const { url, apiKey } = gateway.ready;
    const doomed = new CountersignClient({ gatewayUrl: url, apiKey, agentId: agent.id, secret });
    const error = await thrownBy(() => guard(() => 1, { toolName: 'database.query', client: doomed })());
    await doomed.close();
    expect(error).toMatchObject({
      code: 'gateway_refused',
      receiptId: expect.any(String),
      reason: expect.stringContaining('agent_suspended'),
    });
  });

  it('guard withholds a result that carries what it should not', async () => {
    const read = guard(() => ({ patient: 'SSN 536-90-4399' }), { toolName: 'records.read', client, checkResponse: true });
    expect(await thrownBy(() => read())).toMatchObject({ code: 'response_blocked', receiptId: expect.any(String) });
  });

  it('nobody there is a refusal', async () => {
    const { apiKey, agentId, agentSecret } = gateway.ready;
    const lost = new CountersignClient({ gatewayUrl: 'http://127.0.0.1:1', apiKey, agentId, secret: agentSecret });
    expect(await thrownBy(() => guard(() => 1, { toolName: 'database.query', client: lost })())).toMatchObject({
      code: 'gateway_unreachable',
      risk: 1,
      receiptId: null,
    });
    await lost.close();
  });

  describe('the shapes a Clampd client looks for', () => {
    const SELECT = { sql: 'SELECT 1' };

    it('a decision has every member, and its lists are there when they are empty', async () => {
      const { body } = await gateway.call('database.query', SELECT);
      expect(body).toMatchObject({
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        allowed: true,
        action: expect.stringMatching(/^(pass|flag)$/),
        risk_score: expect.any(Number),
        matched_rules: [],
        degraded_stages: [],
        session_flags: [],
        denial_reason: null,
        tool_response: null,
      });
      expect(Number.isInteger(body['latency_ms'])).toBe(true);
    });

    it.each(['web.search', 'doc.write', 'custom.tool_7', 'product.search', 'mcp__notes__add'])(
      'a benign tool nobody registered: %s',
      async (tool) => {
        for (let again = 0; again < 3; again += 1)
          expect((await gateway.call(tool, { q: 'weather in Oslo' })).body, 'the same call again is fine').toMatchObject({ allowed: true });
      },
    );

    it('a registration at start: no params, a descriptor, the list of all tools', async () => {
      const body = { tool: 'notes.add', params: {}, target_url: '', tool_descriptor_hash: 'a'.repeat(64), tool_description: 'Adds a note' };
      const reply = await gateway.send({ body: JSON.stringify(body), headers: { 'x-ag-authorized-tools': 'notes.add,notes.list' } });
      expect([reply.status, reply.body['allowed']], reply.text).toEqual([200, true]);
      const other = await gateway.send({
        body: JSON.stringify({ ...body, tool: 'shell.exec', params: { command: 'ls' } }),
        headers: { 'x-ag-authorized-tools': 'notes.add,notes.list' },
      });
      gateway.expectRefusal(other, 403, 'unauthorized_tool');
    });

    it('unknown members of params and body are judged and tolerated', async () => {
      const params = { ...SELECT, _delegation: { chain: [] }, _sync: true };
      expect((await gateway.call('database.query', params, { sdk_version: '0.10.6', request_timestamp: 1 })).body['allowed']).toBe(true);
    });

    it('the key of scope tokens, and tokens of two parts', async () => {
      const jwks = (await (await fetch(`${gateway.ready.url}/.well-known/jwks.json`)).json()) as { keys: Record<string, string>[] };
      expect(jwks.keys).toEqual([{ kty: 'OKP', crv: 'Ed25519', use: 'sig', kid: 'scope-v1', x: expect.stringMatching(/^[\w-]{43}$/) }]);
      const token = String((await gateway.call('database.query', SELECT)).body['scope_token']);
      const [payload = '', signature = '', ...rest] = token.split('.');
      const key = await crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: jwks.keys[0]?.['x'] ?? '' }, 'Ed25519', false, [
        'verify',
      ]);
      const good = await crypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64url'), Buffer.from(payload));
      expect([good, rest]).toEqual([true, []]);
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      expect(claims).toMatchObject({
        sub: gateway.ready.agentId,
        scope: expect.any(String),
        tool: 'database.query',
        rid: expect.any(String),
        exp: expect.any(Number),
      });
    });

    it('health is JSON, without a credential', async () => {
      const response = await fetch(`${gateway.ready.url}/health`);
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    });

    it('the shared secret does not open an agent that has its own', async () => {
      const now = Math.floor(Date.now() / 1000);
      const token = mintAgentJwt({
        key: agentJwtKey('an-operator-secret-of-forty-characters!!'),
        claims: { sub: gateway.ready.agentId, iss: 'clampd-sdk', iat: now, exp: now + 600 },
      });
      const reply = await gateway.send({ body: '{}', headers: { authorization: `Bearer ${token}` } });
      gateway.expectRefusal(reply, 401, 'invalid_jwt');
      expect(reply.body['error']).toContain('InvalidSignature');
    });
  });
});

describe('in this process', () => {
  it('allows, denies, proves, and refuses what a locked org does not know', { timeout: 60_000 }, async () => {
    const dataDir = await newDirectory();
    const embedded = await openEmbedded({ dataDir, agent: 'embedded-agent', tools: ['database.query'] });
    try {
      const run = (toolName: string, sql: string): Promise<unknown> =>
        guard((params: { sql: string }) => params.sql, { toolName, client: embedded })({ sql });
      expect(await run('database.query', 'SELECT 1')).toBe('SELECT 1');
      const denied = await thrownBy(() => run('database.query', 'DROP TABLE users'));
      expect(denied).toMatchObject({ code: 'denied', rules: expect.arrayContaining(['R001']), receiptId: expect.any(String) });
      const unknown = await thrownBy(() => run('custom.unheard_of', 'SELECT 1'));
      expect(unknown).toMatchObject({ receiptId: expect.any(String), reason: expect.stringContaining('tool_not_registered') });
      for (const error of [denied, unknown]) {
        const report = await verifyBundle(await embedded.bundle(error.receiptId ?? ''), { vkeys: [embedded.logKey] });
        expect([report.ok, report.subject?.id], JSON.stringify(report.checks)).toEqual([true, error.receiptId]);
      }
      await expect(embedded.bundle('01900000-0000-7000-8000-000000000000')).rejects.toMatchObject({ fault: { code: 'receipt_not_found' } });
      await expect(openEmbedded({ dataDir, agent: 'second' })).rejects.toMatchObject({ fault: { code: 'log_locked' } });
    } finally {
      await embedded.close();
    }
    const again = await openEmbedded({ dataDir, agent: 'embedded-agent' });
    expect(again.agentId).toBe(embedded.agentId);
    await again.close();
    await rm(dataDir, { recursive: true, force: true });
  });
});
