/** @module What an installation says of itself: for the status of the operator door, and for `doctor`. */
import { formatTime, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { LogView } from '@countersign/pipeline';
import type { Runtime } from './runtime.ts';
import type { WitnessesStatus, WitnessStatus } from './witnesses.ts';

const MS = 1000;
/** The last second that a Date can hold: a witness may write any. */
const SECONDS_MAX = 8_640_000_000_000;

function secondText(seconds: number): string | null {
  return seconds <= SECONDS_MAX ? formatTime(seconds * MS) : null;
}

function witnessJson({ name, url, cosigned, error }: WitnessStatus): JsonObject {
  return {
    name,
    url,
    cosigned: cosigned === undefined ? null : { size: cosigned.size, time: secondText(cosigned.seconds) },
    error: error === undefined ? null : { code: error.code, time: formatTime(error.atMs) },
  };
}

function witnessesJson({ quorum, newest, reached, witnesses }: WitnessesStatus): JsonObject {
  return { quorum, of: witnesses.length, reached, cosignatures: newest?.cosignatures ?? 0, witnesses: witnesses.map(witnessJson) };
}

/** A log that did not open has a name and a reason, and no more. */
function logJson(runtime: Runtime, { name, origin, size, problem }: LogView): JsonObject {
  const view: JsonObject = { name, origin, size, problem };
  const running = runtime.logs.of(name);
  if (running === undefined) return view;
  const { log } = running;
  const failedMs = running.failedMs();
  return {
    ...view,
    firstPresent: log.firstPresent,
    checkpoint: { size: log.checkpoint.size, root: Buffer.from(log.checkpoint.root).toString('base64') },
    unpublished: log.durableSize - log.checkpoint.size,
    failedSince: failedMs === undefined ? null : formatTime(failedMs),
    witnesses: witnessesJson(running.witnesses.status()),
  };
}

/** Sizes, checkpoint, witnesses, vault and what went wrong. Names no subject and quotes no entry. */
export function runtimeStatus(runtime: Runtime): JsonObject {
  const { policy, engineFile, logKey, receiptKey, log, logs } = runtime;
  const vault: JsonValue = { ...runtime.vault.view() };
  const { hash, packs, ignored } = runtime.rules.view();
  return {
    policy: policy.engineFor('')?.policyName ?? null,
    problem: policy.problem ?? logs.problem() ?? null,
    policyRefused: policy.refused ?? null,
    engine: engineFile.hash,
    rules: { hash, packs: packs.map(({ pack }) => pack), ignored: [...ignored] },
    logKey,
    receiptKey,
    logSize: log.durableSize,
    logs: logs.list().map((view) => logJson(runtime, view)),
    vault,
  };
}

/**
 * Seconds since enough witnesses for the quorum (at least one) had cosigned: the age of the cosignature that made it enough. -1 where
 * that has not happened since the start.
 */
export function witnessAgeSeconds({ quorum, witnesses }: WitnessesStatus, nowMs: number): number {
  const seconds = witnesses.flatMap(({ cosigned }) => (cosigned === undefined ? [] : [cosigned.seconds])).sort((a, b) => b - a);
  const enough = seconds[Math.max(1, quorum) - 1];
  return enough === undefined ? -1 : Math.max(0, Math.floor(nowMs / MS) - enough);
}
