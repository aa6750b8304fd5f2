/** @module A thread that replays ranges of a log: a reader of the directory and engines of its own, and nothing shared but the file system. */
import { parentPort, workerData } from 'node:worker_threads';
import { openEvidenceDirectory } from '@countersign/runtime';
import {
  createRangeReplayer,
  faultOf,
  type Range,
  type RangeReplayer,
  type ReplayedRange,
  type ThreadFault,
  type TimeSpan,
} from './replay-range.ts';
import { type EngineTrust, openEngineTrust } from './replay-trust.ts';
import { createReplayer } from './replayer.ts';

/** What a thread is started with; plain data. */
export interface ReplaySetup {
  readonly dataDir: string;
  readonly log?: string;
  readonly logKeys: readonly string[];
  readonly copies: string;
  readonly trust: EngineTrust;
  readonly under?: string;
  readonly times: TimeSpan;
}

export type ReplayReply =
  | { readonly ok: true; readonly range: ReplayedRange }
  | { readonly ok: false; readonly from: number; readonly fault: ThreadFault };

async function open({ dataDir, log, logKeys, copies, trust, under, times }: ReplaySetup): Promise<RangeReplayer> {
  const find = await openEngineTrust(trust);
  const evidence = await openEvidenceDirectory({ dataDir, logKeys, copies, ...(log === undefined ? {} : { log }) });
  const replayer = createReplayer({ find, ...(under === undefined ? {} : { under }) });
  return createRangeReplayer(evidence, replayer, times);
}

const opening = open(workerData as ReplaySetup);
// Whoever asks for the first range is told.
opening.catch(() => undefined);

async function answer(range: Range): Promise<ReplayReply> {
  try {
    return { ok: true, range: await (await opening).replay(range) };
  } catch (error) {
    return { ok: false, from: range.from, fault: faultOf(error) };
  }
}

parentPort?.on('message', (range: Range) => {
  void answer(range).then((reply) => parentPort?.postMessage(reply));
});
