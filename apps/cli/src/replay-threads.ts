/**
 * @module Ranges of a log over several threads: handed out in order, joined in order, with only so many between the two that memory
 * stays bounded. What comes out does not depend on the number of threads.
 */
import { Worker } from 'node:worker_threads';
import { CodedError } from '@countersign/kernel';
import { CLI_LIMITS } from './limits.ts';
import type { Range, ReplayedRange } from './replay-range.ts';
import type { ReplayReply, ReplaySetup } from './replay-worker.ts';

export interface ThreadedReplay {
  readonly setup: ReplaySetup;
  readonly jobs: number;
  /** In rising order, without gaps. */
  readonly ranges: Iterator<Range>;
  /** Called once for each range, in order. */
  readonly join: (range: ReplayedRange) => void;
  /** Nothing more is handed out once it is aborted; ranges under way are still joined. */
  readonly stop: AbortSignal;
}

const FROM_SOURCE = import.meta.url.endsWith('.ts');
const WORKER_FILE = new URL(FROM_SOURCE ? './replay-worker.ts' : './replay-worker.js', import.meta.url);

function startWorker(setup: ReplaySetup): Worker {
  // Sources find each other by this condition; what was compiled needs none.
  return new Worker(WORKER_FILE, { workerData: setup, ...(FROM_SOURCE ? { execArgv: ['--conditions=@countersign/source'] } : {}) });
}

/** What is under way: ranges that were handed out, and answers that wait for their turn. */
interface Desk {
  readonly replay: ThreadedReplay;
  readonly answers: Map<number, ReplayReply>;
  /** Starts of ranges that were handed out and not joined, in order. */
  readonly pending: number[];
  /** Threads without work. */
  readonly idle: Worker[];
  finish: (error?: Error) => void;
}

function mayHandOut({ replay, pending }: Desk): boolean {
  return !replay.stop.aborted && pending.length < replay.jobs * CLI_LIMITS.replayAheadMax;
}

function handOut(desk: Desk): void {
  while (desk.idle.length > 0 && mayHandOut(desk)) {
    const next = desk.replay.ranges.next();
    if (next.done === true) break;
    desk.pending.push(next.value.from);
    desk.idle.pop()?.postMessage(next.value);
  }
  if (desk.pending.length === 0) desk.finish();
}

/** Joins the answers whose turn it is. The first fault in the order of the log ends everything. */
function joinInOrder(desk: Desk): void {
  for (let [first] = desk.pending; first !== undefined; [first] = desk.pending) {
    const answer = desk.answers.get(first);
    if (answer === undefined) return;
    desk.answers.delete(first);
    desk.pending.shift();
    if (!answer.ok) return desk.finish(new CodedError(answer.fault));
    desk.replay.join(answer.range);
  }
}

function take(desk: Desk, worker: Worker, reply: ReplayReply): void {
  desk.answers.set(reply.ok ? reply.range.from : reply.from, reply);
  desk.idle.push(worker);
  try {
    joinInOrder(desk);
    handOut(desk);
  } catch (error) {
    desk.finish(error instanceof Error ? error : new Error('a range could not be joined'));
  }
}

function died(desk: Desk): void {
  desk.finish(new CodedError({ code: 'replay_thread_failed', message: 'a replaying thread died', hint: 'try again with fewer --jobs' }));
}

/**
 * Replays all ranges; on return every range that was handed out is joined.
 * @throws CodedError what the first range that failed says, or `replay_thread_failed`; ranges before it were joined.
 */
export async function replayRanges(replay: ThreadedReplay): Promise<void> {
  const workers = Array.from({ length: replay.jobs }, () => startWorker(replay.setup));
  try {
    await new Promise<void>((resolve, reject) => {
      let ended = false;
      const finish = (error?: Error): void => {
        if (ended) return;
        ended = true;
        if (error === undefined) resolve();
        else reject(error);
      };
      const desk: Desk = { replay, answers: new Map(), pending: [], idle: [...workers].toReversed(), finish };
      for (const worker of workers) {
        worker.on('message', (reply: ReplayReply) => (ended ? undefined : take(desk, worker, reply)));
        worker.on('error', () => died(desk));
        worker.on('exit', () => died(desk));
      }
      handOut(desk);
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
