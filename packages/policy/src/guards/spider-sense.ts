/**
 * @module spider_sense: how near the text of an action is to texts that are known to be bad. A server of the operator's choice turns the text into
 * vectors before the action is judged; here the recorded vectors are held against the database of the policy, in integers, linear in both.
 */
import { canonicalize, getOwn, invariant, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { GuardAnswer, GuardQuestion, GuardResult, Span } from '@countersign/protocol';
import type { GuardConfigs } from '../content.ts';
import { askFor, screenedText } from '../spider/screened-text.ts';
import { vectorsOf } from '../spider/pattern-database.ts';
import { type Measured, measured, SCORE_UNIT, similarity, unpackVectors } from '../spider/vectors.ts';
import { fingerprint } from './fingerprint.ts';
import { type AnswerTo, type OutsideGuard, unavailable } from './outside-guard.ts';
import { allow, block, type Finding, type GuardContext, warn } from './result.ts';
import type { PatternName, SpiderSenseConfig } from './spider-sense-config.ts';

/** Name that the guard reports under. */
export const SPIDER_SENSE = 'clawdstrike-spider-sense';

interface Screen {
  readonly config: SpiderSenseConfig;
  readonly dimension: number;
  readonly names: readonly PatternName[];
  readonly patterns: readonly Measured[];
}

interface Match {
  readonly name: PatternName;
  /** Millionths. */
  readonly score: number;
}

function questionOf({ embedding_model: model = '' }: SpiderSenseConfig, pieces: readonly string[]): GuardQuestion {
  const ask = askFor(pieces);
  return { guard: SPIDER_SENSE, key: fingerprint(canonicalize({ v: 1, model, ask })), ask };
}

/** The vectors of an answer: one for each piece. Undefined where it has another form. */
function readVectors(
  answer: JsonValue,
  count: number,
): { readonly dimension: number; readonly vectors: readonly Int16Array[] } | undefined {
  if (!isJsonObject(answer)) return undefined;
  const [dimension, packed] = [getOwn(answer, 'dimension'), getOwn(answer, 'vectors')];
  if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 1 || typeof packed !== 'string') return undefined;
  const vectors = unpackVectors(packed, { count, dimension });
  return vectors === undefined ? undefined : { dimension, vectors };
}

/** The nearest patterns, each by the piece that comes nearest to it; of equal scores the first of the database. */
function nearest({ config, names, patterns, dimension }: Screen, vectors: readonly Int16Array[], context: GuardContext): readonly Match[] {
  const pieces = vectors.map(measured);
  context.counter.steps += pieces.length * patterns.length * dimension;
  const matches = names.map((name, i): Match => {
    const pattern = patterns[i];
    invariant(pattern !== undefined, 'a pattern has a name and a vector');
    return { name, score: Math.max(...pieces.map((piece) => similarity(piece, pattern))) };
  });
  return matches.toSorted((a, b) => b.score - a.score).slice(0, config.top_k);
}

function shown({ name: { id, category, stage, label }, score }: Match): JsonObject {
  return { id, category, stage, label, score: score / SCORE_UNIT };
}

function spansOf({ facts }: GuardContext): readonly Span[] {
  return facts.texts.filter(({ role, layers }) => (role === 'param' || role === 'content') && layers.length === 0).map(({ span }) => span);
}

type SpiderVerdict = 'deny' | 'ambiguous' | 'allow';

function verdictOf({ similarity_threshold: threshold, ambiguity_band: band }: SpiderSenseConfig, score: number): SpiderVerdict {
  // In millionths: sums of decimals are not exact.
  const upper = Math.round((threshold + band) * SCORE_UNIT);
  const lower = Math.round((threshold - band) * SCORE_UNIT);
  if (score >= upper) return 'deny';
  return score <= lower ? 'allow' : 'ambiguous';
}

function answerOf(screen: Screen, matches: readonly Match[], context: GuardContext): GuardResult {
  const [top] = matches;
  invariant(top !== undefined, 'a database holds a pattern');
  const { similarity_threshold: threshold, ambiguity_band: band } = screen.config;
  const verdict = verdictOf(screen.config, top.score);
  const details: JsonObject = {
    analysis: 'fast_path',
    verdict,
    embedding_from: 'provider',
    top_score: top.score / SCORE_UNIT,
    threshold,
    ambiguity_band: band,
    top_match: shown(top),
    top_matches: matches.map(shown),
  };
  if (verdict === 'allow') return allow(SPIDER_SENSE, { details });
  const { category, stage } = top.name;
  const finding = (code: string, word: string): Finding => ({
    code,
    message: `The action ${word} a known attack (${category}, ${stage})`,
    details,
    evidence: spansOf(context),
  });
  return verdict === 'deny'
    ? block(SPIDER_SENSE, 'error', finding('pattern_match', 'is close to'))
    : warn(SPIDER_SENSE, finding('ambiguous_match', 'resembles'));
}

/** Vectors of another space say nothing, and that is no lack of an answer: whatever `on_timeout` says, the action is refused. */
function wrongDimension(dimension: number, wanted: number): GuardResult {
  const message = 'The vectors of the server are not those of the database';
  return block(SPIDER_SENSE, 'error', { code: 'wrong_dimension', message, details: { reason: 'wrong_dimension', dimension, wanted } });
}

function judgeAnswer(screen: Screen, context: GuardContext, given: { readonly answer: GuardAnswer; readonly count: number }): GuardResult {
  const { answer, count } = given;
  const { config } = screen;
  if (answer.status === 'unavailable') return unavailable(SPIDER_SENSE, config.async, answer.reason);
  const read = readVectors(answer.answer, count);
  if (read === undefined) return unavailable(SPIDER_SENSE, config.async, 'answer_malformed');
  if (read.dimension !== screen.dimension) return wrongDimension(read.dimension, screen.dimension);
  return answerOf(screen, nearest(screen, read.vectors, context), context);
}

function judge(screen: Screen, context: GuardContext, answerTo: AnswerTo): GuardResult {
  const pieces = screenedText(context);
  if (!pieces.ok) return unavailable(SPIDER_SENSE, screen.config.async, pieces.error);
  const answer = answerTo(questionOf(screen.config, pieces.value));
  return judgeAnswer(screen, context, { answer, count: pieces.value.length });
}

/** The guard of a policy that has it on. */
export function compileSpiderSense({ spider_sense: config }: GuardConfigs): readonly OutsideGuard[] {
  if (!config.enabled) return [];
  const { pattern_db: database } = config;
  const vectors = database === undefined ? undefined : vectorsOf(database);
  invariant(database !== undefined && vectors !== undefined, 'a policy with this guard was checked to have a database');
  const screen: Screen = { config, dimension: database.dimension, names: database.patterns, patterns: vectors.map(measured) };
  return [
    {
      guard: SPIDER_SENSE,
      questions: (context): readonly GuardQuestion[] => {
        const pieces = screenedText(context);
        return pieces.ok ? [questionOf(config, pieces.value)] : [];
      },
      judge: (context, answerTo) => judge(screen, context, answerTo),
    },
  ];
}

/** What a resolved policy must have so that the guard can work: it may come out of a bundle. */
export function spiderSenseFaults({
  spider_sense: config,
}: Partial<GuardConfigs>): readonly { readonly path: string; readonly message: string }[] {
  if (config?.enabled !== true) return [];
  const { pattern_db: database, embedding_api_url: url, embedding_model: model } = config;
  const missing = (field: string): { readonly path: string; readonly message: string } => ({
    path: `guards.spider_sense.${field}`,
    message: `the guard is on, and has no \`${field}\``,
  });
  const readable = database !== undefined && vectorsOf(database) !== undefined;
  return [
    ...(readable ? [] : [missing('pattern_db')]),
    ...(url === undefined ? [missing('embedding_api_url')] : []),
    ...(model === undefined ? [missing('embedding_model')] : []),
  ];
}
