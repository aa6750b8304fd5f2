/**
 * @module Finding and Verdict: what was seen, and what is to happen. All scores are fixed point, in thousandths.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Span } from './facts.ts';
import type { Severity } from './severity.ts';
import type { StateDelta } from './state.ts';

/** From most to least permissive; the stricter of two is the later one. */
export const DECISIONS = ['allow', 'warn', 'modify', 'defer', 'deny'] as const;
export type Decision = (typeof DECISIONS)[number];

/** Framework mappings of a rule. */
export interface Tags {
  /** OWASP `LLM01`..`LLM10`, `ASI01`..`ASI10`. */
  readonly owasp: readonly string[];
  /** MITRE ATLAS or ATT&CK technique ids. */
  readonly atlas: readonly string[];
  readonly cwe: readonly string[];
  /** Laws and standards that ask for it: `GDPR`, `HIPAA`, `PCI-DSS`. Left out where there is none. */
  readonly regulation?: readonly string[];
}

/** One rule that held, and where. */
export interface Finding {
  /** Rule id, e.g. `R001`. */
  readonly rule: string;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  /** Thousandths, 0..1000. */
  readonly score: number;
  /** At most 8; `evidenceCut` counts the rest. */
  readonly evidence: readonly Span[];
  readonly evidenceCut: number;
  /** Name of the fact field it rests on, e.g. `command`, `statement`, `text`. */
  readonly fact: string;
  readonly tags: Tags;
  /** Decoders that had to be applied before it showed; empty when it stood in plain sight. */
  readonly layers: readonly string[];
  readonly exemptable: boolean;
}

/** What one guard of the policy said. `message` and `details` may quote the input: for the caller, never for the log. */
export interface GuardResult {
  readonly guard: string;
  readonly allowed: boolean;
  readonly severity: Severity;
  /** Stable reason code, e.g. `matches_forbidden_pattern`. */
  readonly code: string;
  readonly message: string;
  readonly details?: JsonValue;
  readonly evidence: readonly Span[];
}

/** One reason of a verdict, fit for the log: quotes no input. */
export interface Reason {
  /** Rule id (`R001`), `guard.<name>.<code>`, `policy.*`, `state.*`, `pipeline.*`. */
  readonly code: string;
  readonly text: string;
  readonly severity: Severity;
  /** Thousandths; 0 where there is no score. */
  readonly score: number;
  readonly fact?: string;
  readonly evidence: readonly Span[];
  readonly layers?: readonly string[];
}

/** From mild to grave. */
export const RISK_LEVELS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** Rules that set a level whatever the composite says. */
export const SCORE_CIRCUITS = ['SC-1', 'SC-2', 'SC-3'] as const;
export type ScoreCircuit = (typeof SCORE_CIRCUITS)[number];

/** The same facts as the six dimensions of ClawSentry (spec/verdict.md, VER-040 to VER-049): a view, which decides nothing. */
export interface Scores {
  /** D1 tool, D2 path and D3 command from 0 to 3, D4 session and D5 trust from 0 to 2, D6 injection in thousandths from 0 to 3000. */
  readonly d: readonly number[];
  /** Thousandths. */
  readonly composite: number;
  readonly level: RiskLevel;
  readonly circuit?: ScoreCircuit;
  /** Dimensions (1 to 6) of which nothing was known, so that the stricter case was taken. Absent where there is none. */
  readonly missing?: readonly number[];
}

export interface Verdict {
  readonly decision: Decision;
  /** Thousandths, 0..1000. */
  readonly risk: number;
  readonly severity: Severity;
  /** At most 32, worst first. */
  readonly reasons: readonly Reason[];
  /** How many more reasons there were. */
  readonly reasonsCut: number;
  /** Things the caller must do, e.g. `inspect-response`. */
  readonly obligations: readonly string[];
  /** Who spoke. */
  readonly by: 'judge' | 'pipeline';
  /** Absent where no judge spoke, and in receipts from before there were any. */
  readonly scores?: Scores;
}

/** What the judge gave for one action: the verdict, what it rests on, and what it changes. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly guards: readonly GuardResult[];
  readonly delta: StateDelta;
  /** Decoder names that changed something. */
  readonly encodings: readonly string[];
  /** Scope the action needs, `category:subcategory:operation`. */
  readonly scope: string;
  /** How many of each type were seen, by type name. Never a value. */
  readonly counts: { readonly pii: Readonly<Record<string, number>>; readonly secrets: Readonly<Record<string, number>> };
}
