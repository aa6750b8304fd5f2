/** @module What a reader of another language is given of a text, and says of it. */

export interface CodeText {
  readonly text: string;
  /** The same in lower case, at the same length. */
  readonly lower: string;
}

export interface CodeReading {
  /** Sorted; none for a text that is a value and nothing else. */
  readonly features: readonly string[];
  /** Where the first of them stands. */
  readonly start: number;
  readonly end: number;
  readonly steps: number;
}
