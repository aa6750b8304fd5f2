/**
 * @module Decisions of every kind are recorded by this process and judged again by another, which knows the directory and nothing else.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime } from '@countersign/runtime';
import { seeded } from './crash-run.ts';
import { mixedAction } from './mixed-actions.ts';

export interface ReplayReport {
  readonly decisions: number;
  readonly seed: number;
  readonly recordMs: number;
  readonly replayMs: number;
  /** Exit code of `countersign replay --all`: 0 when every verdict came out byte for byte the same. */
  readonly exitCode: number;
  /** Its last line. */
  readonly summary: string;
}

const CLI = fileURLToPath(new URL('../apps/cli/bin/countersign.mjs', import.meta.url));
const AT_ONCE = 64;

async function record(dataDir: string, decisions: number, seed: number): Promise<void> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
  const org = runtime.store.createOrg({ name: 'replay', mode: 'learning' });
  const created = org.ok ? runtime.store.createAgent({ org: org.value.id, name: 'replayed', scopes: ['*'] }) : org;
  if (!org.ok || !created.ok) throw new Error('the agent could not be made');
  const caller = { org: org.value.id, agent: created.value.agent.id };
  const random = seeded(seed);
  for (let done = 0; done < decisions; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, decisions - done) }, (_, n) => {
      const draft = { source: { framework: 'bench', door: 'bench' }, delegation: [], ...mixedAction(random) };
      return countersignAction({ caller, draft, session: `s${(done + n) % 40}`, fingerprint: '', mode: 'evaluate' }, runtime.ports);
    });
    const answers = await Promise.all(batch);
    for (const answer of answers)
      if (answer.receipt === null) throw new Error(`a decision was not recorded: ${answer.refusal?.code ?? ''}`);
  }
  await runtime.close();
}

function replayElsewhere(dataDir: string): Promise<{ readonly exitCode: number; readonly summary: string }> {
  const child = spawn(process.execPath, [CLI, 'replay', '--all', '--data', dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve) =>
    child.once('close', (code) => resolve({ exitCode: code ?? 1, summary: text.trim().split('\n').at(-1) ?? '' })),
  );
}

/** Records and replays. */
export async function runReplay(options: { readonly decisions: number; readonly seed: number }): Promise<ReplayReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-replay-'));
  try {
    const startedAt = performance.now();
    await record(dataDir, options.decisions, options.seed);
    const recordedAt = performance.now();
    const replayed = await replayElsewhere(dataDir);
    return { ...options, ...replayed, recordMs: Math.round(recordedAt - startedAt), replayMs: Math.round(performance.now() - recordedAt) };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
