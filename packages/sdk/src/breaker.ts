/**
 * @module Circuit breaker: after a row of failures the gateway is left alone for a while, then asked once. An open circuit is
 * a refusal, never a pass. One success clears the count.
 */
import type { Clock } from '@countersign/kernel';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** Milliseconds it stays open before one request may try. */
  readonly resetTimeoutMs: number;
}

export interface Breaker {
  /** True where a request may be sent. In the half-open state the first caller takes the only trial. */
  admit(): boolean;
  succeeded(): void;
  failed(): void;
}

export function createBreaker(options: BreakerOptions, clock: Clock): Breaker {
  let failures = 0;
  let openedMs: number | undefined;
  let trial = false;
  return {
    admit() {
      if (openedMs === undefined) return true;
      const elapsed = clock.nowMs() - openedMs;
      // A clock that jumped back must not keep it open for ever.
      if (trial || (elapsed >= 0 && elapsed < options.resetTimeoutMs)) return false;
      trial = true;
      return true;
    },
    succeeded() {
      failures = 0;
      openedMs = undefined;
      trial = false;
    },
    failed() {
      failures += 1;
      trial = false;
      if (failures >= options.threshold) openedMs = clock.nowMs();
    },
  };
}
