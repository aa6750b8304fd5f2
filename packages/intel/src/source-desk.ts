/**
 * @module Asks one outside source with care: what is still known is not asked again, the same question is asked once at a time, and a
 * limit of rate, a circuit breaker, retries and a deadline stand around the rest. Whatever goes wrong is `unavailable` with a word for it;
 * only a whole answer of the documented form is an answer, and only that is kept.
 */
import type { Clock, JsonObject } from '@countersign/kernel';
import { AnswerCache, type CacheLimits } from './answer-cache.ts';
import type { AskJson, HttpAnswer, Question, Unavailable } from './ask-json.ts';
import { type BreakerLimits, CircuitBreaker } from './circuit-breaker.ts';
import { INTEL_LIMITS } from './limits.ts';
import { type RateLimit, TokenBucket } from './token-bucket.ts';

export interface RetryLimits {
  readonly retriesMax: number;
  readonly initialBackoffMs: number;
  readonly backoffMsMax: number;
  readonly multiplier: number;
}

export interface DeskLimits {
  /** For one question with all its retries. */
  readonly timeoutMs: number;
  readonly cache?: CacheLimits;
  readonly rate?: RateLimit;
  readonly breaker?: BreakerLimits;
  readonly retry?: RetryLimits;
}

/** Time and chance, from outside. */
export interface DeskWorld {
  readonly clock: Clock;
  /** Runs `work` after `ms`; returns a canceller. */
  readonly timer: { after(ms: number, work: () => void): () => void };
  /** From 0 up to 1. */
  readonly chance: () => number;
}

/** A question that can be told from others, and how its answer is read: undefined where it has not the documented form. */
export interface Inquiry {
  /** Names the question in the cache. Never holds a credential. */
  readonly key: string;
  readonly question: Question;
  readonly read: (answer: { readonly status: number; readonly value: JsonObject }) => JsonObject | undefined;
}

export type DeskAnswer =
  | { readonly ok: true; readonly value: JsonObject; readonly cached: boolean }
  | { readonly ok: false; readonly why: Unavailable };

/** Worth asking again: it may go away by itself. */
const PASSING: ReadonlySet<Unavailable> = new Set(['unreachable', 'quota_exceeded', 'source_failed']);

export class SourceDesk {
  readonly #ask: AskJson;
  readonly #limits: DeskLimits;
  readonly #world: DeskWorld;
  readonly #cache: AnswerCache | undefined;
  readonly #bucket: TokenBucket | undefined;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #underWay = new Map<string, Promise<DeskAnswer>>();

  constructor(ask: AskJson, limits: DeskLimits, world: DeskWorld) {
    this.#ask = ask;
    this.#limits = limits;
    this.#world = world;
    this.#cache = limits.cache && new AnswerCache(limits.cache, world.clock);
    this.#bucket = limits.rate && new TokenBucket(limits.rate, world.clock);
    this.#breaker = limits.breaker && new CircuitBreaker(limits.breaker, world.clock);
  }

  /** Never rejects, and takes no longer than the deadline. */
  ask(inquiry: Inquiry): Promise<DeskAnswer> {
    const kept = this.#cache?.get(inquiry.key);
    // Written by this class: it is what was read.
    if (kept !== undefined) return Promise.resolve({ ok: true, value: JSON.parse(kept) as JsonObject, cached: true });
    const same = this.#underWay.get(inquiry.key);
    if (same !== undefined) return same;
    if (this.#underWay.size >= INTEL_LIMITS.questionsMax) return Promise.resolve({ ok: false, why: 'busy' });
    const asked = this.#askWithin(inquiry).finally(() => this.#underWay.delete(inquiry.key));
    this.#underWay.set(inquiry.key, asked);
    return asked;
  }

  async #askWithin(inquiry: Inquiry): Promise<DeskAnswer> {
    const deadline = new AbortController();
    const cancel = this.#world.timer.after(this.#limits.timeoutMs, () => deadline.abort());
    try {
      const answer = await this.#askAgain(inquiry, deadline.signal);
      if (answer.ok) this.#cache?.set(inquiry.key, JSON.stringify(answer.value));
      return answer;
    } finally {
      cancel();
    }
  }

  async #askAgain(inquiry: Inquiry, deadline: AbortSignal): Promise<DeskAnswer> {
    const retries = this.#limits.retry?.retriesMax ?? 0;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#askOnce(inquiry, deadline);
      if (answer.ok || attempt >= retries || !PASSING.has(answer.why)) return answer;
      if (!(await this.#pause(attempt, deadline))) return { ok: false, why: 'timeout' };
    }
  }

  async #askOnce(inquiry: Inquiry, deadline: AbortSignal): Promise<DeskAnswer> {
    if (this.#breaker?.admits() === false) return { ok: false, why: 'circuit_open' };
    if (this.#bucket?.take() === false) {
      // Not the source's failure; but a question that was let in must be told how it ended.
      if (this.#breaker?.state === 'trying') this.#breaker.failed();
      return { ok: false, why: 'rate_limited' };
    }
    const answer = readAs(inquiry, await this.#ask(inquiry.question, deadline));
    if (answer.ok) this.#breaker?.answered();
    else this.#breaker?.failed();
    return answer;
  }

  /** Waits longer each time, with some chance in it so that many do not come back at once. False: the deadline came first. */
  #pause(attempt: number, deadline: AbortSignal): Promise<boolean> {
    const { initialBackoffMs = 0, backoffMsMax = 0, multiplier = 1 } = this.#limits.retry ?? {};
    let wait = initialBackoffMs;
    for (let i = 0; i < attempt && wait < backoffMsMax; i += 1) wait *= multiplier;
    const ms = Math.min(wait, backoffMsMax) * (0.5 + this.#world.chance() / 2);
    if (deadline.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        resolve(false);
      };
      const cancel = this.#world.timer.after(Math.ceil(ms), () => {
        deadline.removeEventListener('abort', end);
        resolve(true);
      });
      deadline.addEventListener('abort', end, { once: true });
    });
  }
}

function readAs(inquiry: Inquiry, answer: HttpAnswer): DeskAnswer {
  if (!answer.ok) return answer;
  const value = inquiry.read(answer);
  return value === undefined ? { ok: false, why: 'answer_unknown_form' } : { ok: true, value, cached: false };
}
