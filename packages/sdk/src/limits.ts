/** @module Every limit of the SDK, in one place; each has a test at n and n + 1. */

export const SDK_LIMITS = {
  /** Members of a delegation chain; the gateway refuses more. */
  delegationDepthMax: 5,
  /** Characters of one member of a chain. */
  agentIdCharsMax: 128,
  /** Containers inside one another in the arguments of a guarded call; the gateway reads 64, and the body adds two. */
  argumentDepthMax: 62,
  /** Values in the arguments of a guarded call. */
  argumentNodesMax: 100_000,
  /** Bytes of a request body; the gateway refuses more. */
  requestBytesMax: 1_048_576,
  /** Bytes of an answer that are read before it is given up. */
  answerBytesMax: 4_194_304,
  /** Largest number of repeats after a first attempt. */
  retriesMax: 10,
  /** Longest pause before a repeat, in milliseconds. */
  retryDelayMaxMs: 30_000,
  /** Seconds an agent's token is good for; one is made for every request. */
  tokenSeconds: 300,
} as const;
