/** @module The posture of sessions as operators see and change it (spec/policy.md POL-220). */
import { type Clock, CodedError, err, type Fault, formatTime, ok } from '@countersign/kernel';
import {
  type AdminStore,
  type Ports,
  type SessionDesk,
  type SessionPosture,
  type SessionResult,
  type SessionTransition,
  type SessionTransitionRequest,
  type TransitionAnswer,
  transitionSession,
} from '@countersign/pipeline';
import { compilePosture, type CompiledPosture, LOCKED, openTransitions, type ResolvedPolicy, standAt } from '@countersign/policy';
import type { PostureState, ReceiptBody } from '@countersign/protocol';
import type { ReceiptRecorder } from '@countersign/receipts';
import { reasonFault } from './plain-reason.ts';
import { sessionFault, unknownSession } from './session-faults.ts';

export interface PostureDeskParts {
  readonly ports: Ports;
  readonly recorder: Pick<ReceiptRecorder, 'newest'>;
  readonly store: Pick<AdminStore, 'activePolicy'>;
  readonly clock: Clock;
}

/** Of the policy in force: the store keeps what was resolved and compiled. */
function postureInForce({ store }: PostureDeskParts): CompiledPosture | undefined {
  const active = store.activePolicy();
  const posture = active === undefined ? undefined : (JSON.parse(active.resolved) as ResolvedPolicy).posture;
  return posture === undefined ? undefined : compilePosture(posture);
}

function knownFault(
  { recorder }: PostureDeskParts,
  org: string,
  session: string,
): Fault<'invalid_session' | 'session_unknown'> | undefined {
  return sessionFault(session) ?? (recorder.newest(org, session) === undefined ? unknownSession() : undefined);
}

function timeOf(seconds: number): string {
  return formatTime(seconds * 1000);
}

function viewOf(session: string, posture: CompiledPosture | undefined, state: PostureState): SessionPosture {
  const config = posture?.states.get(state.state);
  const budgets = Object.entries(config?.budgets ?? {}).map(([name, limit]) => [name, { used: state.used[name] ?? 0, limit }] as const);
  return {
    session,
    state: state.state,
    entered: state.n === 0 ? null : timeOf(state.entered),
    capabilities: [...(config?.capabilities ?? [])],
    budgets: Object.fromEntries(budgets),
    history: state.history.map(({ from, to, on, at }) => ({ from, to, on, at: timeOf(at) })),
    violated: state.violated === undefined ? null : timeOf(state.violated),
    open: openTransitions(posture, state.state),
  };
}

const NOWHERE: PostureState = { n: 0, state: '', entered: 0, used: {}, history: [] };

async function postureOf(parts: PostureDeskParts, org: string, session: string): Promise<SessionResult<SessionPosture>> {
  const fault = knownFault(parts, org, session);
  if (fault !== undefined) return err(fault);
  const kept = await parts.ports.state.sessionPosture(org, session);
  const posture = postureInForce(parts);
  const standing = standAt(posture, kept, Math.floor(parts.clock.nowMs() / 1000));
  return ok(viewOf(session, posture, standing?.state ?? { ...NOWHERE, history: kept?.history ?? [] }));
}

function refusalOf(reasons: readonly { readonly code: string; readonly text: string }[], receipt: string): Fault<'transition_refused'> {
  const said = reasons[0] ?? { code: 'posture.refused', text: 'the transition was refused' };
  const hint = '`countersign session posture` shows what is open from here';
  return { code: 'transition_refused', message: `${said.text} (${said.code}, receipt ${receipt})`, path: '/to', hint };
}

/** A receipt that says what became of it. @throws CodedError where nothing could be judged or recorded. */
function recorded({ receipt, refusal }: TransitionAnswer): ReceiptBody {
  if (refusal === undefined && receipt !== null) return receipt;
  throw new CodedError({
    code: refusal?.code ?? 'log_unavailable',
    message: refusal?.message ?? 'the transition could not be recorded',
  });
}

function answered(parts: PostureDeskParts, request: SessionTransitionRequest, answer: TransitionAnswer): SessionResult<SessionTransition> {
  const { verdict, refusal, after } = answer;
  if (refusal?.code === 'session_ended') return err({ code: 'session_ended', message: refusal.message, path: '/session' });
  const { id, time } = recorded(answer);
  const made = after?.history.at(-1);
  if (verdict.decision === 'deny' || made === undefined) return err(refusalOf(verdict.reasons, id));
  const moved = { session: request.session, from: made.from, to: made.to, on: made.on, receipt: id, time };
  const data = { ...moved, state: 'transition', by: request.by };
  parts.ports.feed.publish({ type: 'session', time, org: request.org, data });
  return ok(moved);
}

async function transition(parts: PostureDeskParts, request: SessionTransitionRequest): Promise<SessionResult<SessionTransition>> {
  const fault = knownFault(parts, request.org, request.session) ?? reasonFault(request.reason);
  if (fault !== undefined) return err(fault);
  const { on = request.to === LOCKED ? 'user_denial' : 'user_approval' } = request;
  return answered(parts, request, await transitionSession({ ...request, on }, parts.ports));
}

export function createPostureDesk(parts: PostureDeskParts): Pick<SessionDesk, 'posture' | 'transition'> {
  return { posture: (org, session) => postureOf(parts, org, session), transition: (request) => transition(parts, request) };
}
