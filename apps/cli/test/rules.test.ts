/** `rules`: listing, steering by a policy file or the policy in force, and rules of one's own; on a directory and through a gateway. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countersignAction } from '@countersign/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, type Mode, openEvidence } from './evidence-world.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

const PACK = `version: 1
pack: acme
description: What our agents must leave alone.
rules:
  - id: acme.word
    title: A word that nobody says
    category: acme
    severity: high
    score: 0.8
    level: 2
    kinds: [run]
    when: {command: {name: [git], args: [shibboleth]}}
    tags: {owasp: [ASI02]}
    examples: {positive: [{shell: git shibboleth}], negative: [{shell: git status}]}
`;

interface Listed {
  readonly id: string;
  readonly level: number;
  readonly pack: string;
  readonly category: string;
  readonly state?: string;
  readonly kinds: readonly string[];
  readonly exemptable: boolean;
  readonly tags: { readonly owasp: readonly string[] };
}

let world: FakeWorld;
let all: readonly Listed[] = [];
beforeAll(async () => {
  world = fakeWorld();
  writeFileSync(join(world.root, 'acme.yaml'), PACK);
  all = await listed();
});
afterAll(() => world.remove());

async function listed(...args: readonly string[]): Promise<readonly Listed[]> {
  const { exitCode, answer } = await world.ask(['rules', 'list', ...args]);
  expect(exitCode).toBe(0);
  return answer['rules'] as readonly Listed[];
}

describe('rules list', () => {
  it.each<[readonly string[], (rule: Listed) => boolean]>([
    [['--category', 'destructive-sql'], ({ category }) => category === 'destructive-sql'],
    [['--pack', 'shell'], ({ pack }) => pack === 'shell'],
    [['--owasp', 'llm01'], ({ tags }) => tags.owasp.includes('LLM01')],
    [['--level', '1'], ({ level }) => level === 1],
    [['--level', '4', '--pack', 'sql'], ({ pack }) => pack === 'sql'],
    [['--kind', 'prompt.input'], ({ kinds }) => kinds.includes('prompt.input') || kinds.includes('prompt.*')],
  ])('%j', async (args, holds) => {
    const found = await listed(...args);
    expect(found.length).toBeGreaterThan(0);
    expect(found.map(({ id }) => id)).toEqual(all.filter(holds).map(({ id }) => id));
  });

  it.each([
    [['--category', 'none'], 'categor'],
    [['--pack', 'none'], 'shell'],
    [['--owasp', 'LLM99'], 'LLM01'],
    [['--regulation', 'none'], 'regulation'],
    [['--level', '5'], '1, 2, 3 or 4'],
    [['--kind', 'nothing'], 'kind of action'],
  ] as const)('%j is exit 5 and says what there is', async (args, said) => {
    const { exitCode, stderr } = await world.run(['rules', 'list', ...args]);
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining(said)]);
  });

  it('says what a policy makes of each', async () => {
    const [first, second, ...rest] = all.filter(({ exemptable, level }) => exemptable && level === 1);
    const policy = `name: x\ndetection: {disable: [${first?.id ?? ''}], scores: {${second?.id ?? ''}: 0.25}}\n`;
    writeFileSync(join(world.root, 'listed.yaml'), policy);
    const states = new Map((await listed('--policy', 'listed.yaml')).map(({ id, state }) => [id, state]));
    expect([first, second, rest[0]].map((rule) => states.get(rule?.id ?? ''))).toEqual(['off', 'on at 0.25', 'on']);
    expect((await world.run(['rules', 'list', '--policy', 'listed.yaml'])).stdout).toMatch(/^ID +STATE +SCORE/);
  });
});

const POLICY = '# ours\nname: team # keep\nextends: default\n';

describe('a policy file', () => {
  const read = (): string => readFileSync(join(world.root, 'team.yaml'), 'utf8');
  const some = (): string => all.find(({ exemptable }) => exemptable)?.id ?? '';
  const firm = (): string => all.find(({ exemptable }) => !exemptable)?.id ?? '';

  it('is edited, keeps its comments, and says what is next', async () => {
    writeFileSync(join(world.root, 'team.yaml'), POLICY);
    const id = some();
    const done = await world.run(['rules', 'disable', id, '--policy', 'team.yaml']);
    expect([done.exitCode, done.stdout]).toEqual([
      0,
      `rule ${id} is switched off in team.yaml; next: countersign policy apply team.yaml\n`,
    ]);
    expect(read()).toBe(`${POLICY}detection:\n  disable: [${id}]\n`);
    const again = await world.ask(['rules', 'disable', id, '--policy', 'team.yaml']);
    expect(again.answer).toMatchObject({ changed: false, detection: { disable: [id] } });
    await world.run(['rules', 'tune', id, '0.4', '--policy', 'team.yaml']);
    await world.run(['rules', 'level', '3', '--policy', 'team.yaml']);
    expect(read()).toContain(`scores:\n    ${id}: 0.4\n  paranoia_level: 3\n`);
    await world.run(['rules', 'tune', id, '--reset', '--policy', 'team.yaml']);
    const enabled = await world.ask(['rules', 'enable', id, '--policy', 'team.yaml']);
    expect(enabled.answer).toMatchObject({ changed: true, detection: { paranoia_level: 3, disable: [], scores: {} } });
    expect(read().startsWith(POLICY)).toBe(true);
  });

  it('is left as it is where the change is refused', async () => {
    writeFileSync(join(world.root, 'team.yaml'), POLICY);
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [['disable', 'none'], 5, 'there is no rule `none`'],
      [['disable', firm()], 3, `rule \`${firm()}\` cannot be switched off`],
      [['tune', firm(), '0.01'], 3, `the score of rule \`${firm()}\` can only be raised`],
      [['tune', some(), '1.01'], 5, 'at most two decimals'],
      [['tune', some(), '0'], 5, 'at most two decimals'],
      [['tune', some()], 5, 'say a score'],
      [['tune', some(), '0.5', '--reset'], 5, 'say a score'],
      [['level', '5'], 5, '1, 2, 3 or 4'],
    ];
    for (const [args, code, said] of cases) {
      const { exitCode, stderr } = await world.run(['rules', ...args, '--policy', 'team.yaml']);
      expect([args, exitCode, stderr]).toEqual([args, code, expect.stringContaining(said)]);
    }
    expect(read()).toBe(POLICY);
    expect((await world.run(['rules', 'disable', some(), '--policy', '-'])).exitCode).toBe(5);
    expect((await world.run(['rules', 'disable', some(), '--policy', 'none.yaml'])).exitCode).toBe(3);
  });

  it('that names rules nobody has is said to, and one that weakens what is firm is refused', async () => {
    const bad = await world.run(['policy', 'validate', '-'], { input: `detection: {disable: [${firm()}]}\n` });
    expect([bad.exitCode, bad.stderr]).toEqual([3, expect.stringContaining('rule_not_exemptable')]);
    const odd = await world.run(['policy', 'validate', '-'], { input: 'detection: {disable: [R999999]}\n' });
    expect([odd.exitCode, odd.stdout]).toEqual([
      0,
      expect.stringContaining('names rules that are not there, which changes nothing: R999999'),
    ]);
  });
});

describe("a data directory's own rules", () => {
  it('are listed, shown and tested with the built-in ones; a bad one stops everything', async () => {
    const own = fakeWorld();
    try {
      mkdirSync(join(own.root, '.countersign', 'rules'), { recursive: true });
      const file = join(own.root, '.countersign', 'rules', 'acme.yaml');
      writeFileSync(file, PACK);
      expect((await own.ask(['rules', 'list', '--pack', 'acme'])).answer).toMatchObject({ rules: [{ id: 'acme.word', level: 2 }] });
      expect((await own.run(['rules', 'show', 'acme.word'])).stdout).toContain('git shibboleth');
      writeFileSync(file, PACK.replace('score: 0.8', 'score: 8'));
      const refused = await own.run(['check', 'shell', 'git status']);
      expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('acme.yaml:9:5')]);
    } finally {
      own.remove();
    }
  });
});

const MODES: readonly Mode[] = ['directory', 'gateway'];

describe.each(MODES)('the policy and the rules in force, %s', (mode) => {
  let evidence: Evidence;
  beforeAll(async () => {
    evidence = await openEvidence(mode);
    writeFileSync(join(evidence.world.root, 'acme.yaml'), PACK);
  });
  afterAll(() => evidence.close());
  /** Whether the rule finds what it is about, in a new action. */
  const speaks = (): Promise<boolean> =>
    evidence.within(async ({ ports }) => {
      const draft = {
        kind: 'shell.exec',
        tool: 'shell.exec',
        params: { command: 'git shibboleth' },
        source: { framework: 'test', door: 'test' },
        delegation: [],
      };
      const caller = { org: evidence.org, agent: evidence.agent };
      const { verdict } = await countersignAction({ caller, draft, session: 'rules', fingerprint: 'f', mode: 'evaluate' }, ports);
      return verdict.reasons.some(({ code }) => code === 'acme.word');
    });
  const run = (...args: readonly string[]): ReturnType<FakeWorld['run']> => evidence.world.run(['rules', ...args]);
  const ask = (...args: readonly string[]): ReturnType<FakeWorld['ask']> => evidence.world.ask(['rules', ...args]);

  it('rules are added, and speak at their level', async () => {
    const added = await ask('add', 'acme.yaml');
    expect(added).toMatchObject({ exitCode: 0, answer: { pack: { pack: 'acme', rules: 1 }, rules: { problem: null } } });
    expect(await speaks()).toBe(false);
    const levelled = await run('level', '2');
    expect([levelled.exitCode, levelled.stdout]).toEqual([
      0,
      expect.stringMatching(/^the paranoia level is 2: policy .* version 2 .*is in force\n$/),
    ]);
    expect(await speaks()).toBe(true);
  });

  it('are switched off', async () => {
    expect((await run('disable', 'acme.word')).exitCode).toBe(0);
    expect(await speaks()).toBe(false);
    expect((await run('disable', 'acme.word')).stdout).toContain('is switched off already');
  });

  it('and go', async () => {
    const removed = await run('remove', 'acme');
    expect([removed.exitCode, removed.stdout]).toEqual([
      0,
      expect.stringMatching(/^pack acme is gone: rules [0-9a-f]{12} are in force\n$/),
    ]);
    expect((await run('packs')).stdout).toContain('names rules that are not there, which changes nothing: acme.word');
    expect((await run('enable', 'acme.word')).exitCode).toBe(0);
    expect((await ask('packs')).answer).toMatchObject({ rules: { packs: [], ignored: [] } });
  });

  it('a bad document is refused with every fault and its place', async () => {
    const bad = PACK.replace('id: acme.word', 'id: R001').replace('positive: [{shell: git shibboleth}]', 'positive: [{shell: ls}]');
    writeFileSync(join(evidence.world.root, 'bad.yaml'), bad);
    const refused = await run('add', 'bad.yaml');
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('rule_example_failed')]);
    expect(refused.stderr).toContain('/rules/0/examples/positive/0');
    writeFileSync(join(evidence.world.root, 'bad.yaml'), PACK.replace('id: acme.word', 'id: R001'));
    expect((await run('add', 'bad.yaml')).stderr).toContain('rule id `R001` of pack `acme` is one of the built-in rules');
    expect((await run('remove', 'none')).stderr).toContain('rule_pack_unknown');
    expect((await ask('packs')).answer).toMatchObject({ rules: { packs: [] } });
  });

  it('files that were put by hand hold once they are read again', async () => {
    const folder = join(evidence.dataDir, 'rules');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'acme.yaml'), PACK);
    expect((await ask('reload')).answer).toMatchObject({ rules: { packs: [{ pack: 'acme' }], problem: null } });
    expect(await speaks()).toBe(true);
  });
});
