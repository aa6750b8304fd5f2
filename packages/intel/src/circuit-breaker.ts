/**
 * @module Leaves a source alone that keeps failing: after so many failures in a row nothing is asked for a while, then one question at a
 * time, until it has answered often enough. What is not asked is unavailable, never fine.
 */
import type { Clock } from '@countersign/kernel';

export interface BreakerLimits {
  readonly failureThreshold: number;
  readonly resetTimeoutMs: number;
  readonly successThreshold: number;
}

type State = { readonly is: 'closed' } | { readonly is: 'open'; readonly sinceMs: number } | { readonly is: 'trying' };

export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  readonly #clock: Clock;
  #state: State = { is: 'closed' };
  #failures = 0;
  #successes = 0;
  /** One question at a time while it is being tried. */
  #underWay = false;

  constructor(limits: BreakerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get state(): State['is'] {
    return this.#state.is;
  }

  /** Whether a question may be asked now; each that may must end in `answered` or `failed`. */
  admits(): boolean {
    if (this.#state.is === 'closed') return true;
    if (this.#state.is === 'open') {
      const now = this.#clock.nowMs();
      // A clock that was set back starts the pause anew.
      if (now < this.#state.sinceMs) this.#state = { is: 'open', sinceMs: now };
      if (now - this.#state.sinceMs < this.#limits.resetTimeoutMs) return false;
      this.#state = { is: 'trying' };
      this.#successes = 0;
      this.#underWay = false;
    }
    if (this.#underWay) return false;
    this.#underWay = true;
    return true;
  }

  answered(): void {
    this.#failures = 0;
    if (this.#state.is !== 'trying') return;
    this.#underWay = false;
    this.#successes += 1;
    if (this.#successes >= this.#limits.successThreshold) this.#state = { is: 'closed' };
  }

  failed(): void {
    this.#failures += 1;
    const gaveUp = this.#state.is === 'trying' || this.#failures >= this.#limits.failureThreshold;
    if (!gaveUp || this.#state.is === 'open') return;
    this.#failures = 0;
    this.#underWay = false;
    this.#state = { is: 'open', sinceMs: this.#clock.nowMs() };
  }
}
