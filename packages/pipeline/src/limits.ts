/** @module Every limit of the pipeline; each has a test at n and n + 1. */

export const PIPELINE_LIMITS = {
  /** Decisions under way at once; beyond it `overloaded`. */
  inFlightMax: 4096,
  /** Decisions waiting for one session's turn; beyond it `overloaded`. */
  sessionQueueMax: 256,
  /** Members of a delegation chain, the agent itself not counted. */
  delegationDepthMax: 5,
  delegationMemberCharsMax: 128,
  sessionIdCharsMax: 128,
  toolNameCharsMax: 256,
  kindCharsMax: 64,
  /** From the door to the durable receipt. */
  decisionTimeoutMs: 10_000,
  /** From the release to the answer of the upstream, including the fence. */
  forwardTimeoutMs: 45_000,
  /** From the receipt to its outcome: the disk, the call, the fence, and some more. */
  outcomeDueMs: 60_000,
  /** Window of an implicit session. */
  implicitSessionWindowMs: 900_000,
} as const;
