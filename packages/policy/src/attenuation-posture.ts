/**
 * @module `attenuate_only` for the posture. In the same state, what the parent does not permit the child does not; and what one action or one
 * moment makes of that state permits no more under the child than under the parent. What cannot be shown to be so stays as it is.
 */
import { compare, hasAll, isSame, partJson, type Table, type Widening } from './attenuation-rows.ts';
import { dotted } from './document-path.ts';
import {
  type Budget,
  durationSeconds,
  leads,
  LOCKED,
  MANUAL_TRIGGERS,
  type Posture,
  type PostureStateConfig,
  type PostureTransition,
  type Trigger,
} from './posture.ts';
import { BUDGET_OF } from './posture-needs.ts';

const NOTHING: PostureStateConfig = { description: '', capabilities: [], budgets: {} };

/** A state that is not there permits nothing, and neither does `locked`. */
function stateOf({ states }: Posture, name: string): PostureStateConfig {
  return name !== LOCKED && Object.hasOwn(states, name) ? (states[name] ?? NOTHING) : NOTHING;
}

function limitOf({ budgets }: PostureStateConfig, budget: Budget | undefined): number | undefined {
  return budget !== undefined && Object.hasOwn(budgets, budget) ? budgets[budget] : undefined;
}

/** All that `inner` permits, `outer` does, and no less often. */
function within(inner: PostureStateConfig, outer: PostureStateConfig): boolean {
  return inner.capabilities.every((capability) => {
    const limit = limitOf(outer, BUDGET_OF[capability]);
    const own = limitOf(inner, BUDGET_OF[capability]);
    return outer.capabilities.includes(capability) && (limit === undefined || (own !== undefined && own <= limit));
  });
}

/** The same, and going there begins no count of `outer` anew. */
function below(inner: PostureStateConfig, outer: PostureStateConfig): boolean {
  return within(inner, outer) && inner.capabilities.every((capability) => limitOf(outer, BUDGET_OF[capability]) === undefined);
}

function isManual({ on }: PostureTransition): boolean {
  return MANUAL_TRIGGERS.some((trigger) => trigger === on);
}

/** The states that a transition leads out of. */
function fromsOf(posture: Posture, transition: PostureTransition): readonly string[] {
  return [...new Set([...Object.keys(posture.states), LOCKED])].filter((state) => leads(transition, state));
}

/** Nothing that the machine makes of a state permits more, and it does not go on at once. */
function staysWithin(posture: Posture, name: string, outer: PostureStateConfig): boolean {
  const reached = new Set([name]);
  for (const state of reached) for (const one of posture.transitions) if (!isManual(one) && leads(one, state)) reached.add(one.to);
  return !leavesAtOnce(posture, name) && [...reached].every((state) => within(stateOf(posture, state), outer));
}

/** A timeout that is due as soon as the state is entered. */
function leavesAtOnce(posture: Posture, state: string): boolean {
  return posture.transitions.some((one) => one.on === 'timeout' && leads(one, state) && durationSeconds(one.after ?? '') === 0);
}

/** Of two that fire at once the lower is followed. Timeouts are followed before anything is judged. */
const RANK: Readonly<Record<Trigger, number | undefined>> = {
  critical_violation: 0,
  any_violation: 0,
  pattern_match: 1,
  budget_exhausted: 2,
  timeout: undefined,
  user_approval: undefined,
  user_denial: undefined,
};

interface Postures {
  readonly parent: Posture;
  readonly child: Posture;
}

/** What the parent may do with the same event that a new transition, being graver, now comes before. */
function overtaken({ parent }: Postures, transition: PostureTransition, from: string): readonly PostureTransition[] {
  const own = RANK[transition.on];
  return parent.transitions.filter((one) => {
    const rank = RANK[one.on];
    return own !== undefined && rank !== undefined && rank > own && leads(one, from);
  });
}

/** A transition that the parent does not have: down from everywhere, whatever else would have been followed. */
function leadsDown(postures: Postures, transition: PostureTransition): boolean {
  const { parent, child } = postures;
  const target = stateOf(child, transition.to);
  return fromsOf(child, transition).every((from) => {
    const source = stateOf(Object.hasOwn(parent.states, from) ? parent : child, from);
    if (!below(target, source) || !staysWithin(child, transition.to, source)) return false;
    return overtaken(postures, transition, from).every((one) => within(target, stateOf(parent, one.to)));
  });
}

/** A person may lead up by it: without it, or later, a session stays where it is permitted no more. */
function risesByHand({ parent, child }: Postures, transition: PostureTransition): boolean {
  const target = stateOf(parent, transition.to);
  return isManual(transition) && fromsOf(parent, transition).every((from) => within(stateOf(child, from), target));
}

function quietSeconds({ requires }: PostureTransition): number {
  return Math.max(0, ...requires.map((one) => durationSeconds(one.no_violations_in) ?? 0));
}

function isKept(postures: Postures, was: PostureTransition, is: PostureTransition | undefined): boolean {
  if (is === undefined) return false;
  const { requires: before, ...rest } = was;
  const { requires: after, ...own } = is;
  if (!isSame(partJson(rest), partJson(own))) return false;
  return isSame(partJson(before), partJson(after)) || (risesByHand(postures, was) && quietSeconds(is) >= quietSeconds(was));
}

/** The parent's stand first and in their order, but for those by which a person leads up; behind them stands what leads down. */
function keepsTransitions(postures: Postures): boolean {
  const { parent, child } = postures;
  let next = 0;
  for (const was of parent.transitions) {
    if (isKept(postures, was, child.transitions[next])) next += 1;
    else if (!risesByHand(postures, was)) return false;
  }
  return child.transitions.slice(next).every((one) => leadsDown(postures, one));
}

/** A budget that is spent sooner leads away sooner: only down, and to no new count. */
function endsLower({ parent, child }: Postures, name: string): boolean {
  const exhausted = child.transitions.filter((one) => one.on === 'budget_exhausted' && leads(one, name));
  return exhausted.every((one) => below(stateOf(child, one.to), stateOf(parent, name)));
}

function stateTable(postures: Postures, name: string): Table<PostureStateConfig> {
  const lower = (was: PostureStateConfig, is: PostureStateConfig): boolean =>
    Object.entries(was.budgets).every(([budget, limit]) => (is.budgets[budget as Budget] ?? Infinity) <= limit);
  return {
    description: () => true,
    capabilities: (was, is) => hasAll(was.capabilities, is.capabilities),
    budgets: (was, is) => lower(was, is) && endsLower(postures, name),
  };
}

function stateWidenings(postures: Postures): readonly Widening[] {
  return Object.entries(postures.parent.states).flatMap(([name, was]) => {
    const path = dotted('posture.states', name);
    const is = Object.hasOwn(postures.child.states, name) ? postures.child.states[name] : undefined;
    // Whoever is in a state that is gone is led back to where sessions begin.
    if (is === undefined) return [{ path, parent: partJson(was), child: undefined, fixed: true as const }];
    return compare(path, stateTable(postures, name), { parent: was, child: is });
  });
}

/** A person led out of the parent's beginning in the same way, or is led to no more than that. */
function leadsNoFurther({ parent, child }: Postures, transition: PostureTransition): boolean {
  const { from: _, ...way } = transition;
  const known = parent.transitions.some(
    ({ from, ...own }) => leads({ from, to: own.to }, parent.initial) && isSame(partJson(own), partJson(way)),
  );
  return known || within(stateOf(child, transition.to), stateOf(parent, parent.initial));
}

function beginsLower(postures: Postures): boolean {
  const { parent, child } = postures;
  const byHand = child.transitions.filter((one) => isManual(one) && leads(one, child.initial));
  const first = stateOf(parent, parent.initial);
  // Where the parent's own beginning is left at once, nobody is ever there.
  return (
    !leavesAtOnce(parent, parent.initial) &&
    staysWithin(child, child.initial, first) &&
    byHand.every((one) => leadsNoFurther(postures, one))
  );
}

/** Where the parent has none, any section is tighter: a posture only refuses. */
export function postureWidenings(parent: Posture | undefined, child: Posture | undefined): readonly Widening[] {
  if (parent === undefined) return [];
  if (child === undefined) return [{ path: 'posture', parent: partJson(parent), child }];
  const postures = { parent, child };
  const rows: Table<Posture> = {
    initial: () => beginsLower(postures),
    states: () => true,
    transitions: () => keepsTransitions(postures),
  };
  return [...stateWidenings(postures), ...compare('posture', rows, postures)];
}
