/**
 * @module clawdstrike-virustotal: what VirusTotal knows of a file that is written, by its hash, and of the URLs that an action would fetch.
 */
import { sha256Hex } from '@countersign/crypto';
import { getOwn, type JsonObject } from '@countersign/kernel';
import type { GuardAnswer, GuardQuestion, GuardResult } from '@countersign/protocol';
import { askedUrls } from './asked-urls.ts';
import { type AnswerTo, type OutsideGuard, unavailable } from './outside-guard.ts';
import { type ThreatIntelGuard, VIRUSTOTAL } from './custom-guards-config.ts';
import { closedObject, countOf, questionOf, worstResult } from './outside-answers.ts';
import { allow, blind as blindTo, block, type GuardContext, warn } from './result.ts';
import { writtenFile } from './written-files.ts';

type VirusTotal = ThreatIntelGuard & { readonly package: typeof VIRUSTOTAL };

interface Asked {
  readonly question: GuardQuestion;
  readonly what: 'file' | 'url';
}

function askedOf(context: GuardContext): readonly Asked[] {
  const files = writtenFile(context)?.contents.map((content): Asked => ({
    question: questionOf(VIRUSTOTAL, { file: sha256Hex(content) }),
    what: 'file',
  }));
  const urls = askedUrls(VIRUSTOTAL, context).urls.map((url): Asked => ({ question: questionOf(VIRUSTOTAL, { url }), what: 'url' }));
  return [...(files ?? []), ...urls];
}

interface Counts {
  readonly malicious: number;
  readonly suspicious: number;
}

/** Undefined: not the form that the adapter gives. `unknown`: VirusTotal has never seen it. */
function readAnswer({ answer }: { readonly answer: unknown }): Counts | 'unknown' | undefined {
  const unknown = closedObject(answer as JsonObject, ['known']);
  if (unknown !== undefined) return getOwn(unknown, 'known') === false ? 'unknown' : undefined;
  const report = closedObject(answer as JsonObject, ['known', 'malicious', 'suspicious', 'harmless', 'undetected']);
  if (report === undefined || getOwn(report, 'known') !== true) return undefined;
  const [malicious, suspicious] = [countOf(report, 'malicious'), countOf(report, 'suspicious')];
  return malicious === undefined || suspicious === undefined ? undefined : { malicious, suspicious };
}

function judgeAnswer({ config, async: settings }: VirusTotal, what: Asked['what'], answered: GuardAnswer): GuardResult {
  if (answered.status === 'unavailable') return unavailable(VIRUSTOTAL, settings, answered.reason);
  const read = readAnswer(answered);
  if (read === undefined) return unavailable(VIRUSTOTAL, settings, 'answer_malformed');
  if (read === 'unknown')
    return warn(VIRUSTOTAL, { code: 'not_known', message: `VirusTotal: nothing is known of the ${what}`, details: { type: what } });
  const { malicious, suspicious } = read;
  const found = malicious + suspicious;
  const details = { type: what, malicious, suspicious, threshold: config.min_detections };
  const message = `VirusTotal: ${String(found)} detections of the ${what}`;
  if (found >= config.min_detections)
    return block(VIRUSTOTAL, what === 'file' ? 'critical' : 'error', { code: 'detected', message, details });
  return malicious > 0 ? warn(VIRUSTOTAL, { code: 'suspected', message, details }) : allow(VIRUSTOTAL, { details });
}

/** What was not there to be asked about. */
function unseen(context: GuardContext): readonly GuardResult[] {
  const file = writtenFile(context);
  const { blind, concerns } = askedUrls(VIRUSTOTAL, context);
  const found: GuardResult[] = blind === undefined ? [] : [blind];
  if (file?.cut === true) found.push(blindTo(VIRUSTOTAL, 'More was written than can be asked about', 'facts_cut'));
  if (file !== undefined && file.contents.length === 0 && !file.partial) {
    const message = 'VirusTotal: the content of the file is not in the action';
    found.push(warn(VIRUSTOTAL, { code: 'missing_content_bytes', message, details: { reason: 'missing_content_bytes' } }));
  }
  // A piece of a file has no hash that anybody knows; a host of the own network is not asked about.
  if (found.length === 0 && (concerns || file !== undefined)) found.push(allow(VIRUSTOTAL, { code: 'not_asked' }));
  return found;
}

export function virusTotalGuard(guard: VirusTotal): OutsideGuard {
  return {
    guard: VIRUSTOTAL,
    questions: (context) => askedOf(context).map(({ question }) => question),
    judge(context: GuardContext, answerTo: AnswerTo): GuardResult | undefined {
      const answers = askedOf(context).map(({ question, what }) => judgeAnswer(guard, what, answerTo(question)));
      return worstResult([...answers, ...unseen(context)]);
    },
  };
}
