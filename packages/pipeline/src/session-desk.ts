/**
 * @module What operators do to sessions: end one, and find its entries. The operator door and the command line speak to this port;
 * packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';
import type { Authority } from '@countersign/protocol';

/** Codes of refusals an operator can cause. */
export type SessionFaultCode =
  | 'invalid_session'
  | 'invalid_reason'
  | 'session_unknown'
  | 'session_ended'
  | 'session_busy'
  | 'transition_refused';

export type SessionResult<T> = Result<T, Fault<SessionFaultCode>>;

export interface SessionEndRequest {
  readonly org: string;
  readonly session: string;
  /** 1 to 160 characters of printable ASCII without `"` and `\`: it stands in the log. */
  readonly reason: string;
}

/** The entry that closes a chain. */
export interface SessionEnded {
  readonly id: string;
  /** Its place in the log. */
  readonly index: number;
  /** RFC 3339. */
  readonly time: string;
  readonly session: string;
  /** Entries of the chain, this one included. */
  readonly entries: number;
}

/** One entry of a chain. */
export interface SessionEntry {
  readonly id: string;
  readonly index: number;
  /** Number in the chain. */
  readonly seq: number;
}

/** Used and permitted of one budget. */
export interface PostureBudget {
  readonly used: number;
  readonly limit: number;
}

/** A change of posture that was made, or that a person can make. */
export interface PostureMove {
  readonly from: string;
  readonly to: string;
  readonly on: string;
}

/** Where a session stands under the policy in force. State names are empty where there is no state. */
export interface SessionPosture {
  readonly session: string;
  readonly state: string;
  /** RFC 3339; null before the session has begun. */
  readonly entered: string | null;
  readonly capabilities: readonly string[];
  readonly budgets: Readonly<Record<string, PostureBudget>>;
  /** Oldest first. */
  readonly history: readonly (PostureMove & { readonly at: string })[];
  /** When something was denied last, RFC 3339; null: never. */
  readonly violated: string | null;
  /** What a person can do from here, apart from locking it. */
  readonly open: readonly PostureMove[];
}

export interface SessionTransitionRequest {
  readonly org: string;
  readonly session: string;
  /** Absent: where sessions begin. */
  readonly to?: string;
  /** Absent: `user_denial` to `locked`, else `user_approval`. */
  readonly on?: 'user_approval' | 'user_denial';
  /** As that of `SessionEndRequest`. */
  readonly reason: string;
  /** Whose credential it was: `operator`, or `key:` and an id. */
  readonly by: string;
  /** What that credential permits. */
  readonly authority: Authority;
}

/** A session that was moved, and the entry that says so. */
export interface SessionTransition extends PostureMove {
  readonly session: string;
  readonly receipt: string;
  /** RFC 3339. */
  readonly time: string;
}

/** @throws CodedError where the log fails: `log_failed`, `log_archived`, ... */
export interface SessionDesk {
  /** On return the entry is durable, and every later action of the session is refused. `session_busy` while an outcome is awaited. */
  end(request: SessionEndRequest): Promise<SessionResult<SessionEnded>>;
  /** The durable entries of a chain, oldest first: the newest 100,000. */
  entries(org: string, session: string): Promise<SessionResult<readonly SessionEntry[]>>;
  /** As of now: with every timeout that is due. */
  posture(org: string, session: string): Promise<SessionResult<SessionPosture>>;
  /** On return its receipt is durable, and the next action of the session is judged in the new state. A refusal is recorded too. */
  transition(request: SessionTransitionRequest): Promise<SessionResult<SessionTransition>>;
}
