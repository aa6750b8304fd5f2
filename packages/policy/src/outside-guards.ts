/**
 * @module The guards of a policy that need the outside: what they want to know of an action, and what they say once it was answered. They
 * come last, and neither ask nor speak where another guard has refused: what is refused here is never sent anywhere.
 */
import { type GuardAnswer, type GuardQuestion, type GuardResult, PROTOCOL_LIMITS } from '@countersign/protocol';
import type { CustomGuards, GuardConfigs } from './content.ts';
import { compileCustom } from './guards/custom-guards.ts';
import type { AnswerTo, OutsideGuard } from './guards/outside-guard.ts';
import type { GuardContext } from './guards/result.ts';
import { compileSpiderSense } from './guards/spider-sense.ts';

/** In the order of reports. */
const COMPILERS: readonly ((guards: GuardConfigs & CustomGuards) => readonly OutsideGuard[])[] = [compileSpiderSense, compileCustom];

/** Those that are switched on. */
export function compileOutside(guards: GuardConfigs & CustomGuards): readonly OutsideGuard[] {
  return COMPILERS.flatMap((compile) => compile(guards));
}

/** What is asked about an action that no other guard refused. */
export function questionsFor(guards: readonly OutsideGuard[], context: GuardContext): readonly GuardQuestion[] {
  return guards.flatMap((guard) => guard.questions(context)).slice(0, PROTOCOL_LIMITS.guardQuestionsMax);
}

function finder(answers: readonly GuardAnswer[]): AnswerTo {
  const known = new Map<string, GuardAnswer>();
  // Of two answers to one question the first counts: nothing that comes later replaces it.
  for (const answer of answers) {
    const id = `${answer.guard}\n${answer.key}`;
    if (!known.has(id)) known.set(id, answer);
  }
  return ({ guard, key }) => known.get(`${guard}\n${key}`) ?? { guard, key, status: 'unavailable', reason: 'not_asked' };
}

/** What they say by the recorded answers. */
export function judgeOutside(guards: readonly OutsideGuard[], context: GuardContext): readonly GuardResult[] {
  const answerTo = finder(context.facts.answers ?? []);
  return guards.flatMap((guard) => guard.judge(context, answerTo) ?? []);
}
