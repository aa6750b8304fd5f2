/** @module Every limit of the command line. */
import { RECEIPT_LIMITS } from '@countersign/receipts';

interface CliLimits {
  readonly fileBytesMax: number;
  readonly answerBytesMax: number;
  readonly bundleNodesMax: number;
  readonly requestMs: number;
  readonly moveMs: number;
  readonly startMs: number;
  readonly pageMax: number;
  readonly sessionEntriesMax: number;
  readonly toolsMax: number;
  readonly quoteChars: number;
  readonly explainedLines: number;
  readonly replayRowsMax: number;
  readonly replayKeptMax: number;
  readonly replayRangeMax: number;
  readonly replayAheadMax: number;
  readonly replayJobsMax: number;
  readonly replaySavedEvery: number;
  readonly publishedBytesMax: number;
  readonly serveConnectionsMax: number;
  readonly simulateRowsMax: number;
  readonly trackedSessionsMax: number;
  readonly judgingKeptMax: number;
}

export const CLI_LIMITS: CliLimits = {
  /** Bytes of a file or of standard input: as many as a bundle may have. */
  fileBytesMax: RECEIPT_LIMITS.bundleBytesMax,
  /** Bytes of an answer of the gateway. */
  answerBytesMax: 64 * 1024 * 1024,
  /** Values in a bundle. */
  bundleNodesMax: 10_000_000,
  /** Milliseconds a request to the gateway may take. */
  requestMs: 30_000,
  /** Milliseconds that moving segments to or from an archive may take. */
  moveMs: 6 * 3_600_000,
  /** Milliseconds `up` and `demo` wait for a server to be ready. */
  startMs: 30_000,
  /** Tools listed by one `tool list`. */
  toolsMax: 100_000,
  /** Characters of a quoted text, and facts listed, in an explanation for people. */
  quoteChars: 160,
  explainedLines: 40,
  /** Entries of the log, or tools, fetched at once. */
  pageMax: 1000,
  /** Entries at the end of the log that `session list` looks through. */
  sessionEntriesMax: 10_000,
  /** Lines about single receipts in the answer of one `replay`. */
  replayRowsMax: 1000,
  /** Checked documents, and loaded pairs of them, that one thread of `replay` keeps at once. */
  replayKeptMax: 16,
  /** Entries that a thread replays at once; a power of two, so that ranges begin where subtrees do. */
  replayRangeMax: 512,
  /** Ranges handed out and not joined, for each thread. */
  replayAheadMax: 4,
  /** Threads of one `replay`. */
  replayJobsMax: 64,
  /** Entries between two states of a resume file. */
  replaySavedEvery: 16_384,
  /** Bytes of a published file that `log serve` reads: a bundle of 256 entries of 65,535 bytes. */
  publishedBytesMax: 256 * (2 + 65_535),
  /** Readers of `log serve` at once; the next one is closed. */
  serveConnectionsMax: 256,
  /** Results in one JSON answer of `policy simulate` or `policy impact`; `--jsonl` has no such limit. */
  simulateRowsMax: 10_000,
  /** Sessions that one `policy simulate --track-posture` follows. */
  trackedSessionsMax: 10_000,
  /** Loaded engines that one process keeps. */
  judgingKeptMax: 4,
};
