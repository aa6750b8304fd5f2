/** @module understand and judge: pure, hashed, replayable. */
export { createEngine, type Engine, type EngineDocuments, type EngineWasm, type JudgingEngine } from './engine.ts';
export type { Edit, EditKind, Judged } from './edits.ts';
export { explain, type Explanation, type ExplainedFinding, type ExplainWith, type QuotedSpan, type ShownLayer } from './explain.ts';
export { judge, judgeWith, type JudgeInput, type JudgeParts } from './judge.ts';
export { EXPLAIN_LIMITS, JUDGE_LIMITS, WEIGHTS } from './limits.ts';
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
