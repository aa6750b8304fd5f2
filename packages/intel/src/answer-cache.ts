/** @module Answers by what was asked, for as long as the policy says, the oldest dropped first. */
import type { JsonValue } from '@countersign/kernel';
import type { AsyncSettings } from '@countersign/policy';
import { INTEL_LIMITS } from './limits.ts';

interface Kept {
  readonly answer: JsonValue;
  readonly chars: number;
  readonly untilMs: number;
}

export class AnswerCache {
  readonly #settings: AsyncSettings['cache'];
  readonly #kept = new Map<string, Kept>();
  #chars = 0;

  constructor(settings: AsyncSettings['cache']) {
    this.#settings = settings;
  }

  /** One that is not too old. */
  read(key: string, nowMs: number): JsonValue | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && nowMs < kept.untilMs ? kept.answer : undefined;
  }

  /** However old. */
  readOld(key: string): JsonValue | undefined {
    return this.#kept.get(key)?.answer;
  }

  #drop(key: string): void {
    this.#chars -= this.#kept.get(key)?.chars ?? 0;
    this.#kept.delete(key);
  }

  keep(key: string, answer: JsonValue, nowMs: number): void {
    const { enabled, ttl_seconds: ttl, max_size_mb: size } = this.#settings;
    if (!enabled) return;
    this.#drop(key);
    const chars = key.length + JSON.stringify(answer).length;
    this.#kept.set(key, { answer, chars, untilMs: nowMs + ttl * 1000 });
    this.#chars += chars;
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= size * 1_048_576 && this.#kept.size <= INTEL_LIMITS.cachedMax) break;
      this.#drop(oldest);
    }
  }
}
