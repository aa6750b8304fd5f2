/**
 * @module Asks for guards: within a time that holds for all tries together, no more often than the policy says, not at all for a while after
 * failures, and from memory where the same was asked before. Total: every question gets an answer, and where there is none it says why.
 */
import { type Clock, codeOf, CodedError, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { AsyncSettings } from '@countersign/policy';
import { type GuardAnswer, type GuardQuestion, PROTOCOL_LIMITS } from '@countersign/protocol';
import { AnswerCache } from './answer-cache.ts';
import { Breaker } from './breaker.ts';
import { INTEL_LIMITS } from './limits.ts';
import { RateLimiter } from './rate-limiter.ts';

/** One that is asked. It keeps nothing, bounds what it reads, and lets go when `signal` is aborted. */
export interface Adapter {
  /**
   * The answer in the form that the guard's judge reads: small, and without anything that identifies the asker.
   * @throws {CodedError} with a reason of lower-case words; `RETRIABLE` ones are tried again where the policy says so.
   */
  ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue>;
  /** Finds out, once, when a policy is put in force, whether answers will be of use. Absent: nothing to find out. */
  probe?(signal: AbortSignal): Promise<Result<undefined, Fault>>;
  /** Gives up what it holds. Idempotent. */
  close?(): Promise<void>;
}

/** A guard with whom it asks and how. */
export interface AskedGuard {
  readonly settings: AsyncSettings;
  readonly adapter: Adapter;
}

/** What asking needs of the machine. */
export interface AskingWorld {
  readonly clock: Clock;
  readonly timer: { after(ms: number, work: () => void): () => void };
}

/** Whom the guards of one policy ask. */
export interface Outside {
  /** One answer for each question, in their order. Never rejects. */
  answers(questions: readonly GuardQuestion[]): Promise<readonly GuardAnswer[]>;
  /** The first fault that a probe found. */
  probe(): Promise<Result<undefined, Fault>>;
  /** Gives up what those hold that are asked, as soon as nobody waits for it. */
  close(): Promise<void>;
}

/** The world failed in a way that may pass by itself. */
export const RETRIABLE: ReadonlySet<string> = new Set(['unreachable', 'server_error', 'too_many_requests']);

const REASON = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

/** The reason that is recorded: a word of ours, never a text of somebody else. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASON.test(code) && code.length <= 40 && error instanceof CodedError ? code : 'failed';
}

function failure(reason: string): CodedError {
  return new CodedError({ code: reason, message: `the outside gave no answer: ${reason}` });
}

class AskedDesk {
  readonly #settings: AsyncSettings;
  readonly #adapter: Adapter;
  readonly #world: AskingWorld;
  readonly #cache: AnswerCache;
  readonly #rate: RateLimiter | undefined;
  readonly #breaker: Breaker | undefined;
  readonly #underWay = new Map<string, Promise<JsonValue>>();
  #asks = 0;

  constructor({ settings, adapter }: AskedGuard, world: AskingWorld) {
    this.#settings = settings;
    this.#adapter = adapter;
    this.#world = world;
    this.#cache = new AnswerCache(settings.cache);
    this.#rate = settings.rate_limit === undefined ? undefined : new RateLimiter(settings.rate_limit);
    this.#breaker = settings.circuit_breaker === undefined ? undefined : new Breaker(settings.circuit_breaker);
  }

  /** Runs `work` until the time that the policy gives it is over, whatever `work` makes of its signal. */
  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.#world.timer.after(this.#settings.timeout_ms, () => {
        reject(failure('timeout'));
        controller.abort();
      });
    });
    try {
      return await Promise.race([work(controller.signal), late]);
    } finally {
      cancel();
      controller.abort();
    }
  }

  #rest(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#world.timer.after(ms, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        reject(failure('timeout'));
      });
    });
  }

  async #tries(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
    const { retry } = this.#settings;
    let backoff = retry?.initial_backoff_ms ?? 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#adapter.ask(ask, signal);
      } catch (error) {
        if (retry === undefined || attempt > retry.max_retries || signal.aborted || !RETRIABLE.has(codeOf(error))) throw error;
        await this.#rest(Math.min(backoff, retry.max_backoff_ms) + ((17 * attempt) % 97), signal);
        backoff *= retry.multiplier;
      }
    }
  }

  /** Throws where nobody is to be asked now. */
  #permit(nowMs: number): void {
    if (this.#asks >= INTEL_LIMITS.asksMax) throw failure('overloaded');
    if (this.#breaker?.isOpen(nowMs) === true) throw failure('breaker_open');
    if (this.#rate?.take(nowMs) === false) throw failure('rate_limited');
    this.#breaker?.asked();
  }

  /** The same question is asked once at a time, however many wait for its answer. */
  #shared(key: string, ask: JsonValue): Promise<JsonValue> {
    const same = this.#underWay.get(key);
    if (same !== undefined) return same;
    const asked = this.#fresh(ask).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asked);
    return asked;
  }

  async #fresh(ask: JsonValue): Promise<JsonValue> {
    const { clock } = this.#world;
    this.#permit(clock.nowMs());
    this.#asks += 1;
    try {
      const answer = await this.#within((signal) => this.#tries(ask, signal));
      if (JSON.stringify(answer).length > PROTOCOL_LIMITS.guardAnswerCharsMax) throw failure('answer_too_large');
      this.#breaker?.succeeded();
      return answer;
    } catch (error) {
      this.#breaker?.failed(clock.nowMs());
      throw error;
    } finally {
      this.#asks -= 1;
    }
  }

  async answer({ guard, key, ask }: GuardQuestion): Promise<GuardAnswer> {
    const { clock } = this.#world;
    const known = this.#cache.read(key, clock.nowMs());
    if (known !== undefined) return { guard, key, status: 'ok', answer: known };
    try {
      const answer = await this.#shared(key, ask);
      this.#cache.keep(key, answer, clock.nowMs());
      return { guard, key, status: 'ok', answer };
    } catch (error) {
      const old = this.#settings.on_timeout === 'defer' ? this.#cache.readOld(key) : undefined;
      return old === undefined ? { guard, key, status: 'unavailable', reason: reasonOf(error) } : { guard, key, status: 'ok', answer: old };
    }
  }

  async inOrder(questions: readonly GuardQuestion[]): Promise<readonly GuardAnswer[]> {
    if (this.#settings.execution_mode === 'parallel') return Promise.all(questions.map((question) => this.answer(question)));
    const answers: GuardAnswer[] = [];
    for (const question of questions) answers.push(await this.answer(question));
    return answers;
  }

  async probe(): Promise<Result<undefined, Fault>> {
    const adapter = this.#adapter;
    if (adapter.probe === undefined) return ok(undefined);
    const probe = adapter.probe.bind(adapter);
    try {
      return await this.#within((signal) => probe(signal));
    } catch (error) {
      const message = `the one that a guard asks does not answer (${reasonOf(error)})`;
      return { ok: false, error: { code: 'outside_unreachable', message } };
    }
  }
}

/** Answers the questions of these guards, each by its name. */
export function openOutside(guards: ReadonlyMap<string, AskedGuard>, world: AskingWorld): Outside {
  const desks = new Map([...guards].map(([guard, asked]) => [guard, new AskedDesk(asked, world)]));
  return {
    async answers(questions): Promise<readonly GuardAnswer[]> {
      const byGuard = Map.groupBy(questions, ({ guard }) => guard);
      const groups = await Promise.all(
        [...byGuard].map(async ([guard, asked]): Promise<readonly GuardAnswer[]> => {
          const desk = desks.get(guard);
          if (desk !== undefined) return desk.inOrder(asked);
          return asked.map(({ key }) => ({ guard, key, status: 'unavailable', reason: 'no_adapter' }));
        }),
      );
      const found = new Map(groups.flat().map((answer) => [`${answer.guard}\n${answer.key}`, answer]));
      return questions.flatMap(({ guard, key }) => found.get(`${guard}\n${key}`) ?? []);
    },
    async probe(): Promise<Result<undefined, Fault>> {
      for (const desk of desks.values()) {
        const found = await desk.probe();
        if (!found.ok) return found;
      }
      return ok(undefined);
    },
    async close(): Promise<void> {
      await Promise.all([...guards.values()].map(async ({ adapter }) => adapter.close?.()));
    },
  };
}
