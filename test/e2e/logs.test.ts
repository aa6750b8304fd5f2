/** Two orgs on two logs of one gateway, over HTTP and the command line: each log is proven by its own keys and by no others. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { agentJwtKey, mintAgentJwt, parseNoteVerifierKey } from '@countersign/crypto';
import { openCheckpoint } from '@countersign/log';
import { verifyBundle } from '@countersign/receipts/verify';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve, type Server } from '../../apps/server/src/index.ts';

interface Caller {
  readonly org: string;
  readonly headers: Record<string, string>;
}

let world: FakeWorld;
let gateway: Server;
let token = '';
let dataDir = '';

async function open(): Promise<void> {
  gateway = await serve({ ...readSettings({}, []), port: 0, dataDir }, () => undefined);
  token = (JSON.parse(readFileSync(join(dataDir, 'operator.json'), 'utf8')) as { token: string }).token;
}

beforeAll(async () => {
  world = fakeWorld();
  dataDir = join(world.root, '.countersign');
  await open();
});
afterAll(async () => {
  await gateway.close();
  world.remove();
});

interface Reply {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly body: Record<string, never>;
}

async function exchange(
  method: 'GET' | 'POST',
  path: string,
  more: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Reply> {
  const { headers = { authorization: `Bearer ${token}` }, body } = more;
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await request(`${gateway.url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...json,
  });
  const bytes = new Uint8Array(await response.body.arrayBuffer());
  const isJson = String(response.headers['content-type']).startsWith('application/json');
  return { status: response.statusCode, bytes, body: isJson ? JSON.parse(new TextDecoder().decode(bytes)) : {} };
}

/** An org with an agent and a key, made as an operator does. */
async function callerIn(name: string): Promise<Caller> {
  const make = async (path: string, body: unknown): Promise<Record<string, never>> => (await exchange('POST', path, { body })).body;
  const { id: org } = (await make('/api/v1/orgs', { name, mode: 'learning' }))['org'] as unknown as { id: string };
  const created = (await make('/api/v1/agents', { org, name: 'agent', scopes: ['*'] })) as unknown as {
    agent: { id: string };
    secret: string;
  };
  const { key } = (await make('/api/v1/keys', { org })) as unknown as { key: string };
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { sub: created.agent.id, iss: 'test', iat: nowSeconds, exp: nowSeconds + 3600 };
  const jwt = mintAgentJwt({ key: agentJwtKey(created.secret), claims });
  return { org, headers: { 'x-ag-key': key, authorization: `Bearer ${jwt}`, 'x-ag-session': 's' } };
}

function decide({ headers }: Caller): Promise<Reply> {
  return exchange('POST', '/v1/proxy', { headers, body: { tool: 'database.query', params: { sql: 'SELECT 1' }, target_url: '' } });
}

async function receiptOf(caller: Caller): Promise<string> {
  const { status, body } = await decide(caller);
  expect(status).toBe(200);
  return (body as unknown as { receipt_id: string }).receipt_id;
}

async function keyOf(log: string): Promise<string> {
  return (await world.run(['log', 'key', '--log-name', log])).stdout.trim();
}

describe('LOG-080 LOG-085 two logs over HTTP', () => {
  it('are each proven by their own keys; a bundle of one is refused under the key of the other', async () => {
    const made = await world.ask(['log', 'create', 'team-a', '--origin', 'example.org/team-a']);
    expect(made).toMatchObject({ exitCode: 0, answer: { log: { name: 'team-a', origin: 'example.org/team-a', size: 0 } } });
    const [ann, bob] = [await callerIn('ann'), await callerIn('bob')];
    expect(await world.ask(['org', 'log', 'team-a', '--org', 'ann'])).toMatchObject({
      exitCode: 0,
      answer: { org: { id: ann.org, log: 'team-a' }, before: 'main' },
    });
    const ids = [await receiptOf(ann), await receiptOf(bob)];
    const keys = [await keyOf('team-a'), await keyOf('main')];
    for (const [i, id] of ids.entries()) {
      const bundle = await exchange('GET', `/api/v1/receipts/${id}/bundle`);
      for (const [k, key] of keys.entries())
        expect([i, k, (await verifyBundle(bundle.bytes, { vkeys: [key] })).ok]).toEqual([i, k, i === k]);
      for (const format of ['dsse', 'tlog-proof', 'spine'])
        expect((await exchange('GET', `/api/v1/receipts/${id}/export?format=${format}`)).status).toBe(200);
    }
    for (const [i, path] of ['/logs/team-a', '/log'].entries()) {
      const note = new TextDecoder().decode((await exchange('GET', `${path}/checkpoint`, { headers: {} })).bytes);
      const opened = keys.map((key) => {
        const verifier = parseNoteVerifierKey(key);
        return verifier.ok && openCheckpoint(note, [verifier.value]).ok;
      });
      expect(opened).toEqual([i === 0, i === 1]);
      expect((await exchange('GET', `${path}/tile/entries/000.p/1`, { headers: {} })).status).toBe(401);
      expect((await exchange('GET', `${path}/tile/entries/000.p/1`)).status).toBe(200);
    }
  });

  it('are listed, read and tailed by name, with and without a gateway', async () => {
    const asked = async (): Promise<void> => {
      expect(await world.ask(['log', 'list'])).toMatchObject({
        exitCode: 0,
        answer: {
          logs: [
            { name: 'main', orgs: expect.any(Number), size: 1 },
            { name: 'team-a', orgs: 1, size: 1, problem: null },
          ],
        },
      });
      expect(await world.ask(['log', 'checkpoint', '--log-name', 'team-a'])).toMatchObject({
        answer: { origin: 'example.org/team-a', size: 1 },
      });
      expect(await world.ask(['log', 'tail', '--log-name', 'team-a'])).toMatchObject({
        answer: { entries: [{ index: 0, body: { log: 'example.org/team-a', seq: 0 } }] },
      });
      expect(await world.ask(['log', 'tail'])).toMatchObject({ answer: { entries: [{ index: 0 }] } });
      expect(await world.ask(['log', 'witnesses', '--log-name', 'team-a'])).toMatchObject({ exitCode: 0, answer: { size: 1 } });
      const replayed = await world.ask(['replay', '--all', '--log-name', 'team-a', '--jobs', '1']);
      expect(replayed).toMatchObject({ exitCode: 0, answer: { equal: 1, log: 'example.org/team-a', from: 0, reached: 1 } });
      expect((await world.ask(['replay', '--all', '--log-name', '../log'])).answer).toMatchObject({ error: { kind: 'log_unknown' } });
      for (const name of ['none', '../log', ''])
        expect(await world.ask(['log', 'tail', '--log-name', name])).toMatchObject({
          exitCode: 3,
          answer: { error: { kind: 'log_unknown' } },
        });
      expect(await world.ask(['log', 'create', 'Team'])).toMatchObject({ exitCode: 3, answer: { error: { kind: 'invalid_log_name' } } });
      expect(await world.ask(['org', 'log', 'none', '--org', 'ann'])).toMatchObject({
        exitCode: 3,
        answer: { error: { kind: 'log_unknown' } },
      });
    };
    await asked();
    await gateway.close();
    await asked();
    expect(await keyOf('team-a')).toBe(readFileSync(join(dataDir, 'logs', 'team-a', 'log.vkey'), 'utf8').trim());
    await open();
  });
});

describe('LOG-083 a log that did not open', () => {
  it('is named by health, status and the list, and only its org is denied', async () => {
    const [carol, dave] = [await callerIn('carol'), await callerIn('dave')];
    expect((await exchange('POST', `/api/v1/orgs/${carol.org}/log`, { body: { log: 'team-a' } })).status).toBe(200);
    await gateway.close();
    const list = join(dataDir, 'logs', 'team-a', 'log-keys.json');
    expect(existsSync(list)).toBe(true);
    renameSync(list, join(dataDir, 'kept'));
    await open();
    expect(await decide(carol)).toMatchObject({ status: 503, body: { allowed: false, error_code: 'log_unavailable', receipt_id: null } });
    await receiptOf(dave);
    expect(await exchange('GET', '/health')).toMatchObject({
      status: 200,
      body: { status: 'degraded', logs: [{ name: 'team-a', reason: expect.stringContaining('did not open') }] },
    });
    const { status } = (await exchange('GET', '/api/v1/status')).body as unknown as { status: { problem: null; logs: object[] } };
    expect(status).toMatchObject({
      problem: null,
      logs: [
        { name: 'main', problem: null },
        { name: 'team-a', problem: expect.any(String) },
      ],
    });
    expect(await world.ask(['log', 'list'])).toMatchObject({
      exitCode: 1,
      answer: { logs: [{ problem: null }, { origin: null, size: null }] },
    });
    expect((await exchange('GET', '/logs/team-a/checkpoint', { headers: {} })).status).toBe(404);
    const metrics = new TextDecoder().decode((await exchange('GET', '/metrics')).bytes);
    expect(metrics).toMatch(/^countersign_logs_failed 1$/m);
    expect(metrics).toMatch(/^agentguard_up 1$/m);
    await gateway.close();
    renameSync(join(dataDir, 'kept'), list);
    await open();
    await receiptOf(carol);
    expect((await exchange('GET', '/health')).body).toEqual({ status: 'ok' });
  });
});
