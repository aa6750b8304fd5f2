/**
 * The judge is changed. What was decided before replays byte for byte under the engine that decided it, which the data directory has kept;
 * and the new engine says what it would decide otherwise.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordMixed } from '../../bench/replay-run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIMITS = join(ROOT, 'packages', 'judge', 'src', 'limits.ts');
const BUILD = join(ROOT, 'packages', 'judge', 'tools', 'build-engine.mjs');
const DECISIONS = 900;
const run = promisify(execFile);

let place = '';
let dataDir = '';
let changedEngine = '';

/** An engine that refuses tools which nobody has registered: one constant, in a copy of its file. */
async function buildChangedEngine(): Promise<string> {
  const source = readFileSync(LIMITS, 'utf8');
  const changed = source.replace('pendingTool: 200', 'pendingTool: 700');
  expect(changed).not.toBe(source);
  const copy = join(place, 'limits.ts');
  writeFileSync(copy, changed);
  const out = join(place, 'engine.mjs');
  await run(process.execPath, [BUILD, '--out', out, '--replace', `${LIMITS}=${copy}`]);
  return out;
}

/** The compiled program with another engine: what an upgrade leaves on a machine. */
function upgraded(engine: string): string {
  const home = join(place, 'upgraded');
  const modules = join(home, 'node_modules');
  mkdirSync(join(modules, '@countersign'), { recursive: true });
  const folders = ['packages', 'apps'].flatMap((floor) => readdirSync(join(ROOT, floor)).map((name) => join(floor, name)));
  for (const folder of folders.filter((name) => existsSync(join(ROOT, name, 'dist')))) {
    const parts = ['dist', 'package.json', 'packs', 'rulesets'].filter((part) => existsSync(join(ROOT, folder, part)));
    for (const part of parts) cpSync(join(ROOT, folder, part), join(home, folder, part), { recursive: true });
    symlinkSync(join(home, folder), join(modules, '@countersign', basename(folder)));
  }
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@countersign' && !name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  cpSync(engine, join(home, 'packages', 'judge', 'dist', 'engine.mjs'));
  return join(home, 'apps', 'cli', 'dist', 'main.js');
}

interface Answer {
  readonly exit_code: number;
  readonly receipts: number;
  readonly equal: number;
  readonly different: number;
  readonly refused: number;
  readonly unknown_engine: number;
  readonly engine?: string;
  readonly directions?: Readonly<Record<string, number>>;
  readonly results: readonly { readonly status: string; readonly path?: string; readonly direction?: string }[];
}

async function replay(program: string, ...options: readonly string[]): Promise<Answer> {
  const args = [program, 'replay', '--json', '--log', dataDir, ...options];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return JSON.parse(stdout) as Answer;
}

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'countersign-engine-change-'));
  dataDir = join(place, 'data');
  [changedEngine] = await Promise.all([buildChangedEngine(), recordMixed(dataDir, { decisions: DECISIONS, seed: 11 })]);
}, 120_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

it(
  'RPLY-030 RPLY-060 RPLY-061 old decisions are equal under the engine that was kept, and the new one names its differences',
  { timeout: 120_000 },
  async () => {
    const program = upgraded(changedEngine);
    const hash = createHash('sha256').update(readFileSync(changedEngine)).digest('hex');
    const all = { receipts: DECISIONS, refused: 0, unknown_engine: 0 };
    // The new program on the directory of its own installation: the old engine is in its `engines`.
    expect(await replay(program, '--data', dataDir)).toMatchObject({ exit_code: 0, ...all, equal: DECISIONS });
    // For anybody else the old engine is a stranger.
    expect(await replay(program, '--data', place)).toMatchObject({ exit_code: 2, equal: 0, unknown_engine: DECISIONS });

    const compared = await replay(program, '--data', dataDir, '--engine', 'built');
    expect(compared).toMatchObject({ exit_code: 2, ...all, engine: hash });
    // With lower thresholds nothing becomes milder, and something becomes stricter.
    expect(Object.keys(compared.directions ?? {})).toEqual(['warn->deny']);
    expect(compared.different).toBe(compared.directions?.['warn->deny']);
    expect(compared.equal + compared.different).toBe(DECISIONS);
    expect(compared.results.every(({ status, path }) => status === 'different' && path === '/verdict/decision')).toBe(true);

    // The old program under the new engine, which it trusts by its hash alone, says the same.
    const engines = join(place, 'engines');
    mkdirSync(engines);
    cpSync(changedEngine, join(engines, `${hash}.mjs`));
    const main = join(ROOT, 'apps', 'cli', 'dist', 'main.js');
    expect(await replay(main, '--engine', hash, '--engines', engines)).toEqual(compared);
  },
);
