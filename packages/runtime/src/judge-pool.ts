/**
 * @module A bounded pool of threads for large actions: the main loop never judges more than 64 KB at once. Full, dead or stuck: a coded
 * error, which the pipeline turns into a deny.
 */
import { Worker } from 'node:worker_threads';
import { CodedError } from '@countersign/kernel';
import type { Understood } from '@countersign/pipeline';
import type { Action, GuardQuestion, Judgement, Signal } from '@countersign/protocol';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './judge-worker.ts';
import { RUNTIME_LIMITS } from './limits.ts';

interface Waiter {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Seat {
  readonly worker: Worker;
  readonly waiters: Map<number, Waiter>;
  jobs: number;
}

export interface JudgePool {
  /** @throws {CodedError} `engine_busy` when full, `engine_failed` when the thread died. */
  understand(action: Action, signals: readonly Signal[]): Promise<Understood>;
  /** Takes no more; the threads end with the last job under way. */
  close(): Promise<void>;
}

/** Defaults stand in `limits.ts`. */
interface PoolOptions {
  /** Answers what guards want to know; absent where none asks. */
  readonly ask?: ((questions: readonly GuardQuestion[]) => Promise<readonly Signal[]>) | undefined;
  readonly workers?: number;
  readonly jobsMax?: number;
}

const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? './judge-worker.ts' : './judge-worker.js', import.meta.url);

function failed(message: string): CodedError {
  return new CodedError({ code: 'engine_failed', message });
}

function openSeat(setup: WorkerSetup): Seat {
  const worker = new Worker(WORKER_FILE, { workerData: setup });
  const seat: Seat = { worker, waiters: new Map(), jobs: 0 };
  worker.unref();
  worker.on('message', (reply: WorkerReply) => {
    const waiter = seat.waiters.get(reply.id);
    seat.waiters.delete(reply.id);
    if (reply.ok) waiter?.resolve(reply.output);
    else waiter?.reject(failed(`the judging thread failed (${reply.message})`));
  });
  const die = (): void => {
    for (const waiter of seat.waiters.values()) waiter.reject(failed('the judging thread died'));
    seat.waiters.clear();
  };
  worker.on('error', die);
  worker.on('exit', die);
  return seat;
}

function ask(seat: Seat, request: WorkerRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    seat.waiters.set(request.id, { resolve, reject });
    seat.worker.postMessage(request);
  });
}

async function endThreads(seats: Seat[]): Promise<void> {
  await Promise.all(seats.splice(0).map((seat) => seat.worker.terminate()));
}

/** What the guards of one job want to know, answered and handed back to its thread. */
async function askOutside(
  { seat, id }: { readonly seat: Seat; readonly id: number },
  answer: NonNullable<PoolOptions['ask']>,
): Promise<readonly Signal[]> {
  const questions = (await ask(seat, { op: 'questions', id })) as readonly GuardQuestion[];
  const signals = questions.length === 0 ? [] : await answer(questions);
  if (signals.length > 0) await ask(seat, { op: 'answers', id, signals });
  return signals;
}

/** A pool for one loaded engine. Threads start with the first large action, and only then is their setup, which is large, made. */
export function createJudgePool(setup: () => WorkerSetup, options: PoolOptions = {}): JudgePool {
  const workers = options.workers ?? RUNTIME_LIMITS.poolWorkers;
  const jobsMax = options.jobsMax ?? RUNTIME_LIMITS.poolJobsMax;
  const seats: Seat[] = [];
  let jobs = 0;
  let nextId = 1;
  let closed = false;

  function dismiss(seat: Seat): void {
    const index = seats.indexOf(seat);
    if (index >= 0) seats.splice(index, 1);
    void seat.worker.terminate();
  }

  function freeSeat(): Seat {
    if (seats.length >= workers) return seats.reduce((least, seat) => (seat.jobs < least.jobs ? seat : least));
    const seat = openSeat(setup());
    seat.worker.once('exit', () => dismiss(seat));
    seats.push(seat);
    return seat;
  }

  function handle(seat: Seat, id: number): Understood {
    let released = false;
    const { ask: answer } = options;
    return {
      ...(answer === undefined ? {} : { ask: () => askOutside({ seat, id }, answer) }),
      judge: (input) => ask(seat, { op: 'judge', id, ...input }) as Promise<Judgement>,
      release(): void {
        if (released) return;
        released = true;
        jobs -= 1;
        seat.jobs -= 1;
        // Given back while it still runs: the deadline has passed, so the thread is stuck and goes.
        if (seat.waiters.has(id)) dismiss(seat);
        else seat.worker.postMessage({ op: 'release', id } satisfies WorkerRequest);
        if (closed && jobs === 0) void endThreads(seats);
      },
    };
  }

  return {
    async understand(action, signals): Promise<Understood> {
      if (closed) throw failed('the engine was replaced');
      if (jobs >= jobsMax) throw new CodedError({ code: 'engine_busy', message: 'too many large actions are being judged' });
      const seat = freeSeat();
      const id = nextId++;
      jobs += 1;
      seat.jobs += 1;
      const understood = handle(seat, id);
      try {
        await ask(seat, { op: 'understand', id, action: JSON.stringify(action), signals });
        return understood;
      } catch (error) {
        understood.release();
        throw error;
      }
    },
    async close(): Promise<void> {
      closed = true;
      if (jobs === 0) await endThreads(seats);
    },
  };
}
