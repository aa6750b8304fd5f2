/** `tool` and `org` through the operator door of a gateway that has the data directory open. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { join } from 'node:path';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve, type Server } from '../../apps/server/src/index.ts';

let world: FakeWorld;
let gateway: Server;

beforeAll(async () => {
  world = fakeWorld();
  await world.run(['agent', 'create', 'caller']);
  const dataDir = join(world.root, '.countersign');
  gateway = await serve({ ...readSettings({}, []), port: 0, dataDir }, () => undefined);
});
afterAll(async () => {
  await gateway.close();
  world.remove();
});

it('locks the org, approves a tool under the name that is judged, and lists it', async () => {
  expect(await world.ask(['org', 'show'])).toMatchObject({ exitCode: 0, answer: { orgs: [{ name: 'local', mode: 'learning' }] } });
  expect(await world.ask(['org', 'mode', 'locked'])).toMatchObject({
    exitCode: 0,
    answer: { org: { mode: 'locked' }, before: 'learning' },
  });
  const approved = await world.ask(['tool', 'approve', 'run_command', '--scope', 'exec:shell:run', '--hash', '0a'.repeat(32)]);
  expect(approved).toMatchObject({
    exitCode: 0,
    answer: { named: 'run_command', tool: { tool: 'shell.exec', scope: 'exec:shell:run', hash: '0a'.repeat(32), status: 'approved' } },
  });
  const [org] = gateway.runtime.store.listOrgs();
  expect(org?.mode).toBe('locked');
  const kept = gateway.runtime.store.listTools({ org: org?.id ?? '' });
  expect(kept).toMatchObject([{ tool: 'shell.exec', hash: '0a'.repeat(32), scope: 'exec:shell:run' }]);
  expect(await world.ask(['tool', 'list'])).toMatchObject({ exitCode: 0, answer: { tools: [{ tool: 'shell.exec' }] } });
  expect(await world.ask(['tool', 'list', '--status', 'pending'])).toMatchObject({ exitCode: 0, answer: { tools: [] } });
});

it('what the gateway refuses is exit 3, with its reason', async () => {
  expect(await world.ask(['tool', 'approve', 'x', '--scope', '*'])).toMatchObject({
    exitCode: 3,
    answer: { error: { kind: 'invalid_scope' } },
  });
});

it('of several orgs none is guessed', async () => {
  gateway.runtime.store.createOrg({ name: 'second', mode: 'locked' });
  expect(await world.run(['org', 'mode', 'learning'])).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('--org') });
  expect(await world.ask(['org', 'mode', 'learning', '--org', 'second'])).toMatchObject({
    exitCode: 0,
    answer: { org: { name: 'second', mode: 'learning' }, before: 'locked' },
  });
  expect(
    gateway.runtime.store
      .listOrgs()
      .map(({ mode }) => mode)
      .toSorted(),
  ).toEqual(['learning', 'locked']);
  expect(await world.ask(['tool', 'list'])).toMatchObject({ exitCode: 3, answer: { error: { kind: 'org_required' } } });
});
