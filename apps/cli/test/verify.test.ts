/** `verify` on the vectors, as a stranger runs it: files, keys and options, and what it ends with. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECK_EXITS } from '../src/verify-exit.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

interface Vector {
  readonly name: string;
  readonly trust: {
    readonly vkeys: readonly string[];
    readonly receiptKeys?: readonly string[];
    readonly witnessKeys?: readonly string[];
    readonly quorum?: number;
  };
  readonly files?: readonly string[];
  readonly file?: string;
  readonly now?: string;
  readonly seen?: string;
  readonly expect: { readonly ok: boolean; readonly checks: readonly string[] };
}

const FOLDER = join(import.meta.dirname, '../../../vectors/bundle');

function vectors(name: string): readonly Vector[] {
  return (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { cases: readonly Vector[] }).cases;
}

/** Keys and counts that are none are said before anything is verified. */
function isUsable({ trust }: Vector): boolean {
  const { vkeys, witnessKeys = [], quorum = 1 } = trust;
  const isKey = (text: string): boolean => /^[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(text);
  return vkeys.length > 0 && quorum >= 1 && quorum <= Math.max(1, witnessKeys.length) && [...vkeys, ...witnessKeys].every(isKey);
}

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

function write(name: string, text: string): string {
  writeFileSync(join(world.root, name), text);
  return name;
}

function argsOf({ trust, files = [], file, seen }: Vector): string[] {
  const { vkeys, receiptKeys = [], witnessKeys = [], quorum } = trust;
  const names = [...files, ...(file === undefined ? [] : [file])].map((text, i) => write(`${i}.json`, text));
  return [
    'verify',
    ...names,
    ...vkeys.flatMap((key) => ['--key', key]),
    ...receiptKeys.flatMap((key) => ['--receipt-key', key]),
    ...witnessKeys.flatMap((key) => ['--witness-key', key]),
    ...(quorum === undefined ? [] : ['--witnesses', String(quorum)]),
    ...(seen === undefined ? [] : ['--seen', write('seen.txt', seen)]),
  ];
}

/** The code of the first check of the table that a vector says fails. */
function exitOf({ expect: { ok, checks } }: Vector): number {
  const first = CHECK_EXITS.find(([name]) => checks.some((line) => line.startsWith(`${name} fail `)));
  return ok ? 0 : (first?.[1] ?? 2);
}

/** Lines `name status code` of everything that an answer says. */
function linesOf(answer: Record<string, unknown>): readonly string[] {
  const said = JSON.stringify(answer);
  return [...said.matchAll(/\{"name":"([a-z-]+)","status":"([a-z-]+)","code":"([A-Za-z_]+)"/g)].map(([, ...words]) => words.join(' '));
}

describe('BNDL-020 BNDL-023 verify --session', () => {
  it.each(
    vectors('sessions.json')
      .filter(isUsable)
      .map((one) => [one.name, one] as const),
  )('%s', async (_name, one) => {
    const args = [...argsOf(one), '--session', '--now', one.now ?? '1970-01-01T00:00:00.000Z'];
    if ((one.files ?? []).length === 0) return expect((await world.run(args)).exitCode).toBe(5);
    const { exitCode, answer } = await world.ask(args);
    expect([exitCode, answer['ok']]).toEqual([one.expect.ok ? 0 : 2, one.expect.ok]);
    expect(linesOf(answer)).toEqual(expect.arrayContaining([...one.expect.checks]));
    const distinct = (await world.run([...args, '--exit-codes'])).exitCode;
    // Where a bundle itself does not verify, its own check comes first.
    if (one.expect.checks.includes('chain fail chain_unproven')) expect([10, 11, 12, 13, 14, 15, 16, 17]).toContain(distinct);
    else expect(distinct).toBe(exitOf(one));
    return undefined;
  });
});

describe('BNDL-030 BNDL-031 BNDL-032 verify of consistency files', () => {
  it.each(
    vectors('consistency.json')
      .filter(isUsable)
      .map((one) => [one.name, one] as const),
  )('%s', async (_name, one) => {
    const args = argsOf(one);
    // What is not JSON, too large or of another type does not say that it is one.
    const isNone = one.expect.checks.some((line) => /consistency_(?:not_json|too_large)|malformed/.test(line));
    const ran = await world.run([...args, '--exit-codes']);
    if (isNone) return expect([5, 10, 20]).toContain(ran.exitCode);
    expect(ran.exitCode).toBe(exitOf(one));
    const { exitCode, answer } = await world.ask(args);
    expect([exitCode, linesOf(answer)]).toEqual([one.expect.ok ? 0 : 2, expect.arrayContaining([...one.expect.checks])]);
    return undefined;
  });
});

describe('verify says what is wrong with the question', () => {
  const session = vectors('sessions.json').find(({ trust }) => trust.witnessKeys !== undefined);
  const [grown] = vectors('consistency.json');
  const key = session?.trust.vkeys[0] ?? '';
  const witness = session?.trust.witnessKeys?.[0] ?? '';
  beforeAll(() => {
    write('bundle.json', session?.files?.[0] ?? '');
    write('grown.json', grown?.file ?? '');
  });

  it.each([
    [['--witnesses', '1'], 5, 'number of witnesses'],
    [['--witness-key', witness, '--witnesses', '0'], 5, 'number of witnesses'],
    [['--witness-key', witness, '--witnesses', '2'], 5, 'number of witnesses'],
    [['--witness-key', witness, '--witnesses', 'x'], 5, 'number of witnesses'],
    [['--witness-key', key], 3, 'witness key'],
    [['--now', '2026-01-31T12:00:00.000Z'], 5, '--now'],
    [['--session', '--now', 'tomorrow'], 5, 'milliseconds'],
    [['--session', '--now', '2026-02-31T99:00:00.000Z'], 5, 'milliseconds'],
    [['--seen', 'grown.json'], 5, '--seen'],
    [['grown.json', 'grown.json'], 5, 'two consistency files'],
    [['grown.json', '--seen', 'nowhere'], 3, 'file_unreadable'],
  ] as const)('%j is exit %i', async (args, exitCode, why) => {
    const ran = await world.run(['verify', 'bundle.json', ...args, '--key', key]);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
  });

  it('a session needs bundles', async () => {
    expect(await world.run(['verify', 'grown.json', '--session', '--key', key])).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('no file of the session'),
    });
  });

  it('where nobody says when, it is now: an outcome that was due is missing', async () => {
    const pending = vectors('sessions.json').find(
      ({ now, expect: { checks } }) => now === undefined && checks.some((line) => line.includes('outcome_pending')),
    );
    const { exitCode, answer } = await world.ask([...(pending === undefined ? [] : argsOf(pending)), '--session']);
    expect([exitCode, linesOf(answer)]).toEqual([2, expect.arrayContaining(['outcomes fail outcome_missing'])]);
  });

  it('the help names every exit code', async () => {
    const { stdout } = await world.run(['verify', '--help']);
    const flat = stdout.replace(/\s+/g, ' ');
    for (const [name, code] of CHECK_EXITS) expect(flat).toContain(`${code} ${name}`);
  });
});
