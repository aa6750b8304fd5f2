/**
 * @module Recorder: the port through which the pipeline hands over what is to be recorded, and what is true when it returns.
 */
import type { Action } from './action.ts';
import type { OutcomeBody, ReceiptBody, ReceiptInputs } from './receipt.ts';
import type { Signal, StateDelta, StateSlice } from './state.ts';
import type { Verdict } from './verdict.ts';

export interface ReceiptDraft {
  readonly id: string;
  /** The `now` given to the judge. */
  readonly time: string;
  readonly action: Action;
  /** JCS of `action` where the caller has it already; made from `action` otherwise. */
  readonly actionText?: string;
  readonly state: StateSlice;
  readonly signals: readonly Signal[];
  readonly inputs: Pick<ReceiptInputs, 'policy' | 'rules' | 'engine'>;
  readonly verdict: Verdict;
  readonly delta: StateDelta;
  readonly outcomeBy: string | null;
}

export interface OutcomeDraft {
  readonly receipt: ReceiptBody;
  readonly id: string;
  readonly time: string;
  readonly status: OutcomeBody['status'];
  readonly code?: number;
  readonly durationMs: number;
  readonly response: Uint8Array | null;
  readonly findings: OutcomeBody['findings'];
  readonly redactions: number;
}

/** An entry with its number, not yet durable. */
export interface Staged<Body> {
  readonly body: Body;
  /** Resolves when the batch is on disk. Rejects with `CodedError` `log_failed`; then nothing of it was acknowledged. */
  readonly durable: Promise<void>;
}

/**
 * Receipts into the log. Staging is synchronous: numbers within a session are given in call order.
 * After a crash every entry whose `durable` resolved is there; others may or may not be, but the chain has no gap.
 */
export interface Recorder {
  /** @throws CodedError `log_failed` after a fatal storage error, `log_queue_full` when too much is unwritten, `session_ended`. */
  stageReceipt(draft: ReceiptDraft): Staged<ReceiptBody>;
  stageOutcome(draft: OutcomeDraft): Staged<OutcomeBody>;
  /** True once the session was ended: staging anything for it throws `session_ended`. */
  isEnded(org: string, session: string): boolean;
}
