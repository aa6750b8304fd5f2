/** @module One suite of policy tests, run: what was expected, what was said, and where they differ. */
import type { PolicyTest, Posture, TestExpectation } from '@countersign/policy';
import type { Severity } from '@countersign/protocol';
import { decideEvent, type EventDecision, type EventJudge } from './event-decisions.ts';
import { SessionTracker } from './session-tracking.ts';

export interface TestResult {
  readonly test: PolicyTest;
  readonly decided: EventDecision;
  /** What differs; empty: passed. */
  readonly problems: readonly string[];
}

/** The documents' words for severity, beside ours. */
const SEVERITY: ReadonlyMap<string, Severity> = new Map([
  ['info', 'info'],
  ['low', 'low'],
  ['warning', 'medium'],
  ['medium', 'medium'],
  ['error', 'high'],
  ['high', 'high'],
  ['critical', 'critical'],
]);

function flagProblem(name: string, expected: boolean | undefined, got: boolean): readonly string[] {
  return expected === undefined || expected === got ? [] : [`${name}: expected ${String(expected)}, got ${String(got)}`];
}

/** Everything that spoke against the event, with the reason codes of the verdict. */
function speakers({ judgement, guard }: EventDecision): readonly string[] {
  const guards = judgement?.guards.filter(({ allowed, severity }) => !allowed || severity !== 'info').map((one) => one.guard) ?? [];
  const reasons = judgement?.verdict.reasons.map(({ code }) => code) ?? [];
  return [...(guard === null ? [] : [guard]), ...guards, ...reasons];
}

function reasonProblem(reason: string, decided: EventDecision): readonly string[] {
  const reasons = [decided.reasonCode, decided.reason ?? '', ...speakers(decided), decided.message];
  return reasons.some((one) => one.includes(reason)) ? [] : [`reason: expected ${reason}, got ${decided.reasonCode}`];
}

function textProblems(expect: TestExpectation, decided: EventDecision): readonly string[] {
  const { guard, severity, message_contains: message, reason_contains: reason } = expect;
  const spoke = [...new Set(speakers(decided))];
  const got = decided.severity ?? 'info';
  const problems: string[] = [];
  if (guard !== undefined && !spoke.includes(guard))
    problems.push(`guard: expected ${guard}, got ${spoke.length === 0 ? 'none' : spoke.join(', ')}`);
  if (severity !== undefined && SEVERITY.get(severity) !== got) problems.push(`severity: expected ${severity}, got ${got}`);
  if (message !== undefined && !decided.message.includes(message)) problems.push(`message: expected ${message} in: ${decided.message}`);
  return reason === undefined ? problems : [...problems, ...reasonProblem(reason, decided)];
}

function transitionText({ from = 'any', to = 'any', trigger = 'any' }: NonNullable<TestExpectation['posture_transition']>): string {
  return `${from} -> ${to} on ${trigger}`;
}

function transitionProblem(wanted: TestExpectation['posture_transition'], { posture }: EventDecision): readonly string[] {
  if (wanted === undefined) return [];
  const moves = posture?.transitions.map(({ from, to, on }) => ({ from, to, trigger: on })) ?? [];
  const fits = (move: (typeof moves)[number]): boolean =>
    (['from', 'to', 'trigger'] as const).every((key) => wanted[key] === undefined || wanted[key] === move[key]);
  if (moves.some(fits)) return [];
  const got = moves.length === 0 ? 'none' : moves.map(transitionText).join(', ');
  return [`posture_transition: expected ${transitionText(wanted)}, got ${got}`];
}

function postureProblems(expect: TestExpectation, decided: EventDecision): readonly string[] {
  const { posture_state: state, posture_transition: transition, posture_budgets: budgets = {} } = expect;
  const { after = 'none', budgets: spent = {} } = decided.posture ?? {};
  return [
    ...(state === undefined || state === after ? [] : [`posture_state: expected ${state}, got ${after}`]),
    ...transitionProblem(transition, decided),
    ...Object.entries(budgets).flatMap(([budget, used]) => {
      const got = spent[budget]?.used;
      return got === used ? [] : [`posture_budgets.${budget}: expected ${String(used)}, got ${got === undefined ? 'none' : String(got)}`];
    }),
  ];
}

function problemsOf(expect: TestExpectation, decided: EventDecision): readonly string[] {
  const { outcome } = decided;
  return [
    ...flagProblem('allowed', expect.allowed, outcome !== 'blocked'),
    ...flagProblem('denied', expect.denied, outcome === 'blocked'),
    ...flagProblem('warn', expect.warn, outcome === 'warn'),
    ...textProblems(expect, decided),
    ...postureProblems(expect, decided),
  ];
}

/**
 * Runs every test, in order. Tests of one suite whose events name the same session are one session, each judged in the state that those
 * before it left; an event that names none begins one of its own.
 */
export function runTests(judge: EventJudge, tests: readonly PolicyTest[], posture: Posture | undefined): readonly TestResult[] {
  const trackers = new Map<string, SessionTracker>();
  return tests.map((test) => {
    const sessions = (test.event.session === undefined ? undefined : trackers.get(test.suite)) ?? new SessionTracker(posture);
    if (test.event.session !== undefined) trackers.set(test.suite, sessions);
    const decided = decideEvent({ ...judge, sessions }, test.event);
    return { test, decided, problems: problemsOf(test.expect, decided) };
  });
}
