/** `session` and `verify --session`, on a directory and through a gateway. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, type Mode, openEvidence } from './evidence-world.ts';

const MODES: readonly Mode[] = ['directory', 'gateway'];

describe.each(MODES)('session, %s', (mode) => {
  let evidence: Evidence;
  beforeAll(async () => {
    evidence = await openEvidence(mode);
  });
  afterAll(() => evidence.close());

  const files = (folder: string): readonly string[] =>
    readdirSync(join(evidence.world.root, folder))
      .toSorted()
      .map((name) => join(folder, name));

  it('list shows who wrote last, newest first, and says what is bounded', async () => {
    await evidence.act('ticket-1', ['git status', 'rm -rf /']);
    const { exitCode, answer } = await evidence.world.ask(['session', 'list']);
    expect([exitCode, answer]).toMatchObject([
      0,
      { looked: 14, sessions: [{ session: 'ticket-1', entries: 2, state: 'open', agent: evidence.agent, org: evidence.org }, {}, {}, {}] },
    ]);
    const two = await evidence.world.ask(['session', 'list', '--count', '2', '--org', 'local']);
    expect((two.answer['sessions'] as unknown[]).length).toBe(2);
    expect((await evidence.world.run(['session', 'list'])).stdout).toMatch(/^SESSION .*\nticket-1 +open +2 /);
  });

  it.each([
    [['session', 'list', '--count', '0'], 5, '--count'],
    [['session', 'list', '--count', '1001'], 5, '--count'],
    [['session', 'list', '--org', 'none'], 5, 'no org'],
    [['session', 'end'], 5, 'missing required argument'],
    [['session', 'end', 'ticket-1'], 5, 'say why'],
    [['session', 'end', 'ticket-1', '--reason', 'línea'], 3, 'invalid_reason'],
    [['session', 'end', 'nobody', '--reason', 'done'], 3, 'session_unknown'],
    [['session', 'end', 'countersign.log', '--reason', 'done'], 3, 'invalid_session'],
    [['session', 'end', 'a b', '--reason', 'done'], 3, 'invalid_session'],
    [['session', 'bundle', 'ticket-1'], 5, 'where the files go'],
    [['session', 'bundle', 'nobody', '--out', 'x'], 3, 'session_unknown'],
    [['session', 'bundle', 'ticket-1', '--out', 'x', '--org', 'none'], 5, 'no org'],
  ] as const)('%j ends with %i and says why', async (args, exitCode, why) => {
    const ran = await evidence.world.run([...args]);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
  });

  it('bundle writes what verify --session takes; open, then ended, then complete', async () => {
    const bundled = await evidence.world.ask(['session', 'bundle', 'ticket-1', '--out', 'open']);
    expect(bundled).toMatchObject({ exitCode: 0, answer: { bundles: 2, erased: 0 } });
    expect(files('open')).toEqual(['open/000000.countersign.json', 'open/000001.countersign.json']);
    expect(evidence.read('open/000001.countersign.json')).toContain('rm -rf');
    const open = await evidence.world.ask(['verify', '--session', ...files('open')]);
    expect(open).toMatchObject({
      exitCode: 0,
      answer: { ok: true, end: 'open', chain: { status: 'pass' }, outcomes: { code: 'outcomes_ok' } },
    });
    expect(await evidence.world.run(['session', 'bundle', 'ticket-1', '--out', 'open'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('file_exists'),
    });
    const ended = await evidence.world.ask(['session', 'end', 'ticket-1', '--reason', 'ticket closed']);
    expect(ended).toMatchObject({ exitCode: 0, answer: { ended: { session: 'ticket-1', entries: 3, index: 14 } } });
    expect(await evidence.act('ticket-1', ['git status'])).toEqual(['session_ended']);
    expect(await evidence.act('ticket-2', ['git status'])).toEqual(['ok']);
    expect(await evidence.world.ask(['session', 'end', 'ticket-1', '--reason', 'again'])).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'session_ended' } },
    });
    expect(await evidence.world.run(['session', 'bundle', 'ticket-1', '--out', 'whole'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('3 bundles in whole; next: countersign verify --session whole/*.countersign.json'),
    });
    const whole = await evidence.world.run(['verify', '--session', ...files('whole')]);
    expect([whole.exitCode, whole.stdout]).toEqual([0, expect.stringContaining('the session is closed')]);
    expect(whole.stdout).toMatch(/ok {3}chain .*\n {2}ok {3}outcomes/);
    const [first = '', , last = ''] = files('whole');
    const gap = await evidence.world.ask(['verify', '--session', first, last]);
    expect(gap).toMatchObject({ exitCode: 2, answer: { ok: false, chain: { code: 'chain_gap' } } });
    expect((await evidence.world.run(['verify', '--session', '--exit-codes', first, last])).exitCode).toBe(18);
    const { answer } = await evidence.world.ask(['session', 'list', '--count', '3']);
    expect(answer['sessions']).toMatchObject([
      { session: 'ticket-2' },
      { session: 'ticket-1', state: 'ended', entries: 3, agent: evidence.agent },
      {},
    ]);
  });

  it('bundle without inputs discloses nothing; erased content is counted, and its proofs are there', async () => {
    expect(await evidence.world.run(['session', 'bundle', 'ticket-1', '--out', 'bare', '--without-inputs'])).toMatchObject({ exitCode: 0 });
    expect(
      files('bare')
        .map((file) => evidence.read(file))
        .join(''),
    ).not.toContain('rm -rf');
    await evidence.world.run(['vault', 'erase', '--subject', evidence.agent, '--reason', 'asked', '--yes']);
    const erased = await evidence.world.ask(['session', 'bundle', 'ticket-1', '--out', 'erased']);
    expect(erased).toMatchObject({ exitCode: 0, answer: { bundles: 3, erased: 2 } });
    expect(await evidence.world.run(['verify', '--session', ...files('erased')])).toMatchObject({ exitCode: 0 });
  });

  it('of several orgs none is guessed', async () => {
    await evidence.within(async (runtime) => void runtime.store.createOrg({ name: 'second', mode: 'locked' }));
    const end = ['session', 'end', 'ticket-2', '--reason', 'done'];
    expect(await evidence.world.ask(end)).toMatchObject({ exitCode: 3, answer: { error: { kind: 'org_required' } } });
    expect(await evidence.world.ask([...end, '--org', 'second'])).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'session_unknown' } },
    });
    expect(await evidence.world.ask([...end, '--org', 'local'])).toMatchObject({ exitCode: 0 });
  });
});
