/** A world in memory for the command line: what it wrote, and a home and working directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli, type Sink, type World } from '../src/index.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FakeWorld {
  readonly root: string;
  readonly home: string;
  run(args: readonly string[], changes?: Partial<World> & { readonly input?: string; readonly terminal?: boolean }): Promise<Ran>;
  /** Runs with --json and gives the answer. */
  ask(args: readonly string[]): Promise<{ readonly exitCode: number; readonly answer: Record<string, unknown> }>;
  remove(): void;
}

function memorySink(isTerminal: boolean): Sink & { readonly parts: string[] } {
  const parts: string[] = [];
  return { parts, write: (text) => void parts.push(text), isTerminal, columns: 120 };
}

export function fakeWorld(): FakeWorld {
  const root = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  const home = join(root, 'home');
  async function run(
    args: readonly string[],
    changes: Partial<World> & { readonly input?: string; readonly terminal?: boolean } = {},
  ): Promise<Ran> {
    const { input = '', terminal = false, ...rest } = changes;
    const [stdout, stderr] = [memorySink(terminal), memorySink(terminal)];
    const world: World = {
      env: {},
      cwd: root,
      home,
      stdout,
      stderr,
      stdin: () => Promise.resolve(new TextEncoder().encode(input)),
      async *stdinChunks() {
        yield new TextEncoder().encode(input);
      },
      clock: { nowMs: () => 1_800_000_000_000 },
      after: () => () => undefined,
      stop: new AbortController().signal,
      ...rest,
    };
    const exitCode = await runCli(args, world);
    return { exitCode, stdout: stdout.parts.join(''), stderr: stderr.parts.join('') };
  }
  return {
    root,
    home,
    run,
    async ask(args) {
      const { exitCode, stdout } = await run([...args, '--json']);
      return { exitCode, answer: JSON.parse(stdout) as Record<string, unknown> };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
