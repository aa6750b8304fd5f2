/** @module Every limit of asking the outside; each has a test at n and n + 1. */

export const INTEL_LIMITS = {
  /** Questions of one guard under way at once; a further one has no answer (`overloaded`). */
  asksMax: 64,
  /** UTF-8 bytes of one request, and of one answer after it was unpacked. */
  requestBytesMax: 1_048_576,
  answerBytesMax: 10_485_760,
  /** Values of one answer. */
  answerNodesMax: 400_000,
  answerDepthMax: 32,
  /** Answers that one guard keeps, whatever they weigh. */
  cachedMax: 65_536,
} as const;
