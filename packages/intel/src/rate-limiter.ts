/** @module A bucket of permissions that fills with time and never holds more than the burst. */
import type { RateLimit } from '@countersign/policy';

export class RateLimiter {
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #atMs: number | undefined;

  constructor({ requests_per_second: second, requests_per_minute: minute = 0, burst }: RateLimit) {
    this.#perMs = second === undefined ? minute / 60_000 : second / 1000;
    this.#burst = burst;
    this.#left = burst;
  }

  /** False where nothing is left. A clock that went back gives nothing. */
  take(nowMs: number): boolean {
    const passed = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    this.#atMs = nowMs;
    this.#left = Math.min(this.#burst, this.#left + passed * this.#perMs);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
