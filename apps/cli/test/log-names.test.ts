/** The same commands on a log beside the main one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, type Mode, openEvidence } from './evidence-world.ts';

const MODES: readonly Mode[] = ['directory', 'gateway'];

describe.each(MODES)('--log-name, %s', (mode) => {
  let evidence: Evidence;
  beforeAll(async () => {
    evidence = await openEvidence(mode, 1);
    await evidence.world.run(['log', 'create', 'team']);
    await evidence.world.run(['org', 'log', 'team']);
    await evidence.act('in-team', ['git status', 'ls']);
    await evidence.within(async ({ logs }) => void (await logs.of('team')?.log.whenPublished(1)));
  });
  afterAll(() => evidence.close());

  const named = (...args: string[]): string[] => [...args, '--log-name', 'team'];

  it('keys, proofs, fsck, archive and sessions are those of the log', async () => {
    const { world } = evidence;
    const ask: typeof world.ask = (...args) => world.ask(...args);
    const run: typeof world.run = (...args) => world.run(...args);
    const key = (await run(named('log', 'key'))).stdout;
    expect(key).not.toBe((await run(['log', 'key'])).stdout);
    evidence.write('team.txt', key);
    evidence.write('seen.txt', (await run(named('log', 'checkpoint'))).stdout);
    expect(await ask(named('log', 'fsck'))).toMatchObject({ exitCode: 0, answer: { ok: true, records: 2 } });
    expect(await ask(['log', 'fsck'])).toMatchObject({ exitCode: 0, answer: { ok: true, records: 1 } });
    expect(await ask(named('log', 'prove', 'inclusion', '1', '--out', 'one.json'))).toMatchObject({ exitCode: 0 });
    expect(await ask(['verify', 'one.json', '--keys', 'team.txt'])).toMatchObject({ exitCode: 0 });
    expect(await ask(named('log', 'prove', 'consistency', 'seen.txt', '--out', 'grown.json'))).toMatchObject({ exitCode: 0 });
    expect(await ask(['log', 'prove', 'consistency', 'seen.txt', '--out', 'other.json'])).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'checkpoint_unreadable' } },
    });
    expect(await ask(['verify', 'grown.json', '--keys', 'team.txt', '--seen', 'seen.txt'])).toMatchObject({ exitCode: 0 });
    expect(await ask(named('log', 'archive', '--before', '1', '--to', 'a'))).toMatchObject({
      exitCode: 0,
      answer: { moved: { segments: 0 } },
    });
    expect(await ask(named('log', 'key-rotate', '--yes'))).toMatchObject({
      exitCode: 0,
      answer: { active: [key.trim(), expect.any(String)] },
    });
    expect(await ask(named('log', 'key-retire', '--yes'))).toMatchObject({ exitCode: 0, answer: { former: [key.trim()] } });
    expect(((await ask(['log', 'key'])).answer['active'] as string[]).length).toBe(1);
    expect((await ask(['session', 'list'])).answer['sessions']).toMatchObject([
      { session: 'in-team', log: 'team', entries: 2 },
      { session: 'old-0', log: 'main' },
    ]);
    expect(await ask(['session', 'end', 'in-team', '--reason', 'done'])).toMatchObject({ exitCode: 0, answer: { ended: { entries: 3 } } });
    expect(await ask(['session', 'bundle', 'in-team', '--out', 'team'])).toMatchObject({ exitCode: 0, answer: { bundles: 3 } });
  });

  it.each([
    ['key'],
    ['fsck'],
    ['key-rotate', '--yes'],
    ['archive', '--before', '1', '--to', 'a'],
    ['restore', '--from', 'a'],
    ['prove', 'inclusion', '0'],
  ])('log %s says that there is no such log', async (...args) => {
    const ran = await evidence.world.run(['log', ...args, '--log-name', 'none']);
    expect([ran.exitCode, ran.stderr]).toEqual([3, expect.stringContaining('log_unknown')]);
  });
});
