/**
 * @module State as the fold of deltas. A staged delta is visible at once; it goes to the tables in background batches of its log
 * (`log-deltas.ts`), so state never runs ahead of any log. Every delta is a join (max, insert if absent): folding one again after a
 * crash changes nothing, and deltas of different logs may go to the tables in any order.
 */
import { CodedError } from '@countersign/kernel';
import type { PostureState, Principal, StateDelta } from '@countersign/protocol';
import { STORE_LIMITS } from './limits.ts';
import { LogDeltas } from './log-deltas.ts';
import { LruMap } from './lru-map.ts';
import { laterPosture, type StateTables, type ToolRow } from './state-tables.ts';

/** One delta, and the log that has it. */
export interface FoldedDelta {
  readonly log: string;
  readonly principal: Principal & { readonly session: string };
  readonly delta: StateDelta;
  readonly seenMs: number;
}

const keyOf = (org: string, name: string): string => `${org}\n${name}`;

/** A fold over `tables`. */
export class DeltaFold {
  readonly #tables: StateTables;
  readonly #counts = new LruMap<number>(STORE_LIMITS.cacheEntriesMax);
  /** Of sessions that were looked at: most are 0. */
  readonly #heats = new LruMap<number>(STORE_LIMITS.cacheEntriesMax);
  /** Of sessions that were looked at: most have none. */
  readonly #postures = new LruMap<{ readonly kept: PostureState | undefined }>(STORE_LIMITS.cacheEntriesMax);
  readonly #toolCache = new LruMap<readonly ToolRow[]>(STORE_LIMITS.cacheEntriesMax);
  readonly #pendingCounts = new Map<string, number>();
  readonly #logs = new Map<string, LogDeltas>();

  constructor(tables: StateTables) {
    this.#tables = tables;
  }

  /** What is staged of one log. */
  of(log: string): LogDeltas {
    const known = this.#logs.get(log);
    if (known !== undefined) return known;
    const fresh = new LogDeltas(log, this.#tables);
    this.#logs.set(log, fresh);
    return fresh;
  }

  /** Logs of which something of this org is staged. */
  logsHolding(org: string): readonly string[] {
    return [...this.#logs].filter(([, deltas]) => deltas.holds(org)).map(([log]) => log);
  }

  /**
   * `log` is the one that the org writes to.
   * @throws CodedError `state_unavailable` when the tables fail or too much of that log is unwritten.
   */
  sessionCalls(log: string, org: string, session: string): number {
    if (this.of(log).isFull) {
      throw new CodedError({
        code: 'state_unavailable',
        message: 'too much state waits to be written',
        hint: 'check the disk of the data directory',
      });
    }
    return this.#calls(org, session);
  }

  /** Unix seconds until which a session is hot; 0 for one that never was. */
  sessionHotUntil(org: string, session: string): number {
    const key = keyOf(org, session);
    const known = this.#heats.get(key);
    if (known !== undefined) return known;
    let hotUntil = this.#tables.sessionHotUntil(org, session);
    for (const deltas of this.#logs.values()) hotUntil = Math.max(hotUntil, deltas.hotUntil(key));
    this.#heats.set(key, hotUntil);
    return hotUntil;
  }

  sessionPosture(org: string, session: string): PostureState | undefined {
    const key = keyOf(org, session);
    const known = this.#postures.get(key);
    if (known !== undefined) return known.kept;
    let kept = this.#tables.sessionPosture(org, session);
    for (const deltas of this.#logs.values()) kept = laterPosture(kept, deltas.posture(key));
    this.#postures.set(key, { kept });
    return kept;
  }

  toolRows(org: string, tool: string): readonly ToolRow[] {
    const key = keyOf(org, tool);
    const known = this.#toolCache.get(key);
    if (known !== undefined) return known;
    const rows: ToolRow[] = [...this.#tables.toolRows(org, tool)];
    for (const deltas of this.#logs.values()) {
      rows.push(...deltas.toolRows(key).filter((row) => !rows.some((other) => other.hash === row.hash)));
    }
    if (rows.length > 0) this.#toolCache.set(key, rows);
    return rows;
  }

  /** Forgets what it remembers of a tool: the tables changed. */
  forgetTool(org: string, tool: string): void {
    this.#toolCache.delete(keyOf(org, tool));
    this.#pendingCounts.delete(org);
  }

  stage({ log, principal, delta, seenMs }: FoldedDelta): void {
    const { org, session } = principal;
    if (delta.sessionCalls !== undefined) {
      const key = keyOf(org, session);
      const calls = Math.max(this.#calls(org, session), delta.sessionCalls);
      const hotUntil = delta.hotUntil ?? 0;
      if (hotUntil > 0) this.#heats.set(key, Math.max(this.sessionHotUntil(org, session), hotUntil));
      const { posture } = delta;
      if (posture !== undefined) this.#postures.set(key, { kept: laterPosture(this.sessionPosture(org, session), posture) });
      this.of(log).addCalls(key, { org, session, calls: delta.sessionCalls, hotUntil, posture, seenMs });
      this.#counts.set(key, calls);
    }
    if (delta.pendingTool === undefined) return;
    const { tool, hash } = delta.pendingTool;
    this.#stageTool(log, { org, tool, hash, status: 'pending', scope: null, firstSeenMs: seenMs });
  }

  #calls(org: string, session: string): number {
    const key = keyOf(org, session);
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    let calls = this.#tables.sessionCalls(org, session);
    for (const deltas of this.#logs.values()) calls = Math.max(calls, deltas.calls(key));
    this.#counts.set(key, calls);
    return calls;
  }

  #isStagedElsewhere(log: string, row: ToolRow): boolean {
    const holds = (deltas: LogDeltas): boolean => deltas.toolRows(keyOf(row.org, row.tool)).some(({ hash }) => hash === row.hash);
    return !holds(this.of(log)) && [...this.#logs.values()].some(holds);
  }

  #stageTool(log: string, row: ToolRow): void {
    const key = keyOf(row.org, row.tool);
    const rows = this.toolRows(row.org, row.tool);
    if (rows.some((other) => other.hash === row.hash)) {
      // What another log has staged may never be durable: this log's own entry must not depend on it.
      if (this.#isStagedElsewhere(log, row)) this.of(log).addTool(key, row);
      return;
    }
    const pending = this.#pendingCounts.get(row.org) ?? this.#tables.pendingTools(row.org);
    this.#pendingCounts.set(row.org, pending);
    if (pending >= STORE_LIMITS.pendingToolsPerOrgMax) return;
    this.#pendingCounts.set(row.org, pending + 1);
    this.of(log).addTool(key, row);
    this.#toolCache.set(key, [...rows, row]);
  }
}
