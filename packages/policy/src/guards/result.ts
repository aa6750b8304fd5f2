/**
 * @module What guards are given and how they answer. Messages and detail keys are those of Clawdstrike 0.2.7; severities are
 * mapped info to info, warning to medium, error to high, critical to critical.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Action, Facts, GuardResult, Severity, Span, StateSlice } from '@countersign/protocol';
import type { GuardName, PolicySeverity } from '../content.ts';
import type { StepCounter } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { ScanMeter } from '../regex/regex-set.ts';

export interface GuardInput {
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  /** Recorded time of the decision, Unix seconds. Absent: what fades with time has not faded. */
  readonly nowSeconds?: number;
}

/** One evaluation: the input and the counters all guards share. */
export interface GuardContext extends GuardInput {
  readonly meter: ScanMeter;
  readonly counter: StepCounter;
}

const SEVERITY_OF: Readonly<Record<PolicySeverity, Severity>> = { info: 'info', warning: 'medium', error: 'high', critical: 'critical' };

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly details?: JsonValue;
  readonly evidence?: readonly Span[];
}

/** Names that guards report under: one of them is not called as its section is. */
export type ReportName = Exclude<GuardName, 'jailbreak'> | 'jailbreak_detection' | `clawdstrike-${string}` | `custom.${string}`;

function result(
  guard: ReportName,
  verdict: { readonly allowed: boolean; readonly severity: PolicySeverity },
  finding: Finding,
): GuardResult {
  return {
    guard,
    allowed: verdict.allowed,
    severity: SEVERITY_OF[verdict.severity],
    code: finding.code,
    message: finding.message,
    ...(finding.details !== undefined && { details: finding.details }),
    evidence: (finding.evidence ?? []).slice(0, POLICY_LIMITS.evidenceMax),
  };
}

/** Nothing to object to. */
export function allow(guard: ReportName, more: { readonly code?: string; readonly details?: JsonValue } = {}): GuardResult {
  return result(guard, { allowed: true, severity: 'info' }, { code: 'allowed', message: 'Allowed', ...more });
}

export function warn(guard: ReportName, finding: Finding): GuardResult {
  return result(guard, { allowed: true, severity: 'warning' }, finding);
}

export function block(guard: ReportName, severity: PolicySeverity, finding: Finding): GuardResult {
  return result(guard, { allowed: false, severity }, finding);
}

/** Something could not be seen or read: nobody can say that it is fine. */
export function blind(guard: ReportName, what: string, code: string): GuardResult {
  return block(guard, 'error', { code, message: what, details: { reason: code } });
}

/** Input as a message may quote it. */
export function quote(text: string): string {
  return text.length <= POLICY_LIMITS.quoteCharsMax ? text : `${text.slice(0, POLICY_LIMITS.quoteCharsMax - 3)}...`;
}

/** Order of severities, least first. */
export const SEVERITY_RANK: Readonly<Record<PolicySeverity, number>> = { info: 0, warning: 1, error: 2, critical: 3 };

export function isFileKind(kind: string): boolean {
  return kind === 'file.read' || kind === 'file.write' || kind === 'file.patch';
}
