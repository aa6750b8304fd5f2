/** @module Changing the keys of a running log: first the entry that says so, then the keys (spec/log.md, LOG-015). */
import { type Clock, err, type Fault, formatTime, ok, type Random, type Result, uuidv7 } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import { LOG_KEY_TYPE } from '@countersign/protocol';
import type { ReceiptRecorder } from '@countersign/receipts';
import { RUNTIME_LIMITS } from './limits.ts';
import type { LogKeyFile, LogKeys } from './log-keys.ts';

export interface LogKeyParts {
  readonly keys: LogKeys;
  readonly log: Pick<Log, 'setSigners' | 'readEntry'>;
  readonly recorder: Pick<ReceiptRecorder, 'stageLogKey' | 'newest'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of the verifier keys that hold from now on. */
  readonly publish: (vkeys: readonly string[]) => Promise<void>;
}

export interface LogKeyView {
  readonly origin: string;
  /** Verifier keys that sign, the oldest first. */
  readonly active: readonly string[];
  readonly former: readonly string[];
}

export interface LogKeyDesk {
  view(): LogKeyView;
  /** Adds a key: from now on it signs beside the older ones. */
  rotate(): Promise<Result<LogKeyView, Fault>>;
  /** Drops the oldest key; its seed is destroyed. */
  retire(): Promise<Result<LogKeyView, Fault>>;
}

function viewOf({ list }: LogKeys): LogKeyView {
  return { origin: list.origin, active: list.active.map(({ vkey }) => vkey), former: list.former };
}

interface Change {
  readonly active: readonly LogKeyFile[];
  readonly former: readonly string[];
  readonly added: string | null;
  readonly retired: string | null;
}

async function putInForce(parts: LogKeyParts, active: readonly LogKeyFile[], former: readonly string[]): Promise<void> {
  const { keys, log, publish } = parts;
  keys.replace({ origin: keys.list.origin, active, former });
  log.setSigners(keys.signers());
  await publish(active.map(({ vkey }) => vkey));
}

async function change(parts: LogKeyParts, { active, former, added, retired }: Change): Promise<LogKeyView> {
  const { recorder, clock, random, keys } = parts;
  const vkeys = active.map(({ vkey }) => vkey);
  await recorder.stageLogKey({ id: uuidv7(clock, random), time: formatTime(clock.nowMs()), keys: vkeys, added, retired }).durable;
  await putInForce(parts, active, former);
  return viewOf(keys);
}

/** The keys that the newest entry of the log about its keys names; undefined where there is none. */
async function entered({ recorder, log }: LogKeyParts): Promise<readonly string[] | undefined> {
  const last = recorder.newest('countersign', 'countersign.log');
  if (last === undefined) return undefined;
  const { body } = JSON.parse(new TextDecoder().decode(await log.readEntry(last))) as { body: { type: string; keys: readonly string[] } };
  return body.type === LOG_KEY_TYPE ? body.keys : undefined;
}

/** What a crash left between entry and keys is completed: the entry is what was said, so it holds, as far as its seeds are there. */
async function finish(parts: LogKeyParts): Promise<void> {
  const said = await entered(parts);
  const { active, former } = parts.keys.list;
  if (said === undefined) return;
  const known = [...active, ...parts.keys.unlisted()];
  const next = said.flatMap((vkey) => known.find((key) => key.vkey === vkey) ?? []);
  const same = next.length === active.length && next.every(({ vkey }, i) => vkey === active[i]?.vkey);
  if (same || next.length === 0) return;
  const retired = active.filter((key) => !next.includes(key)).map(({ vkey }) => vkey);
  await putInForce(parts, next, [...former, ...retired]);
}

/** Opens the desk, and completes what a crash cut short. @throws CodedError what the log throws. */
export async function openLogKeyDesk(parts: LogKeyParts): Promise<LogKeyDesk> {
  const { keys } = parts;
  await finish(parts);
  await parts.publish(viewOf(keys).active);
  let turn: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(work: () => Promise<T>): Promise<T> => {
    const running = turn.then(work);
    turn = running.catch(() => undefined);
    return running;
  };
  return {
    view: () => viewOf(keys),
    rotate: () =>
      oneAtATime(async () => {
        const { active, former } = keys.list;
        if (active.length >= RUNTIME_LIMITS.logKeysActiveMax) {
          const message = `a log is signed by at most ${RUNTIME_LIMITS.logKeysActiveMax} keys`;
          return err({ code: 'log_keys_full', message, hint: 'retire the oldest first: `countersign log key-retire`' });
        }
        const added = keys.make();
        return ok(await change(parts, { active: [...active, added], former, added: added.vkey, retired: null }));
      }),
    retire: () =>
      oneAtATime(async () => {
        const [oldest, ...rest] = keys.list.active;
        if (oldest === undefined || rest.length === 0)
          return err({
            code: 'log_key_last',
            message: 'the only key of a log cannot be retired',
            hint: 'make another first: `countersign log key-rotate`, and give it to whoever verifies',
          });
        return ok(await change(parts, { active: rest, former: [...keys.list.former, oldest.vkey], added: null, retired: oldest.vkey }));
      }),
  };
}
