/**
 * @module The section `posture`: states a session can be in, what each of them permits, and what leads from one to another. Here: how it is
 * written, merged, checked and described; `posture-machine.ts` runs it. The words are those of Clawdstrike 0.2.7 (spec/policy.md POL-200).
 */
import type { PolicyFaultCode } from './faults.ts';
import { POLICY_LIMITS } from './limits.ts';

export const CAPABILITIES = ['file_access', 'file_write', 'egress', 'shell', 'mcp_tool', 'patch', 'custom'] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const BUDGETS = ['file_writes', 'egress_calls', 'shell_commands', 'mcp_tool_calls', 'patches', 'custom_calls'] as const;
export type Budget = (typeof BUDGETS)[number];

/** What an operator says; the others are the machine's own. */
export const MANUAL_TRIGGERS = ['user_approval', 'user_denial'] as const;
export type ManualTrigger = (typeof MANUAL_TRIGGERS)[number];

export const TRIGGERS = [
  'user_approval',
  'user_denial',
  'critical_violation',
  'any_violation',
  'timeout',
  'budget_exhausted',
  'pattern_match',
] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** Exists in every policy and permits nothing. */
export const LOCKED = 'locked';
/** `from: "*"`: every state but `locked` and the one it leads to. */
export const ANY_STATE = '*';

export interface PostureStateConfig {
  readonly description: string;
  /** Sorted, without doubles. */
  readonly capabilities: readonly Capability[];
  /** Absent: unlimited. 0: always spent. */
  readonly budgets: Readonly<Partial<Record<Budget, number>>>;
}

export interface PostureTransition {
  readonly from: string;
  readonly to: string;
  readonly on: Trigger;
  /** Of a `timeout`: `<n>s`, `<n>m` or `<n>h` after the state was entered. */
  readonly after?: string;
  /** Rule ids and categories of a `pattern_match`; absent: whatever a rule finds. */
  readonly patterns?: readonly string[];
  readonly requires: readonly PostureRequirement[];
}

export interface PostureRequirement {
  readonly no_violations_in: string;
}

/** The section, resolved. */
export interface Posture {
  readonly initial: string;
  readonly states: Readonly<Record<string, PostureStateConfig>>;
  readonly transitions: readonly PostureTransition[];
}

/** The section as written. */
export interface WrittenPosture {
  readonly initial?: string;
  readonly states?: Readonly<Record<string, Partial<PostureStateConfig>>>;
  readonly transitions?: readonly (Omit<PostureTransition, 'requires'> & { readonly requires?: readonly PostureRequirement[] })[];
}

const DURATION = /^(\d{1,9})([smh])$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
export const POSTURE_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Seconds of `30s`, `5m` or `1h`; undefined for anything else, and beyond a year. */
export function durationSeconds(text: string): number | undefined {
  const found = DURATION.exec(text);
  const seconds = found === null ? Number.NaN : Number(found[1]) * (SECONDS[found[2] ?? ''] ?? Number.NaN);
  return seconds <= POLICY_LIMITS.durationSecondsMax ? seconds : undefined;
}

function distinct<T extends string>(items: readonly T[]): readonly T[] {
  return [...new Set(items)].toSorted((a, b) => (a < b ? -1 : 1));
}

function fullState(written: Partial<PostureStateConfig>): PostureStateConfig {
  return {
    description: written.description ?? '',
    capabilities: distinct(written.capabilities ?? []),
    budgets: written.budgets ?? {},
  };
}

function fullTransition(written: NonNullable<WrittenPosture['transitions']>[number]): PostureTransition {
  const { patterns, ...rest } = written;
  return { ...rest, ...(patterns !== undefined && { patterns: distinct(patterns) }), requires: written.requires ?? [] };
}

/** States by name, transitions as a whole where there are any, `initial` where it says something. */
export function layPosture(written: WrittenPosture | undefined, base: Posture | undefined): Posture | undefined {
  if (written === undefined) return base;
  const states = Object.entries(written.states ?? {}).map(([name, state]) => [name, fullState(state)] as const);
  const transitions = (written.transitions ?? []).map(fullTransition);
  return {
    initial: written.initial !== undefined && written.initial !== '' ? written.initial : (base?.initial ?? ''),
    states: { ...base?.states, ...Object.fromEntries(states) },
    transitions: transitions.length > 0 ? transitions : (base?.transitions ?? []),
  };
}

function stateNamed({ states }: Posture, name: string): PostureStateConfig | undefined {
  return Object.hasOwn(states, name) ? states[name] : undefined;
}

/** Something that is wrong, with the path below the document. */
export interface PostureFault {
  readonly code: PolicyFaultCode;
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

function transitionFaults(transition: PostureTransition, path: string): readonly PostureFault[] {
  const faults: PostureFault[] = [];
  const { from, on, after, patterns } = transition;
  if (on === 'timeout' && after === undefined)
    faults.push({ code: 'policy_required', path, message: '`after` is missing: it says when a timeout is due', hint: 'e.g. `after: 1h`' });
  if (on !== 'timeout' && after !== undefined)
    faults.push({ code: 'policy_posture', path: `${path}.after`, message: '`after` belongs to `on: timeout`' });
  if (on !== 'pattern_match' && patterns !== undefined)
    faults.push({ code: 'policy_posture', path: `${path}.patterns`, message: '`patterns` belongs to `on: pattern_match`' });
  if (from === LOCKED && on !== 'user_approval') {
    const hint = 'use `on: user_approval`';
    faults.push({ code: 'policy_posture', path: `${path}.on`, message: 'only a person leads out of `locked`', hint });
  }
  return faults;
}

function sizeFaults({ states, transitions }: Posture): readonly PostureFault[] {
  const faults: PostureFault[] = [];
  const over = (path: string, count: number, max: number): void => {
    if (count > max) faults.push({ code: 'policy_range', path, message: `more than ${String(max)} entries` });
  };
  over('posture.states', Object.keys(states).length, POLICY_LIMITS.postureStatesMax);
  over('posture.transitions', transitions.length, POLICY_LIMITS.postureTransitionsMax);
  for (const [i, { patterns, requires }] of transitions.entries()) {
    over(`posture.transitions[${String(i)}].patterns`, patterns?.length ?? 0, POLICY_LIMITS.posturePatternsMax);
    over(`posture.transitions[${String(i)}].requires`, requires.length, POLICY_LIMITS.posturePatternsMax);
  }
  return faults;
}

/** Everything that is wrong with a section once it lies on what it extends. */
export function postureFaults(posture: Posture): readonly PostureFault[] {
  const { initial, states, transitions } = posture;
  const faults: PostureFault[] = [...sizeFaults(posture)];
  const known = `states: ${Object.keys(states).slice(0, 8).join(', ')}`;
  const named = (name: string, path: string): void => {
    if (name === LOCKED || Object.hasOwn(states, name)) return;
    faults.push({ code: 'policy_posture', path, message: `there is no state \`${name}\``, hint: known });
  };
  if (initial === '') faults.push({ code: 'policy_required', path: 'posture', message: 'the field `initial` is missing', hint: known });
  else named(initial, 'posture.initial');
  const locked = stateNamed(posture, LOCKED);
  if (locked !== undefined && locked.capabilities.length > 0) {
    const message = '`locked` exists in every policy and permits nothing';
    faults.push({ code: 'policy_posture', path: 'posture.states.locked.capabilities', message, hint: 'use another name' });
  }
  for (const [i, transition] of transitions.entries()) {
    const path = `posture.transitions[${String(i)}]`;
    if (transition.from !== ANY_STATE) named(transition.from, `${path}.from`);
    named(transition.to, `${path}.to`);
    faults.push(...transitionFaults(transition, path));
  }
  return faults.slice(0, POLICY_LIMITS.faultsMax);
}

/** Whether a transition leads out of `state`, whatever it waits for. */
export function leads(transition: Pick<PostureTransition, 'from' | 'to'>, state: string): boolean {
  if (transition.from === state) return true;
  return transition.from === ANY_STATE && state !== LOCKED && state !== transition.to;
}

/** What a section says without meaning to, perhaps: nothing of it is a fault. */
export interface PostureFacts {
  /** States that nothing leads to from `initial`, in the order of the document. */
  readonly unreachable: readonly string[];
  /** Reachable states that nothing leads out of. */
  readonly deadEnds: readonly string[];
  /** Places of transitions by which the machine itself gives a session a capability that it did not have. */
  readonly raising: readonly number[];
}

function reachable({ initial, transitions }: Posture): ReadonlySet<string> {
  const seen = new Set<string>([initial]);
  for (const state of seen) for (const transition of transitions) if (leads(transition, state)) seen.add(transition.to);
  return seen;
}

function raises(posture: Posture, transition: PostureTransition): boolean {
  if (MANUAL_TRIGGERS.some((trigger) => trigger === transition.on)) return false;
  const gained = stateNamed(posture, transition.to)?.capabilities ?? [];
  const froms = Object.keys(posture.states).filter((state) => leads(transition, state));
  return froms.some((state) => gained.some((one) => stateNamed(posture, state)?.capabilities.includes(one) === false));
}

/** For `policy lint`: unreachable states (POS001), dead ends (POS002), and machine transitions that permit more. */
export function postureFacts(posture: Posture): PostureFacts {
  const names = Object.keys(posture.states).filter((name) => name !== LOCKED);
  const seen = reachable(posture);
  return {
    unreachable: names.filter((name) => !seen.has(name)),
    deadEnds: names.filter((name) => seen.has(name) && !posture.transitions.some((transition) => leads(transition, name))),
    raising: [...posture.transitions.keys()].filter((i) => {
      const transition = posture.transitions[i];
      return transition !== undefined && raises(posture, transition);
    }),
  };
}
