/**
 * @module What a guard asks the outside and what it was told. The question is derived from policy, action and facts alone; the answer is a
 * recorded signal of kind `guard`, so that a replay asks nobody. What was not answered is `unavailable` with a reason, and never clean.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Facts } from './facts.ts';
import type { Signal } from './state.ts';

/** Kind of the signals that carry answers. */
export const GUARD_SIGNAL = 'guard';

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

const KEY = /^[0-9a-f]{64}$/;
const REASON = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const REASON_CHARS_MAX = 40;

/** The signal that is recorded for an answer. */
export function signalOfAnswer(answered: GuardAnswer): Signal {
  const { guard, key } = answered;
  const rest = answered.status === 'ok' ? { status: 'ok', answer: answered.answer } : { status: 'unavailable', reason: answered.reason };
  return { kind: GUARD_SIGNAL, subject: guard, value: { key, ...rest } };
}

function readAnswer({ subject, value }: Signal): GuardAnswer | undefined {
  if (!isJsonObject(value)) return undefined;
  const [key, status] = [getOwn(value, 'key'), getOwn(value, 'status')];
  if (typeof key !== 'string' || !KEY.test(key)) return undefined;
  const answer = getOwn(value, 'answer');
  if (status === 'ok' && answer !== undefined) return { guard: subject, key, status, answer };
  const reason = getOwn(value, 'reason');
  if (status !== 'unavailable' || typeof reason !== 'string') return undefined;
  return reason.length <= REASON_CHARS_MAX && REASON.test(reason) ? { guard: subject, key, status, reason } : undefined;
}

/**
 * Facts with the answers among the signals: the same whether the action was understood before or after they came. One that cannot be read is
 * left out: whoever asked has then no answer, which denies.
 */
export function withGuardAnswers(facts: Facts, signals: readonly Signal[]): Facts {
  if (!signals.some(({ kind }) => kind === GUARD_SIGNAL)) return facts;
  return { ...facts, answers: signals.filter(({ kind }) => kind === GUARD_SIGNAL).flatMap((signal) => readAnswer(signal) ?? []) };
}
