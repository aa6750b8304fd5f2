/**
 * @module Origins and brokered hosts, in the judge: what the place an action was asked from does not permit is denied, and what the session
 * remembers of it goes into the delta beside its posture (spec/policy.md POL-304 and POL-317).
 */
import {
  type BrokerAnswer,
  type CompiledPolicy,
  judgeBroker,
  judgeOrigin,
  type OriginAnswer,
  type OriginObjection,
} from '@countersign/policy';
import type { Action, Facts, GuardResult, PostureState, Reason, RiskLevel, StateSlice } from '@countersign/protocol';
import { JUDGE_LIMITS } from './limits.ts';
import { ownReason } from './reasons.ts';
import { secondsOf } from './unix-seconds.ts';

interface PlaceInput {
  readonly now: string;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly policy: Pick<CompiledPolicy, 'origins' | 'broker'>;
}

const TELLS = 'by what the client says of it, which nobody verified';

/** That the profile rests on the word of the client. Its id is the operator's, and short. */
function noteOf({ profile }: OriginAnswer): Reason | undefined {
  if (profile === undefined) return undefined;
  const name = profile.by === 'default' ? 'the minimal profile' : `profile ${profile.id}`;
  return ownReason('guard.origin.asserted', `origin judged as ${name} (${profile.by}), ${TELLS}`, { severity: 'info' });
}

function detailsOf({ profile }: OriginAnswer): { readonly enclave: GuardResult['details'] & object; readonly provenance: string } {
  const enclave = { profile_id: profile === undefined || profile.id === '' ? null : profile.id, resolution_path: profile?.by ?? null };
  return { enclave, provenance: 'asserted' };
}

function resultOf(answer: OriginAnswer, objection: OriginObjection, allowed: boolean): GuardResult {
  const { code, message, evidence, step, sanitized } = objection;
  const redaction = sanitized === undefined ? {} : { action: 'sanitize', sanitized };
  return {
    guard: 'origin',
    allowed,
    severity: allowed || step === true ? 'medium' : 'high',
    code,
    message,
    details: { ...detailsOf(answer), reason: code, ...redaction },
    evidence: evidence.slice(0, JUDGE_LIMITS.reasonEvidenceMax),
  };
}

/** What the origin says of an action. */
export interface OriginView {
  readonly answer: OriginAnswer;
  readonly results: readonly GuardResult[];
  /** Of those results that deny: those that are no violation, because they only say how far the session has got. */
  readonly quiet: ReadonlySet<GuardResult>;
  /** Undefined where no profile was found. */
  readonly note: Reason | undefined;
}

/** Undefined where the policy has no origins. */
export function originView({ action, facts, state, policy }: PlaceInput): OriginView | undefined {
  if (policy.origins === undefined) return undefined;
  const answer = judgeOrigin(policy.origins, { action, facts, kept: state.posture });
  const refusing = answer.objections.map((objection) => ({ result: resultOf(answer, objection, false), quiet: objection.quiet === true }));
  const logged = answer.logged === undefined ? [] : [resultOf(answer, answer.logged, true)];
  const results = [...refusing.map(({ result }) => result), ...logged];
  const silent: GuardResult = {
    guard: 'origin',
    allowed: true,
    severity: 'info',
    code: 'allowed',
    message: 'Allowed',
    details: detailsOf(answer),
    evidence: [],
  };
  return {
    answer,
    results: results.length === 0 ? [silent] : results,
    quiet: new Set(refusing.flatMap(({ result, quiet }) => (quiet ? [result] : []))),
    note: noteOf(answer),
  };
}

/** What a broker section says of an action. */
export interface BrokerView {
  readonly answer: BrokerAnswer;
  readonly results: readonly GuardResult[];
}

/** Undefined where the action reaches no brokered host. */
export function brokerView({ action, facts, state, policy }: PlaceInput, level: RiskLevel | undefined): BrokerView | undefined {
  if (policy.broker === undefined) return undefined;
  const answer = judgeBroker(policy.broker, { action, facts, kept: state.posture, level });
  if (answer === undefined) return undefined;
  const results = answer.objections.map(({ code, message, evidence, provider, step }): GuardResult => ({
    guard: 'broker',
    allowed: false,
    severity: step ? 'medium' : 'high',
    code,
    message,
    details: { provider, reason: code },
    evidence,
  }));
  return { answer, results };
}

/** Both views of one action. */
export interface PlaceViews {
  readonly origin: OriginView | undefined;
  readonly broker: BrokerView | undefined;
}

/**
 * The posture to keep, with what origin and broker add to it; undefined where nothing changed.
 * @param posture What the posture itself made of the action; undefined where it stays.
 */
export function rememberPlaces(
  { now, state }: PlaceInput,
  { origin, broker }: PlaceViews,
  outcome: { readonly posture: PostureState | undefined; readonly denied: boolean },
): PostureState | undefined {
  const memory = outcome.denied ? origin?.answer.refused : origin?.answer.after;
  const executed = outcome.denied ? undefined : broker?.answer.counts;
  if (memory === undefined && executed === undefined) return outcome.posture;
  const kept = state.posture ?? { n: 0, state: '', entered: secondsOf(now), used: {}, history: [] };
  const counts = latest(kept.counts, memory?.counts, executed);
  return {
    ...(outcome.posture ?? { ...kept, n: kept.n + 1 }),
    ...memory,
    ...(Object.keys(counts).length === 0 ? {} : { counts }),
  };
}

/** Both count on what was kept, each its own keys: of two the greater. */
function latest(...several: readonly PostureState['counts'][]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const [key, count] of several.flatMap((one) => Object.entries(one ?? {}))) counts.set(key, Math.max(counts.get(key) ?? 0, count));
  return Object.fromEntries(counts);
}
