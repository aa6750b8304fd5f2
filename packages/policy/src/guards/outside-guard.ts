/**
 * @module A guard that judges by what it was told from outside: what it asks, how it finds the recorded answer, and what it says without one.
 */
import type { GuardAnswer, GuardQuestion, GuardResult } from '@countersign/protocol';
import type { AsyncSettings } from './async-settings.ts';
import { block, type GuardContext, type ReportName, warn } from './result.ts';

/** What a guard says that has no answer: never that all is well. */
export function unavailable(guard: ReportName, { on_timeout: policy }: AsyncSettings, reason: string): GuardResult {
  const finding = { code: 'unavailable', message: `No answer from outside (${reason})`, details: { reason, on_timeout: policy } };
  return policy === 'warn' ? warn(guard, finding) : block(guard, 'error', finding);
}

/** Finds the recorded answer to a question; one that is not there was not asked. */
export type AnswerTo = (question: GuardQuestion) => GuardAnswer;

/** A guard that was compiled and needs the outside. Both parts are pure. */
export interface OutsideGuard {
  readonly guard: ReportName;
  /** What it must know of this action; nothing where the action does not concern it. */
  questions(context: GuardContext): readonly GuardQuestion[];
  /** Judges by the recorded answers. Undefined where the action does not concern it. */
  judge(context: GuardContext, answerTo: AnswerTo): GuardResult | undefined;
}
