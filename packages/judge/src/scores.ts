/**
 * @module Scores: six dimensions become one number and a level, by the arithmetic of ClawSentry in whole thousandths (spec/verdict.md,
 * VER-040 to VER-045). Pure; what the dimensions are is said in `dimensions.ts` and `injection.ts`.
 */
import { type Finding, RISK_LEVELS, type RiskLevel, type ScoreCircuit } from '@countersign/protocol';
import { SCORE_WEIGHTS } from './limits.ts';

/** D1, D2, D3 from 0 to 3, D4 and D5 from 0 to 2, D6 in thousandths from 0 to 3000. */
export type Dimensions = readonly [d1: number, d2: number, d3: number, d4: number, d5: number, d6: number];

/** A dimension, and whether nothing was known of it. */
export interface Dimension {
  readonly value: number;
  readonly missing: boolean;
}

/** Thousandths; what the operator of a ClawSentry could set. */
export interface ScoreWeights {
  /** Of the greatest of D1, D2 and D3. */
  readonly danger: number;
  readonly session: number;
  readonly trust: number;
  /** How much a full D6 adds to the rest. */
  readonly injection: number;
}

/** Lowest composite of each level above low, in thousandths. */
export interface LevelThresholds {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
}

const D6_MAX = 3000;

/** The composite in thousandths, rounded half up: one division, so that every machine says the same. */
export function compositeScore(dimensions: Dimensions, weights: ScoreWeights = SCORE_WEIGHTS): number {
  const [d1, d2, d3, d4, d5, d6] = dimensions;
  const base = weights.danger * Math.max(d1, d2, d3) + weights.session * d4 + weights.trust * d5;
  const whole = D6_MAX * 1000;
  return Math.floor((2 * base * (whole + weights.injection * d6) + whole) / (2 * whole));
}

/** The level of a composite. */
export function levelOf(composite: number, thresholds: LevelThresholds = SCORE_WEIGHTS.levels): RiskLevel {
  if (composite >= thresholds.critical) return 'critical';
  if (composite >= thresholds.high) return 'high';
  return composite >= thresholds.medium ? 'medium' : 'low';
}

/** The rule that sets the level without the composite, if any. */
export function circuitOf([d1, d2, d3]: Dimensions): ScoreCircuit | undefined {
  if (d1 === 3 && d2 >= 2) return 'SC-1';
  if (d3 === 3) return 'SC-2';
  return d1 === 0 && d2 === 0 && d3 === 0 ? 'SC-3' : undefined;
}

/** The graver of two levels. */
export function graver(a: RiskLevel, b: RiskLevel): RiskLevel {
  return RISK_LEVELS.indexOf(a) < RISK_LEVELS.indexOf(b) ? b : a;
}

/** Composite, level and circuit of dimensions. */
export interface Scored {
  readonly composite: number;
  readonly level: RiskLevel;
  readonly circuit: ScoreCircuit | undefined;
}

export interface ScoreOptions {
  readonly weights?: ScoreWeights;
  readonly thresholds?: LevelThresholds;
}

/** A text that is full of injections is no low risk, whatever carries it. */
export function scoreDimensions(dimensions: Dimensions, { weights, thresholds }: ScoreOptions = {}): Scored {
  const composite = compositeScore(dimensions, weights);
  const circuit = circuitOf(dimensions);
  const level = circuit === 'SC-3' ? 'low' : circuit === undefined ? levelOf(composite, thresholds) : 'critical';
  if (level === 'low' && dimensions[5] >= SCORE_WEIGHTS.injected) return { composite, level: 'medium', circuit: undefined };
  return { composite, level, circuit };
}

/** The level that one finding speaks for. */
function levelOfFinding({ score, severity }: Finding): RiskLevel {
  if (score >= SCORE_WEIGHTS.blocks) return severity === 'critical' ? 'critical' : 'high';
  return score >= SCORE_WEIGHTS.flags ? 'medium' : 'low';
}

/** The level with what rules and opinions found: it is never below what it was. */
export function raisedLevel(level: RiskLevel, findings: readonly Finding[]): RiskLevel {
  let raised = level;
  for (const finding of findings) raised = graver(raised, levelOfFinding(finding));
  return raised;
}

/** The lowest composite of a level: what a raised level shows at least. */
export function floorOf(level: RiskLevel, thresholds: LevelThresholds = SCORE_WEIGHTS.levels): number {
  return level === 'low' ? 0 : thresholds[level];
}
