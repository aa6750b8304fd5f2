/** @module Every limit of the SQL reader; each has a test at n and n + 1. */

/** Lengths are UTF-16 code units. Beyond any of them the reading says `cut`, except where the grammar is merely not asked. */
export const SQL_LIMITS = {
  /** Longest text read whole; of a longer one, the head and the tail. */
  textCharsMax: 65_536,
  headCharsMax: 49_152,
  tailCharsMax: 16_384,
  /** Longest text the PostgreSQL grammar is shown; tokens beyond. */
  grammarCharsMax: 16_384,
  /** Open parentheses, and operators in one text, that the grammar is shown. */
  grammarDepthMax: 64,
  grammarTokensMax: 4096,
  /** Tokens of one text. */
  tokensMax: 32_768,
  /** Statements of one text. */
  statementsMax: 128,
  /** Texts that run inside texts that run. */
  innerDepthMax: 3,
  /** Tables of one statement. */
  tablesMax: 64,
  /** Nested nodes of a parse tree that are entered. */
  treeDepthMax: 256,
  /** Longest text looked at as a fragment; the head and the tail of a longer one. */
  fragmentCharsMax: 8192,
  /** Tokens, and parentheses inside each other, of an operand that is folded; a longer one is no constant. */
  foldTokensMax: 64,
  foldDepthMax: 8,
} as const;
