/**
 * @module 5 record: the verdict becomes a receipt, and nothing leaves before that receipt is on disk.
 * A crash before the batch is durable leaves no trace and no effect; a crash after it leaves a receipt without an outcome.
 */
import { formatTime, invariant } from '@countersign/kernel';
import type { ReceiptBody } from '@countersign/protocol';
import { deny } from './denial.ts';
import { PIPELINE_LIMITS } from './limits.ts';
import { faultOf, type Passage, refuse } from './passage.ts';
import type { Ports, ReceiptDraft, Staged } from './ports.ts';

/** Stands for an input that could not be had: there was no policy, or no engine. */
const NO_INPUT = '0'.repeat(64);
const NOT_JUDGED = { policy: NO_INPUT, rules: NO_INPUT, engine: NO_INPUT };

/** What the judge said, where it spoke and nothing refused afterwards; else a deny, with nothing that it did not see. */
function judgedPart(passage: Passage, now: string): Pick<ReceiptDraft, 'time' | 'state' | 'signals' | 'verdict' | 'delta'> {
  const { judgement, refusal, time, state, signals } = passage;
  if (refusal !== undefined) return { time: now, state: {}, signals: [], verdict: deny(refusal), delta: {} };
  invariant(
    judgement !== undefined && time !== undefined && state !== undefined,
    'an action that was neither judged nor refused reached the recorder',
  );
  return { time, state, signals: signals ?? [], verdict: judgement.verdict, delta: judgement.delta };
}

/** By when the outcome of a call that is about to be released must be recorded; null where nothing will be released. */
function outcomeBy({ request, refusal, judgement }: Passage, nowMs: number): string | null {
  const decision = judgement?.verdict.decision;
  const releases = request.mode === 'forward' && refusal === undefined && (decision === 'allow' || decision === 'warn');
  return releases ? formatTime(nowMs + PIPELINE_LIMITS.outcomeDueMs) : null;
}

function draftOf(passage: Passage, ports: Ports): ReceiptDraft {
  const { action, actionText, engine, requestId } = passage;
  invariant(action !== undefined, 'only an identified action is recorded');
  const nowMs = ports.clock.nowMs();
  return {
    id: requestId,
    action,
    ...(actionText === undefined ? {} : { actionText }),
    inputs: engine?.inputs ?? NOT_JUDGED,
    outcomeBy: outcomeBy(passage, nowMs),
    ...judgedPart(passage, formatTime(nowMs)),
  };
}

function stage(passage: Passage, ports: Ports): Staged<ReceiptBody> {
  const draft = draftOf(passage, ports);
  const staged = ports.recorder.stageReceipt(draft);
  const { action } = draft;
  ports.state.stageDelta(
    {
      org: action.org,
      agent: action.agent,
      delegation: action.delegation,
      session: action.session,
      ...(action.trace === undefined ? {} : { trace: action.trace }),
    },
    draft.delta,
  );
  return staged;
}

/** Stages the receipt, ends the session's turn, and waits for the disk. */
export async function record(passage: Passage, ports: Ports): Promise<Passage> {
  if (passage.action === undefined) return passage;
  try {
    const staged = stage(passage, ports);
    passage.endTurn?.();
    await Promise.race([staged.durable, passage.refusal === undefined ? passage.deadline : staged.durable]);
    passage.receipt = staged.body;
    passage.verdict = staged.body.verdict;
  } catch (error) {
    const fault = faultOf(error, 'record');
    passage.verdict = deny(fault);
    refuse(passage, fault);
  } finally {
    passage.endTurn?.();
    passage.understood?.release();
  }
  return passage;
}
