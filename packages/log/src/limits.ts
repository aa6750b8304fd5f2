/** @module Every limit of the log, in one place; each has a test at n and n + 1. */

export interface LogLimits {
  /** Bytes of one entry. tlog-tiles gives an entry a two-byte length. */
  readonly entryBytesMax: number;
  /** Attachments of one record. */
  readonly attachmentsMax: number;
  /** Bytes of one record: entry and attachments together. */
  readonly recordBytesMax: number;
  /** Records that are staged and not yet durable. */
  readonly queueRecordsMax: number;
  /** Bytes that are staged and not yet durable. */
  readonly queueBytesMax: number;
  /** A segment that has reached this many bytes is closed; the next batch opens another. */
  readonly segmentBytesMax: number;
  /** Durable records that may wait for publication before the next batch has to wait for it. */
  readonly unpublishedRecordsMax: number;
  /** Full tiles kept in memory for proofs. */
  readonly tileCacheMax: number;
}

export const LOG_LIMITS: LogLimits = {
  entryBytesMax: 65_535,
  attachmentsMax: 8,
  recordBytesMax: 16_777_216,
  queueRecordsMax: 65_536,
  queueBytesMax: 67_108_864,
  segmentBytesMax: 33_554_432,
  unpublishedRecordsMax: 65_536,
  tileCacheMax: 256,
};

/** Bytes read from a segment in one call while the journal is scanned. */
export const SCAN_BYTES: number = 1_048_576;

/** Bytes of an `add-checkpoint` request: 63 proof lines and a note with dozens of signatures fit. */
export const WITNESS_BODY_BYTES_MAX = 65_536;

/** Proof lines of an `add-checkpoint` request; C2SP tlog-witness has the same number. */
export const WITNESS_PROOF_LINES_MAX = 63;
