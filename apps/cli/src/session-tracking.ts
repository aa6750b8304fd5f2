/**
 * @module Sessions of recorded events, as the running gateway keeps them: each event is judged in the state that those before it left, at the time
 * that it says. What the judge changes is folded in; posture, risk, heat and counts are all there.
 */
import type { JsonObject } from '@countersign/kernel';
import type { PolicyEvent, Posture } from '@countersign/policy';
import type { AgentWindow, Judgement, PostureChange, PostureState, StateSlice } from '@countersign/protocol';
import { CLI_LIMITS } from './limits.ts';
import { configError } from './outcome.ts';

/** What an event is judged in. */
export interface Moment {
  readonly state: Pick<StateSlice, 'sessionCalls' | 'sessionRisk' | 'hotUntil' | 'posture' | 'window'>;
  readonly nowMs: number;
}

/** Where a session stands after an event. */
export interface TrackedPosture {
  readonly before: string;
  readonly after: string;
  readonly budgets: Readonly<Record<string, { readonly used: number; readonly limit: number }>>;
  /** What led there, in order. */
  readonly transitions: readonly PostureChange[];
}

/** A session and where it stands. */
export interface SessionRow {
  /** Null where its events name none. */
  readonly session: string | null;
  readonly state: string;
  readonly budgets: TrackedPosture['budgets'];
}

interface Session {
  readonly state: Omit<Moment['state'], 'window'>;
  readonly nowMs: number;
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** Undefined for what is no time. */
function timeOf(text: string): number | undefined {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** How many changes stand behind those that were there: the history keeps the last few. */
function newChanges(before: readonly PostureChange[], after: readonly PostureChange[]): readonly PostureChange[] {
  const texts = (changes: readonly PostureChange[]): readonly string[] => changes.map((change) => JSON.stringify(change));
  const [was, is] = [texts(before), texts(after)];
  for (let more = 0; more < after.length; more += 1) {
    const kept = is.slice(0, is.length - more);
    if (kept.every((text, i) => was[was.length - kept.length + i] === text)) return after.slice(after.length - more);
  }
  return after;
}

function budgetsOf(posture: Posture | undefined, { state, used }: PostureState): TrackedPosture['budgets'] {
  const config = posture !== undefined && Object.hasOwn(posture.states, state) ? posture.states[state] : undefined;
  const limits = Object.entries(config?.budgets ?? {});
  return Object.fromEntries(
    limits.map(([budget, limit]) => [budget, { used: Object.hasOwn(used, budget) ? (used[budget] ?? 0) : 0, limit }]),
  );
}

/** The sessions of one stream of events; events that name none are one session. */
export class SessionTracker {
  readonly #posture: Posture | undefined;
  readonly #sessions = new Map<string, Session>();
  /** What the one agent of all events did, over its sessions. */
  #window: AgentWindow | undefined;
  #changes = 0;

  constructor(posture: Posture | undefined) {
    this.#posture = posture;
  }

  /** How often a session changed its state. */
  get transitions(): number {
    return this.#changes;
  }

  /** Undefined where the event says a time that is none. Without one, it is the time of the event before it. */
  moment({ time, session = '' }: PolicyEvent, clockMs: number): Moment | undefined {
    const kept = this.#sessions.get(session);
    const nowMs = time === undefined ? (kept?.nowMs ?? clockMs) : timeOf(time);
    if (nowMs === undefined) return undefined;
    return { nowMs, state: { ...kept?.state, ...(this.#window !== undefined && { window: this.#window }) } };
  }

  /** Folds in what the judge made of it; undefined where the policy has no posture. @throws {CliError} exit 3 for one session too many. */
  settle({ session = '' }: PolicyEvent, moment: Moment, { delta }: Judgement): TrackedPosture | undefined {
    if (!this.#sessions.has(session) && this.#sessions.size >= CLI_LIMITS.trackedSessionsMax) {
      const message = `the events have more than ${String(CLI_LIMITS.trackedSessionsMax)} sessions`;
      throw configError([{ code: 'too_many_sessions', message, hint: 'judge them in parts, or without their sessions' }]);
    }
    const { window, pendingTool: _, ...changed } = delta;
    this.#window = window ?? this.#window;
    const { window: __, ...before } = moment.state;
    const state = { ...before, ...changed };
    this.#sessions.set(session, { state, nowMs: moment.nowMs });
    if (state.posture === undefined) return undefined;
    const transitions = newChanges(before.posture?.history ?? [], state.posture.history);
    this.#changes += transitions.length;
    const begun = before.posture?.state ?? this.#posture?.initial ?? '';
    return { before: begun, after: state.posture.state, budgets: budgetsOf(this.#posture, state.posture), transitions };
  }

  /** Where every session that has a posture stands now, in the order of their first events. */
  *rows(): Generator<SessionRow> {
    for (const [session, { state }] of this.#sessions)
      if (state.posture !== undefined)
        yield {
          session: session === '' ? null : session,
          state: state.posture.state,
          budgets: { ...budgetsOf(this.#posture, state.posture) },
        };
  }
}

/** In the names of the original's receipts. */
export function trackedJson({ before, after, budgets, transitions }: TrackedPosture): JsonObject {
  return {
    state_before: before,
    state_after: after,
    budgets_after: budgets,
    transitions: transitions.map(({ from, to, on, at }) => ({ from, to, trigger: on, at: new Date(at * 1000).toISOString() })),
  };
}
