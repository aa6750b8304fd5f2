/**
 * @module What a door hands in, and what it gets back.
 */
import type { Fault, JsonValue } from '@countersign/kernel';
import type { Action, Judgement, ReceiptBody, Verdict } from '@countersign/protocol';
import type { ForwardResponse } from './ports.ts';

/** Who called: established by `authenticate` (HTTP doors) or by the process itself (embedded). */
export interface Caller {
  readonly org: string;
  readonly agent: string;
  /** Scopes claimed by the token, where it carries any: they narrow, never widen. */
  readonly scopes?: readonly string[];
}

/** An action as a door understood it: without the things the pipeline decides. */
export type ActionDraft = Omit<Action, 'v' | 'id' | 'org' | 'agent' | 'session'>;

export interface ActionRequest {
  readonly caller: Caller;
  readonly draft: ActionDraft;
  /** Session id given by the client, or undefined: an implicit one is derived. */
  readonly session?: string;
  /** What tells clients without a session id apart (address and user agent); only hashed. */
  readonly fingerprint: string;
  /**
   * `evaluate`: judge, and mint a scope token on allow. `forward`: also call `targetUrl` and fence the answer.
   * `scan`: judge text; nothing is released, no token.
   */
  readonly mode: 'evaluate' | 'forward' | 'scan';
  /** Exact JSON text of params for forward mode. */
  readonly paramsText?: string;
}

/** Codes of refusals the pipeline makes itself; a door maps them to its wire. */
export type RefusalCode =
  | 'action_too_large'
  | 'invalid_action'
  | 'invalid_session_id'
  | 'session_ended'
  | 'invalid_delegation_chain'
  | 'delegation_unknown_caller'
  | 'agent_not_found'
  | 'agent_killed'
  | 'agent_suspended'
  | 'org_mismatch'
  | 'tool_not_registered'
  | 'policy_unavailable'
  | 'state_unavailable'
  | 'engine_unavailable'
  | 'log_unavailable'
  | 'overloaded'
  | 'shutting_down'
  | 'timeout'
  | 'internal';

export interface Answer {
  readonly requestId: string;
  /** Null only where nothing could be recorded: before `identify`, or when the log itself has failed. */
  readonly receipt: ReceiptBody | null;
  readonly verdict: Verdict;
  /** Set when the pipeline refused; `fault.code` is a RefusalCode. */
  readonly refusal?: Fault<RefusalCode>;
  readonly judgement?: Judgement;
  readonly scopeGranted?: string;
  readonly scopeToken?: string;
  /** Forward mode: what came back, after the fence. */
  readonly response?: ForwardResponse;
  /** Forward mode: what the fence said of the response. */
  readonly responseJudgement?: Judgement;
  readonly session: string;
  readonly details?: JsonValue;
}
