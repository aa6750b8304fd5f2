/**
 * @module judge: Facts, rules, policy and state become a Verdict. A pure, total function: equal inputs give byte-equal verdicts.
 */
import { codeOf } from '@countersign/kernel';
import { type CompiledPolicy, evaluateGuards, scopeForTool, scopeMatches, thresholdsFor } from '@countersign/policy';
import {
  type Action,
  type Facts,
  type Finding,
  type GuardResult,
  type Judgement,
  isActionKind,
  type Reason,
  type StateDelta,
  type StateSlice,
  type Verdict,
} from '@countersign/protocol';
import { type CompiledRules, matchRules } from '@countersign/rules';
import { heated, type ScoreView, scoreView } from './dimensions.ts';
import { WEIGHTS } from './limits.ts';
import { findingOfOpinion } from './opinions.ts';
import { boundVerdict, compareSeverity, ownReason, reasonOfFinding, reasonOfGuard, sortReasons, worst } from './reasons.ts';

export interface JudgeInput {
  /** RFC 3339, milliseconds, UTC. */
  readonly now: string;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly policy: CompiledPolicy;
  readonly rules: CompiledRules;
}

/** The parts that look at facts. They are given, so that a failing or invented part can be put to the test. */
export interface JudgeParts {
  readonly matchRules: (
    rules: CompiledRules,
    input: { readonly action: Action; readonly facts: Facts },
  ) => { readonly findings: readonly Finding[] };
  readonly evaluateGuards: (
    policy: CompiledPolicy,
    input: { readonly action: Action; readonly facts: Facts; readonly state: StateSlice },
  ) => readonly GuardResult[];
}

/** What the parts of the judge have said so far. */
interface Opinion {
  /** Each of these alone denies. */
  readonly denials: Reason[];
  /** Each of these alone warns. */
  readonly warnings: Reason[];
  /** These add risk; thresholds decide. */
  readonly risks: Reason[];
  findings: readonly Finding[];
  guards: readonly GuardResult[];
  /** The tool is not registered, and the org is still learning. */
  pending: boolean;
  view: ScoreView | undefined;
  /** What the action asks a scope for; `` until it is known. */
  scope: string;
}

/** Text that is only looked at: nobody asks for a scope to speak. */
const TEXT_KINDS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response', 'agent.message']);

function ownScope(action: Action, state: StateSlice): string {
  if (state.toolScope !== undefined) return state.toolScope;
  return scopeForTool(action.tool ?? action.kind, action.params);
}

/** Runs one part; a part that fails denies, and is listed. */
function part(opinion: Opinion, name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    opinion.denials.push(
      ownReason(`judge.${name}_failed`, `the ${name} part of the judge failed (${codeOf(error)})`, { severity: 'critical', score: 1000 }),
    );
  }
}

function weighFindings(opinion: Opinion, input: JudgeInput, parts: JudgeParts): void {
  const { findings } = parts.matchRules(input.rules, { action: input.action, facts: input.facts });
  opinion.findings = findings;
  for (const finding of findings) opinion.risks.push(reasonOfFinding(finding));
}

function weighGuards(opinion: Opinion, input: JudgeInput, parts: JudgeParts): void {
  const { action, facts, state } = input;
  const guards = parts.evaluateGuards(input.policy, { action, facts, state });
  opinion.guards = guards;
  for (const result of guards) {
    if (!result.allowed) opinion.denials.push(reasonOfGuard(result));
    else if (compareSeverity(result.severity, 'medium') >= 0) opinion.warnings.push(reasonOfGuard(result));
  }
}

function weighCuts(opinion: Opinion, { action, facts }: JudgeInput): void {
  for (const cut of facts.cuts) {
    const unread = cut === 'shell-unknown' && action.kind === 'shell.exec';
    const score = unread ? WEIGHTS.unreadCommand : WEIGHTS.cut;
    opinion.risks.push(ownReason(`facts.${cut}`, `not all of it could be read: ${cut}`, { severity: unread ? 'high' : 'medium', score }));
  }
}

function weighActor(opinion: Opinion, { action, state }: JudgeInput): void {
  if (!isActionKind(action.kind))
    opinion.denials.push(ownReason('action.unknown_kind', 'the kind of this action is not known', { severity: 'high' }));
  if (state.agentState !== 'active')
    opinion.denials.push(ownReason('state.agent_not_active', 'the agent is not known to be active', { severity: 'high' }));
  if (TEXT_KINDS.has(action.kind)) return;
  const scope = ownScope(action, state);
  opinion.scope = scope;
  const granted = (state.scopes ?? []).some((grant) => scopeMatches(grant, scope));
  const claimed = state.claimedScopes === undefined || state.claimedScopes.some((grant) => scopeMatches(grant, scope));
  if (!granted || !claimed)
    opinion.denials.push(ownReason('scope_not_granted', 'the agent holds no scope for this tool', { severity: 'high' }));
}

function weighTool(opinion: Opinion, { action, state, policy }: JudgeInput): void {
  if (action.tool === undefined || TEXT_KINDS.has(action.kind) || state.tool === 'registered') return;
  if (state.tool === 'mismatch') {
    opinion.denials.push(
      ownReason('descriptor_hash_mismatch', 'the tool descriptor is not the one that was approved', { severity: 'critical', score: 980 }),
    );
  } else if (state.orgMode === 'learning' && policy.unregisteredTools === 'warn') {
    opinion.pending = true;
    opinion.warnings.push(
      ownReason('tool_pending', 'nobody has registered this tool yet: stricter thresholds apply', { severity: 'medium' }),
    );
  } else {
    opinion.denials.push(ownReason('tool_not_registered', 'nobody has registered this tool', { severity: 'high' }));
  }
}

/** What was said outside adds to what was found here, and nothing else: it cannot lower anything. */
function weighOpinions(opinion: Opinion, { facts }: JudgeInput): void {
  if (facts.opinionFault !== undefined) {
    const text = 'an outside opinion cannot be read, so it is taken for the worst';
    opinion.denials.push(ownReason(facts.opinionFault, text, { severity: 'critical', score: 1000 }));
  }
  const findings = (facts.opinions ?? []).map(findingOfOpinion);
  opinion.findings = [...opinion.findings, ...findings];
  for (const finding of findings) opinion.risks.push(reasonOfFinding(finding));
}

function weigh(input: JudgeInput, parts: JudgeParts): Opinion {
  const opinion: Opinion = { denials: [], warnings: [], risks: [], findings: [], guards: [], pending: false, view: undefined, scope: '' };
  part(opinion, 'actor', () => weighActor(opinion, input));
  part(opinion, 'tool', () => weighTool(opinion, input));
  part(opinion, 'rules', () => weighFindings(opinion, input, parts));
  part(opinion, 'guards', () => weighGuards(opinion, input, parts));
  part(opinion, 'cuts', () => weighCuts(opinion, input));
  part(opinion, 'opinions', () => weighOpinions(opinion, input));
  // A view of all that was found: it adds nothing to the decision, unless it fails.
  part(opinion, 'scores', () => {
    opinion.view = scoreView({ ...input, findings: opinion.findings });
  });
  return opinion;
}

function decide(opinion: Opinion, { policy, action }: JudgeInput): Verdict {
  const lower = opinion.pending ? WEIGHTS.pendingTool : 0;
  const thresholds = thresholdsFor(policy, action.tool);
  const block = thresholds.block - lower;
  const flag = thresholds.flag - lower;
  let risk = 0;
  for (const { score } of [...opinion.risks, ...opinion.denials]) risk = Math.max(risk, score);
  const denied = opinion.denials.length > 0 || risk >= block;
  const warned = opinion.warnings.length > 0 || risk >= flag;
  const reasons = sortReasons([...opinion.denials, ...opinion.risks, ...opinion.warnings]);
  const verdict: Verdict = {
    decision: denied ? 'deny' : warned ? 'warn' : 'allow',
    risk: Math.min(1000, risk),
    severity: worst(reasons.map(({ severity }) => severity)),
    reasons: [],
    reasonsCut: 0,
    obligations: [],
    by: 'judge',
    ...(opinion.view === undefined ? {} : { scores: opinion.view.scores }),
  };
  return boundVerdict(verdict, reasons);
}

function countTypes(facts: readonly { readonly type: string }[]): Record<string, number> {
  if (facts.length === 0) return {};
  const counts = new Map<string, number>();
  for (const { type } of facts) counts.set(type, (counts.get(type) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function deltaOf(opinion: Opinion, { action, state, now }: JudgeInput): StateDelta {
  const sessionCalls = (state.sessionCalls ?? 0) + 1;
  const heat = opinion.view?.grave === true ? { hotUntil: heated(state, now) } : {};
  if (!opinion.pending || state.tool !== undefined || action.tool === undefined) return { sessionCalls, ...heat };
  return { sessionCalls, ...heat, pendingTool: { tool: action.tool, hash: action.descriptor?.hash ?? '' } };
}

/** Judges one action with the given parts. Total: a part that fails denies, and is listed. */
export function judgeWith(parts: JudgeParts, input: JudgeInput): Judgement {
  const opinion = weigh(input, parts);
  return {
    verdict: decide(opinion, input),
    findings: opinion.findings,
    guards: opinion.guards,
    delta: deltaOf(opinion, input),
    encodings: input.facts.encodings,
    scope: opinion.scope === '' ? ownScope(input.action, input.state) : opinion.scope,
    counts: { pii: countTypes(input.facts.pii), secrets: countTypes(input.facts.secrets) },
  };
}

/** Judges one action. Total, and a pure function of its input. */
export function judge(input: JudgeInput): Judgement {
  return judgeWith({ matchRules, evaluateGuards }, input);
}
