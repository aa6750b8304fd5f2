/** How ranges are handed out and joined, whatever the threads do. */
import { describe, expect, it } from 'vitest';
import { CLI_LIMITS } from '../src/limits.ts';
import type { Range } from '../src/replay-range.ts';
import { createKeeper, type Resume } from '../src/replay-resume.ts';
import { createTally } from '../src/replay-tally.ts';
import { replayRanges, type Thread } from '../src/replay-threads.ts';
import type { ReplayReply, ReplaySetup } from '../src/replay-worker.ts';

const SETUP: ReplaySetup = { dataDir: '', copies: '', logKeys: [], trust: { folders: [], hashes: [], foreign: [] }, times: {} };
const RANGES = 40;

function* ranges(): Generator<Range, void, undefined> {
  for (let n = 0; n < RANGES; n += 1) yield { from: n, until: n + 1 };
}

/** Threads that answer when they are told to. */
interface Stage {
  readonly running: Promise<void>;
  readonly joined: number[];
  readonly started: () => number;
  readonly ended: () => number;
  /** Ranges that were handed out and not answered. */
  readonly waiting: number[];
  answer(from: number, fault?: string): Promise<void>;
  die(): void;
  readonly stop: AbortController;
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function stage(jobs: number, join: (from: number) => void = () => undefined): Stage {
  const [joined, waiting]: [number[], number[]] = [[], []];
  const answers = new Map<number, (reply: ReplayReply) => void>();
  const stop = new AbortController();
  let [started, ended] = [0, 0];
  let die = (): void => undefined;
  const start = (): Thread => {
    started += 1;
    let reply: (reply: ReplayReply) => void = () => undefined;
    return {
      on: (event: string, listener: (reply: ReplayReply) => void) => {
        if (event === 'message') reply = listener;
        else die = listener as () => void;
      },
      postMessage: ({ from }) => {
        waiting.push(from);
        answers.set(from, (answer) => reply(answer));
      },
      terminate: () => Promise.resolve((ended += 1)),
    };
  };
  const running = replayRanges({
    setup: SETUP,
    jobs,
    ranges: ranges(),
    join: ({ from }) => {
      joined.push(from);
      join(from);
    },
    stop: stop.signal,
    start,
  });
  running.catch(() => undefined);
  return {
    running,
    joined,
    waiting,
    stop,
    started: () => started,
    ended: () => ended,
    die: () => die(),
    answer: async (from, fault) => {
      waiting.splice(waiting.indexOf(from), 1);
      const range = { from, until: from + 1, tally: createTally().part(), subtrees: [] };
      answers.get(from)?.(fault === undefined ? { ok: true, range } : { ok: false, from, fault: { code: fault, message: fault } });
      await settled();
    },
  };
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('ranges over threads', () => {
  it.each([1, 2, 5, RANGES + 3])('RPLY-024 are joined in order with %i threads, whichever answers first', async (jobs) => {
    const on = stage(jobs);
    let turn = 0;
    while (on.waiting.length > 0) {
      turn += 1;
      await on.answer(on.waiting[(turn * 7) % on.waiting.length] ?? -1);
    }
    await on.running;
    expect(on.joined).toEqual(upTo(RANGES));
    expect([on.started(), on.ended()]).toEqual([Math.min(jobs, RANGES), Math.min(jobs, RANGES)]);
  });

  it('RPLY-024 wait while one is slow: n are handed out, not n + 1', async () => {
    const on = stage(2);
    const ahead = 2 * CLI_LIMITS.replayAheadMax;
    for (let n = 1; n < ahead - 1; n += 1) await on.answer(n);
    expect([on.joined, on.waiting]).toEqual([[], [0, ahead - 1]]);
    await on.answer(ahead - 1);
    expect(on.waiting).toEqual([0]);
    await on.answer(0);
    expect([on.joined, on.waiting]).toEqual([upTo(ahead), [ahead, ahead + 1]]);
    on.stop.abort();
    for (const from of [ahead, ahead + 1]) await on.answer(from);
    await on.running;
  });

  it('RPLY-033 that were handed out when it was stopped are joined, and no others', async () => {
    const on = stage(3);
    await on.answer(0);
    on.stop.abort();
    expect(on.waiting).toEqual([1, 2, 3]);
    for (const from of [3, 1, 2]) await on.answer(from);
    await on.running;
    expect(on.joined).toEqual([0, 1, 2, 3]);
  });

  it('RPLY-003 the first fault in the order of the log ends it, whichever came first', async () => {
    const on = stage(3);
    await on.answer(2, 'later');
    await on.answer(1, 'first');
    await on.answer(0);
    await expect(on.running).rejects.toMatchObject({ code: 'first' });
    expect([on.joined, on.ended()]).toEqual([[0], 3]);
  });

  it('end with what joining throws', async () => {
    const on = stage(1, () => {
      throw new RangeError('forked');
    });
    await on.answer(0);
    await expect(on.running).rejects.toThrow('forked');
  });

  it('end where a thread dies', async () => {
    const on = stage(2);
    on.die();
    await expect(on.running).rejects.toMatchObject({ code: 'replay_thread_failed' });
    expect(on.ended()).toBe(2);
  });
});

describe('the state that is kept while it goes on', () => {
  const stateAt = (next: number): Resume => ({
    origin: 'o',
    question: { from: '0', since: '', until: '', under: '', trust: '' },
    end: 1e6,
    next,
    root: '',
    tally: createTally().part(),
  });

  it('RPLY-040 is written n entries behind the one before, not n - 1, one at a time and in order', async () => {
    const every = CLI_LIMITS.replaySavedEvery;
    const written: number[] = [];
    let busy = 0;
    const save = async ({ next }: Resume): Promise<void> => {
      busy += 1;
      await settled();
      expect(busy).toBe(1);
      busy -= 1;
      written.push(next);
    };
    const keeper = createKeeper({ from: 100, save });
    for (const next of [100 + every - 1, 100 + every, 100 + every + 1, 100 + 2 * every - 1, 100 + 2 * every]) {
      keeper.reached(next, () => stateAt(next));
    }
    await keeper.saved();
    expect(written).toEqual([100 + every, 100 + 2 * every]);
  });

  it('RPLY-040 that cannot be written is said at the end', async () => {
    const keeper = createKeeper({ from: 0, save: () => Promise.reject(new RangeError('full')) });
    keeper.reached(CLI_LIMITS.replaySavedEvery, () => stateAt(1));
    await expect(keeper.saved()).rejects.toThrow('full');
  });
});
