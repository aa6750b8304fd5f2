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

/** The deepest `depthMax` a caller may ask for: the reader recurses once a level. */
export const JSON_DEPTH_CEILING = 1024;

/** Characters of all pointers in one `exactNumbers`: long keys over many long numbers must not multiply. */
export const EXACT_POINTERS_CHARS_MAX = 65_536;

/** Characters of the pointer in a fault; the rest is cut. */
export const FAULT_PATH_CHARS_MAX = 256;
