/** @module Limits of the Sigma import; each has a test at n and n + 1. */

export const SIGMA_LIMITS = {
  /** Code units of one file. */
  fileCharsMax: 1_048_576,
  /** Rules of all files together. */
  rulesMax: 10_000,
  /** Code units of one condition. */
  conditionCharsMax: 4096,
  /** Nested parentheses and `not` of one condition. */
  conditionDepthMax: 16,
  /** Alternatives that one rule may become; each is a test of its own. */
  alternativesMax: 32,
  /** Examples that are made for one rule. */
  examplesMax: 4,
} as const;
