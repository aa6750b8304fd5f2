/**
 * @module What the section `cedar` says of one action. It can only restrict: a `forbid` that holds denies or takes a scope away, an action
 * that nothing permits is denied where the default is `deny`, and any error of any policy denies.
 */
import type { Action, Finding, StateSlice } from '@countersign/protocol';
import { scopeMatches } from '../scopes.ts';
import { scopeGroups, TEXT_ACTIONS } from './cedar-schema.ts';
import type { CedarAnswer, CedarCall, CedarJson } from './cedar-wasm.ts';
import type { CompiledCedar } from './compile-cedar.ts';
import type { Chains, PolicyIndex } from './policy-index.ts';

/** What the judge knows when Cedar is asked: facts, findings and state, after exemptions. */
export interface CedarQuestion {
  readonly action: Action;
  readonly state: StateSlice;
  /** The scope that the action asks for. */
  readonly scope: string;
  /** Thousandths. */
  readonly risk: number;
  readonly findings: readonly Finding[];
  /** Something that no exemption can lift is enough to refuse the action. */
  readonly nonExemptableBlock: boolean;
  /** The session is hot. */
  readonly hot: boolean;
}

/** One reason against the action. */
export interface CedarObjection {
  readonly code: 'policy.cedar_forbid' | 'policy.cedar_no_permit' | 'policy.cedar_scope_removed' | 'policy.cedar_error';
  /** The operator's words; nothing of the action. */
  readonly text: string;
}

const INTENTS = [
  [900, 'Malicious'],
  [700, 'Dangerous'],
  [300, 'Suspicious'],
] as const;

function intentOf(risk: number): string {
  return INTENTS.find(([from]) => risk >= from)?.[1] ?? 'Safe';
}

function uid(type: string, id: string): { readonly type: string; readonly id: string } {
  return { type, id: id.toWellFormed() };
}

function entity(of: ReturnType<typeof uid>, parents: readonly CedarJson[], attrs: Record<string, CedarJson>): CedarJson {
  return { uid: of, attrs, parents };
}

/** `a.b.c` is in `a.b` and in `a`. */
function toolGroups(tool: string): readonly string[] {
  const groups: string[] = [];
  for (let at = tool.lastIndexOf('.'); at > 0 && groups.length < 16; at = tool.lastIndexOf('.', at - 1)) groups.push(tool.slice(0, at));
  return groups;
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.map((text) => text.toWellFormed()))].toSorted();
}

/** The action and the tool with all that they are in. */
export function chainsOf({ action, scope }: Pick<CedarQuestion, 'action' | 'scope'>): Chains {
  const tool = (action.tool ?? action.kind).toWellFormed();
  const tools = [tool, ...toolGroups(tool)];
  if (TEXT_ACTIONS.includes(action.kind)) return { actions: [action.kind], tools };
  const asked = scope.toWellFormed();
  return { actions: [asked, ...scopeGroups(asked), action.kind.toWellFormed()], tools };
}

function flagsOf({ state, hot }: CedarQuestion): readonly string[] {
  return [...(state.tool === 'registered' ? [] : ['first_time_tool']), ...(hot ? ['hot'] : [])];
}

function contextOf(question: CedarQuestion): CedarJson {
  const { action, state, scope, findings } = question;
  const text = TEXT_ACTIONS.includes(action.kind);
  return {
    agent_id: action.agent.toWellFormed(),
    org_id: action.org.toWellFormed(),
    tool_name: (action.tool ?? action.kind).toWellFormed(),
    kind: action.kind.toWellFormed(),
    session: { __entity: uid('Session', action.session) },
    risk_score_bps: question.risk,
    intent_class: intentOf(question.risk),
    labels: distinct(findings.map(({ category }) => category)),
    rules: distinct(findings.map(({ rule }) => rule)),
    scopes: text ? [] : [scope.toWellFormed()],
    allowed_scopes: distinct(state.scopes ?? []),
    session_flags: flagsOf(question),
    delegation: action.delegation.map((agent) => ({ __entity: uid('Agent', agent) })),
    delegation_depth: action.delegation.length,
    has_non_exemptable_block: question.nonExemptableBlock,
    category: text ? 'text' : (scope.split(':')[0] ?? '').toWellFormed(),
  };
}

/** The whole question, as Cedar reads it. */
export function cedarCall(question: CedarQuestion, { actions, tools }: Chains): CedarCall {
  const { action, state } = question;
  const org = uid('Org', action.org);
  const [actionUids, toolUids] = [actions.map((id) => uid('Action', id)), tools.map((id) => uid('Tool', id))];
  const [actionUid = uid('Action', ''), ...actionGroups] = actionUids;
  const [toolUid = uid('Tool', ''), ...toolParents] = toolUids;
  const principal = uid('Agent', action.agent);
  return {
    principal,
    action: actionUid,
    resource: toolUid,
    context: contextOf(question),
    entities: [
      entity(principal, [org], { trust: state.trust ?? 'standard' }),
      entity(uid('Session', action.session), [org], { calls: state.sessionCalls ?? 0 }),
      entity(toolUid, toolParents, { registered: state.tool === 'registered' }),
      entity(actionUid, actionGroups, {}),
    ],
  };
}

function words(id: string, compiled: CompiledCedar): string {
  const reason = compiled.sources.get(id)?.cedar_reason;
  return reason === undefined ? `cedar policy ${id}` : `cedar policy ${id}: ${reason}`;
}

/** Errors of an answer as objections; a failure is one. */
function errorsIn(answer: CedarAnswer): readonly CedarObjection[] {
  if (answer.type === 'failure') return [{ code: 'policy.cedar_error', text: 'cedar cannot read this action' }];
  return answer.response.diagnostics.errors.map(({ policyId }) => ({
    code: 'policy.cedar_error',
    text: `cedar policy ${policyId} failed on this action`,
  }));
}

function decide(answer: CedarAnswer | undefined, compiled: CompiledCedar, needsPermit: boolean): readonly CedarObjection[] {
  const unpermitted: CedarObjection = { code: 'policy.cedar_no_permit', text: 'no cedar policy permits this action' };
  if (answer === undefined) return needsPermit ? [unpermitted] : [];
  const errors = errorsIn(answer);
  if (answer.type === 'failure' || errors.length > 0 || answer.response.decision === 'allow') return errors;
  const { reason } = answer.response.diagnostics;
  if (reason.length === 0) return needsPermit ? [unpermitted] : [];
  return reason.toSorted().map((id) => ({ code: 'policy.cedar_forbid', text: `${words(id, compiled)} forbids this action` }));
}

function removed(answer: CedarAnswer | undefined, compiled: CompiledCedar, scope: string): readonly CedarObjection[] {
  if (answer === undefined) return [];
  const errors = errorsIn(answer);
  if (answer.type === 'failure' || errors.length > 0) return errors;
  return answer.response.diagnostics.reason.toSorted().flatMap((id) => {
    const taken = compiled.sources.get(id)?.cedar_scope;
    if (taken === undefined || !scopeMatches(taken, scope)) return [];
    return [{ code: 'policy.cedar_scope_removed' as const, text: `${words(id, compiled)} takes away the scope of this action` }];
  });
}

/** What Cedar has against the action; nothing where it is content. Total: where Cedar fails, that is an objection. */
export function judgeCedar(compiled: CompiledCedar, question: CedarQuestion): readonly CedarObjection[] {
  try {
    const text = TEXT_ACTIONS.includes(question.action.kind);
    const chains = chainsOf(question);
    let made: CedarCall | undefined;
    const call = (): CedarCall => (made ??= cedarCall(question, chains));
    const ask = (index: PolicyIndex): CedarAnswer | undefined =>
      index.size === 0 ? undefined : index.ask(compiled.instance(), chains, call);
    const decided = decide(ask(compiled.decisions), compiled, compiled.default === 'deny' && !text);
    return text ? decided : [...decided, ...removed(ask(compiled.removals), compiled, question.scope)];
  } catch {
    compiled.reset();
    return [{ code: 'policy.cedar_error', text: 'cedar failed on this action' }];
  }
}
