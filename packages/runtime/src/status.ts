/** @module What an installation says of itself: for the status of the operator door, and for `doctor`. */
import { formatTime, type JsonObject, type JsonValue } from '@countersign/kernel';
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

function logJson(runtime: Runtime): JsonObject {
  const { log, logFailedMs } = runtime;
  const { size, root } = log.checkpoint;
  return {
    name: 'main',
    origin: log.origin,
    size: log.durableSize,
    firstPresent: log.firstPresent,
    checkpoint: { size, root: Buffer.from(root).toString('base64') },
    unpublished: log.durableSize - size,
    failure: log.failure?.message ?? null,
    failedSince: logFailedMs === undefined ? null : formatTime(logFailedMs),
  };
}

/** Sizes, checkpoint, witnesses, vault and what went wrong. Names no subject and quotes no entry. */
export function runtimeStatus(runtime: Runtime): JsonObject {
  const { policy, engineFile, logKey, receiptKey, log } = runtime;
  const vault: JsonValue = { ...runtime.vault.view() };
  return {
    policy: policy.engineFor('')?.policyName ?? null,
    problem: policy.problem ?? log.failure?.message ?? null,
    engine: engineFile.hash,
    logKey,
    receiptKey,
    logSize: log.durableSize,
    logs: [logJson(runtime)],
    witnesses: witnessesJson(runtime.witnesses.status()),
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
