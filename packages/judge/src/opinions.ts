/**
 * @module Outside opinions: what a language model or a threat-intelligence source said of an action (signals of kind `llm` and
 * `threat-intel`). They are recorded inputs, read strictly, and can only make a verdict worse (spec/verdict.md, VER-030 to VER-034): an
 * opinion becomes a finding, one that cannot be read denies, and there is no opinion that lowers anything.
 */
import { isJsonObject, type JsonObject } from '@countersign/kernel';
import { type Finding, type Opinion, SEVERITIES, type Severity, type Signal } from '@countersign/protocol';
import { JUDGE_LIMITS } from './limits.ts';

/** Kinds of signals that are opinions. */
export const OPINION_KINDS: ReadonlySet<string> = new Set(['llm', 'threat-intel']);

/** Codes of what can be wrong with an opinion. */
export type OpinionFault = 'opinion.malformed' | 'opinion.too_many';

/** What the outside said, as facts of the action. */
export interface ReadOpinions {
  readonly opinions: readonly Opinion[];
  /** Undefined where all of them could be read. */
  readonly fault?: OpinionFault;
}

export function isOpinion(signal: Signal): boolean {
  return OPINION_KINDS.has(signal.kind);
}

const MEMBERS = ['reason', 'score', 'severity', 'source'].join(' ');
/** Who spoke: named by the operator. */
const SOURCE = /^[a-z0-9](?:[a-z0-9.-]{0,30}[a-z0-9])?$/;
/** Words only: a model that was talked into it must not be able to put a value of the action into the log. */
const REASON = /^[a-z]+(?:_[a-z]+)*$/;

function readSeverity(value: unknown): Severity | undefined {
  return SEVERITIES.find((severity) => severity === value);
}

function isThousandths(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000;
}

function readValue(kind: string, value: JsonObject): Opinion | undefined {
  if (Object.keys(value).toSorted().join(' ') !== MEMBERS) return undefined;
  const { source, score, reason } = value;
  const severity = readSeverity(value['severity']);
  if (severity === undefined || !isThousandths(score)) return undefined;
  if (typeof source !== 'string' || !SOURCE.test(source)) return undefined;
  if (typeof reason !== 'string' || reason.length > JUDGE_LIMITS.opinionReasonMax || !REASON.test(reason)) return undefined;
  return { kind, source, severity, score, reason };
}

/** The opinions among the signals, in their order. Total: what cannot be read is a fault, and is never passed over. */
export function readOpinions(signals: readonly Signal[]): ReadOpinions {
  const given = signals.filter(isOpinion);
  if (given.length > JUDGE_LIMITS.opinionsMax) return { opinions: [], fault: 'opinion.too_many' };
  const opinions: Opinion[] = [];
  let malformed = false;
  for (const { kind, value } of given) {
    const opinion = isJsonObject(value) ? readValue(kind, value) : undefined;
    if (opinion === undefined) malformed = true;
    else opinions.push(opinion);
  }
  return malformed ? { opinions, fault: 'opinion.malformed' } : { opinions };
}

/** The finding that an opinion becomes. */
export function findingOfOpinion({ kind, source, severity, score, reason }: Opinion): Finding {
  return {
    rule: `opinion.${kind}.${reason}`,
    title: `${source} says: ${reason.replaceAll('_', ' ')}`,
    category: 'outside-opinion',
    severity,
    score,
    evidence: [],
    evidenceCut: 0,
    fact: 'opinion',
    tags: { owasp: [], atlas: [], cwe: [] },
    layers: [],
    exemptable: false,
  };
}
