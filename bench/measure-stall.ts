/**
 * @module How long the main loop stands still while actions of 1 MB are judged by the pool that a gateway has: what they cost here is to be
 * measured, sent over and answered for. The loop is asked again and again whether it still turns; the longest gap is what counts.
 */
import type { LoadedEngine } from '@countersign/pipeline';
import { isLargeAction } from '@countersign/runtime';
import type { Action } from '@countersign/protocol';
import { type BenchRow, round } from './bench-rows.ts';
import { KNOWN_STATE } from './corpus-action.ts';
import { openPooledEngine } from './engine-setup.ts';
import { hostileFamilies } from './hostile-families.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const CHARS = 1_000_000;
const STALL_MAX_MS = 50;

interface Watched {
  /** The longest gap between two turns of the loop by the clock, and the most CPU that this thread used in one. */
  readonly longestMs: number;
  readonly busiestMs: number;
  readonly turns: number;
}

/** CPU milliseconds of this thread. A busy machine takes the thread off its core; that is a gap by the clock, and none of our making. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Turns the loop as fast as it goes while `work` is under way, and notes the gaps. */
async function watchLoop(work: () => Promise<void>): Promise<Watched> {
  let [last, lastCpu, longestMs, busiestMs, turns, done] = [performance.now(), threadMs(), 0, 0, 0, false];
  const turning = new Promise<void>((resolve) => {
    const turn = (): void => {
      const [now, cpu] = [performance.now(), threadMs()];
      longestMs = Math.max(longestMs, now - last);
      busiestMs = Math.max(busiestMs, cpu - lastCpu);
      [last, lastCpu, turns] = [now, cpu, turns + 1];
      if (done) resolve();
      else setImmediate(turn);
    };
    setImmediate(turn);
  });
  await work();
  done = true;
  await turning;
  return { longestMs, busiestMs, turns };
}

async function judgeInPool(engine: LoadedEngine, action: Action): Promise<void> {
  const understood = await engine.understand(action, []);
  try {
    await understood.judge({ now: NOW, state: KNOWN_STATE });
  } finally {
    understood.release();
  }
}

function stallRow(name: string, worst: Watched & { readonly shape: string }, actions: number): BenchRow {
  const { longestMs, busiestMs, turns } = worst;
  return {
    area: 'judge',
    name,
    target: `longest stall of the main loop <= ${STALL_MAX_MS} ms`,
    measured: `${round(busiestMs)} ms CPU, ${round(longestMs)} ms by the clock (${worst.shape})`,
    met: busiestMs <= STALL_MAX_MS,
    figures: { busiestMs: round(busiestMs), longestMs: round(longestMs), actions, turns },
  };
}

/** One shape of each family, and all of those whose many parts are what has to be sent over. */
function largeActions(): readonly (readonly [string, Action])[] {
  return [...hostileFamilies(CHARS)].flatMap(([family, shapes]) => {
    const all = [...shapes].map(([shape, action]) => [`${family}, ${shape}`, action] as const);
    return family.startsWith('JSON') ? all : all.slice(0, 1);
  });
}

/** The first action, with which the thread starts, and then the others one after another. */
export async function measureStall(engineFile: string | undefined): Promise<BenchRow[]> {
  const engine = await openPooledEngine({ ruleset: 'default', engineFile });
  try {
    const watched: (Watched & { readonly shape: string })[] = [];
    for (const [shape, action] of largeActions()) {
      if (!isLargeAction(action)) throw new Error(`${shape} would be judged on the main loop`);
      watched.push({ shape, ...(await watchLoop(() => judgeInPool(engine, action))) });
    }
    const [first, ...others] = watched;
    if (first === undefined || others.length === 0) throw new Error('there are no hostile actions');
    const worst = others.reduce((a, b) => (b.busiestMs > a.busiestMs ? b : a));
    return [
      stallRow('main loop while the pool starts for the first action of 1 MB', first, 1),
      stallRow(`main loop while the pool judges ${others.length} hostile actions of 1 MB`, worst, others.length),
    ];
  } finally {
    await engine.close();
  }
}
