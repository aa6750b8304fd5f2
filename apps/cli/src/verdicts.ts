/** @module A verdict as an exit code, as JSON and as text: the decision, why, and where in the input it was seen. */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { Decision, Judgement, Reason, Scores, Span } from '@countersign/protocol';
import { EXIT, type ExitCode } from './outcome.ts';
import type { Colour, Paint } from './render.ts';
import { printable } from './render.ts';

/** 0 allow, 1 warn, 2 for everything that does not let the action pass as it is. */
export function exitOf(decision: Decision): ExitCode {
  if (decision === 'allow') return EXIT.ok;
  return decision === 'warn' ? EXIT.warn : EXIT.deny;
}

/** Green for a yes, yellow for a warning, red for the rest. */
export function colourOf(decision: Decision): Colour {
  if (decision === 'allow') return 'green';
  return decision === 'warn' ? 'yellow' : 'red';
}

/** Thousandths as a decimal between 0 and 1. */
export function fraction(thousandths: number): number {
  return thousandths / 1000;
}

/** The scores as ClawSentry's users know them: five whole steps, and decimals. */
function scoresJson({ d, composite, level, circuit, missing = [] }: Scores): JsonObject {
  const [d1 = 0, d2 = 0, d3 = 0, d4 = 0, d5 = 0, d6 = 0] = d;
  return {
    dimensions: { d1, d2, d3, d4, d5, d6: fraction(d6) },
    composite: fraction(composite),
    level,
    circuit: circuit ?? null,
    missing: missing.map((number) => `d${number}`),
  };
}

function scoresText({ d, composite, level, circuit }: Scores): string {
  const parts = d.map((value, i) => `D${i + 1} ${i === 5 ? fraction(value).toFixed(2) : value}`);
  return [...parts, `composite ${fraction(composite).toFixed(3)}`, level, ...(circuit === undefined ? [] : [circuit])].join('  ');
}

/** The verdict for machines. */
export function verdictJson(output: Judgement): JsonObject {
  const { verdict } = output;
  const reasons: readonly JsonValue[] = verdict.reasons.map((reason) => ({
    code: reason.code,
    text: reason.text,
    severity: reason.severity,
    score: fraction(reason.score),
    evidence: reason.evidence.map(({ path, start, end }) => ({ path, start, end })),
  }));
  const guards: readonly JsonValue[] = output.guards.map(({ guard, allowed, severity, code, message }) => ({
    guard,
    allowed,
    severity,
    code,
    message,
  }));
  return {
    decision: verdict.decision,
    allowed: verdict.decision === 'allow' || verdict.decision === 'warn',
    risk: fraction(verdict.risk),
    severity: verdict.severity,
    reasons,
    reasons_cut: verdict.reasonsCut,
    obligations: verdict.obligations,
    ...(verdict.scores === undefined ? {} : { scores: scoresJson(verdict.scores) }),
    guards,
    scope: output.scope,
    encodings: output.encodings,
  };
}

function placeText(spans: readonly Span[]): string {
  const [first] = spans;
  return first === undefined ? '' : ` at ${first.path} ${first.start}-${first.end}`;
}

function reasonText(reason: Reason, paint: Paint): string {
  const score = reason.score > 0 ? ` ${fraction(reason.score).toFixed(2)}` : '';
  return `  ${paint('bold', reason.code)} ${reason.severity}${score}: ${printable(reason.text)}${paint('dim', placeText(reason.evidence))}`;
}

/** The verdict for people. */
export function verdictText(output: Judgement, paint: Paint): string {
  const { verdict, guards } = output;
  const head = `${paint(colourOf(verdict.decision), verdict.decision.toUpperCase())}  risk ${fraction(verdict.risk).toFixed(2)}  severity ${verdict.severity}`;
  const messages = guards
    .filter(({ allowed, severity }) => !allowed || severity !== 'info')
    .map(({ guard, message }) => `  ${guard}: ${printable(message)}`);
  const cut = verdict.reasonsCut > 0 ? [`  and ${verdict.reasonsCut} more`] : [];
  const scores = verdict.scores === undefined ? [] : [paint('dim', `  ${scoresText(verdict.scores)}`)];
  return [head, ...scores, ...verdict.reasons.map((reason) => reasonText(reason, paint)), ...cut, ...messages].join('\n');
}
