/** @module Every limit of the command line. */

export const CLI_LIMITS = {
  /** Bytes of a file or of standard input. */
  fileBytesMax: 16 * 1024 * 1024,
  /** Bytes of an answer of the gateway. */
  answerBytesMax: 64 * 1024 * 1024,
  /** Milliseconds a request to the gateway may take. */
  requestMs: 30_000,
  /** Milliseconds `up` and `demo` wait for a server to be ready. */
  startMs: 30_000,
  /** Entries of the log fetched at once. */
  pageMax: 1000,
  /** Receipts replayed by one `replay --all`. */
  replayMax: 1_000_000,
} as const;
