/**
 * @module 7 answer: what came back is fenced, bound to the receipt and recorded; then the door gets its answer.
 */
import { formatTime, invariant, uuidv7 } from '@countersign/kernel';
import type { Action, Judgement } from '@countersign/protocol';
import type { Answer } from './action-request.ts';
import { isReleased } from './act.ts';
import { deny } from './denial.ts';
import { faultOf, type Passage, refuse } from './passage.ts';
import type { ForwardResponse, OutcomeDraft, Ports } from './ports.ts';

const NOTHING = new Uint8Array(0);

function responseAction(passage: Passage, id: string, body: Uint8Array): Action {
  const { action } = passage;
  invariant(action !== undefined, 'a response belongs to an action');
  const { v, source, org, agent, session, delegation, tool, origin } = action;
  return {
    v,
    id,
    kind: 'tool.response',
    source,
    org,
    agent,
    session,
    delegation,
    content: new TextDecoder().decode(body),
    ...(tool === undefined ? {} : { tool }),
    // What comes back is seen where the call was asked.
    ...(origin === undefined ? {} : { origin }),
  };
}

/** Judges the response as an action of its own. Throws when it cannot: the response is then withheld. */
async function fence(passage: Passage, ports: Ports, id: string): Promise<Judgement> {
  const { engine, response } = passage;
  invariant(engine !== undefined && response !== undefined, 'the fence stands behind an engine and a response');
  const understood = await engine.understand(responseAction(passage, id, response.body), []);
  try {
    await understood.ask?.();
    return await understood.judge({ now: formatTime(ports.clock.nowMs()), state: passage.state ?? {} });
  } finally {
    understood.release();
  }
}

async function stillActive(passage: Passage, ports: Ports): Promise<boolean> {
  const agent = await ports.state.agent(passage.request.caller.agent);
  return agent?.state === 'active';
}

/** What may be handed on: the response itself, or nothing of it. */
async function fenced(passage: Passage, ports: Ports, id: string): Promise<ForwardResponse> {
  const { response } = passage;
  invariant(response !== undefined, 'only a response is fenced');
  if (response.status === 'blocked' || response.body.length === 0) return response;
  if (!(await stillActive(passage, ports))) {
    refuse(passage, { code: 'agent_killed', message: 'the agent was stopped while the call was under way' });
    return { status: 'blocked', body: NOTHING, reason: 'agent_killed_mid_flight' };
  }
  passage.responseJudgement = await fence(passage, ports, id);
  if (passage.responseJudgement.verdict.decision !== 'deny') return response;
  return { status: 'blocked', body: NOTHING, reason: 'response_blocked', ...(response.code === undefined ? {} : { code: response.code }) };
}

function outcomeDraft(passage: Passage, ports: Ports, { id, seen }: { readonly id: string; readonly seen: ForwardResponse }): OutcomeDraft {
  const { receipt, response } = passage;
  invariant(receipt !== undefined, 'an outcome is bound to a receipt');
  const nowMs = ports.clock.nowMs();
  return {
    receipt,
    id,
    time: formatTime(nowMs),
    status: seen.status,
    ...(seen.code === undefined ? {} : { code: seen.code }),
    durationMs: Math.max(0, Math.round(nowMs - (passage.forwardedMs ?? nowMs))),
    response: response === undefined || response.body.length === 0 ? null : response.body,
    findings: (passage.responseJudgement?.findings ?? []).map(({ rule, evidence }) => ({ rule, evidence })),
    redactions: 0,
  };
}

async function settle(passage: Passage, ports: Ports): Promise<void> {
  const id = uuidv7(ports.clock, ports.random);
  let seen: ForwardResponse = { status: passage.forwardedMs === undefined ? 'blocked' : 'unknown', body: NOTHING };
  try {
    if (passage.response !== undefined) seen = await Promise.race([fenced(passage, ports, id), passage.deadline]);
  } catch (error) {
    refuse(passage, faultOf(error, 'fence the response of'));
    seen = { status: 'blocked', body: NOTHING, reason: 'fence_failed' };
  }
  try {
    await ports.recorder.stageOutcome(outcomeDraft(passage, ports, { id, seen })).durable;
    passage.response = seen;
  } catch (error) {
    refuse(passage, faultOf(error, 'record the outcome of'));
    passage.response = { status: 'blocked', body: NOTHING, reason: 'log_failed' };
  }
}

/** The parts of an answer that are only there when something happened. */
function details({ refusal, judgement, response, responseJudgement }: Passage): Partial<Answer> {
  return {
    ...(refusal === undefined ? {} : { refusal }),
    ...(judgement === undefined ? {} : { judgement }),
    ...(response === undefined ? {} : { response }),
    ...(responseJudgement === undefined ? {} : { responseJudgement }),
  };
}

function compose(passage: Passage): Answer {
  const { receipt, refusal, judgement, scopeToken } = passage;
  const verdict = refusal === undefined ? passage.verdict : deny(refusal);
  invariant(verdict !== undefined, 'a passage that was not refused has a verdict');
  const released = isReleased(passage) && scopeToken !== undefined && judgement !== undefined;
  return {
    requestId: passage.requestId,
    receipt: receipt ?? null,
    verdict,
    session: passage.action?.session ?? passage.request.session ?? '',
    ...details(passage),
    ...(released ? { scopeGranted: judgement.scope, scopeToken } : {}),
  };
}

function publish(passage: Passage, ports: Ports, composed: Answer): void {
  const { action } = passage;
  if (action === undefined) return;
  const { decision, risk, severity, reasons } = composed.verdict;
  ports.feed.publish({
    type: 'decision',
    time: composed.receipt?.time ?? formatTime(passage.startedMs),
    org: action.org,
    data: {
      id: composed.requestId,
      receipt: composed.receipt?.id ?? null,
      agent: action.agent,
      session: action.session,
      kind: action.kind,
      tool: composed.receipt?.action.tool ?? null,
      decision,
      risk,
      severity,
      reasons: reasons.slice(0, 4).map(({ code }) => code),
    },
  });
}

/** Fences and records what came back, and composes the answer. Total. */
export async function answer(passage: Passage, ports: Ports): Promise<Answer> {
  // A receipt that asks for an outcome gets one, also where the call was stopped before it went out.
  if (passage.receipt !== undefined && passage.receipt.outcomeBy !== null) await settle(passage, ports);
  const composed = compose(passage);
  publish(passage, ports, composed);
  return composed;
}
