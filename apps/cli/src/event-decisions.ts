/**
 * @module What a policy says of a PolicyEvent, in the words that Clawdstrike's commands answer with. An event that cannot be read is denied, and so is
 * one whose content is not there: nothing was looked at.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { isOnlyUnseen, type PolicyEvent, type PolicyEventFault } from '@countersign/policy';
import type { Decision, GuardResult, Judgement, Severity } from '@countersign/protocol';
import type { Context } from './command.ts';
import { actionOfSketch, judgedAction, type Judging } from './judging.ts';
import { type Moment, type SessionTracker, type TrackedPosture, trackedJson } from './session-tracking.ts';

export type EventOutcome = 'allowed' | 'warn' | 'blocked';

export interface EventDecision {
  readonly id: string;
  readonly type: string;
  /** Undefined where the event could not be read. */
  readonly event: PolicyEvent | undefined;
  readonly outcome: EventOutcome;
  readonly decision: Decision;
  readonly reasonCode: string;
  /** The guard that decided, or the code of another reason; null for an allow. */
  readonly guard: string | null;
  readonly severity: Severity | null;
  readonly message: string;
  readonly reason: string | null;
  /** Undefined where nothing was judged. */
  readonly judgement: Judgement | undefined;
  /** Where its session stands then; absent where sessions are not followed, or have no posture. */
  readonly posture?: TrackedPosture | undefined;
}

export interface EventJudge {
  readonly judging: Judging;
  readonly context: Context;
  /** What an event does not hold is not held against it. */
  readonly allowUnseen: boolean;
  /** There: each event is judged in the state that those before it left. */
  readonly sessions?: SessionTracker | undefined;
}

const OUTCOMES: Readonly<Record<Decision, EventOutcome>> = {
  allow: 'allowed',
  warn: 'warn',
  modify: 'blocked',
  defer: 'blocked',
  deny: 'blocked',
};
const REASON_CODES: Readonly<Record<EventOutcome, string>> = {
  allowed: 'ADC_POLICY_ALLOW',
  warn: 'ADC_POLICY_WARN',
  blocked: 'ADC_POLICY_DENY',
};
const RANK: Readonly<Record<Severity, number>> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 };
const UNSEEN_CODE = 'HSH_MISSING_CONTENT_BYTES';

/** The worst of the guards that speak as the decision does, the earliest of equals. */
function speaking(guards: readonly GuardResult[], outcome: EventOutcome): GuardResult | undefined {
  const same = guards.filter(({ allowed, severity }) => (outcome === 'blocked' ? !allowed : allowed && RANK[severity] >= RANK.medium));
  return same.reduce<GuardResult | undefined>(
    (worst, one) => (worst !== undefined && RANK[worst.severity] >= RANK[one.severity] ? worst : one),
    undefined,
  );
}

type Said = Pick<EventDecision, 'guard' | 'severity' | 'message'>;

function saidBy({ guards, verdict }: Judgement, outcome: EventOutcome): Said {
  if (outcome === 'allowed') return { guard: null, severity: null, message: 'Allowed' };
  const guard = speaking(guards, outcome);
  if (guard !== undefined) return { guard: guard.guard, severity: guard.severity, message: guard.message };
  const [reason] = verdict.reasons;
  return { guard: reason?.code ?? 'judge', severity: reason?.severity ?? verdict.severity, message: reason?.text ?? verdict.decision };
}

function unseenDenial(event: PolicyEvent, judgement: Judgement): EventDecision {
  const { id, type, unseen = '' } = event;
  const message = 'The event does not hold what it writes: nothing was looked at';
  const said = { guard: 'policy_event', severity: 'high', message, reason: unseen } as const;
  return { id, type, event, outcome: 'blocked', decision: 'deny', reasonCode: UNSEEN_CODE, ...said, judgement };
}

/** A line without a character: what a write and a patch of nothing hold. */
const NOTHING = '\n';

/** With `allowUnseen` a write that does not say what it writes is judged as one of nothing. */
function seenAction({ action, unseen }: PolicyEvent, allowUnseen: boolean): PolicyEvent['action'] {
  return unseen === undefined || !allowUnseen ? action : { ...action, content: NOTHING };
}

function judgeIn(judge: EventJudge, event: PolicyEvent, moment: Moment | undefined): EventDecision {
  const given = { action: actionOfSketch(seenAction(event, judge.allowUnseen), judge.context), signals: [], moment };
  const { judgement } = judgedAction(judge.judging, given, judge.context);
  const { decision } = judgement.verdict;
  const outcome = OUTCOMES[decision];
  const { id, type, unseen } = event;
  if (unseen !== undefined && outcome === 'blocked' && isOnlyUnseen(judgement.verdict)) return unseenDenial(event, judgement);
  const reasonCode = unseen !== undefined && outcome !== 'blocked' ? UNSEEN_CODE : REASON_CODES[outcome];
  const reason = unseen !== undefined && outcome !== 'blocked' ? unseen : null;
  return { id, type, event, outcome, decision, reasonCode, ...saidBy(judgement, outcome), reason, judgement };
}

const NO_TIME: PolicyEventFault = { code: 'event_field', message: 'the time is not RFC 3339, and sessions go by it', path: 'timestamp' };

/** Judges one event that was read, in the state that the events before it left of its session where sessions are followed. */
export function decideEvent(judge: EventJudge, event: PolicyEvent): EventDecision {
  const { sessions } = judge;
  if (sessions === undefined) return judgeIn(judge, event, undefined);
  const moment = sessions.moment(event, judge.context.world.clock.nowMs());
  if (moment === undefined) return refuseEvent(event.id, NO_TIME);
  const decided = judgeIn(judge, event, moment);
  const { judgement } = decided;
  if (judgement === undefined) return decided;
  const posture = sessions.settle(event, moment, judgement);
  return posture === undefined ? decided : { ...decided, posture };
}

/** An event that could not be read. `id` is what it is called instead. */
export function refuseEvent(id: string, fault: PolicyEventFault): EventDecision {
  const place = fault.path === undefined || fault.path === '' ? '' : ` (${fault.path})`;
  const said = { guard: 'policy_event', severity: 'high', message: `${fault.message}${place}`, reason: fault.code } as const;
  const outcome = { outcome: 'blocked', decision: 'deny', reasonCode: 'ADC_POLICY_DENY' } as const;
  return { id, type: '', event: undefined, ...outcome, ...said, judgement: undefined };
}

/** In the shape of the original's `eval` and `simulate`, with our verdict beside it. */
export function eventDecisionJson(decided: EventDecision): JsonObject {
  const { id, type, outcome, decision, reasonCode, guard, severity, message, reason, judgement, posture } = decided;
  const reasons: readonly JsonValue[] = judgement?.verdict.reasons.map(({ code }) => code) ?? [];
  return {
    eventId: id,
    eventType: type,
    outcome,
    decision: {
      allowed: outcome !== 'blocked',
      denied: outcome === 'blocked',
      warn: outcome === 'warn',
      reason_code: reasonCode,
      guard,
      severity: severity === 'info' ? null : severity,
      message,
      reason,
    },
    verdict: { decision, risk: (judgement?.verdict.risk ?? 1000) / 1000, reasons },
    ...(posture === undefined ? {} : { posture: trackedJson(posture) }),
  };
}
