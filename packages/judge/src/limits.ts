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

/** Bounds of the search for a change that would be allowed; it is for people, and never part of a verdict. */
export const EXPLAIN_LIMITS = {
  /** Actions judged in one search. */
  trialsMax: 400,
  /** Edits made one after another. */
  editsInRowMax: 6,
  /** Edits proposed for one action, and for one leaf of it. */
  editsMax: 256,
  editsPerLeafMax: 256,
  leavesMax: 16,
  /** Longest leaf, in UTF-16 code units, that is looked at. */
  leafCharsMax: 65_536,
  /** Commands of one leaf that edits are proposed for. */
  commandsMax: 16,
  /** Places of one leaf that are cut out. */
  spansMax: 16,
  /** How far a sentence is followed. */
  sentenceReachChars: 400,
  /** Characters of a quoted place or decoded text. */
  quoteChars: 200,
  /** Decoded texts shown for one finding. */
  layersShown: 4,
  /** Options that are proposed. */
  wordsMax: 8,
} as const;
