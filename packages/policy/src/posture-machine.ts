/**
 * @module The posture of a session as a pure machine: state, time and what was decided go in, the next state comes out. No clock, no
 * memory of its own; a session that was never seen begins at `initial`.
 */
import { type PostureChange, type PostureState, PROTOCOL_LIMITS } from '@countersign/protocol';
import { BUDGET_OF } from './posture-needs.ts';
import {
  type Budget,
  type Capability,
  durationSeconds,
  leads,
  LOCKED,
  type ManualTrigger,
  type Posture,
  type PostureTransition,
  type Trigger,
} from './posture.ts';

interface CompiledState {
  readonly capabilities: ReadonlySet<Capability>;
  readonly budgets: Readonly<Partial<Record<Budget, number>>>;
}

interface CompiledTransition extends Pick<PostureTransition, 'from' | 'to' | 'on'> {
  readonly afterSeconds: number;
  /** Undefined: any rule. */
  readonly patterns: ReadonlySet<string> | undefined;
  /** Seconds without a violation that it takes; 0: none. */
  readonly quietSeconds: number;
}

export interface CompiledPosture {
  readonly initial: string;
  readonly states: ReadonlyMap<string, CompiledState>;
  readonly transitions: readonly CompiledTransition[];
}

const NOTHING: CompiledState = { capabilities: new Set(), budgets: {} };

function compileTransition({ from, to, on, after, patterns, requires }: PostureTransition): CompiledTransition {
  const quiet = requires.map((one) => durationSeconds(one.no_violations_in) ?? Infinity);
  return {
    from,
    to,
    on,
    afterSeconds: after === undefined ? 0 : (durationSeconds(after) ?? Infinity),
    patterns: patterns === undefined ? undefined : new Set(patterns),
    quietSeconds: Math.max(0, ...quiet),
  };
}

/** A section that has no faults, made ready. */
export function compilePosture(posture: Posture): CompiledPosture {
  const states = Object.entries(posture.states).map(
    ([name, { capabilities, budgets }]) => [name, { capabilities: new Set(capabilities), budgets }] as const,
  );
  return {
    initial: posture.initial,
    states: new Map([...states, [LOCKED, NOTHING]]),
    transitions: posture.transitions.map(compileTransition),
  };
}

/** Where a session stands, and what led there in this check. */
export interface Standing {
  readonly state: PostureState;
  /** In order; empty where it stayed. */
  readonly changes: readonly PostureChange[];
}

function moved({ state, changes }: Standing, to: string, how: { readonly on: string; readonly now: number }): Standing {
  const change: PostureChange = { from: state.state, to, on: how.on, at: how.now };
  const history = [...state.history, change].slice(-PROTOCOL_LIMITS.postureHistoryMax);
  return { state: { ...state, state: to, entered: how.now, used: {}, history }, changes: [...changes, change] };
}

function begun(posture: CompiledPosture, kept: PostureState | undefined, now: number): PostureState {
  if (kept === undefined) return { n: 0, state: posture.initial, entered: now, used: {}, history: [] };
  return kept.state === '' ? { ...kept, state: posture.initial, entered: now, used: {} } : kept;
}

/** True where nothing was denied for as long as the transition asks; a time that lies ahead is no quiet. */
function isQuiet(transition: CompiledTransition, { violated }: PostureState, now: number): boolean {
  return transition.quietSeconds === 0 || violated === undefined || now - violated >= transition.quietSeconds;
}

function overdue(posture: CompiledPosture, state: PostureState, now: number): CompiledTransition | undefined {
  return posture.transitions.find(
    (one) => one.on === 'timeout' && leads(one, state.state) && now - state.entered >= one.afterSeconds && isQuiet(one, state, now),
  );
}

/**
 * Where the session stands at `now` (Unix seconds): begun where it was not, and with every timeout that is due, at most as many as there are
 * transitions. Undefined: the policy has no posture and nobody has locked the session.
 */
export function standAt(posture: CompiledPosture | undefined, kept: PostureState | undefined, now: number): Standing | undefined {
  if (posture === undefined) return kept?.state === LOCKED ? { state: kept, changes: [] } : undefined;
  let standing: Standing = { state: begun(posture, kept, now), changes: [] };
  for (let hops = 0; hops < posture.transitions.length; hops += 1) {
    const due = overdue(posture, standing.state, now);
    if (due === undefined) break;
    standing = moved(standing, due.to, { on: 'timeout', now });
  }
  return standing;
}

/** Why an action is refused by the posture alone. */
export interface PostureDenial {
  readonly guard: 'posture' | 'posture_budget';
  readonly code: 'state_locked' | 'state_unknown' | 'capability_not_allowed' | 'budget_exhausted';
  readonly message: string;
  /** State and what is not permitted in it, for details. */
  readonly details: Readonly<Record<string, string | number>>;
}

function stateDenial(posture: CompiledPosture | undefined, state: string): PostureDenial | undefined {
  if (state === LOCKED) return { guard: 'posture', code: 'state_locked', message: 'the session is locked', details: { state } };
  if (posture?.states.has(state) === true) return undefined;
  const message = `the policy has no posture state '${state}'`;
  return { guard: 'posture', code: 'state_unknown', message, details: { state } };
}

function capabilityDenial(config: CompiledState, state: PostureState, capability: Capability): PostureDenial | undefined {
  const details = { state: state.state, capability };
  if (!config.capabilities.has(capability)) {
    const message = `action '${capability}' is not allowed in posture state '${state.state}'`;
    return { guard: 'posture', code: 'capability_not_allowed', message, details };
  }
  const budget = BUDGET_OF[capability];
  const limit = budget === undefined ? undefined : config.budgets[budget];
  if (budget === undefined || limit === undefined) return undefined;
  const used = spent(state, budget);
  if (used < limit) return undefined;
  const message = `budget '${budget}' exhausted (${String(used)}/${String(limit)})`;
  return { guard: 'posture_budget', code: 'budget_exhausted', message, details: { state: state.state, budget, used, limit } };
}

function spent({ used }: PostureState, budget: Budget): number {
  return Object.hasOwn(used, budget) ? (used[budget] ?? 0) : 0;
}

/** The first thing in the way of an action that takes these capabilities; undefined where the posture permits it. */
export function postureDenial(
  posture: CompiledPosture | undefined,
  state: PostureState,
  needs: readonly Capability[],
): PostureDenial | undefined {
  const whole = stateDenial(posture, state.state);
  if (whole !== undefined) return whole;
  const config = posture?.states.get(state.state) ?? NOTHING;
  const found = needs.flatMap((one) => capabilityDenial(config, state, one) ?? []);
  return found.find(({ guard }) => guard === 'posture') ?? found[0];
}

/** What became of an action. */
export interface PostureEvent {
  readonly needs: readonly Capability[];
  readonly denial: PostureDenial | undefined;
  /** Denied by something other than the posture: how gravely. */
  readonly violation: 'critical' | 'any' | undefined;
  /** Ids and categories of rules that held. */
  readonly matches: readonly string[];
}

function fires(one: CompiledTransition, trigger: Trigger, matches: readonly string[]): boolean {
  if (one.on !== trigger) return false;
  const { patterns } = one;
  return trigger !== 'pattern_match' || patterns === undefined || matches.some((match) => patterns.has(match));
}

function charged(config: CompiledState, state: PostureState, needs: readonly Capability[]): PostureState {
  const budgets = needs.flatMap((one) => BUDGET_OF[one] ?? []).filter((budget) => config.budgets[budget] !== undefined);
  if (budgets.length === 0) return state;
  const more = budgets.map((budget) => [budget, spent(state, budget) + 1] as const);
  return { ...state, used: { ...state.used, ...Object.fromEntries(more) } };
}

/** Triggers of one action, the gravest first: the first that leads anywhere is followed. */
function triggersOf(config: CompiledState, state: PostureState, event: PostureEvent): readonly Trigger[] {
  const triggers: Trigger[] = [];
  if (event.violation === 'critical') triggers.push('critical_violation');
  else if (event.violation === 'any') triggers.push('any_violation');
  if (event.matches.length > 0) triggers.push('pattern_match');
  const counted = event.needs.flatMap((one) => BUDGET_OF[one] ?? []);
  const isSpent = counted.some((budget) => {
    const limit = config.budgets[budget];
    return limit !== undefined && spent(state, budget) >= limit;
  });
  if (event.denial?.guard === 'posture_budget' || (event.denial === undefined && isSpent)) triggers.push('budget_exhausted');
  return triggers;
}

/**
 * The state after an action that was judged while the session stood at `standing`: what was allowed is counted, what was denied is
 * remembered, and at most one transition of the policy is followed.
 */
export function settle(
  posture: CompiledPosture | undefined,
  standing: Standing,
  event: PostureEvent & { readonly now: number; readonly denied: boolean },
): Standing {
  const config = posture?.states.get(standing.state.state);
  if (posture === undefined || config === undefined || standing.state.state === LOCKED) return standing;
  const { now } = event;
  const before = event.denied ? standing.state : charged(config, standing.state, event.needs);
  const state = event.violation === undefined ? before : { ...before, violated: Math.max(now, before.violated ?? 0) };
  for (const trigger of triggersOf(config, state, event)) {
    const found = posture.transitions.find(
      (one) => fires(one, trigger, event.matches) && leads(one, state.state) && isQuiet(one, state, now),
    );
    if (found !== undefined) return moved({ state, changes: standing.changes }, found.to, { on: trigger, now });
  }
  return { state, changes: standing.changes };
}

export type TransitionRefusal = 'no_such_transition' | 'violations_too_recent';

/** What an operator asks for. */
export interface ManualTransition {
  readonly to: string;
  readonly on: ManualTrigger;
  readonly now: number;
}

/** Edges that every policy has: any session can be locked, and a locked or lost one led back to where sessions begin. */
function isBuiltIn(posture: CompiledPosture | undefined, from: string, { to, on }: ManualTransition): boolean {
  if (to === LOCKED) return on === 'user_denial' && from !== LOCKED;
  const isLost = from === LOCKED || posture?.states.has(from) !== true;
  return on === 'user_approval' && isLost && to === (posture?.initial ?? '');
}

/** What a person can do from a state, apart from locking it. */
export function openTransitions(
  posture: CompiledPosture | undefined,
  state: string,
): readonly { readonly from: string; readonly to: string; readonly on: ManualTrigger }[] {
  const edges = (posture?.transitions ?? []).filter((one) => leads(one, state));
  const open = edges.flatMap(({ to, on }) => (on === 'user_approval' || on === 'user_denial' ? [{ from: state, to, on }] : []));
  const back = { from: state, to: posture?.initial ?? '', on: 'user_approval' as const };
  const isStuck = state === LOCKED || (posture !== undefined && !posture.states.has(state));
  return isStuck && !open.some(({ to, on }) => to === back.to && on === back.on) ? [...open, back] : open;
}

/** The state that an operator leads a session to, along an edge of the policy with that trigger; or why not. */
export function transitionByHand(
  posture: CompiledPosture | undefined,
  kept: PostureState | undefined,
  asked: ManualTransition,
): Standing | TransitionRefusal {
  const outside: PostureState = { n: 0, state: '', entered: asked.now, used: {}, history: [] };
  const standing = standAt(posture, kept, asked.now) ?? { state: kept ?? outside, changes: [] };
  const { state } = standing;
  const from = posture === undefined && state.state !== LOCKED ? '' : state.state;
  if (from === asked.to) return 'no_such_transition';
  if (isBuiltIn(posture, from, asked)) return moved({ ...standing, state: { ...state, state: from } }, asked.to, asked);
  const edges = (posture?.transitions ?? []).filter((one) => one.on === asked.on && one.to === asked.to && leads(one, from));
  if (edges.length === 0) return 'no_such_transition';
  return edges.some((one) => isQuiet(one, state, asked.now)) ? moved(standing, asked.to, asked) : 'violations_too_recent';
}

/** The state to keep: counted on where anything changed; undefined where nothing did. */
export function postureDelta(kept: PostureState | undefined, { state }: Standing): PostureState | undefined {
  if (kept === state) return undefined;
  return { ...state, n: (kept?.n ?? 0) + 1 };
}
