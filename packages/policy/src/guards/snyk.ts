/** @module clawdstrike-snyk: known vulnerabilities of what a `package.json` that is written asks for. */
import { getOwn, type JsonValue } from '@countersign/kernel';
import type { GuardAnswer, GuardResult } from '@countersign/protocol';
import { type AnswerTo, type OutsideGuard, unavailable } from './outside-guard.ts';
import { SNYK, SNYK_SEVERITIES, type SnykSeverity, type ThreatIntelGuard } from './custom-guards-config.ts';
import { closedObject, countOf, questionOf, worstResult } from './outside-answers.ts';
import { allow, blind, block, type GuardContext, warn } from './result.ts';
import { writesTo, writtenFile } from './written-files.ts';

type Snyk = ThreatIntelGuard & { readonly package: typeof SNYK };

/** Undefined where the action does not write one. */
function manifestsOf(context: GuardContext): readonly string[] | undefined {
  const file = writtenFile(context);
  return file === undefined || !writesTo(context, 'package.json') ? undefined : file.contents;
}

/** How many there are at or above a severity. */
function countFrom(value: JsonValue | undefined, threshold: SnykSeverity): number | undefined {
  const counts = closedObject(value, SNYK_SEVERITIES);
  if (counts === undefined) return undefined;
  let sum = 0;
  for (const [rank, name] of SNYK_SEVERITIES.entries()) {
    const count = countOf(counts, name);
    if (count === undefined) return undefined;
    if (rank >= SNYK_SEVERITIES.indexOf(threshold)) sum += count;
  }
  return sum;
}

function judgeAnswer({ config, async: settings }: Snyk, answered: GuardAnswer): GuardResult {
  if (answered.status === 'unavailable') return unavailable(SNYK, settings, answered.reason);
  const { severity_threshold: threshold } = config;
  const answer = closedObject(answered.answer, ['vulnerabilities', 'upgradable']);
  const found = answer === undefined ? undefined : countFrom(getOwn(answer, 'vulnerabilities'), threshold);
  const upgradable = answer === undefined ? undefined : countFrom(getOwn(answer, 'upgradable'), threshold);
  if (found === undefined || upgradable === undefined || upgradable > found) return unavailable(SNYK, settings, 'answer_malformed');
  const details = { vulns_at_or_above_threshold: found, upgradable_vulns_at_or_above_threshold: upgradable, threshold };
  if (found === 0) return allow(SNYK, { details: { threshold } });
  if (config.fail_on_upgradable && upgradable > 0)
    return block(SNYK, 'error', {
      code: 'upgradable',
      message: `Snyk: ${String(upgradable)} vulnerabilities that an upgrade mends`,
      details,
    });
  return warn(SNYK, { code: 'vulnerable', message: `Snyk: ${String(found)} vulnerabilities`, details });
}

export function snykGuard(guard: Snyk): OutsideGuard {
  const asked = (manifest: string): ReturnType<typeof questionOf> => questionOf(SNYK, { manifest });
  return {
    guard: SNYK,
    questions: (context) => (manifestsOf(context) ?? []).map(asked),
    judge(context: GuardContext, answerTo: AnswerTo): GuardResult | undefined {
      const manifests = manifestsOf(context);
      if (manifests === undefined) return undefined;
      if (writtenFile(context)?.cut === true) return blind(SNYK, 'More was written than can be asked about', 'facts_cut');
      if (manifests.length > 0) return worstResult(manifests.map((manifest) => judgeAnswer(guard, answerTo(asked(manifest)))));
      const reason = writtenFile(context)?.partial === true ? 'partial_content' : 'missing_content_bytes';
      return warn(SNYK, { code: reason, message: 'Snyk: the whole manifest is not in the action', details: { reason } });
    },
  };
}
