/** @module Every limit of the judge; each has a test at n and n + 1. Those of a verdict are PROTOCOL_LIMITS again: a test holds them equal. */
export const JUDGE_LIMITS = {
  reasonsMax: 32,
  /** Characters of one reason's text. */
  reasonTextMax: 160,
  /** Characters of a reason's code. */
  reasonCodeMax: 64,
  /** Spans kept for one reason. */
  reasonEvidenceMax: 4,
  evidencePathMax: 64,
  verdictBytesMax: 9216,
  /** Opinions from outside on one action; more deny. */
  opinionsMax: 16,
  /** Characters of the reason of an opinion. */
  opinionReasonMax: 40,
} as const;

/** Weights of what no rule speaks of, in thousandths. */
export const WEIGHTS = {
  /** A shell command that is to be run and could not be read whole. */
  unreadCommand: 700,
  /** Anything else that was cut off while understanding. */
  cut: 300,
  /** How much lower both thresholds are for a tool nobody has registered. */
  pendingTool: 200,
} as const;
