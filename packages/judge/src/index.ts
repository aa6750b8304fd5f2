/** @module understand and judge: pure, hashed, replayable. */
export { createEngine, type Engine, type EngineDocuments, type EngineWasm, type JudgingEngine } from './engine.ts';
export { judge, judgeWith, type JudgeInput, type JudgeParts } from './judge.ts';
export { JUDGE_LIMITS, WEIGHTS } from './limits.ts';
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
