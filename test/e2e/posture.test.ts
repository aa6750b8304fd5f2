/** A session's posture over HTTP and the command line: every route that judges refuses what the state has not, and only an operator leads up. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import { openRuntime } from '@countersign/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve, type Server } from '../../apps/server/src/index.ts';

const POLICY = `
version: "1.2.0"
extends: learning
posture:
  initial: low
  states:
    low: {capabilities: [file_access]}
    high: {capabilities: [file_access, shell, mcp_tool]}
  transitions:
    - {from: low, to: high, on: user_approval}
    - {from: "*", to: low, on: any_violation}
    - {from: "*", to: low, on: critical_violation}
`;

let world: FakeWorld;
let gateway: Server;
let headers: Record<string, string> = {};
let org = '';
let dataDir = '';

beforeAll(async () => {
  world = fakeWorld();
  const { answer } = await world.ask(['agent', 'create', 'ann']);
  const created = await world.ask(['key', 'create', 'app']);
  dataDir = join(world.root, '.countersign');
  gateway = await serve({ ...readSettings({}, []), port: 0, dataDir }, () => undefined);
  await gateway.runtime.policy.set(POLICY);
  const agent = answer['agent'] as { id: string; org: string };
  org = gateway.runtime.store.listOrgs()[0]?.id ?? '';
  const nowSeconds = Math.floor(gateway.runtime.ports.clock.nowMs() / 1000);
  const claims = { sub: agent.id, iss: 'test', iat: nowSeconds, exp: nowSeconds + 600 };
  const token = mintAgentJwt({ key: agentJwtKey(String(answer['secret'])), claims });
  headers = {
    'content-type': 'application/json',
    'x-ag-key': String(created.answer['key']),
    authorization: `Bearer ${token}`,
    'x-ag-session': 's-1',
  };
});
afterAll(async () => {
  await gateway.close();
  world.remove();
});

async function ask(path: string, body: object): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const reply = await fetch(new URL(path, gateway.url), { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

const shell = (path: string): Promise<{ readonly body: Record<string, unknown> }> =>
  ask(path, { tool: 'shell.exec', params: { command: 'ls' }, target_url: '' });

async function stateOf(): Promise<unknown> {
  const { answer } = await world.ask(['session', 'posture', 's-1']);
  return (answer['posture'] as { state?: unknown } | undefined)?.state;
}

it('POL-222 begins low on every route that judges a call, and a person leads up', async () => {
  expect([(await shell('/v1/proxy')).body['allowed'], (await shell('/v1/verify')).body['allowed']]).toEqual([false, false]);
  expect(await stateOf()).toBe('low');
  expect(await world.ask(['session', 'transition', 's-1', '--to', 'high', '--reason', 'reviewed'])).toMatchObject({
    exitCode: 0,
    answer: { transition: { from: 'low', to: 'high', on: 'user_approval' } },
  });
  expect([(await shell('/v1/proxy')).body['allowed'], (await shell('/v1/verify')).body['allowed']]).toEqual([true, true]);
  expect((await world.run(['session', 'posture', 's-1'])).stdout).toMatch(/state +high[^]*permits +file_access, mcp_tool, shell/);
});

it('POL-221 the owner of a session cannot lead it up: not by a call, not by its key at the operator door', async () => {
  await ask('/v1/proxy', { tool: 'shell.exec', params: { command: 'rm -rf /' }, target_url: '' });
  expect(await stateOf()).toBe('low');
  for (const tool of ['session.transition', 'posture.transition', 'shell.exec'])
    await ask('/v1/proxy', {
      tool,
      params: { to: 'high', toState: 'high', on: 'user_approval', trigger: 'user_approval' },
      target_url: '',
    });
  const refused = await ask('/api/v1/sessions/transition', { session: 's-1', to: 'high', reason: 'mine' });
  expect([refused.status, refused.body['error_code']]).toEqual([401, 'operator_unauthorized']);
  expect([await stateOf(), (await shell('/v1/proxy')).body['allowed']]).toEqual(['low', false]);
  const bad = await world.ask(['session', 'transition', 's-1', '--to', 'elevated', '--reason', 'no such state']);
  expect([bad.exitCode, JSON.stringify(bad.answer)]).toEqual([3, expect.stringContaining('transition_refused')]);
});

it('POL-223 what was answered is there after a crash: the directory as it was while the gateway ran', async () => {
  const before = await gateway.runtime.ports.state.sessionPosture(org, 's-1');
  const copy = join(world.root, 'crashed');
  await cp(dataDir, copy, { recursive: true });
  const runtime = await openRuntime({ dataDir: copy, hostSets: () => ({}) });
  const after = await runtime.ports.state.sessionPosture(org, 's-1');
  await runtime.close();
  expect(after).toEqual(before);
  expect(before).toMatchObject({
    state: 'low',
    history: [
      { to: 'high', on: 'user_approval' },
      { from: 'high', to: 'low' },
    ],
  });
});

it('POL-215 locked: no route answers with anything but no', async () => {
  expect((await world.ask(['session', 'transition', 's-1', '--to', 'locked', '--reason', 'looks wrong'])).exitCode).toBe(0);
  const answers = [
    await shell('/v1/proxy'),
    await shell('/v1/verify'),
    await ask('/v1/inspect', { tool: 'database.query', response_data: { rows: [1] } }),
    await ask('/v1/scan-input', { text: 'hello' }),
    await ask('/v1/scan-output', { text: 'hello' }),
  ];
  expect(answers.map(({ body }) => body['allowed'])).toEqual([false, false, false, false, false]);
  expect((await world.ask(['session', 'transition', 's-1', '--reason', 'it was fine'])).answer).toMatchObject({
    transition: { from: 'locked', to: 'low' },
  });
});

it('POL-220 its receipts replay byte for byte', async () => {
  const { stdout, exitCode } = await world.run(['replay', '--log', dataDir]);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/ 0 different/)]);
});
