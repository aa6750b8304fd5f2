/**
 * @module Deltas of one log that are staged and not yet in the tables. They go there in batches, and only after their own log has made
 * their receipts durable: what another log does has no say in it.
 */
import { CodedError, codeOf } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import type { PostureState } from '@countersign/protocol';
import { joinCounts, laterPosture, type SessionCount, type StateTables, type ToolRow } from './state-tables.ts';

/** What the fold asks of a log. */
export interface LogPosition {
  /** How many entries were staged so far. */
  staged(): number;
  /** Resolves when the first `count` entries are on disk; rejects when they never will be. */
  durable(count: number): Promise<void>;
}

interface Staging {
  readonly sessions: Map<string, SessionCount>;
  readonly tools: Map<string, readonly ToolRow[]>;
}

function emptyStaging(): Staging {
  return { sessions: new Map(), tools: new Map() };
}

function sizeOf(staging: Staging): number {
  return staging.sessions.size + staging.tools.size;
}

function isOf(staging: Staging, org: string): boolean {
  for (const count of staging.sessions.values()) if (count.org === org) return true;
  for (const [row] of staging.tools.values()) if (row?.org === org) return true;
  return false;
}

function writeBackFailed(error: unknown): CodedError {
  return new CodedError({ code: 'state_unavailable', message: `write-back failed (${codeOf(error)})` }, { cause: error });
}

/** Puts back what could not be written, under what was staged since. */
function putBack(from: Staging, to: Staging): void {
  for (const [key, count] of from.sessions) to.sessions.set(key, joinCounts(to.sessions.get(key), count));
  for (const [key, rows] of from.tools) to.tools.set(key, [...rows, ...(to.tools.get(key) ?? [])]);
}

/** Keys are org and session, or org and tool, with a newline between. */
export class LogDeltas {
  readonly #log: string;
  readonly #tables: StateTables;
  #current: Staging = emptyStaging();
  #writing: Staging | undefined;
  #running: Promise<void> | undefined;

  constructor(log: string, tables: StateTables) {
    this.#log = log;
    this.#tables = tables;
  }

  /** Staged and not yet in the tables. */
  get stagedCount(): number {
    return sizeOf(this.#current) + (this.#writing === undefined ? 0 : sizeOf(this.#writing));
  }

  /** Too much is unwritten: nothing more may be judged on top of it. */
  get isFull(): boolean {
    return sizeOf(this.#current) >= STORE_LIMITS.stagedMax;
  }

  /** True where something of this org is staged. */
  holds(org: string): boolean {
    return isOf(this.#current, org) || (this.#writing !== undefined && isOf(this.#writing, org));
  }

  /** The staged count of a session; 0 where there is none. */
  calls(key: string): number {
    return Math.max(this.#current.sessions.get(key)?.calls ?? 0, this.#writing?.sessions.get(key)?.calls ?? 0);
  }

  /** The time until which a session is hot, as it is staged; 0 where nothing is. */
  hotUntil(key: string): number {
    return Math.max(this.#current.sessions.get(key)?.hotUntil ?? 0, this.#writing?.sessions.get(key)?.hotUntil ?? 0);
  }

  /** The posture of a session, as it is staged; undefined where nothing is. */
  posture(key: string): PostureState | undefined {
    return laterPosture(this.#writing?.sessions.get(key)?.posture, this.#current.sessions.get(key)?.posture);
  }

  toolRows(key: string): readonly ToolRow[] {
    return [...(this.#writing?.tools.get(key) ?? []), ...(this.#current.tools.get(key) ?? [])];
  }

  addCalls(key: string, count: SessionCount): void {
    // INVARIANT: only what a delta of this log says, never what another log's said: that may not be durable.
    this.#current.sessions.set(key, joinCounts(this.#current.sessions.get(key), count));
  }

  addTool(key: string, row: ToolRow): void {
    this.#current.tools.set(key, [...(this.#current.tools.get(key) ?? []), row]);
  }

  /** Writes everything that is staged, as the deltas of entries up to `appliedIndex`. The caller knows that they are durable. */
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
   * Every delta of this log that was staged before the call is in the tables when this returns, and they say so.
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

  #flush(staging: Staging, appliedIndex: number): void {
    this.#tables.writeDeltas({
      log: this.#log,
      sessions: [...staging.sessions.values()],
      pendingTools: [...staging.tools.values()].flat(),
      appliedIndex,
    });
  }
}
