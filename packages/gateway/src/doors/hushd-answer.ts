/** @module Answer -> hushd wire. Allowed is what the verdict allows, with a durable receipt; this wire can carry neither a change nor a wait. */
import { invariant, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Answer } from '@countersign/pipeline';
import { isOnlyUnseen, type PolicyEventUnseen } from '@countersign/policy';
import type { GuardResult, Reason, Severity, Verdict } from '@countersign/protocol';

/** One result of a guard as `/check` writes it. */
export interface GuardWire {
  readonly allowed: boolean;
  readonly guard: string;
  readonly severity: string;
  readonly message: string;
  readonly details?: JsonValue;
}

const SEVERITY: Readonly<Record<Severity, string>> = {
  info: 'info',
  low: 'info',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};
const RANK: Readonly<Record<string, number>> = { info: 0, warning: 1, error: 2, critical: 3 };

/** `/eval` has other words than `/check`. */
const EVAL_SEVERITY: Readonly<Record<string, string | null>> = { info: null, warning: 'medium', error: 'high', critical: 'critical' };

/** What rules, scopes and thresholds say has no guard of theirs. */
const OWN_GUARD = 'countersign';
const REASONS_SHOWN = 4;

function isReleased({ verdict, receipt }: Answer): boolean {
  return receipt !== null && (verdict.decision === 'allow' || verdict.decision === 'warn');
}

function guardWire({ guard, allowed, severity, message, details }: GuardResult): GuardWire {
  return { allowed, guard, severity: SEVERITY[severity], message, ...(details === undefined ? {} : { details }) };
}

function textOf(reasons: readonly Reason[]): string {
  return reasons
    .slice(0, REASONS_SHOWN)
    .map(({ code, text }) => `${code}: ${text}`)
    .join('; ');
}

function ownDetails(verdict: Verdict): JsonObject {
  const reasons = verdict.reasons.slice(0, REASONS_SHOWN).map(({ code, severity, score }) => ({ code, severity, score }));
  return { reasons, risk: verdict.risk };
}

function denialText({ decision, reasons }: Verdict): string {
  const wait = decision === 'defer' ? 'needs an approval: ' : decision === 'modify' ? 'would have to be changed: ' : '';
  return `${wait}${reasons.length === 0 ? 'denied' : textOf(reasons)}`;
}

/** What is not a guard's word: the reasons of the verdict that no guard gave. Undefined where there are none. */
function ownWire(answer: Answer): GuardWire | undefined {
  const { verdict } = answer;
  const allowed = isReleased(answer);
  const own = verdict.reasons.filter(({ code }) => !code.startsWith('guard.'));
  if (allowed && own.length === 0) return undefined;
  const severity = allowed ? 'warning' : SEVERITY[verdict.severity];
  const message = allowed ? textOf(own) : denialText(verdict);
  return { allowed, guard: OWN_GUARD, severity, message, details: ownDetails(verdict) };
}

/** The result that stands for all: what refuses before what does not, then the gravest, then the first. */
function worst(results: readonly GuardWire[]): GuardWire | undefined {
  let found: GuardWire | undefined;
  for (const result of results) {
    const better =
      found === undefined ||
      (found.allowed && !result.allowed) ||
      (found.allowed === result.allowed && (RANK[result.severity] ?? 0) > (RANK[found.severity] ?? 0));
    if (better) found = result;
  }
  return found;
}

export interface Report {
  readonly overall: GuardWire;
  readonly results: readonly GuardWire[];
}

/** All that was said. `overall.allowed` is the verdict's, whatever a guard says. */
export function reportOf(answer: Answer): Report {
  const allowed = isReleased(answer);
  const guards = (answer.judgement?.guards ?? []).map(guardWire);
  const own = ownWire(answer);
  const results = own === undefined ? guards : [...guards, own];
  const fallback: GuardWire = { allowed, guard: 'engine', severity: 'info', message: 'Allowed' };
  // Where a guard refuses, it speaks; the own word only where none does.
  const refusing = guards.filter((guard) => !guard.allowed);
  const overall = (allowed ? worst(results) : (worst(refusing) ?? own)) ?? fallback;
  return { overall: overall.allowed === allowed ? overall : { ...overall, allowed }, results };
}

/** The body of `/api/v1/check`. */
export function checkWire(answer: Answer): GuardWire & { readonly receipt_id: string | null } {
  return { ...reportOf(answer).overall, receipt_id: answer.receipt?.id ?? null };
}

/** Clawdstrike has one code for all that an event does not hold. */
const UNSEEN_CODE = 'HSH_MISSING_CONTENT_BYTES';

function reasonCode({ verdict }: Answer, allowed: boolean, unseen: boolean): string {
  if (!allowed) return unseen && isOnlyUnseen(verdict) ? UNSEEN_CODE : 'ADC_POLICY_DENY';
  if (verdict.decision === 'warn') return 'ADC_POLICY_WARN';
  return 'ADC_POLICY_ALLOW';
}

/** The body of `/api/v1/eval`. `unseen`: what the event does not hold, for which the judge denies it. */
export function evalWire(answer: Answer, unseen: PolicyEventUnseen | undefined): object {
  const { overall, results } = reportOf(answer);
  const { allowed, guard, severity, message } = overall;
  invariant(!allowed || unseen === undefined, 'a write whose content nobody saw is denied');
  const warned = allowed && answer.verdict.decision === 'warn';
  const quiet = allowed && !warned;
  return {
    version: 1,
    command: 'policy_eval',
    decision: {
      allowed,
      denied: !allowed,
      warn: warned,
      reason_code: reasonCode(answer, allowed, unseen !== undefined),
      guard: quiet ? null : guard,
      severity: quiet ? null : (EVAL_SEVERITY[severity] ?? null),
      message,
      reason: unseen ?? null,
    },
    report: { overall, per_guard: results },
    receipt_id: answer.receipt?.id ?? null,
  };
}
