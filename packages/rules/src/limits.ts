/** @module Every limit of the rules, in one place; each has a test at n and n + 1. */

/** The id that no document may use: matching itself was cut short. */
export const MATCH_CUT_RULE = 'R000';

export const RULE_LIMITS = {
  /** UTF-16 code units of one rule document. */
  documentCharsMax: 1_048_576,
  /** YAML aliases that one document may expand. */
  aliasesMax: 64,
  /** Faults reported for one document; the rest are counted in the last one. */
  faultsMax: 50,
  /** Rules in one rule set, built-in and custom together. */
  rulesMax: 20_000,
  /** Nested `all`, `any`, `not`, `of` in one condition. */
  conditionDepthMax: 8,
  /** Leaves of one rule's condition. */
  leavesMax: 32,
  /** Patterns in one list. */
  patternsMax: 256,
  /** Code units of one pattern. */
  patternCharsMax: 1024,
  /** Code units of one plain pattern or word. */
  plainCharsMax: 128,
  /** Dictionaries of one rule document. */
  dictionariesMax: 64,
  /** Words and phrases of one dictionary; each may be as long as a plain pattern. */
  dictionaryWordsMax: 10_000,
  /** Words that the dictionaries of one rule set bring in all, counted at each place where one is named. */
  dictionaryUsesMax: 100_000,
  /** Cells of the table by which dictionaries are searched: letters of all words times different letters. */
  dictionaryCellsMax: 16_777_216,
  /** Templates that one rule document may name. */
  templatesMax: 32,
  /** Nested groups of one regular expression. */
  patternDepthMax: 12,
  /** Highest counted repetition, `{n,m}`. */
  patternRepeatMax: 512,
  /** Different ways in which one expression may match from one place, over a window; beyond it work could explode. */
  patternWaysMax: 65_536,
  /** Shortest literal that a text pattern must contain. */
  literalCharsMin: 3,
  /** Literals that one expression may be searched by. */
  literalsPerPatternMax: 160,
  /** Further sets of literals that a text must hold for an expression to run, and the literals of one of them. */
  furtherSetsMax: 2,
  literalsPerFurtherSetMax: 48,
  /** Code units that a search for a fixed text passes over while an expression reads one: what the late question costs, in steps. */
  unitsPassedPerStep: 32,
  /** Code units of the window in which an expression runs. */
  windowChars: 512,
  /** How far from its literal a match may reach to either side, at least. */
  windowReachChars: 192,
  /** Hits of a literal this close to the first one share its window. */
  windowStrideChars: 128,
  /** Matches of one exception of a text test that are looked at for one match. */
  exceptionsTriedMax: 16,
  /** Matches of one pattern in one text that are looked at; more say nothing new. */
  hitsPerTextMax: 9,
  /** Names of properties that are remembered as leading nowhere, and the code units of one. */
  quietNamesMax: 4096,
  quietNameCharsMax: 32,
  /** Work units of one action: a fixed part, and a part for each code unit of its texts. */
  workBase: 4_194_304,
  workPerChar: 96,
  /** Commands followed backwards through a pipeline. */
  pipelineMax: 16,
} as const;
