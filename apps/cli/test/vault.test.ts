/** `vault` on a data directory: erasing one agent's content leaves its proofs, and says plainly what is gone. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime } from '@countersign/runtime';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
let dataDir = '';
const ids = new Map<string, string>();
const agents = new Map<string, { readonly id: string; readonly org: string }>();

beforeAll(async () => {
  world = fakeWorld();
  dataDir = join(world.root, '.countersign');
  for (const name of ['ann', 'bob']) {
    const { answer } = await world.ask(['agent', 'create', name]);
    agents.set(name, answer['agent'] as { id: string; org: string });
  }
  const runtime = await openRuntime({ dataDir, ruleset: 'default', hostSets: () => ({}) });
  for (const [name, { id, org }] of agents) {
    const source = { framework: 'test', door: 'test' };
    const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command: `git status ${name}` }, source, delegation: [] };
    const caller = { org, agent: id };
    const answer = await countersignAction({ caller, draft, session: name, fingerprint: 'f', mode: 'evaluate' }, runtime.ports);
    ids.set(name, answer.receipt?.id ?? '');
  }
  await runtime.close();
});
afterAll(() => world.remove());

const agentOf = (name: string): string => agents.get(name)?.id ?? '';
const idOf = (name: string): string => ids.get(name) ?? '';

describe('vault', () => {
  it('shows how much there is', async () => {
    expect(await world.ask(['vault', 'show'])).toMatchObject({ exitCode: 0, answer: { vault: { subjects: 2, keys: 2, erased: 0 } } });
    expect((await world.run(['vault', 'show'])).stdout).toMatch(/^subjects {5}2\nkeys {9}2\nerased keys {2}0\n$/);
  });

  it.each([
    [['vault', 'erase'], 5, 'whose content'],
    [['vault', 'erase', '--subject', 'x'], 5, 'whose content'],
    [['vault', 'erase', '--subject', 'x', '--reason', 'asked'], 5, '--yes'],
    [['vault', 'erase', '--subject', 'nobody', '--reason', 'asked', '--yes'], 3, 'subject_unknown'],
    [['vault', 'erase', '--subject', 'x', '--reason', 'línea', '--yes'], 3, 'invalid_reason'],
    [['vault', 'erase', '--subject', 'x', '--reason', 'r', '--yes', '--org', 'none'], 5, 'no org'],
    [['vault', 'rotate', '--subject', 'nobody'], 3, 'subject_unknown'],
    [['vault', 'rotate-master', '--data', 'nowhere'], 3, 'no_data_directory'],
  ] as const)('%j ends with %i and says why', async (args, exitCode, why) => {
    const ran = await world.run([...args]);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
  });

  it('erases: what was sealed is gone, with the time; proofs, the other agent and replay go on', async () => {
    const before = await world.run(['receipt', 'show', idOf('ann'), '--inputs']);
    expect(before.stdout).toContain('git status ann');
    const erased = await world.ask([
      'vault',
      'erase',
      '--subject',
      agentOf('ann'),
      '--reason',
      'request 2026-17',
      '--yes',
      '--org',
      'local',
    ]);
    expect(erased).toMatchObject({ exitCode: 0, answer: { erasure: { keys: 1, index: 2 } } });
    const { time } = erased.answer['erasure'] as { time: string };
    const shown = await world.run(['receipt', 'show', idOf('ann'), '--inputs']);
    expect([shown.exitCode, shown.stderr]).toEqual([3, expect.stringContaining(`the content was erased on ${time} (vault_erased)`)]);
    expect(await world.run(['receipt', 'show', idOf('ann')])).toMatchObject({ exitCode: 0 });
    expect(await world.run(['receipt', 'bundle', idOf('ann')])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('without inputs'),
    });
    const { exitCode } = await world.run(['receipt', 'bundle', idOf('ann'), '--without-inputs', '--out', 'ann.json']);
    expect([exitCode, (await world.run(['verify', 'ann.json'])).exitCode]).toEqual([0, 0]);
    expect((await world.run(['receipt', 'show', idOf('bob'), '--inputs'])).stdout).toContain('git status bob');
    const replayed = await world.ask(['replay', '--all']);
    expect(replayed).toMatchObject({ exitCode: 0, answer: { receipts: 2, equal: 1, erased: 1, refused: 0 } });
    expect((await world.run(['replay', '--all'])).stdout).toContain(`ERASED ${idOf('ann')} the content was erased on ${time}`);
    const tail = await world.run(['log', 'tail']);
    expect(tail.stdout).toContain('erasure');
    expect(tail.stdout).not.toContain('git status');
  });

  it('rotates: one subject, all, and the master key; what was sealed still opens', async () => {
    expect(await world.ask(['vault', 'rotate', '--subject', agentOf('bob')])).toMatchObject({
      exitCode: 0,
      answer: { vault: { erased: 1 } },
    });
    expect(await world.ask(['vault', 'rotate'])).toMatchObject({ exitCode: 0 });
    const key = readFileSync(join(dataDir, 'keys', 'master.key'), 'utf8');
    expect(await world.ask(['vault', 'rotate-master'])).toMatchObject({ exitCode: 0, answer: { rotated: { agents: 2, files: 3 } } });
    expect(readFileSync(join(dataDir, 'keys', 'master.key'), 'utf8')).not.toBe(key);
    expect((await world.run(['receipt', 'show', idOf('bob'), '--inputs'])).stdout).toContain('git status bob');
    expect(await world.run(['doctor'])).toMatchObject({ exitCode: expect.any(Number), stdout: expect.not.stringContaining('seal_') });
  });

  it('of several orgs none is guessed', async () => {
    const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
    runtime.store.createOrg({ name: 'second', mode: 'locked' });
    await runtime.close();
    const args = ['vault', 'erase', '--subject', agentOf('bob'), '--reason', 'asked', '--yes'];
    expect(await world.ask(args)).toMatchObject({ exitCode: 3, answer: { error: { kind: 'org_required' } } });
    expect(await world.ask([...args, '--org', 'local'])).toMatchObject({ exitCode: 0, answer: { erasure: { keys: 1 } } });
  });

  it('a vault that is gone is found by doctor', async () => {
    const own = fakeWorld();
    try {
      await own.run(['agent', 'create', 'x']);
      rmSync(join(own.root, '.countersign', 'vault.db'));
      expect(await own.run(['doctor'])).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('restore `vault.db`') });
    } finally {
      own.remove();
    }
  });

  it('a directory without a vault is no directory of ours', async () => {
    mkdirSync(join(world.root, 'empty'));
    expect(await world.run(['vault', 'rotate-master', '--data', 'empty'])).toMatchObject({ exitCode: 3 });
  });
});
