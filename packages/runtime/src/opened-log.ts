/** @module One log of an installation, opened: its disk, its keys, its witnesses. Nothing is folded and nothing written to it yet. */
import { join } from 'node:path';
import { type Clock, invariant, type Random } from '@countersign/kernel';
import { type Log, type LogLimits, type LogStorage, openLog } from '@countersign/log';
import { type DiskSystem, openDiskLogStorage, type Sealer } from '@countersign/store';
import { RUNTIME_LIMITS } from './limits.ts';
import { type LogKeys, openLogKeys } from './log-keys.ts';
import type { LogPlace } from './log-place.ts';
import { systemTimer } from './platform.ts';
import { readWitnessConfig } from './witness-config.ts';
import { createWitnesses, type Witnesses } from './witnesses.ts';

/** What the logs of an installation share. */
export interface LogWorld {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Seals key files under the master key. */
  readonly sealer: Sealer;
  /** Keys of the vault that records need are durable when it returns. */
  readonly beforeCommit: () => void;
  readonly diskSystem?: DiskSystem | ((log: string) => DiskSystem) | undefined;
  /** Limits of the logs other than their own. */
  readonly limits?: Partial<LogLimits>;
}

export interface OpenedLog {
  readonly place: LogPlace;
  readonly keys: LogKeys;
  readonly log: Log;
  readonly witnesses: Witnesses;
  /** When the log stopped, by our clock, once it has. */
  failedMs(): number | undefined;
}

/** How a log is opened. */
export interface LogOpening {
  /** The log is new: its first key is made. */
  readonly create: boolean;
  readonly origin?: string | undefined;
}

/** Receipts are durable before this: only their public form waits, so that a busy log does not sign and write a tree for each batch. */
function pace(): Promise<void> {
  return new Promise((resolve) => void systemTimer.after(RUNTIME_LIMITS.publishPaceMs, resolve));
}

/** Takes the lock of a log. @throws what `openDiskLogStorage` does. */
export function openLogDisk({ directory, name }: LogPlace, diskSystem: LogWorld['diskSystem']): Promise<LogStorage> {
  const system = typeof diskSystem === 'function' ? diskSystem(name) : diskSystem;
  return openDiskLogStorage({ directory, durability: 'synced', ...(system === undefined ? {} : { system }) });
}

/** Opens a log on its disk. The caller closes the disk where this throws. @throws CodedError what keys, witnesses and log say. */
export async function openLogOn(storage: LogStorage, place: LogPlace, { world, opening }: LogRequest): Promise<OpenedLog> {
  const { dataDir, sealer, random, clock, beforeCommit, limits = {} } = world;
  const { create, origin: wanted } = opening;
  const { name, home } = place;
  const folder = join(dataDir, 'keys');
  const keys = await openLogKeys({ name, home, folder, sealer, random, create, ...(wanted === undefined ? {} : { origin: wanted }) });
  const [noteSigner, ...furtherSigners] = keys.signers();
  invariant(noteSigner !== undefined, 'a log has a key');
  const witnesses = createWitnesses({ config: readWitnessConfig(home), clock, timer: systemTimer });
  const formerKeys = keys.former();
  const { origin } = keys.list;
  let failedMs: number | undefined;
  const onFailure = (): void => {
    failedMs = clock.nowMs();
  };
  const { cosign } = witnesses;
  const log = await openLog({ storage, origin, noteSigner, furtherSigners, formerKeys, pace, beforeCommit, cosign, limits, onFailure });
  return { place, keys, log, witnesses, failedMs: () => failedMs };
}

export interface LogRequest {
  readonly world: LogWorld;
  readonly opening: LogOpening;
}

/** Takes the lock of a log and opens it; nothing is left open where that fails. @throws as both steps do. */
export async function openOneLog(place: LogPlace, request: LogRequest): Promise<OpenedLog> {
  const storage = await openLogDisk(place, request.world.diskSystem);
  try {
    return await openLogOn(storage, place, request);
  } catch (error) {
    await storage.close();
    throw error;
  }
}
