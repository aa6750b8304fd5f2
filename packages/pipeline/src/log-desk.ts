/**
 * @module What operators do with the log itself: proofs for whoever follows it, its keys, and moving old segments away and back. The
 * operator door and the command line speak to this port; packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';

/** Codes of refusals an operator can cause. */
export type LogDeskFaultCode =
  | 'checkpoint_unreadable'
  | 'checkpoint_ahead'
  | 'checkpoint_forked'
  | 'checkpoint_order'
  | 'invalid_archive'
  | 'invalid_before'
  | 'log_keys_full'
  | 'log_key_last';

export type LogDeskResult<T> = Result<T, Fault<LogDeskFaultCode>>;

export interface LogKeysView {
  readonly origin: string;
  /** Verifier keys that sign, the oldest first. */
  readonly active: readonly string[];
  readonly former: readonly string[];
}

export interface ArchiveRequest {
  /** Whole segments below this place in the log go; or those whose entries are all older than this time (RFC 3339, UTC, milliseconds). */
  readonly before: number | string;
  /** Absolute path of a directory on the machine of the log. */
  readonly directory: string;
}

export interface MovedSegments {
  readonly segments: number;
  readonly records: number;
  readonly bytes: number;
  /** Place in the log of the first record that is here now. */
  readonly firstPresent: number;
}

/** @throws CodedError where log or storage fail: `log_archive_mismatch`, `log_segment_missing`, ... */
export interface LogDesk {
  keys(): LogKeysView;
  /** From now on a further key signs beside the older ones. */
  rotateKey(): Promise<LogDeskResult<LogKeysView>>;
  /** Drops the oldest key; its seed is destroyed. */
  retireKey(): Promise<LogDeskResult<LogKeysView>>;
  /** A consistency file from a signed checkpoint of this log to a later one, or to the newest. */
  consistency(old: string, newer?: string): Promise<LogDeskResult<Uint8Array>>;
  archive(request: ArchiveRequest): Promise<LogDeskResult<MovedSegments>>;
  restore(directory: string): Promise<LogDeskResult<MovedSegments>>;
}
