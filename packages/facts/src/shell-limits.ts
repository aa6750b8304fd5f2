/** @module Every limit of the shell reader; each has a test at n and n + 1. */

/** Lengths are UTF-16 code units. Beyond any of them the reading says `cut`. */
export const SHELL_LIMITS = {
  /** Longest text read whole; of a longer one, the head and the tail. */
  textCharsMax: 65_536,
  headCharsMax: 49_152,
  tailCharsMax: 16_384,
  /** Simple commands of one text; the last `tailCommandsMax` more come from its tail. */
  commandsMax: 512,
  tailCommandsMax: 64,
  tailScanChars: 2048,
  /** Substitutions, groups and parameter expansions inside one another. */
  syntaxDepthMax: 40,
  /** `sh -c`, `eval`, decoded pipes and function calls inside one another. */
  evalDepthMax: 8,
  /** Length of all texts read again (`sh -c`, `eval`, decoded pipes) together. */
  evalCharsMax: 131_072,
  /** Length of one folded word. */
  wordCharsMax: 8192,
  /** Length of all folded words together. */
  foldedCharsMax: 1_048_576,
  /** Words one brace expansion makes. */
  braceWordsMax: 64,
  /** Aliases, and files whose text is remembered; the length of one such text. */
  aliasesMax: 64,
  filesMax: 64,
  fileCharsMax: 16_384,
  /** Wrappers stripped from one command. */
  wrappersMax: 16,
  /** Times `((` may be read again as nested subshells. */
  rewindsMax: 8,
  /** Length of one arithmetic expression, and of one extended glob. */
  arithmeticCharsMax: 512,
  globCharsMax: 64,
  /** Simple commands the scanner reads of one text before it stops. */
  nodesMax: 2048,
  /** Length of text the tree-sitter grammar, quadratic at worst, is shown: plain, and dense in operators. */
  grammarCharsMax: 4096,
  grammarDenseCharsMax: 512,
  /** Operators, quotes, brackets and newlines in a text that is still plain. */
  grammarOperatorsMax: 64,
} as const;
