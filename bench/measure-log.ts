/** @module What the log costs: durable appends, proofs, and a bundle checked by somebody who has nothing but the bundle. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner, noteVerifierKey, sha256, type Signer } from '@countersign/crypto';
import { leafHash, type Log, type LogStorage, openLog, verifyConsistency, verifyInclusion } from '@countersign/log';
import { openDiskLogStorage } from '@countersign/store';
import { type BenchRow, median, percentile, round } from './bench-rows.ts';

const ORIGIN = 'bench.countersign.example/log';
const ENTRY_BYTES = 900;
const ATTACHMENT_BYTES = 700;
const ENTRIES = 1_000_000;
/** As the gateway spaces publications. */
const PACE_MS = 100;
/** Appends under way at once are at most twice as many: while the older are written, the younger are staged. */
const STEP = 400;
const PROOFS = 300;

const TEMPLATE = new Uint8Array(ENTRY_BYTES).fill(0x61);

/** One of its own for every record, since the log keeps it; made cheaply, since it is the log that is measured. */
function entryOf(n: number): Uint8Array {
  const bytes = TEMPLATE.slice();
  for (let at = 0, rest = n; rest > 0; at += 1, rest = Math.floor(rest / 10)) bytes[at] = 0x30 + (rest % 10);
  return bytes;
}

async function appendAll(log: Log, count: number): Promise<number> {
  const attachment = new Uint8Array(ATTACHMENT_BYTES);
  const startedAt = performance.now();
  let older: Promise<void> = Promise.resolve();
  let newest = older;
  for (let n = 0; n < count; n += 1) {
    newest = log.append({ entry: entryOf(n), attachments: [attachment] }).durable;
    if ((n + 1) % STEP !== 0) continue;
    // What is durable is so in order: the newest of the older ones speaks for all of them.
    await older;
    older = newest;
  }
  await newest;
  return performance.now() - startedAt;
}

/** One append after another: what a single durable decision waits for. */
async function appendOneByOne(log: Log, count: number): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    await log.append({ entry: entryOf(n), attachments: [] }).durable;
    samples.push(performance.now() - startedAt);
  }
  return samples;
}

/** Counts what is read, since a proof must stay cheap however long the log is. */
function counting(storage: LogStorage): { readonly storage: LogStorage; reads: () => number } {
  let reads = 0;
  return {
    storage: {
      ...storage,
      readFile: (path) => ((reads += 1), storage.readFile(path)),
      read: (segment, range) => ((reads += 1), storage.read(segment, range)),
    },
    reads: () => reads,
  };
}

interface ProofCost {
  readonly samples: number[];
  readonly readsMax: number;
}

async function measureProofs(log: Log, reads: () => number): Promise<ProofCost> {
  const size = log.checkpoint.size;
  const root = await log.rootAt(size);
  const samples: number[] = [];
  let readsMax = 0;
  for (let n = 0; n < PROOFS; n += 1) {
    const index = (n * 7919) % size;
    const oldSize = index + 1;
    const readsBefore = reads();
    const startedAt = performance.now();
    const inclusion = await log.inclusionProof(index, size);
    const consistency = await log.consistencyProof(oldSize, size);
    samples.push(performance.now() - startedAt);
    readsMax = Math.max(readsMax, reads() - readsBefore);
    const leaf = leafHash((await log.readRecord(index)).entry);
    const included = verifyInclusion({ index, size, leaf, proof: inclusion, root });
    const consistent = verifyConsistency({ oldSize, oldRoot: await log.rootAt(oldSize), newSize: size, newRoot: root, proof: consistency });
    if (!included || !consistent) throw new Error(`the proof of entry ${index} of ${size} does not verify`);
  }
  return { samples, readsMax };
}

/** The same log opened again: what a start waits for, however long the log is. */
async function measureOpening(directory: string, signer: Signer, log: Log): Promise<BenchRow> {
  const { size } = log.checkpoint;
  await log.close();
  const samples: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const startedAt = performance.now();
    const storage = await openDiskLogStorage({ directory, durability: 'synced' });
    const again = await openLog({ storage, origin: ORIGIN, noteSigner: { name: ORIGIN, signer } });
    samples.push(performance.now() - startedAt);
    if (again.size !== size) throw new Error(`the log came back with ${again.size} of ${size} entries`);
    await again.close();
  }
  const ms = Math.round(median(samples));
  return {
    area: 'log',
    name: `opening a log of ${size} entries`,
    target: '<= 2000 ms',
    measured: `${ms} ms`,
    met: ms <= 2000,
    figures: { ms, entries: size },
  };
}

/** Rows of the log, in a fresh directory. */
export async function measureLog(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-bench-log-'));
  const signer = createSigner(sha256('bench log'));
  const { storage, reads } = counting(await openDiskLogStorage({ directory, durability: 'synced' }));
  const pace = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PACE_MS));
  const log = await openLog({ storage, origin: ORIGIN, noteSigner: { name: ORIGIN, signer }, pace });
  process.stderr.write(`  log of ${noteVerifierKey(ORIGIN, signer.publicKey).slice(0, 40)}\n`);
  try {
    const single = await appendOneByOne(log, 300);
    const ms = await appendAll(log, ENTRIES);
    const perSecond = (ENTRIES / ms) * 1000;
    await log.whenPublished(log.durableSize - 1);
    const proofs = await measureProofs(log, reads);
    const [p50, p99] = [round(median(proofs.samples)), round(percentile(proofs.samples, 0.99))];
    const [oneP50, oneP99] = [round(median(single)), round(percentile(single, 0.99))];
    return [
      {
        area: 'log',
        name: `log append, durable, batched (${ENTRY_BYTES} + ${ATTACHMENT_BYTES} bytes)`,
        target: '>= 100,000 entries/s',
        measured: `${Math.round(perSecond)} entries/s`,
        met: perSecond >= 100_000,
        figures: { perSecond: Math.round(perSecond), entries: ENTRIES },
      },
      {
        area: 'log',
        name: 'log append, durable, one after another',
        target: 'for comparison: this disk',
        measured: `p50 ${oneP50} ms, p99 ${oneP99} ms`,
        met: null,
        figures: { p50Ms: oneP50, p99Ms: oneP99 },
      },
      {
        area: 'log',
        name: `inclusion and consistency proof, log of ${log.checkpoint.size} entries`,
        target: '<= 2 ms, O(log n) reads',
        measured: `p50 ${p50} ms, p99 ${p99} ms, at most ${proofs.readsMax} reads`,
        met: p50 <= 2,
        figures: { p50Ms: p50, p99Ms: p99, readsMax: proofs.readsMax },
      },
      await measureOpening(directory, signer, log),
    ];
  } finally {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  }
}
