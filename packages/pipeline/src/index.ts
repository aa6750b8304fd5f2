/** @module The life of one action. Read `countersign-action.ts` first. */
export type {
  AdminFaultCode,
  AdminResult,
  AdminStore,
  AgentCreated,
  AgentDraft,
  AgentStateChange,
  AgentView,
  ApiKeyCreated,
  ApiKeyDraft,
  ApiKeyKind,
  ApiKeyView,
  KeyPermission,
  PageRequest,
  PolicyDocument,
  PolicyDraft,
  PolicyView,
  ToolApproval,
  ToolView,
} from './admin-port.ts';
export { KEY_PERMISSIONS } from './admin-port.ts';
export type { ActionDraft, ActionRequest, Answer, Caller, RefusalCode } from './action-request.ts';
export type {
  AgentRecord,
  ApiKeyRecord,
  EngineProvider,
  Feed,
  FeedEvent,
  ForwardRequest,
  ForwardResponse,
  LoadedEngine,
  OrgRecord,
  OutcomeDraft,
  Ports,
  ReceiptDraft,
  Recorder,
  ScopeTokenRequest,
  SignalSource,
  Staged,
  StateStore,
  TokenMinter,
  Understood,
  Upstream,
} from './ports.ts';
export { authenticate, type AuthenticationCode, type Credentials } from './authenticate.ts';
export { countersignAction } from './countersign-action.ts';
export { deny } from './denial.ts';
export { createGate, type Gate } from './gate.ts';
export { MAIN_LOG, type LogDraft, type LogsDesk, type LogsFaultCode, type LogsResult, type LogView } from './logs-desk.ts';
export { PIPELINE_LIMITS } from './limits.ts';
export type { ArchiveRequest, LogDesk, LogDeskFaultCode, LogDeskResult, LogKeysView, MovedSegments } from './log-desk.ts';
export type { RulePackView, RulesDesk, RulesFaultCode, RulesRefusal, RulesResult, RulesView } from './rules-desk.ts';
export type {
  PostureBudget,
  PostureMove,
  SessionDesk,
  SessionEnded,
  SessionEndRequest,
  SessionEntry,
  SessionFaultCode,
  SessionPosture,
  SessionResult,
  SessionTransition,
  SessionTransitionRequest,
} from './session-desk.ts';
export { createSessionTurns, type EndTurn, type SessionTurns } from './session-turns.ts';
export { type TransitionAnswer, type TransitionRequest, transitionSession } from './transition-session.ts';
export type { Erased, ErasureRequest, VaultDesk, VaultFaultCode, VaultResult, VaultView } from './vault-desk.ts';
