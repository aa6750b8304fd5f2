/** @module Every limit of the kernel, in one place; each has a test at n and n + 1. */

/** Limits of `parseJson` where the caller gives none. */
export const JSON_LIMITS = {
  /** UTF-8 bytes of one document. */
  bytesMax: 1_048_576,
  /** Nested containers. */
  depthMax: 64,
  /** Values and keys in one document. */
  nodesMax: 200_000,
} as const;
