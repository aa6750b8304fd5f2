/**
 * @module State as the fold of deltas. A staged delta is visible at once; it goes to the tables in background batches, and only after
 * the log has made its receipt durable, so state never runs ahead of the log. Every delta is a join (max, insert if absent): folding
 * one again after a crash changes nothing.
 */
import { CodedError, codeOf } from '@countersign/kernel';
import type { Principal, StateDelta } from '@countersign/protocol';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import type { SessionCount, StateTables, ToolRow } from './state-tables.ts';

/** What the fold asks of the log. */
export interface LogPosition {
  /** How many entries were staged so far. */
  staged(): number;
  /** Resolves when the first `count` entries are on disk; rejects when they never will be. */
  durable(count: number): Promise<void>;
}

/** Staged and not yet in the tables. */
interface Staging {
  readonly sessions: Map<string, SessionCount>;
  readonly tools: Map<string, readonly ToolRow[]>;
}

function emptyStaging(): Staging {
  return { sessions: new Map(), tools: new Map() };
}

const keyOf = (org: string, name: string): string => `${org}\n${name}`;

function sizeOf(staging: Staging): number {
  return staging.sessions.size + staging.tools.size;
}

function writeBackFailed(error: unknown): CodedError {
  return new CodedError({ code: 'state_unavailable', message: `write-back failed (${codeOf(error)})` }, { cause: error });
}

/** Puts back what could not be written, under what was staged since. */
function putBack(from: Staging, to: Staging): void {
  for (const [key, count] of from.sessions) if ((to.sessions.get(key)?.calls ?? -1) < count.calls) to.sessions.set(key, count);
  for (const [key, rows] of from.tools) to.tools.set(key, [...rows, ...(to.tools.get(key) ?? [])]);
}

/** A fold over `tables`. */
export class DeltaFold {
  readonly #tables: StateTables;
  readonly #counts = new LruMap<number>(STORE_LIMITS.cacheEntriesMax);
  readonly #toolCache = new LruMap<readonly ToolRow[]>(STORE_LIMITS.cacheEntriesMax);
  readonly #pendingCounts = new Map<string, number>();
  #current: Staging = emptyStaging();
  #writing: Staging | undefined;
  #running: Promise<void> | undefined;

  constructor(tables: StateTables) {
    this.#tables = tables;
  }

  /** Staged and not yet in the tables. */
  get stagedCount(): number {
    return sizeOf(this.#current) + (this.#writing === undefined ? 0 : sizeOf(this.#writing));
  }

  /** @throws CodedError `state_unavailable` when the tables fail or too much is unwritten. */
  sessionCalls(org: string, session: string): number {
    if (sizeOf(this.#current) >= STORE_LIMITS.stagedMax) {
      throw new CodedError({
        code: 'state_unavailable',
        message: 'too much state waits to be written',
        hint: 'check the disk of the data directory',
      });
    }
    return this.#calls(org, session);
  }

  toolRows(org: string, tool: string): readonly ToolRow[] {
    const key = keyOf(org, tool);
    const known = this.#toolCache.get(key);
    if (known !== undefined) return known;
    const stored = this.#tables.toolRows(org, tool);
    const staged = [...(this.#writing?.tools.get(key) ?? []), ...(this.#current.tools.get(key) ?? [])];
    const rows = [...stored, ...staged.filter((row) => !stored.some((other) => other.hash === row.hash))];
    if (rows.length > 0) this.#toolCache.set(key, rows);
    return rows;
  }

  /** Forgets what it remembers of a tool: the tables changed. */
  forgetTool(org: string, tool: string): void {
    this.#toolCache.delete(keyOf(org, tool));
    this.#pendingCounts.delete(org);
  }

  stage(principal: Principal & { readonly session: string }, delta: StateDelta, seenMs: number): void {
    const { org, session } = principal;
    if (delta.sessionCalls !== undefined) {
      const key = keyOf(org, session);
      const calls = Math.max(this.#calls(org, session), delta.sessionCalls);
      this.#current.sessions.set(key, { org, session, calls, seenMs });
      this.#counts.set(key, calls);
    }
    if (delta.pendingTool === undefined) return;
    const { tool, hash } = delta.pendingTool;
    this.#stageTool({ org, tool, hash, status: 'pending', scope: null, firstSeenMs: seenMs });
  }

  /** Writes everything that is staged, as the deltas of log entries up to `appliedIndex`. The caller knows that they are durable. */
  write(appliedIndex: number): void {
    this.#flush(this.#current, appliedIndex);
    this.#current = emptyStaging();
  }

  /** Waits for the log, then writes. @throws CodedError where the log or the tables failed; everything stays staged. */
  async writeBack(position: LogPosition): Promise<void> {
    if (this.#running !== undefined || sizeOf(this.#current) === 0) return;
    await this.#writeOut(position);
  }

  /**
   * Every delta that was staged before the call is in the tables when this returns, and they say so.
   * @throws CodedError where the log or the tables failed; everything stays staged.
   */
  async settle(position: LogPosition): Promise<void> {
    // Whoever started that one hears of its failure; what it could not write is staged again.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    await this.#writeOut(position);
  }

  #writeOut(position: LogPosition): Promise<void> {
    const running = this.#write(position).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #write(position: LogPosition): Promise<void> {
    const count = position.staged();
    const staging = this.#current;
    this.#writing = staging;
    this.#current = emptyStaging();
    try {
      await position.durable(count);
      this.#flush(staging, count - 1);
    } catch (error) {
      putBack(staging, this.#current);
      throw error instanceof CodedError ? error : writeBackFailed(error);
    } finally {
      this.#writing = undefined;
    }
  }

  #calls(org: string, session: string): number {
    const key = keyOf(org, session);
    const known = this.#current.sessions.get(key)?.calls ?? this.#writing?.sessions.get(key)?.calls ?? this.#counts.get(key);
    if (known !== undefined) return known;
    const stored = this.#tables.sessionCalls(org, session);
    this.#counts.set(key, stored);
    return stored;
  }

  #stageTool(row: ToolRow): void {
    const key = keyOf(row.org, row.tool);
    const rows = this.toolRows(row.org, row.tool);
    if (rows.some((other) => other.hash === row.hash)) return;
    const pending = this.#pendingCounts.get(row.org) ?? this.#tables.pendingTools(row.org);
    this.#pendingCounts.set(row.org, pending);
    if (pending >= STORE_LIMITS.pendingToolsPerOrgMax) return;
    this.#pendingCounts.set(row.org, pending + 1);
    this.#current.tools.set(key, [...(this.#current.tools.get(key) ?? []), row]);
    this.#toolCache.set(key, [...rows, row]);
  }

  #flush(staging: Staging, appliedIndex: number): void {
    this.#tables.writeDeltas({
      sessions: [...staging.sessions.values()],
      pendingTools: [...staging.tools.values()].flat(),
      appliedIndex,
    });
  }
}
