/** @module What hostile policies cost: each ends within a second and 100 MB, in a process of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchRow, round } from './bench-rows.ts';
import type { BombReport } from './policy-bomb-run.ts';
import { POLICY_BOMBS } from './policy-bombs.ts';

const RUN = fileURLToPath(new URL('./policy-bomb-run.ts', import.meta.url));
const MB = 1_000_000;
const TARGET = { ms: 1000, bytes: 100 * MB };

const start = promisify(execFile);

async function exploded(name: string): Promise<BombReport> {
  const { stdout } = await start(process.execPath, [...process.execArgv, RUN, name]);
  return JSON.parse(stdout) as BombReport;
}

function rowOf(name: string, { ms, addedBytes, end }: BombReport): BenchRow {
  const wanted = POLICY_BOMBS[name]?.ends ?? 'refused';
  const ended = (end === 'loaded') === (wanted === 'loaded');
  return {
    area: 'policy',
    name: `policy bomb: ${name}`,
    target: `${wanted} in <= ${TARGET.ms} ms and ${TARGET.bytes / MB} MB`,
    measured: `${end} in ${round(ms)} ms CPU and ${round(addedBytes / MB)} MB`,
    met: ended && ms <= TARGET.ms && addedBytes <= TARGET.bytes,
    figures: { ms: round(ms), addedBytes },
  };
}

/** A row for each. */
export async function* measurePolicy(): AsyncGenerator<BenchRow> {
  for (const name of Object.keys(POLICY_BOMBS)) yield rowOf(name, await exploded(name));
}
