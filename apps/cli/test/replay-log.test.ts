/** `replay --log`: somebody else's directory, many threads, stopped and gone on, and whose engines are run. */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonObject, parseJson } from '@countersign/kernel';
import { countersignAction, type SignalSource } from '@countersign/pipeline';
import { openRuntime, readEngineFile, type Runtime } from '@countersign/runtime';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI_LIMITS } from '../src/limits.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

type Draft = Parameters<Runtime['recorder']['stageReceipt']>[0];
type Answer = Record<string, unknown>;

const COUNT = 1200;
const NOWHERE = 'f'.repeat(64);
const TIME = (n: number): string => `2026-01-01T00:${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}.000Z`;

/** Every hundredth receipt says something else than what was judged; in the order in which they were staged. */
function written(draft: Draft, n: number): Draft {
  const timed = { ...draft, time: TIME(n) };
  if (n % 100 === 50) return { ...timed, verdict: { ...draft.verdict, risk: draft.verdict.risk === 7 ? 8 : 7 } };
  if (n % 100 === 70) return { ...timed, inputs: { ...draft.inputs, engine: NOWHERE } };
  return timed;
}

interface Recording {
  readonly count: number;
  readonly change?: (draft: Draft, n: number) => Draft;
  readonly signals?: SignalSource;
}

/** Adds receipts to a directory, and leaves it closed. */
async function record(dataDir: string, { count, change = (draft) => draft, signals }: Recording): Promise<void> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
  const [known] = runtime.store.listOrgs();
  const org = known === undefined ? runtime.store.createOrg({ name: 'o', mode: 'learning' }) : { ok: true as const, value: known };
  if (!org.ok) throw new Error('no org');
  const agent = runtime.store.createAgent({ org: org.value.id, name: `a${count}`, scopes: ['*'] });
  if (!agent.ok) throw new Error('no agent');
  let staged = 0;
  const stageReceipt = (draft: Draft): ReturnType<Runtime['recorder']['stageReceipt']> => {
    staged += 1;
    return runtime.recorder.stageReceipt(change(draft, staged - 1));
  };
  const recorder = { ...runtime.recorder, stageReceipt };
  const ports = { ...runtime.ports, recorder, ...(signals === undefined ? {} : { signals }) };
  const caller = { org: org.value.id, agent: agent.value.agent.id };
  const source = { framework: 'test', door: 'test' };
  await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command: `rm -rf /srv/${n % 7}` }, source, delegation: [] };
      return countersignAction({ caller, draft, session: `s${n % 9}`, fingerprint: '', mode: 'evaluate' }, ports);
    }),
  );
  await runtime.close();
}

let world: FakeWorld;
let log = '';
let whole: Answer = {};

/** A fresh copy of the recorded directory, somewhere else than the data directory of the world. */
let copies = 0;
function copied(): string {
  copies += 1;
  const copy = join(world.root, `copy-${copies}`);
  cpSync(log, copy, { recursive: true });
  return copy;
}

async function replayed(dir: string, ...options: readonly string[]): Promise<{ exitCode: number; answer: Answer }> {
  return world.ask(['replay', '--log', dir, ...options]);
}

beforeAll(async () => {
  world = fakeWorld();
  log = join(world.root, 'evidence');
  await record(log, { count: COUNT, change: written });
  whole = (await replayed(log, '--jobs', '1')).answer;
}, 120_000);
afterAll(() => world.remove());

const EXPECTED = {
  receipts: COUNT,
  equal: COUNT - 24,
  different: 12,
  unknown_engine: 12,
  refused: 0,
  de_escalated: 0,
  erased: 0,
  complete: true,
};

describe('a log of somebody else', () => {
  it('RPLY-010 is replayed whole, and led to its checkpoint', () => {
    expect(COUNT).toBeGreaterThan(2 * CLI_LIMITS.replayRangeMax);
    expect(whole).toMatchObject({ ...EXPECTED, from: 0, reached: COUNT, checkpoint: COUNT });
    expect(whole['results']).toHaveLength(24);
  });

  it.each([2, 3, 7])('RPLY-024 gives the same answer with %i threads', async (jobs) => {
    expect((await replayed(log, '--jobs', String(jobs))).answer).toEqual(whole);
  });

  it(`RPLY-025 takes ${CLI_LIMITS.replayJobsMax} threads, and starts no more than it has ranges for`, async () => {
    const { exitCode, answer } = await replayed(log, '--jobs', String(CLI_LIMITS.replayJobsMax), '--until', '5');
    expect([exitCode, answer['equal']]).toEqual([0, 5]);
  });

  it('RPLY-005 is replayed beside the gateway that has it open, up to what was there', async () => {
    const dir = copied();
    const runtime = await openRuntime({ dataDir: dir, hostSets: () => ({}) });
    try {
      expect((await replayed(dir)).answer).toMatchObject(EXPECTED);
    } finally {
      await runtime.close();
    }
  });

  it.each<[string, readonly string[], number, number]>([
    ['an entry on', ['--since', '700'], 700, COUNT],
    ['an entry', ['--until', '513'], 0, 513],
    ['one entry to another', ['--since', '100', '--until', '101'], 100, 101],
    ['the end of the log', ['--since', '99999'], COUNT, COUNT],
    ['a time on', ['--since', '2026-01-01T00:10Z'], 600, COUNT],
    ['a time', ['--until', '2026-01-01T00:10:00.001Z'], 0, 601],
    ['one time to another', ['--since', '2026-01-01T00:00:10Z', '--until', '2026-01-01T00:00:12Z'], 10, 12],
    ['a day', ['--since', '2026-01-01', '--until', '2026-01-02'], 0, COUNT],
    ['another day', ['--since', '2026-01-02'], COUNT, COUNT],
  ])('RPLY-011 is replayed from or to %s', async (...[, options, from, until]) => {
    const { answer, exitCode } = await replayed(log, ...options);
    const numbers = Array.from({ length: until - from }, (_, i) => (from + i) % 100);
    const lies = numbers.filter((n) => n === 50 || n === 70).length;
    expect(answer).toMatchObject({ receipts: until - from, equal: until - from - lies, checkpoint: COUNT });
    expect(exitCode).toBe(lies === 0 && until > from ? 0 : 2);
  });

  it.each([
    ['--since', 'yesterday'],
    ['--since', '-1'],
    ['--until', '2026-02-30'],
    ['--until', '2026-01-01T00:00:00+01:00'],
    ['--jobs', '0'],
    ['--jobs', String(CLI_LIMITS.replayJobsMax + 1)],
    ['--engine', 'newest'],
    ['--trust-engine', 'abc'],
  ])('RPLY-025 with %s %s is exit 5', async (option, value) => {
    expect(await replayed(log, `${option}=${value}`)).toMatchObject({ exitCode: 5, answer: { error: { kind: 'invalid_arguments' } } });
  });

  it.each([[[]], [['--all', '--log', 'x']], [['x.json', '--all']], [['x.json', '--since', '1']], [['x.json', '--resume', 'r']]])(
    'RPLY-025 %j is exit 5',
    async (args) => {
      expect(await world.ask(['replay', ...args])).toMatchObject({ exitCode: 5 });
    },
  );

  it('RPLY-025 that is not there is exit 3, and says what to do', async () => {
    const { exitCode, answer } = await replayed('nowhere');
    expect([exitCode, answer['error']]).toEqual([3, expect.objectContaining({ kind: 'no_data_directory', hint: expect.any(String) })]);
  });

  it('RPLY-006 whose entries do not lead to its checkpoint is refused', async () => {
    const dir = copied();
    await record(dir, { count: 2 });
    // The same gateway, the same number of entries, another history.
    const other = copied();
    await record(other, { count: 2 });
    rmSync(join(dir, 'log', 'public'), { recursive: true });
    cpSync(join(other, 'log', 'public'), join(dir, 'log', 'public'), { recursive: true });
    for (const range of [[], ['--until', '10'], ['--since', String(COUNT + 1)]]) {
      const { exitCode, answer } = await replayed(dir, ...range);
      // A range that is in both histories leads to the checkpoint of the other one as well.
      if (range[0] === '--until') expect(answer).toMatchObject({ receipts: 10, checkpoint: COUNT + 2 });
      else expect([exitCode, answer['error']]).toEqual([4, expect.objectContaining({ kind: 'log_forked' })]);
    }
  });

  function damage(dir: string): void {
    const path = join(dir, 'log', 'journal', '0000000000.seg');
    const bytes = readFileSync(path);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  it('RPLY-006 RPLY-024 whose last entries are not signed yet says how many', async () => {
    const dir = copied();
    await record(dir, { count: 5 });
    rmSync(join(dir, 'log', 'public'), { recursive: true });
    cpSync(join(log, 'log', 'public'), join(dir, 'log', 'public'), { recursive: true });
    const since = String(COUNT - 10);
    const { stdout } = await world.run(['replay', '--log', dir, '--since', since]);
    expect(stdout).toContain(`signed checkpoint of size ${COUNT}; the last 5 are not under a signed checkpoint yet`);
    expect((await replayed(dir, '--since', since)).answer).toMatchObject({
      receipts: 15,
      equal: 15,
      reached: COUNT + 5,
      checkpoint: COUNT,
    });
  });

  it('RPLY-006 believes keys that were named, and refuses what is no key', async () => {
    const key = readFileSync(join(log, 'log.vkey'), 'utf8').trim();
    expect((await replayed(log, '--until', '3', '--key', key)).exitCode).toBe(0);
    expect((await replayed(log, '--key', 'no key')).exitCode).toBe(3);
    const foreign = join(world.root, 'foreign-key');
    await record(foreign, { count: 1 });
    const other = readFileSync(join(foreign, 'log.vkey'), 'utf8').trim();
    expect(await replayed(log, '--key', other)).toMatchObject({
      exitCode: 4,
      answer: { error: { kind: expect.stringMatching(/^note_/) } },
    });
  });

  it('RPLY-003 that is damaged before the last write is refused with segment and byte', async () => {
    const dir = copied();
    await record(dir, { count: 1 });
    damage(dir);
    const { exitCode, answer } = await replayed(dir, '--jobs', '2');
    const fault = { kind: 'log_corrupt', path: expect.stringMatching(/^journal segment 0, byte \d+$/) };
    expect([exitCode, answer['error']]).toEqual([4, expect.objectContaining(fault)]);
  });

  it('RPLY-006 whose last write is damaged, although it was published, is refused with the place where it ends', async () => {
    const dir = join(world.root, 'one-write');
    await record(dir, { count: 40 });
    damage(dir);
    const { exitCode, answer } = await replayed(dir);
    const fault = {
      kind: expect.stringMatching(/^log_(rolled_back|corrupt)$/),
      path: expect.stringMatching(/^journal segment 0, byte \d+$/),
    };
    expect([exitCode, answer['error']]).toEqual([4, expect.objectContaining(fault)]);
  });

  it('RPLY-023 without its documents is refused, receipt by receipt', async () => {
    const dir = copied();
    rmSync(join(dir, 'state.db'));
    expect((await replayed(dir, '--until', '10')).answer).toMatchObject({ receipts: 10, equal: 0, refused: 10 });
  });
});

describe('whose engines are run', () => {
  const MARK = 'countersign-hostile-engine';
  /** Code that leaves a mark in this process wherever it is imported. */
  const hostile = (mark: string): string =>
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, ''); export const openEngine = () => { throw new Error('x'); };`;

  async function withHostileEngine(): Promise<{ dir: string; hash: string; mark: string; text: string }> {
    const dir = join(world.root, `hostile-${(copies += 1)}`);
    const mark = join(world.root, `${MARK}-${copies}`);
    const text = hostile(mark);
    const hash = sha256Hex(text);
    await record(dir, { count: 3, change: (draft) => ({ ...draft, inputs: { ...draft.inputs, engine: hash } }) });
    writeFileSync(join(dir, 'engines', `${hash}.mjs`), text);
    return { dir, hash, mark, text };
  }

  it('RPLY-031 hostile code in the engines of somebody else is not run', async () => {
    const { dir, mark } = await withHostileEngine();
    expect((await replayed(dir)).answer).toMatchObject({ receipts: 3, unknown_engine: 3 });
    expect(existsSync(mark)).toBe(false);
    const { exitCode, answer } = await replayed(dir, '--engine', sha256Hex(hostile(mark)));
    expect([exitCode, answer['error']]).toEqual([3, expect.objectContaining({ kind: 'engine_unknown' })]);
    expect(existsSync(mark)).toBe(false);
  });

  it('RPLY-031 it is run where its hash is named: the test above can fail', async () => {
    const { dir, hash, mark } = await withHostileEngine();
    const { exitCode, answer } = await replayed(dir, '--trust-engine', hash);
    expect([exitCode, answer['error']]).toEqual([3, expect.objectContaining({ kind: 'engine_invalid' })]);
    expect(existsSync(mark)).toBe(true);
  });

  it('RPLY-030 an engine in a folder that was named is run, and one of the own installation is', async () => {
    const { dir, hash, mark, text } = await withHostileEngine();
    const folder = join(world.root, `named-${copies}`);
    mkdirSync(folder);
    writeFileSync(join(folder, `${hash}.mjs`), text);
    expect((await replayed(dir, '--engines', folder)).answer['error']).toMatchObject({ kind: 'engine_invalid' });
    expect(existsSync(mark)).toBe(true);
    rmSync(mark);
    expect((await world.ask(['replay', '--all', '--data', dir])).answer['error']).toMatchObject({ kind: 'engine_invalid' });
    expect(existsSync(mark)).toBe(true);
  });

  it('RPLY-030 the data directory where the command was started is the own one only where it is named, or all of it is replayed', async () => {
    const { dir, mark } = await withHostileEngine();
    const cwd = join(world.root, `started-${copies}`);
    mkdirSync(cwd);
    renameSync(dir, join(cwd, '.countersign'));
    for (const args of [[], ['--engines', join(cwd, 'none')]]) {
      const { exitCode } = await world.run(['replay', '--log', '.countersign', ...args], { cwd });
      expect([exitCode, existsSync(mark)]).toEqual([2, false]);
    }
    const own = [
      { args: ['--all'], env: {} },
      { args: ['--log', '.countersign', '--data', '.countersign'], env: {} },
      { args: ['--log', '.countersign'], env: { COUNTERSIGN_DATA: '.countersign' } },
    ];
    for (const { args, env } of own) {
      await world.run(['replay', ...args], { cwd, env });
      expect(existsSync(mark), args.join(' ')).toBe(true);
      rmSync(mark);
    }
  });

  it('RPLY-032 what is not what its name says is not run', async () => {
    const { dir, hash, mark } = await withHostileEngine();
    writeFileSync(join(dir, 'engines', `${hash}.mjs`), `${hostile(mark)}// changed`);
    expect((await replayed(dir, '--trust-engine', hash)).answer['error']).toMatchObject({ kind: 'engine_corrupt' });
    expect(existsSync(mark)).toBe(false);
  });
});

describe('a replay that is stopped', () => {
  /** Aborts when the progress has been asked so often, which it is after each range. */
  function stopAfter(ranges: number): { readonly stop: AbortSignal; readonly clock: { nowMs(): number } } {
    const controller = new AbortController();
    let asked = 0;
    const nowMs = (): number => {
      asked += 1;
      if (asked === ranges + 1) controller.abort('SIGINT');
      return 0;
    };
    return { stop: controller.signal, clock: { nowMs } };
  }

  const state = (name: string): JsonObject => {
    const parsed = parseJson(readFileSync(join(world.root, name)), { bytesMax: 1e7 });
    return parsed.ok ? (parsed.value.value as JsonObject) : {};
  };

  it('RPLY-033 RPLY-040 says so, leaves its state, and goes on from it to the same answer', async () => {
    const first = await world.run(['replay', '--log', log, '--resume', 'a.json', '--jobs', '1', '--json'], stopAfter(1));
    expect(JSON.parse(first.stdout)).toMatchObject({ exit_code: 2, complete: false, checkpoint: COUNT });
    const { next, end } = state('a.json');
    expect(next).toBeGreaterThan(0);
    expect(next).toBeLessThan(COUNT);
    expect([end, existsSync(join(world.root, 'a.json.new'))]).toEqual([COUNT, false]);
    const second = await replayed(log, '--resume', 'a.json', '--jobs', '2');
    expect(second.answer).toEqual(whole);
    expect(existsSync(join(world.root, 'a.json'))).toBe(false);
  });

  it('RPLY-041 goes on to the end that it had, although the log has grown', async () => {
    const dir = copied();
    await world.run(['replay', '--log', dir, '--resume', 'grown.json', '--jobs', '1'], stopAfter(1));
    await record(dir, { count: 5 });
    expect((await replayed(dir, '--resume', 'grown.json')).answer).toMatchObject({ ...EXPECTED, reached: COUNT, checkpoint: COUNT + 5 });
  });

  it('RPLY-042 does not go on over another log', async () => {
    await world.run(['replay', '--log', log, '--resume', 'other.json', '--jobs', '1'], stopAfter(1));
    const other = join(world.root, 'other-log');
    await record(other, { count: 3 });
    expect((await replayed(other, '--resume', 'other.json')).answer['error']).toMatchObject({ kind: 'resume_other_log' });
    // The same gateway, but what it holds is not what was replayed.
    const changed = { ...state('other.json'), root: 'A'.repeat(43).concat('=') };
    writeFileSync(join(world.root, 'other.json'), canonicalize(changed));
    expect((await replayed(log, '--resume', 'other.json')).answer['error']).toMatchObject({ kind: 'resume_other_log' });
    writeFileSync(join(world.root, 'other.json'), canonicalize({ ...changed, end: COUNT + 1 }));
    expect((await replayed(log, '--resume', 'other.json')).answer['error']).toMatchObject({ kind: 'resume_other_log' });
  });

  it.each<[string, readonly string[]]>([
    ['since', ['--since', '2025-01-01']],
    ['until', ['--until', '1000']],
    ['under', ['--engine', 'built']],
    ['trust', ['--trust-engine', NOWHERE]],
  ])('RPLY-043 does not go on with another %s', async (name, options) => {
    await world.run(['replay', '--log', log, '--resume', `question-${name}.json`, '--jobs', '1'], stopAfter(1));
    const { exitCode, answer } = await replayed(log, '--resume', `question-${name}.json`, ...options);
    expect([exitCode, answer['error']]).toEqual([3, expect.objectContaining({ kind: 'resume_other_question' })]);
  });

  it('RPLY-044 does not go on from a file with any member missing or of another form', async () => {
    await world.run(['replay', '--log', log, '--resume', 'form.json', '--jobs', '1'], stopAfter(1));
    const good = state('form.json');
    const refused = async (text: string): Promise<void> => {
      writeFileSync(join(world.root, 'form.json'), text);
      expect((await replayed(log, '--resume', 'form.json')).answer['error'], text.slice(0, 80)).toMatchObject({ kind: 'resume_malformed' });
    };
    for (const name of Object.keys(good)) {
      await refused(canonicalize(Object.fromEntries(Object.entries(good).filter(([key]) => key !== name))));
      await refused(canonicalize({ ...good, [name]: name === 'tally' || name === 'question' ? {} : [] }));
    }
    const tally = good['tally'] as JsonObject;
    for (const name of Object.keys(tally)) await refused(canonicalize({ ...good, tally: { ...tally, [name]: 7 } }));
    const row = { id: 'x', result: { status: 'fine', sentence: '' } };
    await refused(canonicalize({ ...good, tally: { ...tally, first: [row] } }));
    await refused(canonicalize({ ...good, next: COUNT + 1 }));
    await refused('{');
  });
});

describe('outside opinions', () => {
  it('RPLY-050 are judged again with the action, and are found to have escalated only', async () => {
    const dir = join(world.root, 'opinions');
    const opinion = { source: 'local-model', severity: 'critical', score: 990, reason: 'destructive_intent' };
    const signals = { signalsFor: () => Promise.resolve([{ kind: 'llm', subject: '/params/command', value: opinion }]) };
    await record(dir, { count: 2, signals });
    const malformed = { signalsFor: () => Promise.resolve([{ kind: 'threat-intel', subject: '', value: null }]) };
    await record(dir, { count: 1, signals: malformed });
    expect(await replayed(dir)).toMatchObject({ exitCode: 0, answer: { receipts: 3, equal: 3, de_escalated: 0 } });
  });
});

describe('another engine', () => {
  it('RPLY-060 that is the same one says nothing otherwise', async () => {
    const { hash } = await readEngineFile();
    const dir = join(world.root, 'same');
    await record(dir, { count: 4 });
    const { exitCode, answer } = await replayed(dir, '--engine', 'built');
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({ receipts: 4, equal: 4, engine: hash, directions: {} });
  });

  it('RPLY-061 RPLY-062 names what it would say otherwise: 1 where no decision is, 2 where one is', async () => {
    const dir = join(world.root, 'lies');
    await record(dir, { count: 3, change: (draft, n) => (n === 1 ? { ...draft, verdict: { ...draft.verdict, risk: 7 } } : draft) });
    const scores = await replayed(dir, '--engine', 'built');
    expect(scores).toMatchObject({ exitCode: 1, answer: { equal: 2, different: 1, directions: {} } });
    expect(scores.answer['results']).toContainEqual(expect.objectContaining({ status: 'different', path: '/verdict/risk', from: '7' }));
    await record(dir, { count: 2, change: (draft) => ({ ...draft, verdict: { ...draft.verdict, decision: 'allow' } }) });
    const decisions = await replayed(dir, '--engine', 'built');
    expect(decisions.exitCode).toBe(2);
    expect(decisions.answer['directions']).toEqual({ [`allow->${String(await decisionOf(dir))}`]: 2 });
  });

  /** What the engine really says of the action of this test. */
  async function decisionOf(dir: string): Promise<unknown> {
    const { answer } = await world.ask(['replay', '--log', dir]);
    const rows = answer['results'] as readonly { readonly sentence: string }[];
    return /and "([a-z]+)" when computed again/.exec(rows.find(({ sentence }) => sentence.includes('/decision'))?.sentence ?? '')?.[1];
  }
});

describe('names', () => {
  it('RPLY-030 the own directory under another name is still the own', async () => {
    const own = join(world.root, '.countersign');
    if (!existsSync(own)) await record(own, { count: 1 });
    renameSync(own, join(world.root, 'moved'));
    expect(await world.ask(['replay', '--log', 'moved', '--data', join(world.root, '.', 'moved')])).toMatchObject({ exitCode: 0 });
  });
});
