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

/** The arithmetic of the scores (spec/verdict.md), in thousandths. */
export const SCORE_WEIGHTS = {
  danger: 400,
  session: 250,
  trust: 150,
  injection: 500,
  levels: { critical: 2200, high: 1500, medium: 800 },
  /** D6 from which a low level becomes medium. */
  injected: 2000,
  /** Score of a finding from which it speaks for high or critical, and for medium. */
  blocks: 700,
  flags: 300,
} as const;

/** What each sign of an injection adds to D6, and the most that its kind can add. */
export const INJECTION_WEIGHTS = {
  invisible: 800,
  invisibleMax: 2400,
  weak: 300,
  weakMax: 1500,
  strong: 800,
  strongMax: 2400,
  toolSpecific: 500,
  toolSpecificMax: 1000,
  external: 300,
  max: 3000,
} as const;

/** How a session remembers grave results: each of them for a while, one after another, and never more than a few. */
export const SESSION_HEAT = {
  coolsAfterSeconds: 600,
  midFrom: 2,
  highFrom: 5,
  resultsMax: 6,
} as const;
