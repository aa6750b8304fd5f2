/**
 * @module Vectors as integers, and how near two of them are. What a model gives is scaled once, so that the greatest component is 32767; from there
 * on everything is integer arithmetic, and every machine finds the same score. It moves a cosine by less than one part in ten thousand.
 */
import { invariant } from '@countersign/kernel';

const COMPONENT_MAX = 32_767;
/** Of one component. */
const BYTES = 2;
/** Scores are millionths. */
export const SCORE_UNIT = 1_000_000;
/** Lengths are kept with this many fractional bits, squared. */
const FRACTION = 1024n;

/** Undefined where a component is not finite, or all are zero: such a vector points nowhere. */
export function quantise(vector: readonly number[]): Int16Array | undefined {
  let greatest = 0;
  for (const component of vector) {
    if (!Number.isFinite(component)) return undefined;
    greatest = Math.max(greatest, Math.abs(component));
  }
  // Below the smallest normal double, divisions lose what there is.
  if (greatest < 2 ** -1022) return undefined;
  return Int16Array.from(vector, (component) => Math.round((component / greatest) * COMPONENT_MAX));
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const UNKNOWN = 64;
/** By code unit: values of the characters of base64 (RFC 4648). The judge has no platform that would know them. */
const SEXTETS = new Uint8Array(128).fill(UNKNOWN);
for (let i = 0; i < ALPHABET.length; i += 1) SEXTETS[ALPHABET.charCodeAt(i)] = i;

/** The bytes of canonical base64 with padding: one text for one sequence of `length` bytes. Undefined for anything else. */
function bytesOf(text: string, length: number): Uint8Array | undefined {
  const chars = Math.ceil((length * 8) / 6);
  if (text.length !== Math.ceil(length / 3) * 4 || text.slice(chars) !== '='.repeat(text.length - chars)) return undefined;
  const bytes = new Uint8Array(length);
  let [held, bits, at] = [0, 0, 0];
  for (let i = 0; i < chars; i += 1) {
    const value = SEXTETS[text.charCodeAt(i)] ?? UNKNOWN;
    if (value === UNKNOWN) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = held >> bits;
    at += 1;
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** Undefined where the text is not that of `count` vectors, each scaled as `quantise` does. */
export function unpackVectors(
  text: string,
  { count, dimension }: { readonly count: number; readonly dimension: number },
): readonly Int16Array[] | undefined {
  const bytes = bytesOf(text, count * dimension * BYTES);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors: Int16Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const vector = Int16Array.from({ length: dimension }, (_, k) => view.getInt16((i * dimension + k) * BYTES, true));
    const greatest = vector.reduce((most, component) => Math.max(most, Math.abs(component)), 0);
    if (greatest !== COMPONENT_MAX) return undefined;
    vectors.push(vector);
  }
  return vectors;
}

/** Greatest integer whose square is not above `value`. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** A vector with its length. */
export interface Measured {
  readonly vector: Int16Array;
  /** Length times 32: the root of 1024 times the sum of squares. */
  readonly length: bigint;
}

/** Exact: a sum of at most 4096 products of 30 bits. */
function dot(a: Int16Array, b: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

export function measured(vector: Int16Array): Measured {
  return { vector, length: integerRoot(BigInt(dot(vector, vector)) * FRACTION) };
}

/** Cosine in millionths, rounded towards zero, -1,000,000 to 1,000,000. */
export function similarity(a: Measured, b: Measured): number {
  invariant(a.vector.length === b.vector.length, 'vectors of one space have one dimension');
  const score = Number((BigInt(dot(a.vector, b.vector)) * BigInt(SCORE_UNIT) * FRACTION) / (a.length * b.length));
  return Math.max(-SCORE_UNIT, Math.min(SCORE_UNIT, score));
}
