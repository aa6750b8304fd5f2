/**
 * @module Disks that fail under load: one data directory goes through many openings, and in each one change of the disk fails, chosen by a
 * seed. What was acknowledged must be there at the end, nothing may be allowed once the log has failed, and what is published must fit.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseNoteVerifierKey } from '@countersign/crypto';
import { codeOf } from '@countersign/kernel';
import { type Checkpoint, fsckLog, openCheckpoint, openJournalReader, verifyConsistency } from '@countersign/log';
import { type Answer, countersignAction } from '@countersign/pipeline';
import { openRuntime, type Runtime } from '@countersign/runtime';
import { nodeDisk, openDiskLogReading } from '@countersign/store';
import { createFaultyDisk, type DiskFault } from '@countersign/testkit';
import { seeded } from './crash-run.ts';
import { mixedAction } from './mixed-actions.ts';

export interface FaultOptions {
  readonly faults: number;
  readonly seed: number;
  readonly clients?: number;
  readonly onFault?: (fault: FaultSeen) => void;
}

export interface FaultSeen {
  readonly fault: number;
  /** The call that failed, or `none` where the load ended before. */
  readonly met: string;
  readonly code: string;
  readonly acknowledged: number;
}

export interface FaultReport {
  readonly faults: number;
  readonly seed: number;
  readonly injected: number;
  /** How often each call failed. */
  readonly byCall: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** Acknowledged receipts that are not in the log. */
  readonly lost: readonly string[];
  /** Openings that got through to the load. */
  readonly opened: number;
  /** Looks at everything that a stranger is served, and what they found; a fault ends the run. */
  readonly looks: number;
  /** Decisions that were released although no receipt of theirs is durable. */
  readonly unrecordedAllows: number;
  readonly logSize: number;
}

const CODES: readonly DiskFault['code'][] = ['ENOSPC', 'EIO', 'EDQUOT', 'EROFS'];
/** Changes of the disk within which the fault falls. */
const WITHIN = 90;
const DECISIONS_MAX = 400;
/** What is served is read whole after every so many faults: whatever the last one left behind. */
const LOOK_EVERY = 10;

interface World {
  readonly dataDir: string;
  readonly random: () => number;
  readonly acknowledged: Set<string>;
  readonly shown: Checkpoint[];
  caller: { readonly org: string; readonly agent: string } | undefined;
  unrecordedAllows: number;
  opened: number;
  looks: number;
}

function allows(answer: Answer): boolean {
  return answer.verdict.decision === 'allow' || answer.verdict.decision === 'warn' || answer.scopeToken !== undefined;
}

/** Clients decide until the log says that it has failed. */
async function load(runtime: Runtime, world: World, clients: number): Promise<void> {
  const { caller } = world;
  if (caller === undefined) return;
  let decisions = 0;
  let ended = false;
  const client = async (id: number): Promise<void> => {
    while (!ended && decisions < DECISIONS_MAX) {
      decisions += 1;
      const draft = { source: { framework: 'bench', door: 'bench' }, delegation: [], ...mixedAction(world.random) };
      const answer = await countersignAction({ caller, draft, session: `fault-${id}`, fingerprint: '', mode: 'evaluate' }, runtime.ports);
      if (answer.receipt !== null) world.acknowledged.add(answer.receipt.id);
      else if (allows(answer)) world.unrecordedAllows += 1;
      if (runtime.log.failure !== undefined) ended = true;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  if (runtime.log.failure !== undefined) {
    // Once more, after it has said so.
    const draft = { source: { framework: 'bench', door: 'bench' }, delegation: [], ...mixedAction(world.random) };
    const answer = await countersignAction({ caller, draft, session: 'after', fingerprint: '', mode: 'evaluate' }, runtime.ports);
    if (allows(answer)) world.unrecordedAllows += 1;
  }
}

async function oneFault(world: World, clients: number): Promise<{ readonly met: string; readonly code: string }> {
  const { random } = world;
  const code = CODES[Math.floor(random() * CODES.length)] ?? 'EIO';
  const fault: DiskFault = { at: 1 + Math.floor(random() * WITHIN), code, torn: random() < 0.5, lasting: random() < 0.5 };
  const disk = createFaultyDisk(nodeDisk, fault);
  let runtime: Runtime | undefined;
  try {
    runtime = await openRuntime({ dataDir: world.dataDir, hostSets: () => ({}), diskSystem: disk.system });
    world.opened += 1;
    await load(runtime, world, clients);
    world.shown.push(runtime.log.checkpoint);
  } catch (error) {
    // Opening met the fault: nothing was acknowledged. Anything else is a finding.
    if (codeOf(error) !== code && codeOf(error) !== 'log_failed') throw error;
  } finally {
    await runtime?.close();
  }
  return { met: disk.met() ?? 'none', code };
}

async function found(runtime: Runtime, ids: ReadonlySet<string>): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const id of ids) if ((await runtime.recorder.find(id)) === undefined) lost.push(id);
  return lost;
}

async function checkShown(runtime: Runtime, shown: readonly Checkpoint[]): Promise<void> {
  const { size, root } = runtime.log.checkpoint;
  for (const head of shown) {
    const proof = await runtime.log.consistencyProof(head.size, size);
    if (!verifyConsistency({ oldSize: head.size, oldRoot: head.root, newSize: size, newRoot: root, proof }))
      throw new Error(`the log at ${size} does not go on from what was published at ${head.size}`);
  }
}

/** Reads what lies in public and the journal, as the fault left it, and holds everything against everything. */
async function look(world: World): Promise<void> {
  const storage = openDiskLogReading(join(world.dataDir, 'log'));
  try {
    const key = parseNoteVerifierKey((await readFile(join(world.dataDir, 'log.vkey'), 'utf8')).trim());
    if (!key.ok) throw new Error(key.error.message);
    const note = new TextDecoder().decode((await storage.readFile('checkpoint')) ?? new Uint8Array(0));
    const checkpoint = openCheckpoint(note, [key.value]);
    if (!checkpoint.ok) throw new Error(`a torn checkpoint is served: ${checkpoint.error.message}`);
    const journal = await openJournalReader(storage);
    const report = await fsckLog({ journal, readFile: (path) => storage.readFile(path), checkpoint: checkpoint.value });
    const [first] = report.faults;
    if (first !== undefined) throw new Error(`a torn log is served: ${first.sentence}`);
    world.looks += 1;
  } finally {
    await storage.close();
  }
}

async function firstOpening(dataDir: string): Promise<{ readonly org: string; readonly agent: string }> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
  const org = runtime.store.createOrg({ name: 'faults', mode: 'learning' });
  const created = org.ok ? runtime.store.createAgent({ org: org.value.id, name: 'faulty', scopes: ['*'] }) : org;
  if (!org.ok || !created.ok) throw new Error('the agent could not be made');
  await runtime.close();
  return { org: org.value.id, agent: created.value.agent.id };
}

/** Runs the faults; throws with a sentence when the log does not hold. */
export async function runFaults(options: FaultOptions): Promise<FaultReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-faults-'));
  const world: World = {
    dataDir,
    random: seeded(options.seed),
    acknowledged: new Set(),
    shown: [],
    caller: undefined,
    unrecordedAllows: 0,
    opened: 0,
    looks: 0,
  };
  const byCall: Record<string, number> = {};
  try {
    world.caller = await firstOpening(dataDir);
    for (let fault = 1; fault <= options.faults; fault += 1) {
      const { met, code } = await oneFault(world, options.clients ?? 8);
      byCall[met] = (byCall[met] ?? 0) + 1;
      if (fault % LOOK_EVERY === 0) await look(world);
      options.onFault?.({ fault, met, code, acknowledged: world.acknowledged.size });
    }
    const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
    const lost = await found(runtime, world.acknowledged);
    await checkShown(runtime, world.shown);
    const { durableSize } = runtime.log;
    await runtime.close();
    const { none = 0, ...calls } = byCall;
    return {
      faults: options.faults,
      seed: options.seed,
      injected: options.faults - none,
      byCall: calls,
      acknowledged: world.acknowledged.size,
      lost,
      opened: world.opened,
      looks: world.looks,
      unrecordedAllows: world.unrecordedAllows,
      logSize: durableSize,
    };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
