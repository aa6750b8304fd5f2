/** @module Every limit of the judge; each has a test at n and n + 1. */
import { PROTOCOL_LIMITS } from '@countersign/protocol';

export const JUDGE_LIMITS = {
  reasonsMax: PROTOCOL_LIMITS.reasonsMax,
  /** Characters of one reason's text. */
  reasonTextMax: PROTOCOL_LIMITS.reasonTextMax,
  /** Characters of a reason's code. */
  reasonCodeMax: 64,
  /** Spans kept for one reason. */
  reasonEvidenceMax: 4,
  evidencePathMax: PROTOCOL_LIMITS.evidencePathMax,
  verdictBytesMax: PROTOCOL_LIMITS.verdictBytesMax,
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
