/**
 * @module The posture of the session, in the judge: what the state the session is in does not permit is denied, and what was decided moves it
 * (spec/policy.md POL-210). `session.transition` by an operator is judged by the posture alone, from any other it is denied.
 */
import { getOwn, isJsonObject } from '@countersign/kernel';
import {
  capabilitiesOf,
  type CompiledPolicy,
  LOCKED,
  MANUAL_TRIGGERS,
  postureDelta,
  type PostureDenial,
  postureDenial,
  settle,
  type Standing,
  standAt,
  transitionByHand,
  type TransitionRefusal,
} from '@countersign/policy';
import type { Action, Facts, Finding, GuardResult, PostureState, Reason, StateSlice } from '@countersign/protocol';
import { ownReason } from './reasons.ts';
import { secondsOf } from './unix-seconds.ts';

/** The action by which an operator moves a session. */
export const TRANSITION_KIND = 'session.transition';

interface PostureInput {
  readonly now: string;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly policy: Pick<CompiledPolicy, 'posture'>;
}

/** Where the session stands while an action is judged. */
export interface PostureView {
  readonly standing: Standing;
  readonly denial: PostureDenial | undefined;
}

/** True for what only the operator door can make. */
export function isOperatorTransition({ action, state }: Pick<PostureInput, 'action' | 'state'>): boolean {
  return action.kind === TRANSITION_KIND && state.authority !== undefined;
}

/** Undefined where neither the policy nor an operator says anything of the posture: nothing is looked at then. */
export function postureView({ now, action, facts, state, policy }: PostureInput): PostureView | undefined {
  const standing = standAt(policy.posture, state.posture, secondsOf(now));
  if (standing === undefined) return undefined;
  return { standing, denial: postureDenial(policy.posture, standing.state, capabilitiesOf(action, facts)) };
}

/** What the posture says, as a guard of its name. */
export function resultOfDenial({ guard, code, message, details }: PostureDenial): GuardResult {
  return { guard, allowed: false, severity: 'high', code, message, details: { ...details }, evidence: [] };
}

const nameOf = (state: string): string => (state === '' ? '(none)' : state);

/** A change as a reason of the verdict that it came with: names of states are the operator's, and short. */
function reasonOfChange({ from, to, on }: Standing['changes'][number]): Reason {
  return ownReason('posture.transition', `${nameOf(from)} -> ${nameOf(to)} on ${on}`, { severity: 'info' });
}

/** What was decided, as the posture sees it. */
export interface PostureOutcome {
  readonly denied: boolean;
  readonly violation: 'critical' | 'any' | undefined;
  readonly findings: readonly Finding[];
}

export interface PostureChanges {
  readonly reasons: readonly Reason[];
  readonly delta: PostureState | undefined;
}

/** What the decision makes of the posture. */
export function settlePosture(input: PostureInput, view: PostureView, outcome: PostureOutcome): PostureChanges {
  const { now, action, facts, state, policy } = input;
  const settled = settle(policy.posture, view.standing, {
    now: secondsOf(now),
    needs: capabilitiesOf(action, facts),
    denial: view.denial,
    denied: outcome.denied,
    violation: outcome.violation,
    matches: outcome.findings.flatMap(({ rule, category }) => [rule, category]),
  });
  return { reasons: settled.changes.map(reasonOfChange), delta: postureDelta(state.posture, settled) };
}

const REFUSALS: Readonly<Record<TransitionRefusal, string>> = {
  no_such_transition: 'the policy has no transition from here to there with that trigger',
  violations_too_recent: 'the transition requires a time without violations, and it has not passed',
};

/** What an operator asked for, judged: a denial, or the changes. */
export type JudgedTransition = { readonly denial: Reason } | PostureChanges;

function refused(code: string, text: string): JudgedTransition {
  return { denial: ownReason(code, text, { severity: 'high' }) };
}

/** An operator's transition. Whoever may only lock may do nothing else. */
export function judgeTransition({ now, action, state, policy }: PostureInput): JudgedTransition {
  const params = isJsonObject(action.params) ? action.params : {};
  const [to, on] = [getOwn(params, 'to'), getOwn(params, 'on')];
  const trigger = MANUAL_TRIGGERS.find((one) => one === on);
  if (trigger === undefined || (to !== undefined && typeof to !== 'string'))
    return refused('posture.transition_malformed', 'a transition names a state and a trigger of a person');
  if (state.authority !== 'posture:transition' && to !== LOCKED)
    return refused('posture.transition_not_permitted', 'this credential may lock a session and nothing else');
  const target = to ?? policy.posture?.initial ?? '';
  const standing = transitionByHand(policy.posture, state.posture, { to: target, on: trigger, now: secondsOf(now) });
  if (typeof standing === 'string') return refused(`posture.${standing}`, REFUSALS[standing]);
  return { reasons: standing.changes.map(reasonOfChange), delta: postureDelta(state.posture, standing) };
}
