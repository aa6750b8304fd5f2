/**
 * @module judge: Facts, rules, policy and state become a Verdict. A pure, total function: equal inputs give byte-equal verdicts.
 */
import {
  type CompiledPolicy,
  evaluateGuards,
  isUnseenWrite,
  scopeForTool,
  scopeMatches,
  sessionRiskAfter,
  type Thresholds,
  thresholdsFor,
} from '@countersign/policy';
import {
  type Action,
  type Facts,
  type Finding,
  type GuardResult,
  type Judgement,
  isActionKind,
  type StateDelta,
  type StateSlice,
  type Verdict,
} from '@countersign/protocol';
import { type CompiledRules, matchRules } from '@countersign/rules';
import { heated, scoreView } from './dimensions.ts';
import { WEIGHTS } from './limits.ts';
import { emptyOpinion, type Opinion, part } from './opinion.ts';
import { findingOfOpinion } from './opinions.ts';
import { brokerView, originView, rememberPlaces } from './origin.ts';
import { isOperatorTransition, judgeTransition, postureView, resultOfDenial, settlePosture, TRANSITION_KIND } from './posture.ts';
import { boundaryDenials, cedarDenials, entityReasons, exempted, type Restricted } from './restrictions.ts';
import { secondsOf } from './unix-seconds.ts';
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
    input: { readonly action: Action; readonly facts: Facts; readonly state: StateSlice; readonly nowSeconds: number },
  ) => readonly GuardResult[];
}

/** Text that is only looked at: nobody asks for a scope to speak. */
const TEXT_KINDS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response', 'agent.message']);

function ownScope(action: Action, state: StateSlice): string {
  if (state.toolScope !== undefined) return state.toolScope;
  return scopeForTool(action.tool ?? action.kind, action.params);
}

function weighFindings(opinion: Opinion, input: JudgeInput, parts: JudgeParts): void {
  const { findings } = parts.matchRules(input.rules, { action: input.action, facts: input.facts });
  opinion.findings = findings;
}

function weighGuards(opinion: Opinion, input: JudgeInput, parts: JudgeParts): void {
  const { action, facts, state } = input;
  const guards = parts.evaluateGuards(input.policy, { action, facts, state, nowSeconds: secondsOf(input.now) });
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
  if (isUnseenWrite(action))
    opinion.denials.push(ownReason('action.unseen_content', 'what is written is not in the action', { severity: 'high' }));
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
}

function limitsFor(opinion: Opinion, { policy, action }: JudgeInput): Thresholds {
  const lower = opinion.pending ? WEIGHTS.pendingTool : 0;
  const { flag, block } = thresholdsFor(policy, action.tool);
  return { flag: flag - lower, block: block - lower };
}

/** What the posture refuses is not in it: a policy in Cedar hears of the action, not of the session. */
function riskOf(opinion: Opinion): number {
  let risk = 0;
  for (const { score } of [...opinion.risks, ...opinion.denials, ...opinion.kept]) risk = Math.max(risk, score);
  return Math.min(1000, risk);
}

/** What the operator set beside rules and guards, in its order. */
function weighRestrictions(opinion: Opinion, input: JudgeInput): void {
  opinion.kept = opinion.findings;
  if (input.policy.clampd === undefined && input.policy.cedar === undefined) return;
  const restricted: Restricted = { ...input, scope: ownScope(input.action, input.state), text: TEXT_KINDS.has(input.action.kind) };
  part(opinion, 'boundaries', () => {
    const bounded = boundaryDenials(restricted);
    opinion.denials.push(...(bounded?.denials ?? []));
    opinion.window = bounded?.window;
  });
  part(opinion, 'entities', () => {
    const { denials, warnings } = entityReasons(restricted);
    opinion.denials.push(...denials);
    opinion.warnings.push(...warnings);
  });
  part(opinion, 'exemptions', () => {
    const { kept, notes, nonExemptableBlock } = exempted(restricted, opinion.findings, limitsFor(opinion, input).block);
    opinion.kept = kept;
    opinion.notes.push(...notes);
    opinion.nonExemptableBlock = nonExemptableBlock;
  });
  part(opinion, 'cedar', () => {
    const { kept: findings, nonExemptableBlock } = opinion;
    opinion.denials.push(...cedarDenials(restricted, { findings, nonExemptableBlock, risk: riskOf(opinion) }));
  });
}

/** What the state that the session is in does not permit. Nothing that only posture refuses is a violation. */
function weighPosture(opinion: Opinion, input: JudgeInput): void {
  if (input.action.kind === TRANSITION_KIND)
    opinion.denials.push(ownReason('posture.transition_not_permitted', 'only an operator moves a session', { severity: 'high' }));
  opinion.posture = postureView(input);
  const denial = opinion.posture?.denial;
  if (denial === undefined) return;
  const result = resultOfDenial(denial);
  opinion.guards = [...opinion.guards, result];
  opinion.postureDenials.push(reasonOfGuard(result));
}

/** What the place that the action was asked from does not permit. That a budget of it ran out is no violation. */
function weighOrigin(opinion: Opinion, input: JudgeInput): void {
  const view = originView(input);
  if (view === undefined) return;
  opinion.origin = view;
  opinion.guards = [...opinion.guards, ...view.results];
  if (view.note !== undefined) opinion.notes.push(view.note);
  for (const result of view.results) {
    const reasons = result.allowed ? opinion.warnings : view.quiet.has(result) ? opinion.postureDenials : opinion.denials;
    if (!result.allowed || result.severity !== 'info') reasons.push(reasonOfGuard(result));
  }
}

/** What a provider does not permit of a call to its host. It asks how the action was scored, and comes last. */
function weighBroker(opinion: Opinion, input: JudgeInput): void {
  const view = brokerView(input, opinion.view?.scores.level);
  if (view === undefined) return;
  opinion.broker = view;
  opinion.guards = [...opinion.guards, ...view.results];
  opinion.denials.push(...view.results.map(reasonOfGuard));
}

/** An operator's own action: posture alone judges it. */
function weighTransition(input: JudgeInput): Opinion {
  const opinion = emptyOpinion();
  part(opinion, 'posture', () => {
    const judged = judgeTransition(input);
    if ('denial' in judged) return void opinion.denials.push(judged.denial);
    opinion.notes.push(...judged.reasons);
    opinion.postureDelta = judged.delta;
    return undefined;
  });
  return opinion;
}

function weigh(input: JudgeInput, parts: JudgeParts): Opinion {
  const opinion = emptyOpinion();
  part(opinion, 'actor', () => weighActor(opinion, input));
  part(opinion, 'tool', () => weighTool(opinion, input));
  part(opinion, 'rules', () => weighFindings(opinion, input, parts));
  part(opinion, 'guards', () => weighGuards(opinion, input, parts));
  part(opinion, 'cuts', () => weighCuts(opinion, input));
  part(opinion, 'opinions', () => weighOpinions(opinion, input));
  part(opinion, 'posture', () => weighPosture(opinion, input));
  part(opinion, 'origin', () => weighOrigin(opinion, input));
  weighRestrictions(opinion, input);
  // A view of all that was found: it adds nothing to the decision, unless it fails.
  part(opinion, 'scores', () => {
    opinion.view = scoreView({ ...input, findings: opinion.kept });
  });
  part(opinion, 'broker', () => weighBroker(opinion, input));
  return opinion;
}

/** Whether something other than the posture denies, and how gravely. */
function violationOf(opinion: Opinion, block: number): 'critical' | 'any' | undefined {
  const denying = [...opinion.denials, ...[...opinion.risks, ...opinion.kept].filter(({ score }) => score >= block)];
  if (denying.some(({ severity }) => severity === 'critical')) return 'critical';
  return denying.length > 0 ? 'any' : undefined;
}

/** What the decision makes of the session: where it stands in its posture, and what it remembers of places. */
function settleSession(opinion: Opinion, input: JudgeInput): void {
  if (opinion.posture === undefined && opinion.origin === undefined && opinion.broker === undefined) return;
  const violation = violationOf(opinion, limitsFor(opinion, input).block);
  const denied = violation !== undefined || opinion.postureDenials.length > 0;
  movePosture(opinion, input, { violation, denied });
  const { origin, broker, postureDelta: posture } = opinion;
  if (origin === undefined && broker === undefined) return;
  part(opinion, 'origin', () => {
    opinion.postureDelta = rememberPlaces(input, { origin, broker }, { posture, denied });
  });
}

interface Outcome {
  readonly violation: 'critical' | 'any' | undefined;
  readonly denied: boolean;
}

function movePosture(opinion: Opinion, input: JudgeInput, { violation, denied }: Outcome): void {
  const { posture } = opinion;
  if (posture === undefined) return;
  part(opinion, 'posture', () => {
    const { reasons, delta } = settlePosture(input, posture, { denied, violation, findings: opinion.findings });
    opinion.notes.push(...reasons);
    opinion.postureDelta = delta;
  });
}

function decide(opinion: Opinion, input: JudgeInput): Verdict {
  const { flag, block } = limitsFor(opinion, input);
  const denials = [...opinion.denials, ...opinion.postureDenials];
  const risk = Math.max(riskOf(opinion), ...opinion.postureDenials.map(({ score }) => score));
  const denied = denials.length > 0 || risk >= block;
  const warned = opinion.warnings.length > 0 || risk >= flag;
  const risks = [...opinion.kept.map(reasonOfFinding), ...opinion.risks];
  const reasons = sortReasons([...denials, ...risks, ...opinion.warnings, ...opinion.notes]);
  const verdict: Verdict = {
    decision: denied ? 'deny' : warned ? 'warn' : 'allow',
    risk,
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

/** What this decision changes for those that come after it. */
function changeOf(opinion: Opinion, { state, now }: JudgeInput, { decision }: Verdict): Omit<StateDelta, 'sessionCalls' | 'pendingTool'> {
  const sessionRisk = sessionRiskAfter(opinion.guards);
  return {
    ...(opinion.view?.grave === true ? { hotUntil: heated(state, now) } : {}),
    ...(opinion.postureDelta === undefined ? {} : { posture: opinion.postureDelta }),
    ...(opinion.window === undefined ? {} : { window: decision === 'deny' ? opinion.window.refused : opinion.window.allowed }),
    ...(sessionRisk === undefined ? {} : { sessionRisk }),
  };
}

function deltaOf(opinion: Opinion, input: JudgeInput, verdict: Verdict): StateDelta {
  const { action, state } = input;
  const delta = { sessionCalls: (state.sessionCalls ?? 0) + 1, ...changeOf(opinion, input, verdict) };
  if (!opinion.pending || state.tool !== undefined || action.tool === undefined) return delta;
  return { ...delta, pendingTool: { tool: action.tool, hash: action.descriptor?.hash ?? '' } };
}

/** Judges one action with the given parts. Total: a part that fails denies, and is listed. */
export function judgeWith(parts: JudgeParts, input: JudgeInput): Judgement {
  const opinion = isOperatorTransition(input) ? weighTransition(input) : weigh(input, parts);
  settleSession(opinion, input);
  const verdict = decide(opinion, input);
  return {
    verdict,
    findings: opinion.findings,
    guards: opinion.guards,
    delta: deltaOf(opinion, input, verdict),
    encodings: input.facts.encodings,
    scope: opinion.scope === '' ? ownScope(input.action, input.state) : opinion.scope,
    counts: { pii: countTypes(input.facts.pii), secrets: countTypes(input.facts.secrets) },
  };
}

/** Judges one action. Total, and a pure function of its input. */
export function judge(input: JudgeInput): Judgement {
  return judgeWith({ matchRules, evaluateGuards }, input);
}
