/** A session that an operator ended, over HTTP: refused at the Clampd door, counted, and nowhere recorded; and what the gateway says of itself. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve, type Server } from '../../apps/server/src/index.ts';

let world: FakeWorld;
let gateway: Server;
let headers: Record<string, string> = {};

beforeAll(async () => {
  world = fakeWorld();
  const { answer } = await world.ask(['agent', 'create', 'ann']);
  const { id } = answer['agent'] as { id: string };
  const created = await world.ask(['key', 'create', 'app']);
  const settings = { ...readSettings({ COUNTERSIGN_PUBLIC_LOG: '1' }, []), port: 0, dataDir: join(world.root, '.countersign') };
  gateway = await serve(settings, () => undefined);
  const nowSeconds = Math.floor(gateway.runtime.ports.clock.nowMs() / 1000);
  const claims = { sub: id, iss: 'test', iat: nowSeconds, exp: nowSeconds + 600 };
  const token = mintAgentJwt({ key: agentJwtKey(String(answer['secret'])), claims });
  headers = { 'content-type': 'application/json', 'x-ag-key': String(created.answer['key']), authorization: `Bearer ${token}` };
});
afterAll(async () => {
  await gateway.close();
  world.remove();
});

async function decide(session: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const body = JSON.stringify({ tool: 'database.query', params: { sql: 'SELECT 1' }, target_url: '' });
  const reply = await fetch(new URL('/v1/proxy', gateway.url), { method: 'POST', headers: { ...headers, 'x-ag-session': session }, body });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

const text = async (path: string): Promise<string> => (await fetch(new URL(path, gateway.url))).text();

it('RCPT-034 HTTP-027 is 409 from then on, without a receipt, and counted', async () => {
  expect(await decide('s-1')).toMatchObject({ status: 200, body: { allowed: true } });
  expect(await world.ask(['session', 'end', 's-1', '--reason', 'ticket closed'])).toMatchObject({ exitCode: 0 });
  const size = gateway.runtime.log.size;
  expect(await decide('s-1')).toMatchObject({
    status: 409,
    body: { allowed: false, action: 'block', error_code: 'session_ended', receipt_id: null },
  });
  expect(gateway.runtime.log.size).toBe(size);
  expect(await text('/metrics')).toContain('countersign_refusals_total{code="session_ended"} 1\n');
  expect(await decide('s-2')).toMatchObject({ status: 200, body: { allowed: true } });
  expect(await decide('countersign.vault')).toMatchObject({ status: 400, body: { error_code: 'invalid_session_id', receipt_id: null } });
});

it('HTTP-028 metrics say how the log is', async () => {
  const { size } = await gateway.runtime.log.whenPublished(gateway.runtime.log.durableSize - 1);
  const metrics = await text('/metrics');
  expect(metrics).toContain(`countersign_log_size ${size}\n`);
  expect(metrics).toContain('countersign_log_unpublished 0\n');
  expect(metrics).toContain('countersign_logs_failed 0\n');
  expect(metrics).not.toContain('countersign_witness_age_seconds');
});

it('HTTP-057 the status has logs, witnesses and vault; a read key does not see the vault', async () => {
  const operator = JSON.parse(await readFile(join(world.root, '.countersign', 'operator.json'), 'utf8')) as { token: string };
  const status = async (credential: Record<string, string>): Promise<Record<string, unknown>> => {
    const reply = await fetch(new URL('/api/v1/status', gateway.url), { headers: credential });
    return ((await reply.json()) as { status: Record<string, unknown> }).status;
  };
  const whole = await status({ authorization: `Bearer ${operator.token}` });
  expect(whole).toMatchObject({
    logs: [{ name: 'main', size: 3, problem: null, failedSince: null, witnesses: { quorum: 0, of: 0 } }],
    vault: { erased: 0 },
  });
  const { answer } = await world.ask(['key', 'create', 'reader', '--kind', 'read']);
  const seen = await status({ 'x-ag-key': String(answer['key']) });
  expect([Object.hasOwn(seen, 'vault'), Object.hasOwn(seen, 'logs')]).toEqual([false, true]);
});

it('HTTP-046 a public log gives entries to anybody', async () => {
  const reply = await fetch(new URL('/log/tile/entries/000.p/3', gateway.url));
  expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('countersign.session-end.v1')]);
});

it('doctor says how log, witnesses and vault are', async () => {
  const { stdout } = await world.run(['doctor']);
  expect(stdout).toMatch(/OK {3}log +log .* of 3 entries, newest checkpoint of 3, signed\n/);
  expect(stdout).toMatch(/OK {3}witnesses +no witnesses/);
  expect(stdout).toMatch(/OK {3}vault +vault of 2 subjects with 2 keys, 0 erased/);
});
