/**
 * @module Answers to guards as recorded signals, and back: strictly, because they may come out of a stranger's bundle.
 */
import { getOwn, isJsonObject } from '@countersign/kernel';
import type { Facts } from './facts.ts';
import type { GuardAnswer } from './guard-answer.ts';
import type { Signal } from './state.ts';

/** Kind of the signals that carry answers. */
export const GUARD_SIGNAL = 'guard';

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
