/** @module Every limit of the page; each has a test at n and n + 1. */

export const PAGE_LIMITS = {
  /** Files in the list at once. */
  filesMax: 1000,
  /** Bytes of one file: what a bundle may have (BNDL-001). A larger one is not even read. */
  fileBytesMax: 33_554_432,
  /** Bytes of all files in the list. */
  listBytesMax: 268_435_456,
  /** Characters of one text of a file that are shown; the rest is counted. */
  shownCharsMax: 400,
  /** Characters of a file's name that are shown. */
  nameCharsMax: 120,
  /** Reasons, members of a delegation chain and findings that are shown one by one. */
  shownItemsMax: 32,
  /** Characters of the whole entry, as indented JSON. */
  entryCharsMax: 40_000,
  /** Characters of all lines of one key box. */
  keysCharsMax: 65_536,
} as const;
