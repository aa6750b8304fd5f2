/**
 * @module replay: recompute Facts and Verdict from recorded inputs and compare bytes. Names the first field that differs.
 */
import { canonicalize, getOwn, isJsonObject, type JsonValue, pointer } from '@countersign/kernel';
import type { Action, Signal, StateDelta, StateSlice, Verdict } from '@countersign/protocol';
import type { JudgingEngine } from './engine.ts';

/** What a receipt was made from, as the vault or a bundle discloses it. Its hashes have been checked by the caller. */
export interface RecordedDecision {
  readonly time: string;
  readonly action: Action;
  readonly signals: readonly Signal[];
  readonly state: StateSlice;
  readonly verdict: Verdict;
}

export type ReplayResult =
  | { readonly equal: true; readonly verdict: Verdict; readonly delta: StateDelta }
  /** Recorded by the pipeline, not the judge: only its form can be checked. */
  | { readonly equal: true; readonly byPipeline: true }
  | { readonly equal: false; readonly path: string; readonly recorded: string; readonly recomputed: string };

const SHOWN_MAX = 120;

function shown(value: JsonValue | undefined): string {
  return value === undefined ? '(absent)' : canonicalize(value).slice(0, SHOWN_MAX);
}

function* parts(a: JsonValue, b: JsonValue): Generator<readonly [string | number, JsonValue | undefined, JsonValue | undefined]> {
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [a as readonly JsonValue[], b as readonly JsonValue[]];
    for (let i = 0; i < Math.max(left.length, right.length); i += 1) yield [i, left[i], right[i]];
  } else if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)].toSorted())) yield [key, getOwn(a, key), getOwn(b, key)];
  }
}

/** JSON pointer of the first difference, in canonical order; undefined where there is none. */
export function firstDifference(a: JsonValue | undefined, b: JsonValue | undefined, path = ''): string | undefined {
  if (a === undefined || b === undefined) return a === b ? undefined : path;
  if (canonicalize(a) === canonicalize(b)) return undefined;
  for (const [key, left, right] of parts(a, b)) {
    const found = firstDifference(left, right, pointer(path, key));
    if (found !== undefined) return found;
  }
  return path;
}

function at(value: JsonValue, path: string): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const key of path.split('/').slice(1)) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = here[Number(name)] as JsonValue | undefined;
    else here = isJsonObject(here) ? getOwn(here, name) : undefined;
  }
  return here;
}

/** Runs the engine on the recorded inputs. */
export function replay(engine: JudgingEngine, recorded: RecordedDecision): ReplayResult {
  if (recorded.verdict.by === 'pipeline') {
    const denies = recorded.verdict.decision === 'deny';
    return denies
      ? { equal: true, byPipeline: true }
      : { equal: false, path: '/verdict/decision', recorded: shown(recorded.verdict.decision), recomputed: '"deny"' };
  }
  const facts = engine.understand(recorded.action, recorded.signals);
  const output = engine.judge({ now: recorded.time, action: recorded.action, facts, state: recorded.state });
  const before = recorded.verdict as unknown as JsonValue;
  const after = output.verdict as unknown as JsonValue;
  if (canonicalize(before) === canonicalize(after)) return { equal: true, verdict: output.verdict, delta: output.delta };
  const path = firstDifference(before, after) ?? '';
  return { equal: false, path: `/verdict${path}`, recorded: shown(at(before, path)), recomputed: shown(at(after, path)) };
}
