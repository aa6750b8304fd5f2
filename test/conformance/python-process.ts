/** @module The second verifier (sdks/python) as a process: an interpreter that has what it needs, its suite, and many questions asked at once. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const ROOT = join(import.meta.dirname, '..', '..');
const PACKAGE = join(ROOT, 'sdks', 'python');
/** Kept between runs, and not part of the sources. */
const VENV = join(ROOT, '.build', 'python-verifier');
const REQUIREMENTS = join(PACKAGE, 'tests', 'requirements.txt');
const READY = 'import sys, cryptography; assert sys.version_info >= (3, 9) and int(cryptography.__version__.split(".")[0]) >= 42';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in the package's folder; a program that is not there ends with code null. */
export async function run(program: string, args: readonly string[], input = ''): Promise<Ran> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  const child = spawn(program, [...args], { cwd: PACKAGE, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined).end(input);
  const code = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

async function isReady(python: string): Promise<boolean> {
  return (await run(python, ['-c', READY])).code === 0;
}

async function makeVenv(): Promise<string | undefined> {
  const python = join(VENV, 'bin', 'python');
  if (existsSync(python) && (await isReady(python))) return undefined;
  await mkdir(VENV, { recursive: true });
  const made = await run('python3', ['-m', 'venv', '--clear', VENV]);
  if (made.code !== 0) return `python3 cannot make a virtual environment: ${made.stderr.trim().split('\n').at(-1) ?? ''}`;
  const installed = await run(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', REQUIREMENTS]);
  return installed.code === 0 ? undefined : `pip cannot install cryptography: ${installed.stderr.trim().split('\n').at(-1) ?? ''}`;
}

export type Python = { readonly path: string } | { readonly missing: string };

/** An interpreter of 3.9 or newer with `cryptography`: the machine's own, or one in a virtual environment of ours; or why there is none. */
export async function findPython(): Promise<Python> {
  const old = await run('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
  if (old.code === null) return { missing: 'there is no python3' };
  if (old.code !== 0) return { missing: 'python3 is older than 3.9' };
  if (await isReady('python3')) return { path: 'python3' };
  const missing = await makeVenv();
  return missing === undefined ? { path: join(VENV, 'bin', 'python') } : { missing };
}

/** What `tests/batch.py` answers, one a task, in order. */
export async function askAll<Answer>(python: string, tasks: readonly object[]): Promise<readonly Answer[]> {
  const ran = await run(python, ['-m', 'tests.batch'], tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
  if (ran.code !== 0) throw new Error(`the batch ended with ${ran.code ?? 'no code'}: ${ran.stderr}`);
  const answers = ran.stdout.trimEnd().split('\n');
  if (answers.length !== tasks.length) throw new Error(`${tasks.length} tasks, ${answers.length} answers`);
  // Lines of our own driver.
  return answers.map((line) => JSON.parse(line) as Answer);
}
