/**
 * @module Decisions of every kind are recorded by this process and judged again by another, which knows the directory and nothing else.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime, type Runtime } from '@countersign/runtime';
import { seeded } from './crash-run.ts';
import { mixedAction } from './mixed-actions.ts';

export interface ReplayOptions {
  readonly decisions: number;
  readonly seed: number;
  /** Threads that replay. */
  readonly jobs: number;
  /** A directory to record into and to leave there; absent: a temporary one. */
  readonly keep?: string;
}

export interface ReplayReport extends ReplayOptions {
  readonly recordMs: number;
  readonly replayMs: number;
  /** Bytes of the journal. */
  readonly journalBytes: number;
  /** Exit code of `countersign replay --all`: 0 when every verdict came out byte for byte the same. */
  readonly exitCode: number;
  /** Its last line. */
  readonly summary: string;
}

export const JOBS: number = availableParallelism();

const CLI = fileURLToPath(new URL('../apps/cli/bin/countersign.mjs', import.meta.url));
/** Actions under way at once: so many share a write to disk. */
const AT_ONCE = 256;
const SESSIONS = 1000;

/** Records `decisions` mixed actions. Each of the actions under way begins the next one, so that the disk never waits for a round. */
async function recordAll(runtime: Runtime, { decisions, seed }: Pick<ReplayOptions, 'decisions' | 'seed'>): Promise<void> {
  const org = runtime.store.createOrg({ name: 'replay', mode: 'learning' });
  const created = org.ok ? runtime.store.createAgent({ org: org.value.id, name: 'replayed', scopes: ['*'] }) : org;
  if (!org.ok || !created.ok) throw new Error('the agent could not be made');
  const caller = { org: org.value.id, agent: created.value.agent.id };
  const random = seeded(seed);
  let begun = 0;
  const recordOnwards = async (): Promise<void> => {
    while (begun < decisions) {
      const n = begun;
      begun += 1;
      const draft = { source: { framework: 'bench', door: 'bench' }, delegation: [], ...mixedAction(random) };
      const request = { caller, draft, session: `s${n % SESSIONS}`, fingerprint: '', mode: 'evaluate' } as const;
      const answer = await countersignAction(request, runtime.ports);
      if (answer.receipt === null) throw new Error(`a decision was not recorded: ${answer.refusal?.code ?? ''}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, decisions) }, recordOnwards));
}

/** Records into a directory, and leaves it closed. */
export async function recordMixed(dataDir: string, options: Pick<ReplayOptions, 'decisions' | 'seed'>): Promise<void> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
  try {
    await recordAll(runtime, options);
  } finally {
    await runtime.close();
  }
}

function replayElsewhere(dataDir: string, jobs: number): Promise<{ readonly exitCode: number; readonly summary: string }> {
  const args = [CLI, 'replay', '--all', '--jobs', String(jobs), '--data', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ exitCode: code ?? 1, summary: text.trim().split('\n').at(-1) ?? '' })),
  );
}

async function journalBytes(dataDir: string): Promise<number> {
  const folder = join(dataDir, 'log', 'journal');
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Records and replays. */
export async function runReplay(options: ReplayOptions): Promise<ReplayReport> {
  const dataDir = options.keep ?? (await mkdtemp(join(tmpdir(), 'countersign-replay-')));
  try {
    const startedAt = performance.now();
    await recordMixed(dataDir, options);
    const recordedAt = performance.now();
    const replayed = await replayElsewhere(dataDir, options.jobs);
    const replayMs = Math.round(performance.now() - recordedAt);
    const recordMs = Math.round(recordedAt - startedAt);
    return { ...options, ...replayed, recordMs, replayMs, journalBytes: await journalBytes(dataDir) };
  } finally {
    if (options.keep === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}
