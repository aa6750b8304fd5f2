/**
 * @module What a guard asks the outside and what it was told. The question is derived from policy, action and facts alone; the answer is a
 * recorded signal of kind `guard`, so that a replay asks nobody. What was not answered is `unavailable` with a reason, and never clean.
 */
import type { JsonValue } from '@countersign/kernel';

export interface GuardQuestion {
  /** Name that the guard reports under. */
  readonly guard: string;
  /** Lower-case hex SHA-256 that stands for all of the question: an answer to another question is no answer to this one. */
  readonly key: string;
  /** What the adapter of the guard must know of the action. It may hold text of it, and is never logged or recorded. */
  readonly ask: JsonValue;
}

interface Answered {
  readonly guard: string;
  readonly key: string;
}

export type GuardAnswer =
  | (Answered & { readonly status: 'ok'; readonly answer: JsonValue })
  /** `reason` is a code of lower-case words joined by `_`, such as `timeout` or `http_status`. */
  | (Answered & { readonly status: 'unavailable'; readonly reason: string });
