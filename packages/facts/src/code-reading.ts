/** @module What a reader of another language says of a text. */

export interface CodeReading {
  /** Sorted, at least one. */
  readonly features: readonly string[];
  /** Where the first of them stands. */
  readonly start: number;
  readonly end: number;
  readonly steps: number;
}
