/**
 * @module replay: recompute Facts and Verdict from recorded inputs and compare bytes. Names the first field that differs, and
 * what an outside opinion lowered (spec/replay.md).
 */
import { canonicalize, getOwn, isJsonObject, type JsonValue, pointer } from '@countersign/kernel';
import { type Action, DECISIONS, type Judgement, type Signal, type StateDelta, type StateSlice, type Verdict } from '@countersign/protocol';
import type { JudgingEngine } from './engine.ts';
import { isOpinion } from './opinions.ts';
import { compareSeverity } from './reasons.ts';

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

/** What another judgement of the same inputs says differently. */
export interface Change {
  /** JSON pointer of the first field of the verdict that differs, in canonical order. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** The first difference between two verdicts; undefined where they are the same, byte for byte. */
export function compareVerdicts(from: Verdict, to: Verdict): Change | undefined {
  // Verdicts are plain JSON, which their interface does not say.
  const before: JsonValue = from as unknown as JsonValue;
  const after: JsonValue = to as unknown as JsonValue;
  if (canonicalize(before) === canonicalize(after)) return undefined;
  const path = firstDifference(before, after) ?? '';
  return { path: `/verdict${path}`, from: shown(at(before, path)), to: shown(at(after, path)) };
}

/** What the engine says of recorded inputs; `signals` may be fewer than were recorded. */
export function judgeAgain(engine: JudgingEngine, recorded: Omit<RecordedDecision, 'verdict'>): Judgement {
  const { time, action, signals, state } = recorded;
  return engine.judge({ now: time, action, facts: engine.understand(action, signals), state });
}

const DECISION_RANK: ReadonlyMap<string, number> = new Map(DECISIONS.map((decision, rank) => [decision, rank]));

/** The first field in which `verdict` is milder than `without`; undefined where it is at least as strict in all. */
function milder(verdict: Verdict, without: Verdict): 'decision' | 'severity' | 'risk' | undefined {
  const rank = ({ decision }: Verdict): number => DECISION_RANK.get(decision) ?? -1;
  if (rank(verdict) < rank(without)) return 'decision';
  if (compareSeverity(verdict.severity, without.severity) < 0) return 'severity';
  return verdict.risk < without.risk ? 'risk' : undefined;
}

/**
 * Did outside opinions only escalate? Judged again without them, the same inputs must not come out stricter.
 * @returns what the opinions lowered; undefined where they lowered nothing, or there were none.
 */
export function findDeEscalation(engine: JudgingEngine, recorded: RecordedDecision): Change | undefined {
  if (recorded.verdict.by === 'pipeline' || !recorded.signals.some(isOpinion)) return undefined;
  const signals = recorded.signals.filter((signal) => !isOpinion(signal));
  const without = judgeAgain(engine, { ...recorded, signals }).verdict;
  const field = milder(recorded.verdict, without);
  if (field === undefined) return undefined;
  return { path: `/verdict/${field}`, from: shown(without[field]), to: shown(recorded.verdict[field]) };
}

/** Runs the engine on the recorded inputs. */
export function replay(engine: JudgingEngine, recorded: RecordedDecision): ReplayResult {
  const { verdict } = recorded;
  if (verdict.by === 'pipeline') {
    if (verdict.decision === 'deny') return { equal: true, byPipeline: true };
    return { equal: false, path: '/verdict/decision', recorded: shown(verdict.decision), recomputed: '"deny"' };
  }
  const output = judgeAgain(engine, recorded);
  const change = compareVerdicts(verdict, output.verdict);
  if (change === undefined) return { equal: true, verdict: output.verdict, delta: output.delta };
  return { equal: false, path: change.path, recorded: change.from, recomputed: change.to };
}
