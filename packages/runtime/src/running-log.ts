/**
 * @module One log of an installation, at work: chains go on where it stands, state has taken up the deltas that a crash kept from it, and
 * takes those that come as the log makes them durable.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signer } from '@countersign/crypto';
import { type Clock, CodedError, type Random } from '@countersign/kernel';
import type { LogRecord } from '@countersign/log';
import type { Ports } from '@countersign/pipeline';
import type { EntryBody, StateDelta } from '@countersign/protocol';
import { createRecorder, deltaOf, openContent, type ReceiptRecorder } from '@countersign/receipts';
import type { LogPosition, Store, Vault } from '@countersign/store';
import { checkLogReaches } from './data-directory.ts';
import { type LogKeyDesk, openLogKeyDesk } from './log-key-desk.ts';
import { followDurability } from './log-position.ts';
import type { OpenedLog } from './opened-log.ts';

/** What it takes to put a log to work. */
export interface LogCrew {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: Ports['timer'];
  /** Signs every entry; absent: the checkpoint is the signature. */
  readonly entrySigner?: Signer | undefined;
  readonly warn: (message: string) => void;
}

export interface RunningLog extends OpenedLog {
  readonly recorder: ReceiptRecorder;
  readonly position: LogPosition;
  readonly keyDesk: LogKeyDesk;
  /** Writes back what is durable, for the last time. Call it once the log is closed. */
  readonly stopWriteBack: () => Promise<void>;
}

/** The change of state that an entry sealed; undefined where it was erased, which happens only after it went to the tables. */
function sealedDelta(body: EntryBody, record: LogRecord, { origin, vault }: { origin: string; vault: Vault }): StateDelta | undefined {
  const content = openContent(record, { log: origin, id: body.id, opener: vault });
  if (content.ok) return deltaOf(content.value);
  if (content.error.code === 'vault_erased') return undefined;
  throw new CodedError(content.error);
}

/** A recorder whose log the state has caught up with. */
async function openRecorder({ place, log }: OpenedLog, crew: LogCrew): Promise<ReceiptRecorder> {
  const { store, vault, random, entrySigner } = crew;
  const applied = store.appliedIndex(place.name);
  checkLogReaches(applied, { size: log.durableSize, path: place.directory });
  let lost = 0;
  const recorder = await createRecorder({
    log,
    random,
    sealer: vault,
    durability: 'synced',
    coverage: 'L1',
    ...(entrySigner === undefined ? { signing: 'batch' } : { signing: 'each', signer: entrySigner }),
    replayFrom: applied + 1,
    replay: (body, record) => {
      if (body.type !== 'countersign.receipt.v1') return;
      const delta = sealedDelta(body, record, { origin: log.origin, vault });
      const principal = { ...body.principal, session: body.session };
      if (delta === undefined) lost += 1;
      else store.foldDelta({ log: place.name, index: record.index, principal, delta });
    },
  });
  // The tables had them when they were erased, so these tables are older than the vault: a backup, put back.
  if (lost > 0) crew.warn(`${lost} changes of state were erased since this state.db was saved: counts of their sessions start lower`);
  // Also of an empty log: that it is there is known from now on, and so that it is gone if it is.
  store.flush(log.durableSize - 1, place.name);
  return recorder;
}

/** @throws CodedError `log_behind_state`, and what log, vault and state say; the caller closes the log then. */
export async function runLog(opened: OpenedLog, crew: LogCrew): Promise<RunningLog> {
  const { place, log, keys } = opened;
  const { recorder, position } = followDurability(await openRecorder(opened, crew), log);
  const keyDesk = await openLogKeyDesk({
    keys,
    log,
    recorder,
    clock: crew.clock,
    random: crew.random,
    publish: (vkeys) => writeFile(join(place.home, 'log.vkey'), `${vkeys.join('\n')}\n`),
  });
  let said = false;
  const stopWriteBack = crew.store.startWriteBack({
    log: place.name,
    position,
    timer: crew.timer,
    failed: () => {
      // One that has failed stays so: it is said once.
      if (log.failure !== undefined && said) return;
      said = log.failure !== undefined;
      crew.warn('state could not be written; it is kept and tried again');
    },
  });
  return { ...opened, recorder, position, keyDesk, stopWriteBack };
}
