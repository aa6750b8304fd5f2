/**
 * @module What operators do to sessions: end one, and find its entries. The operator door and the command line speak to this port;
 * packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';

/** Codes of refusals an operator can cause. */
export type SessionFaultCode = 'invalid_session' | 'invalid_reason' | 'session_unknown' | 'session_ended' | 'session_busy';

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

/** @throws CodedError where the log fails: `log_failed`, `log_archived`, ... */
export interface SessionDesk {
  /** On return the entry is durable, and every later action of the session is refused. `session_busy` while an outcome is awaited. */
  end(request: SessionEndRequest): Promise<SessionResult<SessionEnded>>;
  /** The durable entries of a chain, oldest first: the newest 100,000. */
  entries(org: string, session: string): Promise<SessionResult<readonly SessionEntry[]>>;
}
