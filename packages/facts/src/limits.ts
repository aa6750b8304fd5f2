/** @module Every limit of the parts of this room that read text; each has a test at n and n + 1. Shell and SQL keep theirs beside their readers. */

/** Lengths are UTF-16 code units unless a name says otherwise. */
export const FACTS_LIMITS = {
  /** Texts (leaves and layers) of one action. */
  textsMax: 2048,
  /** Length of all leaves of one action together; a leaf that would exceed it is cut at the rest. */
  leafCharsMax: 1_048_576,
  /** Nested containers that are entered. */
  depthMax: 64,
  /** Decoders one after another. */
  decodeDepthMax: 6,
  /** Length of all decoded layers of one action together. */
  decodeCharsMax: 2_097_152,
  /** Embedded runs (base64, hex) decoded in one text. */
  runsPerTextMax: 64,
  /** Shortest base64 run inside longer text. */
  base64RunMin: 16,
  /** Shortest bare hex run inside longer text; after `0x` four fewer. */
  hexRunMin: 16,
  /** Fewest single letters in a row that are drawn together. */
  spacedLettersMin: 8,
  /** Fewest bits in a row of zero-width characters that are read as a message. */
  zeroWidthBitsMin: 32,
  pathsMax: 512,
  hostsMax: 512,
  /** URLs read in one text, the same one again included. */
  urlsPerTextMax: 2048,
  secretsMax: 256,
  piiMax: 512,
  /** Longest text that is searched for paths by shape. */
  pathTextMax: 8192,
  /** Longest path that is normalized; the rest is cut and named. */
  pathCharsMax: 4096,
  /** Longest part of a URL after its scheme that is read; the rest is left out. */
  urlCharsMax: 2048,
  /** How much of a secret is remembered, so that a layer does not repeat what its leaf said. */
  secretTokenMax: 512,
  /** Longest value of an assignment that is read; the rest of a longer one is left out of its span. */
  secretValueMax: 256,
  /** Commands and statements of one action. */
  commandsMax: 1024,
  statementsMax: 512,
  /** Texts in which code of another language was found. */
  codesMax: 512,
  /** Tags of markup and tokens of script held at once: a longer text is read in pieces. */
  tagsMax: 1024,
  scriptTokensMax: 8192,
  /** Attributes of one tag: behind more, the next tag is looked for. What is kept of a value. */
  attributesMax: 128,
  attributeCharsMax: 2048,
  /** Levels and aliases of one GraphQL operation beyond which it asks for more than a page shows; own fields that are looked at. */
  graphqlDepthMax: 12,
  graphqlAliasesMax: 24,
  graphqlFieldsMax: 256,
  /** Words of the verb of a tool's command line. */
  verbWordsMax: 6,
  /** Shortest text, and fewest words of one, that the classifier weighs; facts of it in one action. */
  proseCharsMin: 16,
  proseWordsMin: 4,
  proseMax: 64,
  /** Texts given to the shell reader and to the SQL reader. */
  shellTextsMax: 32,
  sqlTextsMax: 64,
} as const;
