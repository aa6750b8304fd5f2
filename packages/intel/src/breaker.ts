/** @module Leaves one that fails alone for a while, then lets it prove itself. */
import type { CircuitBreaker } from '@countersign/policy';

export class Breaker {
  readonly #settings: CircuitBreaker;
  #failures = 0;
  #successes = 0;
  /** Open until then; undefined while it is closed. */
  #untilMs: number | undefined;
  /** One that was open is asked one question at a time until it is closed. */
  #onTrial = false;

  constructor(settings: CircuitBreaker) {
    this.#settings = settings;
  }

  isOpen(nowMs: number): boolean {
    return this.#untilMs !== undefined && (nowMs < this.#untilMs || this.#onTrial);
  }

  /** A question is asked; `succeeded` or `failed` says how it ended. */
  asked(): void {
    this.#onTrial = this.#untilMs !== undefined;
  }

  succeeded(): void {
    this.#onTrial = false;
    this.#failures = 0;
    if (this.#untilMs === undefined) return;
    this.#successes += 1;
    if (this.#successes >= this.#settings.success_threshold) this.#untilMs = undefined;
  }

  failed(nowMs: number): void {
    this.#onTrial = false;
    this.#failures += 1;
    this.#successes = 0;
    // One that was on trial opens again at once.
    const onTrial = this.#untilMs !== undefined;
    if (onTrial || this.#failures >= this.#settings.failure_threshold) this.#untilMs = nowMs + this.#settings.reset_timeout_ms;
  }
}
