/** @module Every limit of the command line. */

interface CliLimits {
  readonly fileBytesMax: number;
  readonly answerBytesMax: number;
  readonly bundleNodesMax: number;
  readonly requestMs: number;
  readonly startMs: number;
  readonly pageMax: number;
  readonly replayMax: number;
}

export const CLI_LIMITS: CliLimits = {
  /** Bytes of a file or of standard input. */
  fileBytesMax: 16 * 1024 * 1024,
  /** Bytes of an answer of the gateway. */
  answerBytesMax: 64 * 1024 * 1024,
  /** Values in a bundle. */
  bundleNodesMax: 10_000_000,
  /** Milliseconds a request to the gateway may take. */
  requestMs: 30_000,
  /** Milliseconds `up` and `demo` wait for a server to be ready. */
  startMs: 30_000,
  /** Entries of the log fetched at once. */
  pageMax: 1000,
  /** Receipts replayed by one `replay --all`. */
  replayMax: 1_000_000,
};
