/**
 * @module Trains the text classifier: logistic regression over hashed words with L2, on the worst window of each row, because an attack
 * is one sentence in a long answer. Deterministic: equal rows and seed give equal weights.
 */
import { PROSE_BUCKET_BITS, type ProseModel } from '@countersign/facts';
import { type Sample, type Stretch, WINDOW_BUCKETS } from './classifier-samples.ts';

/** How it is trained; stands in the record. */
export const TRAINING = {
  seed: 20_261_126,
  epochs: 20,
  /** Epochs that look at a window by chance, before there are weights to choose one by. */
  blindEpochs: 2,
  rate: 0.03,
  l2: 0.005,
  /** Decay of all weights after an epoch. */
  decay: 0.01,
  /** No row counts more than so many. */
  rowWeightMax: 4,
  /** Units of a weight in a logit: int8 reaches to about 2 logits. */
  scale: 64,
} as const;

/** What training finds, before it is made integers. */
export interface Trained {
  readonly weights: Float64Array;
  readonly bias: number;
}

/** Mulberry32: numbers from 0 up to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle(list: Sample[], random: () => number): void {
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [list[i], list[j]];
    if (a === undefined || b === undefined) continue;
    list[i] = b;
    list[j] = a;
  }
}

function sumOf(weights: Float64Array, { buckets, from, to }: Stretch): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += weights[buckets[at] ?? 0] ?? 0;
  return sum;
}

/** The window that weighs most over all texts of a row; undefined for a row without words. */
function worstStretch({ texts }: Sample, weights: Float64Array): Stretch | undefined {
  let worst: Stretch | undefined;
  let best = Number.NEGATIVE_INFINITY;
  for (const buckets of texts) {
    let sum = 0;
    for (let to = 3; to <= buckets.length; to += 3) {
      sum += sumOf(weights, { buckets, from: to - 3, to });
      const from = Math.max(0, to - WINDOW_BUCKETS);
      if (to > WINDOW_BUCKETS) sum -= sumOf(weights, { buckets, from: from - 3, to: from });
      if (sum <= best || (to < WINDOW_BUCKETS && to < buckets.length)) continue;
      best = sum;
      worst = { buckets, from, to };
    }
  }
  return worst;
}

function chanceStretch({ texts }: Sample, random: () => number): Stretch | undefined {
  const buckets = texts[Math.floor(random() * texts.length)];
  if (buckets === undefined) return undefined;
  const free = Math.max(0, buckets.length - WINDOW_BUCKETS) / 3;
  const from = Math.floor(random() * (free + 1)) * 3;
  return { buckets, from, to: Math.min(buckets.length, from + WINDOW_BUCKETS) };
}

/** What a row counts: families by the root of their size, so that templates do not outvote the rest; attacks as much as harmless rows. */
function rowWeights(samples: readonly Sample[]): (sample: Sample) => number {
  const sizes = new Map<string, number>();
  const keyOf = ({ family, attack }: Sample): string => `${family} ${String(attack)}`;
  for (const sample of samples) sizes.set(keyOf(sample), (sizes.get(keyOf(sample)) ?? 0) + 1);
  const own = (sample: Sample): number => 1 / Math.sqrt(sizes.get(keyOf(sample)) ?? 1);
  const totals = { attack: 0, harmless: 0 };
  for (const sample of samples) totals[sample.attack ? 'attack' : 'harmless'] += own(sample);
  return (sample) => {
    const balanced = (own(sample) * samples.length) / (2 * (sample.attack ? totals.attack : totals.harmless));
    return Math.min(TRAINING.rowWeightMax, balanced);
  };
}

class Learner {
  readonly weights = new Float64Array(2 ** PROSE_BUCKET_BITS);
  bias = -2;
  private readonly squares = new Float64Array(2 ** PROSE_BUCKET_BITS).fill(0.01);
  private biasSquares = 1;

  /** One step of AdaGrad. */
  step(stretch: Stretch, target: number, weight: number): void {
    const { buckets, from, to } = stretch;
    const z = sumOf(this.weights, stretch) + this.bias;
    const error = (1 / (1 + Math.exp(-z)) - target) * weight;
    for (let at = from; at < to; at += 1) {
      const bucket = buckets[at] ?? 0;
      const slope = error + TRAINING.l2 * (this.weights[bucket] ?? 0);
      const squares = (this.squares[bucket] ?? 0) + slope * slope;
      this.squares[bucket] = squares;
      this.weights[bucket] = (this.weights[bucket] ?? 0) - (TRAINING.rate * slope) / Math.sqrt(squares);
    }
    this.biasSquares += error * error;
    this.bias -= (TRAINING.rate * error) / Math.sqrt(this.biasSquares);
  }

  decay(): void {
    for (let i = 0; i < this.weights.length; i += 1) this.weights[i] = (this.weights[i] ?? 0) * (1 - TRAINING.decay);
  }
}

/** Trains on these rows. */
export function train(samples: readonly Sample[]): Trained {
  const random = randomFrom(TRAINING.seed);
  const learner = new Learner();
  const weightOf = rowWeights(samples);
  const order = [...samples];
  for (let epoch = 0; epoch < TRAINING.epochs; epoch += 1) {
    shuffle(order, random);
    for (const sample of order) {
      const blind = epoch < TRAINING.blindEpochs;
      const stretch = blind ? chanceStretch(sample, random) : worstStretch(sample, learner.weights);
      if (stretch !== undefined) learner.step(stretch, sample.attack ? 1 : 0, weightOf(sample));
    }
    learner.decay();
  }
  return { weights: learner.weights, bias: learner.bias };
}

/** The worst window's logit; far below any threshold for a row without words. */
export function logitOf(trained: Trained, sample: Sample): number {
  const stretch = worstStretch(sample, trained.weights);
  return stretch === undefined ? -1000 : sumOf(trained.weights, stretch) + trained.bias;
}

export interface Quantised {
  readonly weights: Int8Array;
  readonly bias: number;
  /** Weights beyond what a byte holds. */
  readonly clipped: number;
}

/** To bytes. */
export function quantise({ weights, bias }: Trained): Quantised {
  const scaled = Array.from(weights, (weight) => Math.round(weight * TRAINING.scale));
  const clipped = scaled.filter((weight) => Math.abs(weight) > 127).length;
  return {
    weights: Int8Array.from(scaled, (weight) => Math.max(-127, Math.min(127, weight))),
    bias: Math.round(bias * TRAINING.scale),
    clipped,
  };
}

/** Sums from which the score is 50, 100, .. 950 thousandths: the logistic curve, in units of the sums. */
export function curveOf(): ProseModel['curve'] {
  return Array.from({ length: 19 }, (_, i) => {
    const share = (i + 1) / 20;
    return Math.round(Math.log(share / (1 - share)) * TRAINING.scale);
  });
}
