/** @module understand and judge: pure, hashed, replayable. */
export { createEngine, type Engine, type EngineDocuments, type EngineWasm, type JudgingEngine } from './engine.ts';
export type { Edit, EditKind, Judged } from './edits.ts';
export { explain, type Explanation, type ExplainedFinding, type ExplainWith, type QuotedSpan, type ShownLayer } from './explain.ts';
export { inflate } from './inflate.ts';
export { judge, judgeWith, type JudgeInput, type JudgeParts } from './judge.ts';
export {
  agentDistrust,
  dimensionsOf,
  heated,
  pathSensitivity,
  type ScoredInput,
  scoreView,
  type ScoreView,
  sessionDanger,
} from './dimensions.ts';
export { type ContentOrigin, injectionScore, type InjectionSigns, injectionSigns, originOf } from './injection.ts';
export { EXPLAIN_LIMITS, INJECTION_WEIGHTS, JUDGE_LIMITS, SCORE_WEIGHTS, SESSION_HEAT, WEIGHTS } from './limits.ts';
export type { NearestChange } from './nearest-change.ts';
export { findingOfOpinion, isOpinion, OPINION_KINDS, readOpinions, type OpinionFault, type ReadOpinions } from './opinions.ts';
export {
  type Change,
  compareVerdicts,
  findDeEscalation,
  firstDifference,
  judgeAgain,
  replay,
  type RecordedDecision,
  type ReplayResult,
} from './replay.ts';
export {
  circuitOf,
  compositeScore,
  type Dimension,
  type Dimensions,
  levelOf,
  type LevelThresholds,
  raisedLevel,
  scoreDimensions,
  type Scored,
  type ScoreOptions,
  type ScoreWeights,
} from './scores.ts';
