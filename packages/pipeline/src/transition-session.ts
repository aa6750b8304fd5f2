/**
 * @module An operator moves a session to another state of its posture: an action of its own (`session.transition`), in the session's turn, judged
 * by the engine in force and recorded like every other. What the credential permits comes from the door and never from an action.
 */
import { canonicalize, CodedError, type Fault, type JsonValue, uuidv7 } from '@countersign/kernel';
import type { Action, Authority, PostureState, ReceiptBody, Verdict } from '@countersign/protocol';
import { deny } from './denial.ts';
import { judge } from './judge.ts';
import { PIPELINE_LIMITS } from './limits.ts';
import { type Passage, refuse, SESSION_ENDED, step } from './passage.ts';
import type { Ports } from './ports.ts';
import { record } from './record.ts';
import type { RefusalCode } from './action-request.ts';
import { understand } from './understand.ts';

export interface TransitionRequest {
  readonly org: string;
  readonly session: string;
  /** A state of the policy or `locked`; absent: where sessions begin. */
  readonly to?: string;
  readonly on: 'user_approval' | 'user_denial';
  readonly reason: string;
  /** Whose credential it was: `operator`, or `key:` and an id. */
  readonly by: string;
  readonly authority: Authority;
}

export interface TransitionAnswer {
  readonly receipt: ReceiptBody | null;
  readonly verdict: Verdict;
  readonly refusal?: Fault<RefusalCode>;
  /** The state before, and the state that is kept now. */
  readonly before?: PostureState;
  readonly after?: PostureState;
}

function actionOf(request: TransitionRequest, id: string): Action {
  const { org, session, to, on, reason, by } = request;
  return {
    v: 1,
    id,
    kind: 'session.transition',
    params: { ...(to === undefined ? {} : { to }), on, reason },
    source: { framework: 'countersign', door: 'operator' },
    org,
    agent: by,
    session,
    delegation: [],
  };
}

function passageOf(request: TransitionRequest, ports: Ports): { readonly passage: Passage; readonly cancel: () => void } {
  const requestId = uuidv7(ports.clock, ports.random);
  const action = actionOf(request, requestId);
  let cancel = (): void => undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = (): void => reject(new CodedError({ code: 'decision_timeout', message: 'the decision took too long' }));
    cancel = ports.timer.after(PIPELINE_LIMITS.decisionTimeoutMs, late);
  });
  deadline.catch(() => undefined); // Whoever races it hears of it; nobody else needs to.
  const { kind, source, delegation } = action;
  const asked = {
    caller: { org: request.org, agent: request.by },
    draft: { kind, source, delegation },
    fingerprint: '',
    mode: 'scan' as const,
  };
  const startedMs = ports.clock.nowMs();
  const actionText = canonicalize(action as unknown as JsonValue);
  return { passage: { request: asked, requestId, startedMs, deadline, action, actionText, authority: request.authority }, cancel };
}

async function judgeAndRecord(passage: Passage, ports: Ports): Promise<void> {
  await understand(passage, ports);
  await judge(passage, ports);
  await record(passage, ports);
}

/** Total, as `countersignAction` is. When it resolves with a receipt, the change is durable. */
export async function transitionSession(request: TransitionRequest, ports: Ports): Promise<TransitionAnswer> {
  const { passage, cancel } = passageOf(request, ports);
  try {
    await step(passage, 'identify', () => {
      if (ports.recorder.isEnded(request.org, request.session)) refuse(passage, SESSION_ENDED);
    });
    // Not even the refusal could be recorded behind the end of a chain.
    if (passage.refusal === undefined) await judgeAndRecord(passage, ports);
  } finally {
    cancel();
    passage.endTurn?.();
  }
  const { receipt = null, verdict, refusal, state, judgement } = passage;
  const said = refusal ?? { code: 'internal' as const, message: 'the transition was not judged' };
  const [before, after] = [state?.posture, judgement?.delta.posture];
  return {
    receipt,
    verdict: verdict ?? deny(said),
    ...(refusal === undefined ? {} : { refusal }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}
