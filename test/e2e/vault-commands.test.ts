/** `vault` through the operator door of a gateway that has the data directory open. */
import { join } from 'node:path';
import { countersignAction } from '@countersign/pipeline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve, type Server } from '../../apps/server/src/index.ts';

let world: FakeWorld;
let gateway: Server;
let agent = { id: '', org: '' };

async function decide(command: string): Promise<string> {
  const source = { framework: 'test', door: 'test' };
  const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command }, source, delegation: [] };
  const caller = { org: agent.org, agent: agent.id };
  const answer = await countersignAction({ caller, draft, session: 's', fingerprint: 'f', mode: 'evaluate' }, gateway.runtime.ports);
  return answer.receipt?.id ?? '';
}

beforeAll(async () => {
  world = fakeWorld();
  agent = (await world.ask(['agent', 'create', 'ann'])).answer['agent'] as typeof agent;
  gateway = await serve({ ...readSettings({}, []), port: 0, dataDir: join(world.root, '.countersign') }, () => undefined);
});
afterAll(async () => {
  await gateway.close();
  world.remove();
});

it('erases while the gateway runs, and goes on', async () => {
  const gone = await decide('git status');
  expect(await world.ask(['vault', 'show'])).toMatchObject({ exitCode: 0, answer: { vault: { subjects: 1, keys: 1, erased: 0 } } });
  expect(await world.ask(['vault', 'rotate', '--subject', agent.id])).toMatchObject({ exitCode: 0, answer: { vault: { keys: 1 } } });
  const also = await decide('git status');
  const erased = await world.ask(['vault', 'erase', '--subject', agent.id, '--reason', 'asked for', '--yes']);
  expect(erased).toMatchObject({ exitCode: 0, answer: { erasure: { keys: 2, time: expect.stringMatching(/Z$/) } } });
  const { id, time } = erased.answer['erasure'] as { id: string; time: string };
  const kept = await decide('git status');
  for (const receipt of [gone, also]) {
    const shown = await world.run(['receipt', 'show', receipt, '--inputs']);
    expect([shown.exitCode, shown.stderr]).toEqual([3, expect.stringContaining(`the content was erased on ${time}`)]);
    expect(await world.run(['receipt', 'bundle', receipt, '--without-inputs', '--out', `${receipt}.json`])).toMatchObject({ exitCode: 0 });
    expect(await world.run(['verify', `${receipt}.json`])).toMatchObject({ exitCode: 0 });
  }
  expect(await world.run(['receipt', 'show', kept, '--inputs'])).toMatchObject({ exitCode: 0 });
  expect((await world.run(['receipt', 'show', id, '--inputs'])).stdout).toContain(agent.id);
  expect((await world.run(['receipt', 'show', id])).stdout).not.toContain(agent.id);
  expect(await world.ask(['replay', '--all'])).toMatchObject({ exitCode: 0, answer: { receipts: 3, equal: 1, erased: 2 } });
});

it('refuses what cannot be done, by name', async () => {
  const erase = (subject: string): ReturnType<typeof world.ask> =>
    world.ask(['vault', 'erase', '--subject', subject, '--reason', 'asked', '--yes']);
  expect(await erase('nobody')).toMatchObject({ exitCode: 3, answer: { error: { kind: 'subject_unknown' } } });
  expect(await erase('x'.repeat(1025))).toMatchObject({ exitCode: 3, answer: { error: { kind: 'invalid_subject' } } });
  expect(await world.ask(['vault', 'rotate-master'])).toMatchObject({ exitCode: 3, answer: { error: { kind: 'gateway_running' } } });
});
