/** Commands in the papers that are marked `sh runnable` are run, in order, as they stand: a paper that lies turns red. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../apps/cli/src/commands.ts';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);
const PAPERS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

const read = (paper: string): string => readFileSync(join(ROOT, paper), 'utf8');
const blocks = (text: string, info: string): string[] =>
  [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].filter((match) => match[1] === info).map((match) => match[2] ?? '');

let tour = '';
let shim = '';
beforeAll(() => {
  tour = mkdtempSync(join(tmpdir(), 'countersign-tour-'));
  // npx starts the same program, a second later; that it does is tested once, below.
  shim = join(tour, 'bin');
  mkdirSync(shim);
  writeFileSync(join(shim, 'npx'), `#!/bin/sh\ncommand=$1; shift\nexec "${join(ROOT, 'node_modules', '.bin')}/$command" "$@"\n`, {
    mode: 0o755,
  });
});
afterAll(() => rmSync(tour, { recursive: true, force: true }));

describe('what is marked runnable runs', () => {
  const runnable = PAPERS.map((paper) => [paper, blocks(read(paper), 'sh runnable')] as const).filter(([, found]) => found.length > 0);

  it('the README has a tour', () => {
    expect(runnable.map(([paper]) => paper)).toContain('README.md');
  });

  it.each(runnable)(
    '%s',
    async (_paper, scripts) => {
      const env = {
        ...process.env,
        TOUR: tour,
        COUNTERSIGN_DATA: join(tour, 'data'),
        PATH: `${shim}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      };
      for (const script of scripts) {
        const done = run('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env, maxBuffer: 64 * 1024 * 1024 });
        await expect(done, script).resolves.toBeDefined();
      }
    },
    // Sixty commands, each a process: only what hangs is stopped.
    600_000,
  );
});

describe('what the papers name exists', () => {
  it.each(PAPERS)('links of %s lead somewhere', (paper) => {
    const targets = [...read(paper).matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '').filter((target) => !target.includes('://'));
    const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(paper), target)));
    expect(missing).toEqual([]);
  });

  it.each(PAPERS)('every command that %s names is one', (paper) => {
    // A command of three words is known by its first two.
    const known = COMMANDS.flatMap(({ path }) => [path, path.split(' ').slice(0, 2).join(' ')]);
    const named = [...read(paper).matchAll(/countersign ([a-z]+(?: [a-z]+(?:-[a-z]+)*)?)/g)].map((match) => match[1] ?? '');
    const wrong = named.filter((words) => !known.includes(words) && !known.includes(words.split(' ')[0] ?? ''));
    // A sentence may begin with the product's name; only words that a group knows are held against the table.
    const groups = new Set(known.filter((path) => path.includes(' ')).map((path) => path.split(' ')[0]));
    expect(wrong.filter((words) => groups.has(words.split(' ')[0]))).toEqual([]);
  });
});
