/**
 * @module What is known of one action on its way through. A passage is open until something refuses it; a refused passage can only
 * be recorded and answered, and its verdict is always a deny.
 */
import { type Fault, codeOf } from '@countersign/kernel';
import type { Action, Authority, Judgement, ReceiptBody, StateSlice, Signal, Verdict } from '@countersign/protocol';
import type { ActionRequest, RefusalCode } from './action-request.ts';
import type { ForwardResponse, LoadedEngine, Understood } from './ports.ts';
import type { EndTurn } from './session-turns.ts';

export interface Passage {
  readonly request: ActionRequest;
  readonly requestId: string;
  readonly startedMs: number;
  refusal?: Fault<RefusalCode>;
  /** Set by `admit`. */
  admitted?: boolean;
  /** Set by `identify`: from here on every end is recorded. */
  action?: Action;
  /** JCS of `action`, which never changes from here on. */
  actionText?: string;
  orgMode?: 'learning' | 'locked';
  /** What an operator's credential permits; never set for what came from an agent. */
  readonly authority?: Authority;
  /** Set by `understand`. */
  engine?: LoadedEngine;
  signals?: readonly Signal[];
  understood?: Understood;
  /** Set by `judge`. */
  time?: string;
  state?: StateSlice;
  judgement?: Judgement;
  endTurn?: EndTurn;
  /** Set by `record`. */
  verdict?: Verdict;
  receipt?: ReceiptBody;
  /** Set by `act`. */
  scopeToken?: string;
  response?: ForwardResponse;
  forwardedMs?: number;
  /** Set by `answer`. */
  responseJudgement?: Judgement;
  /** Rejects when the decision has taken too long. */
  readonly deadline: Promise<never>;
}

/** Marks a passage refused. The first refusal stands. */
export function refuse(passage: Passage, fault: Fault<RefusalCode>): void {
  passage.refusal ??= fault;
}

/** Nothing may follow the end of a session, not even a receipt of the refusal. */
export const SESSION_ENDED: Fault<RefusalCode> = {
  code: 'session_ended',
  message: 'the session was ended',
  path: '/session',
  hint: 'begin another session',
};

/** Codes that a failing port may end in; anything else is `internal`. */
const KNOWN: Readonly<Record<string, RefusalCode>> = {
  decision_timeout: 'timeout',
  engine_busy: 'overloaded',
  engine_failed: 'engine_unavailable',
  log_queue_full: 'overloaded',
  log_failed: 'log_unavailable',
  session_ended: 'session_ended',
  state_unavailable: 'state_unavailable',
  too_many_paths: 'invalid_action',
  vault_unavailable: 'log_unavailable',
};

/** Turns anything thrown into a refusal that says no more than its stable code. */
export function faultOf(thrown: unknown, verb: string): Fault<RefusalCode> {
  const code = codeOf(thrown);
  return { code: KNOWN[code] ?? 'internal', message: `could not ${verb} the action (${code})` };
}

/**
 * Runs one verb on an open passage. A refused passage goes by; anything thrown, or the deadline, refuses it.
 * This is the only place where an exception becomes an answer, and the answer is no.
 */
export async function step(passage: Passage, verb: string, work: () => Promise<void> | void): Promise<void> {
  if (passage.refusal !== undefined) return;
  try {
    const running = work();
    if (running !== undefined) await Promise.race([running, passage.deadline]);
  } catch (error) {
    refuse(passage, faultOf(error, verb));
  }
}
