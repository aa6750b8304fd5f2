/**
 * @module Meter: counts every character looked at while understanding one action, and remembers what was cut off.
 * Linearity is proven by its count, never by a clock.
 */
import type { FactsCut } from '@countersign/protocol';

/** Mutable tally of one `understand` call. */
export interface Meter {
  steps: number;
  /** Length of decoded layers so far. */
  decodedChars: number;
  readonly cuts: Set<FactsCut>;
  readonly encodings: Set<string>;
}

/** A tally at zero. */
export function createMeter(): Meter {
  return { steps: 0, decodedChars: 0, cuts: new Set(), encodings: new Set() };
}
