/** @module How often an outside source may be asked: tokens that come back with time, up to a burst. */
import type { Clock } from '@countersign/kernel';

export interface RateLimit {
  /** Milliseconds in which one token comes back. */
  readonly intervalMs: number;
  /** Tokens that can be saved up. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #lastMs: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#lastMs = clock.nowMs();
  }

  /** Takes a token if there is one. A clock that was set back brings none. */
  take(): boolean {
    const now = this.#clock.nowMs();
    const passed = Math.max(0, now - this.#lastMs);
    this.#lastMs = now;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + passed / this.#limit.intervalMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
