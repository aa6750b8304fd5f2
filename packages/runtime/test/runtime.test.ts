import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyBundle } from '@countersign/receipts/verify';
import { describe, expect, it } from 'vitest';
import { RUNTIME_LIMITS } from '../src/index.ts';
import { act, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

describe('a data directory', () => {
  it('judges, records and proves an action from end to end', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    const allowed = await act(runtime, actor, QUERY('SELECT name FROM users WHERE id = 5'));
    const denied = await act(runtime, actor, QUERY('DROP TABLE users'));
    expect(allowed.verdict.decision).toBe('warn'); // The tool is pending: at least a warning.
    expect(denied.verdict.decision).toBe('deny');
    expect(denied.verdict.reasons.map(({ code }) => code)).toContain('R001');
    const bundle = unwrap(await runtime.bundle(denied.receipt?.id ?? '', { inputs: true }));
    const report = await verifyBundle(bundle, { vkeys: [runtime.logKey] });
    expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(report.ok).toBe(true);
  });

  it('goes on after a restart: chains, counters, keys, policy and pending tools', async () => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const actor = register(first);
    const before = await act(first, actor, QUERY('SELECT 1'));
    await first.close();
    const second = await openIn(directory);
    const after = await act(second, actor, QUERY('SELECT 1'));
    expect(after.receipt?.seq).toBe((before.receipt?.seq ?? -9) + 1);
    expect(second.logKey).toBe(first.logKey);
    expect(after.receipt?.inputs.policy).toBe(before.receipt?.inputs.policy);
    expect(await second.store.sessionCalls(actor.org, 's')).toBe(2);
    expect(second.store.listTools({ org: actor.org }).map(({ tool, status }) => [tool, status])).toEqual([['database.query', 'pending']]);
  });

  it('takes one process only', async () => {
    const directory = await freshDirectory();
    await openIn(directory);
    await expect(openIn(directory)).rejects.toMatchObject({ code: expect.stringMatching(/^log_/) });
  });

  it('keeps the policy in force when a new one is refused, and says what is wrong', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    const before = runtime.ports.engines.engineFor(actor.org)?.inputs.policy;
    const refused = await runtime.policy.set('version: "1.2.0"\nname: mine\nguardz: {}\n');
    expect(refused).toMatchObject({ ok: false });
    expect(runtime.ports.engines.engineFor(actor.org)?.inputs.policy).toBe(before);
    unwrap(await runtime.policy.set('version: "1.2.0"\nname: mine\nextends: strict\n'));
    expect(runtime.ports.engines.engineFor(actor.org)?.inputs.policy).not.toBe(before);
  });

  it('denies everything, and says so, when the policy it kept cannot be loaded', async () => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const actor = register(first);
    await first.close();
    const broken = await openIn(directory, { customRules: [] });
    const engines = { engineFor: () => undefined, problem: 'no policy is loaded: every action is denied' };
    const answer = await act({ ...broken, ports: { ...broken.ports, engines } }, actor, QUERY('SELECT 1'));
    expect(answer.refusal).toMatchObject({ code: 'policy_unavailable' });
    expect(answer.receipt?.verdict.by).toBe('pipeline');
  });

  it('follows symlinks of file actions, and records where they lead', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    const directory = await freshDirectory();
    await writeFile(join(directory, 'plain.txt'), '');
    await symlink('/etc/shadow', join(directory, 'notes.txt'));
    const read = (name: string): ReturnType<typeof act> =>
      act(runtime, actor, { kind: 'file.read', tool: 'filesystem.read', params: { path: join(directory, name) } });
    expect((await read('plain.txt')).verdict.decision).toBe('warn');
    expect((await read('notes.txt')).verdict.decision).toBe('deny');
  });

  it('looks up as many paths as the limit says, and refuses an action with one more', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    const read = (count: number): ReturnType<typeof act> =>
      act(runtime, actor, {
        kind: 'file.read',
        tool: 'filesystem.read',
        params: { paths: Array.from({ length: count }, (_, n) => `./none/${n}`) },
      });
    expect((await read(RUNTIME_LIMITS.pathsMax)).refusal).toBeUndefined();
    expect((await read(RUNTIME_LIMITS.pathsMax + 1)).refusal?.code).toBe('invalid_action');
  });

  it('judges a large action in the pool exactly as a small one on the main loop would be', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    const text = `SELECT name FROM users WHERE id = 5 -- ${'x'.repeat(10_000)}`;
    const small = await act(runtime, actor, { kind: 'tool.response', content: text });
    const large = await act(runtime, actor, { kind: 'tool.response', content: `${text} ${'y '.repeat(60_000)}` });
    expect(small.receipt?.verdict.by).toBe('judge');
    expect(large.receipt?.verdict.by).toBe('judge');
    expect(large.refusal).toBeUndefined();
  });

  it('shows its public key in a file', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    expect((await readFile(join(directory, 'log.vkey'), 'utf8')).trim()).toBe(runtime.logKey);
  });
});
