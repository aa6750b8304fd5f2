/**
 * @module Text classifier: how much a stretch of prose reads like an attempt to take over the model that reads it. Linear over hashed
 * words, integers only, so that every machine sums the same. A signal among others: rules join it with something else that is there.
 *
 * What counts is the worst `PROSE_WINDOW_WORDS` words in a row, so that one sentence in a long document weighs what it weighs alone.
 */
import { PROSE_BUCKET_BITS, ProseWords } from './prose-words.ts';

/** Words that are weighed together. */
export const PROSE_WINDOW_WORDS = 24;

/** What training leaves behind. Sums are in units of `1 / scale` of a logit. */
export interface ProseModel {
  /** One weight a bucket. */
  readonly weights: Int8Array;
  readonly bias: number;
  /** From these sums on the score is 50, 100, .. 950 thousandths. */
  readonly curve: readonly number[];
  /** Sums from which prose is called `likely` and `strong`. */
  readonly likely: number;
  readonly strong: number;
}

/** The worst window of a text. */
export interface ProseReading {
  readonly sum: number;
  /** Half open, in code units. */
  readonly start: number;
  readonly end: number;
  readonly words: number;
  /** Code units looked at. */
  readonly steps: number;
}

const SCORE_STEP = 50;
const sums = new Int32Array(PROSE_WINDOW_WORDS);
const starts = new Int32Array(PROSE_WINDOW_WORDS);

/** Reads a lower-case text once. */
export function readProse(lower: string, { weights, bias }: Pick<ProseModel, 'weights' | 'bias'>): ProseReading {
  const reader = new ProseWords(lower);
  sums.fill(0);
  let [words, sum, best, start, end] = [0, 0, 0, 0, 0];
  while (reader.next()) {
    const slot = words % PROSE_WINDOW_WORDS;
    const own = (weights[reader.word] ?? 0) + (weights[reader.stem] ?? 0) + (weights[reader.pair] ?? 0);
    sum += own - (sums[slot] ?? 0);
    sums[slot] = own;
    starts[slot] = reader.start;
    words += 1;
    // A text shorter than a window is weighed as a whole.
    if (words > PROSE_WINDOW_WORDS && sum <= best) continue;
    best = sum;
    start = words <= PROSE_WINDOW_WORDS ? (starts[0] ?? 0) : (starts[words % PROSE_WINDOW_WORDS] ?? 0);
    end = reader.end;
  }
  return { sum: best + bias, start, end, words, steps: lower.length };
}

/** Thousandths, in steps of fifty. */
export function proseScore(sum: number, { curve }: Pick<ProseModel, 'curve'>): number {
  let score = 0;
  for (const from of curve) if (sum >= from) score += SCORE_STEP;
  return score;
}

/** Bytes of a table in base64, which is how a source can hold them. */
export function weightsFrom(base64: string): Int8Array {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const weights = new Int8Array(2 ** PROSE_BUCKET_BITS);
  let [bits, held, at] = [0, 0, 0];
  for (const digit of base64) {
    const value = digits.indexOf(digit);
    if (value < 0) break;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    weights[at] = (bits >>> held) & 0xff;
    at += 1;
  }
  return weights;
}
