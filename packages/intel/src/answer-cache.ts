/**
 * @module Answers of outside sources that are still good: bounded by their age and by the bytes they take. Only answers are kept; that
 * nobody answered is never remembered as one.
 */
import type { Clock } from '@countersign/kernel';

export interface CacheLimits {
  readonly ttlMs: number;
  /** Characters of keys and values together. */
  readonly charsMax: number;
}

interface Kept {
  readonly text: string;
  readonly untilMs: number;
  readonly sinceMs: number;
}

/** Least recently used goes first. Values are JSON texts, so that nobody can change what another will read. */
export class AnswerCache {
  readonly #limits: CacheLimits;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  #chars = 0;

  constructor(limits: CacheLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#chars -= key.length + kept.text.length;
  }

  /** A clock that was set back makes an entry look as if it came from the future: then it is not believed. */
  get(key: string): string | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#clock.nowMs();
    this.#drop(key);
    if (now >= kept.untilMs || now < kept.sinceMs) return undefined;
    this.#add(key, kept);
    return kept.text;
  }

  #add(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    this.#chars += key.length + kept.text.length;
  }

  set(key: string, text: string): void {
    this.#drop(key);
    if (key.length + text.length > this.#limits.charsMax) return;
    const now = this.#clock.nowMs();
    this.#add(key, { text, sinceMs: now, untilMs: now + this.#limits.ttlMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= this.#limits.charsMax) return;
      this.#drop(oldest);
    }
  }
}
