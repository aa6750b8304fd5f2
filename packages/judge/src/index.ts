/** @module understand and judge: pure, hashed, replayable. */
export { createEngine, type Engine, type EngineDocuments, type EngineWasm, type JudgingEngine } from './engine.ts';
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
export { INJECTION_WEIGHTS, JUDGE_LIMITS, SCORE_WEIGHTS, SESSION_HEAT, WEIGHTS } from './limits.ts';
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
