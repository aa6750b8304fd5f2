/** Approving tools and locking an org, on a data directory without a gateway. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime } from '@countersign/runtime';
import { collectTools } from '../src/operator.ts';
import { CLI_LIMITS } from '../src/limits.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

const HASH = '0a'.repeat(32);

let world: FakeWorld;
let agent = { id: '', org: '' };

beforeAll(async () => {
  world = fakeWorld();
  agent = (await world.ask(['agent', 'create', 'caller'])).answer['agent'] as typeof agent;
});
afterAll(() => world.remove());

interface Judged {
  readonly decision: string;
  readonly codes: readonly string[];
}

/** What a gateway on this directory would say of a call. */
async function call(tool: string, hash?: string): Promise<Judged> {
  const runtime = await openRuntime({ dataDir: join(world.root, '.countersign'), hostSets: () => ({}) });
  try {
    const source = { framework: 'test', door: 'test' };
    const descriptor = hash === undefined ? {} : { descriptor: { hash } };
    const draft = { kind: 'tool.call', tool, params: { amount: 3 }, source, delegation: [], ...descriptor };
    const request = { caller: { org: agent.org, agent: agent.id }, draft, session: 's', fingerprint: 'f', mode: 'evaluate' as const };
    const { verdict } = await countersignAction(request, runtime.ports);
    return { decision: verdict.decision, codes: verdict.reasons.map(({ code }) => code) };
  } finally {
    await runtime.close();
  }
}

describe('org', () => {
  it('shows that a new directory learns', async () => {
    expect(await world.ask(['org', 'show'])).toMatchObject({
      exitCode: 0,
      answer: { orgs: [{ id: agent.org, name: 'local', mode: 'learning' }] },
    });
    expect((await world.run(['org', 'show'])).stdout).toMatch(/local +learning +main +tools that nobody approved/);
  });

  it('learns of a tool that is called, and names the next step when it is locked', async () => {
    expect(await call('ledger.book')).toMatchObject({ decision: 'warn' });
    const { exitCode, stdout } = await world.run(['org', 'mode', 'locked']);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('is locked: only approved tools are allowed')]);
    expect(stdout).toContain('1 tools wait for approval; next: countersign tool list --status pending');
    expect(await world.ask(['org', 'show'])).toMatchObject({ answer: { orgs: [{ mode: 'locked' }] } });
  });

  it('has two modes: another is exit 5, and so is an org that is not there', async () => {
    const { exitCode, stderr } = await world.run(['org', 'mode', 'open']);
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('countersign org mode locked')]);
    expect(await world.run(['org', 'mode', 'learning', '--org', 'nobody'])).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('countersign org show'),
    });
    expect(await world.ask(['org', 'show'])).toMatchObject({ answer: { orgs: [{ mode: 'locked' }] } });
  });
});

describe('tool', () => {
  it('in a locked org, one that nobody approved is refused, and allowed once it is', async () => {
    expect(await call('ledger.book')).toEqual({ decision: 'deny', codes: expect.arrayContaining(['tool_not_registered']) });
    expect((await world.run(['tool', 'list', '--status', 'pending'])).stdout).toMatch(/ledger\.book +pending/);
    expect(await world.ask(['tool', 'approve', 'ledger.book'])).toMatchObject({
      exitCode: 0,
      answer: { named: 'ledger.book', tool: { tool: 'ledger.book', status: 'approved', scope: null, hash: null } },
    });
    expect(await call('ledger.book')).toEqual({ decision: 'allow', codes: [] });
    expect((await world.run(['tool', 'list', '--status', 'pending'])).stdout).toContain('no pending tools');
    expect(await world.ask(['tool', 'list', '--status', 'approved'])).toMatchObject({ answer: { tools: [{ tool: 'ledger.book' }] } });
  });

  it('is approved under the name that is judged, and both are said', async () => {
    const { exitCode, stdout } = await world.run(['tool', 'approve', 'db.query', '--scope', 'db:query:read']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/tool +database\.query\n/);
    expect(stdout).toContain('db.query, which is judged as database.query');
    expect(stdout).toContain('db:query:read');
    expect((await world.run(['tool', 'approve', 'database.query'])).stdout).not.toContain('judged as');
  });

  it('approved with a descriptor is not approved with another', async () => {
    expect(await world.ask(['tool', 'approve', 'ledger.close', '--hash', HASH.toUpperCase()])).toMatchObject({
      answer: { tool: { hash: HASH } },
    });
    expect(await call('ledger.close', HASH)).toMatchObject({ decision: 'allow' });
    expect(await call('ledger.close', '0b'.repeat(32))).toMatchObject({ decision: 'deny' });
  });

  it.each([
    ['a hash of 63 digits', ['approve', 'x', '--hash', HASH.slice(1)], [5, 'invalid_arguments']],
    ['a hash of 65 digits', ['approve', 'x', '--hash', `${HASH}a`], [5, 'invalid_arguments']],
    ['a name of spaces', ['approve', '  '], [5, 'invalid_arguments']],
    ['a name with a space', ['approve', 'a b'], [3, 'invalid_tool']],
    ['a scope that covers everything', ['approve', 'x', '--scope', '*'], [3, 'invalid_scope']],
    ['a status that is none', ['list', '--status', 'refused'], [5, 'invalid_arguments']],
  ] as const)('%s is refused, and nothing changes', async (_name, args, [exitCode, kind]) => {
    const before = (await world.ask(['tool', 'list'])).answer['tools'];
    const refused = await world.ask(['tool', ...args]);
    expect(refused).toMatchObject({ exitCode, answer: { error: { kind } } });
    expect((await world.ask(['tool', 'list'])).answer['tools']).toEqual(before);
  });

  it.each([
    ['tool', 'list'],
    ['tool', 'approve', 'x'],
    ['org', 'show'],
    ['org', 'mode', 'locked'],
  ])('%s %s says what to do where there is no data directory: exit 3', async (...args) => {
    const { exitCode, stderr } = await world.run([...args, '--data', 'nowhere']);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('no_data_directory')]);
  });
});

describe('pages of tools', () => {
  const tools = Array.from({ length: CLI_LIMITS.pageMax + 1 }, (_, n) => ({
    org: 'o',
    tool: `t${String(n).padStart(5, '0')}`,
    hash: '',
    status: 'pending' as const,
    scope: null,
    firstSeenMs: 0,
  }));

  it('are asked for until one is not full', async () => {
    for (const size of [CLI_LIMITS.pageMax - 1, CLI_LIMITS.pageMax, CLI_LIMITS.pageMax + 1]) {
      const asked: (string | undefined)[] = [];
      const all = tools.slice(0, size);
      const found = await collectTools((after) => {
        asked.push(after);
        return Promise.resolve(
          all.filter(({ tool, hash }) => after === undefined || `${tool}\n${hash}` > after).slice(0, CLI_LIMITS.pageMax),
        );
      });
      expect(found).toEqual(all);
      expect(asked).toHaveLength(size < CLI_LIMITS.pageMax ? 1 : 2);
    }
  });

  it('that do not advance end the list', async () => {
    let asked = 0;
    await collectTools(() => Promise.resolve(asked++ < 5 ? tools.slice(0, CLI_LIMITS.pageMax) : []));
    expect(asked).toBe(2);
  });
});
