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
  /** Starts a thread; absent: a real one. */
  readonly start?: (setup: ReplaySetup) => Thread;
}

/** What is asked of a thread. It answers each range with one `ReplayReply`. */
export interface Thread {
  postMessage(range: Range): void;
  on(event: 'message', listener: (reply: ReplayReply) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

const FROM_SOURCE = import.meta.url.endsWith('.ts');
const WORKER_FILE = new URL(FROM_SOURCE ? './replay-worker.ts' : './replay-worker.js', import.meta.url);

function startWorker(setup: ReplaySetup): Thread {
  // Sources find each other by this condition; what was compiled needs none.
  return new Worker(WORKER_FILE, { workerData: setup, ...(FROM_SOURCE ? { execArgv: ['--conditions=@countersign/source'] } : {}) });
}

/** What is under way: ranges that were handed out, and answers that wait for their turn. */
interface Desk {
  readonly replay: ThreadedReplay;
  readonly answers: Map<number, ReplayReply>;
  /** Starts of ranges that were handed out and not joined, in order. */
  readonly pending: number[];
  /** All that were started: as many as there was work for, at most `jobs`. */
  readonly threads: Thread[];
  /** Those without work. */
  readonly idle: Thread[];
  ended: boolean;
  readonly finish: (error?: Error) => void;
}

function mayHandOut({ replay, pending }: Desk): boolean {
  return !replay.stop.aborted && pending.length < replay.jobs * CLI_LIMITS.replayAheadMax;
}

function startThread(desk: Desk): Thread {
  const { start = startWorker, setup } = desk.replay;
  const thread = start(setup);
  desk.threads.push(thread);
  thread.on('message', (reply) => take(desk, thread, reply));
  thread.on('error', (error) => died(desk, error));
  thread.on('exit', () => died(desk));
  return thread;
}

function handOut(desk: Desk): void {
  const { ranges, jobs } = desk.replay;
  while ((desk.idle.length > 0 || desk.threads.length < jobs) && mayHandOut(desk)) {
    const next = ranges.next();
    if (next.done === true) break;
    desk.pending.push(next.value.from);
    (desk.idle.pop() ?? startThread(desk)).postMessage(next.value);
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

function take(desk: Desk, thread: Thread, reply: ReplayReply): void {
  if (desk.ended) return;
  desk.answers.set(reply.ok ? reply.range.from : reply.from, reply);
  desk.idle.push(thread);
  try {
    joinInOrder(desk);
    handOut(desk);
  } catch (error) {
    desk.finish(error instanceof Error ? error : new Error('a range could not be joined'));
  }
}

function died(desk: Desk, cause?: unknown): void {
  const fault = { code: 'replay_thread_failed', message: 'a replaying thread died', hint: 'try again with fewer --jobs' };
  desk.finish(new CodedError(fault, { cause }));
}

/**
 * Replays all ranges; on return every range that was handed out is joined.
 * @throws CodedError what the first range that failed says, or `replay_thread_failed`; ranges before it were joined.
 */
export async function replayRanges(replay: ThreadedReplay): Promise<void> {
  const threads: Thread[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        desk.ended = true;
        if (error === undefined) resolve();
        else reject(error);
      };
      const desk: Desk = { replay, answers: new Map(), pending: [], threads, idle: [], ended: false, finish };
      handOut(desk);
    });
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}
