/** Each system call by which a log changes its disk fails in turn: the log stops, and nothing that was acknowledged is lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { type Checkpoint, leafHash, type Log, openLog, rootOf, verifyConsistency } from '@countersign/log';
import { createFaultyDisk, type DiskFault } from '@countersign/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDiskLogStorage } from '../src/disk-log-storage.ts';
import { type DiskSystem, nodeDisk } from '../src/disk-system.ts';

const origin = 'example.org/countersign/faults';
const noteSigner = { name: origin, signer: createSigner(new Uint8Array(32).fill(5)) };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const BATCHES = 3;
const PER_BATCH = 120;

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'countersign-faults-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function open(directory: string, system: DiskSystem, checkpoints: Checkpoint[] = []): Promise<Log> {
  const storage = await openDiskLogStorage({ directory, durability: 'synced', system });
  try {
    const onCheckpoint = (checkpoint: Checkpoint): number => checkpoints.push(checkpoint);
    return await openLog({ storage, origin, noteSigner, onCheckpoint, limits: { segmentBytesMax: 20_000 } });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

interface Run {
  readonly acknowledged: readonly string[];
  readonly staged: readonly string[];
  readonly checkpoints: readonly Checkpoint[];
  /** Undefined: nothing failed. */
  readonly failed: string | undefined;
  readonly acceptedAfter: boolean;
}

/** Opens, writes in batches as long as it goes, closes. */
async function writeUntilItFails(directory: string, system: DiskSystem): Promise<Run> {
  const acknowledged: string[] = [];
  const staged: string[] = [];
  const checkpoints: Checkpoint[] = [];
  let log: Log;
  try {
    log = await open(directory, system, checkpoints);
  } catch (error) {
    return { acknowledged, staged, checkpoints, failed: String(error), acceptedAfter: false };
  }
  let acceptedAfter = false;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const entries = Array.from({ length: PER_BATCH }, (_, i) => `entry ${batch * PER_BATCH + i}`);
    try {
      const appended = entries.map((entry) => log.append({ entry: utf8(entry), attachments: [] }));
      staged.push(...entries);
      await Promise.all(appended.map(({ durable }) => durable));
      acknowledged.push(...entries);
      await log.whenPublished(log.size - 1);
    } catch {
      // The log has said so; from here on it must take nothing.
      try {
        log.append({ entry: utf8('after the failure'), attachments: [] });
        acceptedAfter = true;
      } catch {
        acceptedAfter = false;
      }
      break;
    }
  }
  await log.close();
  return { acknowledged, staged, checkpoints, failed: log.failure?.code, acceptedAfter };
}

async function entriesOf(log: Log): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { entry } of log.scan(0)) found.push(new TextDecoder().decode(entry));
  return found;
}

/** What must hold once the disk is well again. */
async function expectNothingLost(directory: string, run: Run): Promise<void> {
  const log = await open(directory, nodeDisk);
  const found = await entriesOf(log);
  expect(found.slice(0, run.acknowledged.length)).toEqual(run.acknowledged);
  expect(found).toEqual(run.staged.slice(0, found.length));
  const { size, root: newRoot } = log.checkpoint;
  expect(Buffer.from(newRoot).toString('hex')).toBe(Buffer.from(rootOf(found.map((entry) => leafHash(utf8(entry))))).toString('hex'));
  for (const shown of run.checkpoints) {
    const proof = await log.consistencyProof(shown.size, size);
    expect(verifyConsistency({ oldSize: shown.size, oldRoot: shown.root, newSize: size, newRoot, proof })).toBe(true);
  }
  await log.append({ entry: utf8('goes on'), attachments: [] }).durable;
  await log.close();
}

async function changesOfAWholeRun(): Promise<number> {
  const disk = createFaultyDisk(nodeDisk);
  const run = await writeUntilItFails(join(root, 'whole'), disk.system);
  expect([run.acknowledged.length, run.failed]).toEqual([BATCHES * PER_BATCH, undefined]);
  return disk.changes();
}

const KINDS: readonly Omit<DiskFault, 'at'>[] = [{ code: 'ENOSPC', lasting: true }, { code: 'EIO', torn: true }, { code: 'EROFS' }];

describe('LOG-012 every change of the disk that can fail, fails', () => {
  test.each(KINDS)('with $code', { timeout: 120_000 }, async (kind) => {
    const changes = await changesOfAWholeRun();
    expect(changes).toBeGreaterThan(60);
    const met = new Set<string>();
    for (let at = 1; at <= changes; at += 1) {
      const directory = join(root, `${kind.code}-${at}`);
      const disk = createFaultyDisk(nodeDisk, { ...kind, at });
      const run = await writeUntilItFails(directory, disk.system).catch((error: unknown) => {
        throw new Error(`at change ${at}`, { cause: error });
      });
      const call = disk.met();
      if (call !== undefined) met.add(call);
      expect(run.acceptedAfter).toBe(false);
      await expectNothingLost(directory, run);
      await rm(directory, { recursive: true, force: true });
    }
    expect([...met].sort()).toEqual(
      ['datasync', 'makeFolder', 'open to create', 'open to write', 'removeFile', 'removeFolder', 'rename', 'syncFolder', 'write'].sort(),
    );
  });
});
