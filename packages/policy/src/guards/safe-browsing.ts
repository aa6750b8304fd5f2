/** @module clawdstrike-safe-browsing: whether a URL that an action would fetch stands on one of Google's lists. */
import { getOwn, type JsonValue } from '@countersign/kernel';
import type { GuardAnswer, GuardResult } from '@countersign/protocol';
import { askedUrls } from './asked-urls.ts';
import { type AnswerTo, type OutsideGuard, unavailable } from './outside-guard.ts';
import { SAFE_BROWSING, type ThreatIntelGuard } from './custom-guards-config.ts';
import { closedObject, questionOf, worstResult } from './outside-answers.ts';
import { allow, block, type GuardContext } from './result.ts';

type SafeBrowsing = ThreatIntelGuard & { readonly package: typeof SAFE_BROWSING };

const THREAT = /^[A-Z][A-Z_]{0,63}$/;

function threatsOf(answer: JsonValue): readonly string[] | undefined {
  const value = closedObject(answer, ['threats']);
  const threats = value === undefined ? undefined : getOwn(value, 'threats');
  if (!Array.isArray(threats)) return undefined;
  const named = (threats as readonly JsonValue[]).filter((threat): threat is string => typeof threat === 'string' && THREAT.test(threat));
  return named.length === threats.length ? named : undefined;
}

function judgeAnswer({ async: settings }: SafeBrowsing, answered: GuardAnswer): GuardResult {
  if (answered.status === 'unavailable') return unavailable(SAFE_BROWSING, settings, answered.reason);
  const threats = threatsOf(answered.answer);
  if (threats === undefined) return unavailable(SAFE_BROWSING, settings, 'answer_malformed');
  if (threats.length === 0) return allow(SAFE_BROWSING);
  const message = `Safe Browsing: the URL is listed (${threats.join(', ')})`;
  return block(SAFE_BROWSING, 'critical', { code: 'listed', message, details: { threat_types: threats, matches: threats.length } });
}

export function safeBrowsingGuard(guard: SafeBrowsing): OutsideGuard {
  return {
    guard: SAFE_BROWSING,
    questions: (context) => askedUrls(SAFE_BROWSING, context).urls.map((url) => questionOf(SAFE_BROWSING, { url })),
    judge(context: GuardContext, answerTo: AnswerTo): GuardResult | undefined {
      const { urls, blind, concerns } = askedUrls(SAFE_BROWSING, context);
      if (!concerns) return undefined;
      const answers = urls.map((url) => judgeAnswer(guard, answerTo(questionOf(SAFE_BROWSING, { url }))));
      return worstResult([...answers, blind ?? allow(SAFE_BROWSING)]);
    },
  };
}
