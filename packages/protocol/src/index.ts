/** @module The nouns. Every other room speaks in these. */
export {
  ACTION_KIND_FAMILIES,
  ACTION_KINDS,
  isActionKind,
  type Action,
  type ActionKind,
  type ActionSource,
  type ToolDescriptor,
  type Trace,
} from './action.ts';
export type {
  AddressClass,
  CodeFact,
  CommandFact,
  CommandVia,
  EffectFact,
  EffectKind,
  Facts,
  FactsCut,
  HostFact,
  Opinion,
  PathAccess,
  PathFact,
  PiiFact,
  ProseFact,
  Redirect,
  SecretFact,
  Span,
  StatementFact,
  StatementKind,
  TextFact,
  TextRole,
  ToolCall,
} from './facts.ts';
export {
  ERASURE_TYPE,
  OUTCOME_TYPE,
  RECEIPT_TYPE,
  LOG_KEY_TYPE,
  SESSION_END_TYPE,
  type ActionSummary,
  type ChainLink,
  type Entry,
  type EntryBody,
  type EntrySignature,
  type ErasureBody,
  type OutcomeBody,
  type Principal,
  type ReceiptBody,
  type ReceiptInputs,
  type LogKeyBody,
  type SessionEndBody,
} from './receipt.ts';
export type { OutcomeDraft, ReceiptDraft, Recorder, Staged } from './recorder.ts';
export { SEVERITIES, type Severity } from './severity.ts';
export { type AgentWindow, joinWindows, rememberedUntil } from './agent-window.ts';
export {
  AGENT_TRUSTS,
  type AgentTrust,
  type Authority,
  type PostureChange,
  type PostureState,
  PROTOCOL_LIMITS,
  type SessionOrigin,
  type Signal,
  type StateDelta,
  type StateSlice,
  type ToolRegistration,
} from './state.ts';
export {
  DECISIONS,
  type Decision,
  type Finding,
  type GuardResult,
  type Judgement,
  type Reason,
  RISK_LEVELS,
  type RiskLevel,
  SCORE_CIRCUITS,
  type ScoreCircuit,
  type Scores,
  type Tags,
  type Verdict,
} from './verdict.ts';
export { knownTool, type KnownTool } from './tool-names.ts';
export type { GuardAnswer, GuardQuestion } from './guard-answer.ts';
export { GUARD_SIGNAL, signalOfAnswer, withGuardAnswers } from './guard-signals.ts';
export { knownCall, type KnownCall } from './computer-use.ts';
