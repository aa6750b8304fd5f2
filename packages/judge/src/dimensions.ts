/**
 * @module D1 to D5 of an action and the view that they make with D6: what the tool can do, what the paths are worth, what the commands
 * do, how the session went, and what the operator holds of the agent. They are read from facts and findings, never from spellings, and
 * decide nothing (spec/verdict.md, VER-040 to VER-049).
 */
import type { Action, Facts, Finding, RiskLevel, Scores, StateSlice } from '@countersign/protocol';
import { commandDanger, isShell } from './command-danger.ts';
import { injectionDimension } from './injection.ts';
import { SESSION_HEAT } from './limits.ts';
import { type Dimension, type Dimensions, floorOf, raisedLevel, scoreDimensions } from './scores.ts';
import { changes, pathValue } from './path-value.ts';
import { toolDanger } from './tool-danger.ts';
import { secondsOf } from './unix-seconds.ts';

/** What the view is made from. */
export interface ScoredInput {
  /** RFC 3339, milliseconds, UTC. */
  readonly now: string;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly findings: readonly Finding[];
}

const known = (value: number): Dimension => ({ value, missing: false });

/** Kinds of action that carry a text and touch no file. */
const TEXT_KINDS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response', 'agent.message']);

/** D2. Where an action names no path, that is no comfort, except for a text. */
export function pathSensitivity(action: Action, { paths }: Facts): Dimension {
  if (TEXT_KINDS.has(action.kind)) return known(0);
  if (paths.length === 0) return { value: 1, missing: true };
  let value = 0;
  for (const path of paths) value = Math.max(value, pathValue(path));
  return known(value);
}

/** D4: how many grave results the session has not yet lived down. */
export function sessionDanger({ hotUntil = 0 }: StateSlice, now: string): number {
  if (hotUntil === 0) return 0;
  const results = Math.ceil(Math.max(0, hotUntil - secondsOf(now)) / SESSION_HEAT.coolsAfterSeconds);
  if (results >= SESSION_HEAT.highFrom) return 2;
  return results >= SESSION_HEAT.midFrom ? 1 : 0;
}

/** The time until which the session is hot when this result is grave, in Unix seconds. */
export function heated({ hotUntil = 0 }: StateSlice, now: string): number {
  const at = secondsOf(now);
  const { coolsAfterSeconds, resultsMax } = SESSION_HEAT;
  return Math.min(Math.max(hotUntil, at) + coolsAfterSeconds, at + coolsAfterSeconds * resultsMax);
}

/** D5, from what the operator set; a request has no say in it. */
export function agentDistrust({ agentState, trust }: StateSlice): Dimension {
  if (agentState === undefined && trust === undefined) return { value: 2, missing: true };
  if (trust === 'untrusted') return known(2);
  return known(trust === 'elevated' || trust === 'privileged' ? 0 : 1);
}

/** All six, and the numbers of those of which nothing was known. */
export function dimensionsOf(input: ScoredInput): { readonly dimensions: Dimensions; readonly missing: readonly number[] } {
  const { action, facts, state, findings } = input;
  const command = commandDanger(action, facts, findings);
  const path = pathSensitivity(action, facts);
  const systemChange = isShell(action, facts) && facts.paths.some((one) => changes(one) && pathValue(one) === 3);
  const tool = toolDanger(action, facts, command.value === 3 || systemChange);
  const trust = agentDistrust(state);
  const missing = [tool, path, command].flatMap((one, i) => (one.missing ? [i + 1] : []));
  if (trust.missing) missing.push(5);
  const d6 = injectionDimension(action, facts, findings);
  return { dimensions: [tool.value, path.value, command.value, sessionDanger(state, input.now), trust.value, d6], missing };
}

/** The view, and whether this result makes the session hotter: the heat of the session itself never does. */
export interface ScoreView {
  readonly scores: Scores;
  readonly grave: boolean;
}

/** High or worse, were the session cold. */
function isGrave(dimensions: Dimensions, level: RiskLevel, findings: readonly Finding[]): boolean {
  const [d1, d2, d3, d4, d5, d6] = dimensions;
  const cold = d4 === 0 ? level : raisedLevel(scoreDimensions([d1, d2, d3, 0, d5, d6]).level, findings);
  return cold === 'high' || cold === 'critical';
}

/** Total and pure. */
export function scoreView(input: ScoredInput): ScoreView {
  const { dimensions, missing } = dimensionsOf(input);
  const scored = scoreDimensions(dimensions);
  const level = raisedLevel(scored.level, input.findings);
  const composite = level === scored.level ? scored.composite : Math.max(scored.composite, floorOf(level));
  const circuit = level === scored.level ? scored.circuit : undefined;
  return {
    scores: {
      d: dimensions,
      composite,
      level,
      ...(circuit === undefined ? {} : { circuit }),
      ...(missing.length === 0 ? {} : { missing }),
    },
    grave: isGrave(dimensions, level, input.findings),
  };
}
