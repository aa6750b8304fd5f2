/**
 * @module Reasons fit for the log: they name rules, facts and spans, quote no input, and are bounded whatever the input was.
 */
import { canonicalize, type JsonValue, utf8Length } from '@countersign/kernel';
import { type Finding, type GuardResult, type Reason, SEVERITIES, type Severity, type Span, type Verdict } from '@countersign/protocol';
import { JUDGE_LIMITS } from './limits.ts';

const RANK: Readonly<Record<Severity, number>> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 };

/** -1, 0 or 1, as the first is less or more severe than the second. */
export function compareSeverity(a: Severity, b: Severity): number {
  return Math.sign(RANK[a] - RANK[b]);
}

/** The worst of several; `info` of none. */
export function worst(severities: readonly Severity[]): Severity {
  let rank = 0;
  for (const severity of severities) rank = Math.max(rank, RANK[severity]);
  return SEVERITIES[rank] ?? 'critical';
}

/** Property names come from the agent: only plain characters of them reach the log, and few. */
function plainPath(path: string): string {
  const plain = path.slice(0, JUDGE_LIMITS.evidencePathMax).replaceAll(/[^A-Za-z0-9_.~/-]/g, '?');
  return path.length > JUDGE_LIMITS.evidencePathMax ? `${plain}+${path.length - JUDGE_LIMITS.evidencePathMax}` : plain;
}

function plainEvidence(spans: readonly Span[]): Span[] {
  return spans.slice(0, JUDGE_LIMITS.reasonEvidenceMax).map(({ path, start, end }) => ({ path: plainPath(path), start, end }));
}

function capped(text: string, max: number): string {
  const whole = text.length > max ? `${text.slice(0, max)}+${text.length - max}` : text;
  return whole.toWellFormed();
}

/** The reason that a finding gives. */
export function reasonOfFinding(finding: Finding): Reason {
  return {
    code: capped(finding.rule, JUDGE_LIMITS.reasonCodeMax),
    text: capped(finding.title, JUDGE_LIMITS.reasonTextMax),
    severity: finding.severity,
    score: finding.score,
    fact: finding.fact,
    evidence: plainEvidence(finding.evidence),
    ...(finding.layers.length > 0 ? { layers: finding.layers } : {}),
  };
}

/** What a refusal by a guard counts as risk, in thousandths. */
const REFUSAL_SCORE: Readonly<Record<Severity, number>> = { info: 700, low: 700, medium: 750, high: 850, critical: 950 };

/** The reason that a guard gives: its name and code, never its message, which may quote the input. */
export function reasonOfGuard(result: GuardResult): Reason {
  const act = result.allowed ? 'warns' : 'refuses';
  return {
    code: capped(`guard.${result.guard}.${result.code}`, JUDGE_LIMITS.reasonCodeMax),
    text: capped(`guard ${result.guard} ${act}: ${result.code.replaceAll('_', ' ')}`, JUDGE_LIMITS.reasonTextMax),
    severity: result.severity,
    score: result.allowed ? 0 : REFUSAL_SCORE[result.severity],
    evidence: plainEvidence(result.evidence),
  };
}

/** A reason of the judge itself. */
export function ownReason(code: string, text: string, options: { readonly severity: Severity; readonly score?: number }): Reason {
  return { code, text: capped(text, JUDGE_LIMITS.reasonTextMax), severity: options.severity, score: options.score ?? 0, evidence: [] };
}

function compareReasons(a: Reason, b: Reason): number {
  const bySeverity = compareSeverity(b.severity, a.severity);
  if (bySeverity !== 0) return bySeverity;
  if (a.score !== b.score) return b.score - a.score;
  if (a.code === b.code) return 0;
  return a.code < b.code ? -1 : 1;
}

/** Worst first; ties by score, then by code, then in the order given. */
export function sortReasons(reasons: readonly Reason[]): Reason[] {
  return reasons.toSorted(compareReasons);
}

/** A verdict within its bytes: reasons are dropped from the mildest up, and counted. */
export function boundVerdict(verdict: Verdict, reasons: readonly Reason[]): Verdict {
  let kept = reasons.slice(0, JUDGE_LIMITS.reasonsMax);
  for (;;) {
    const bounded: Verdict = { ...verdict, reasons: kept, reasonsCut: reasons.length - kept.length };
    if (kept.length === 0 || utf8Length(canonicalize(bounded as unknown as JsonValue)) <= JUDGE_LIMITS.verdictBytesMax) return bounded;
    kept = kept.slice(0, -1);
  }
}
