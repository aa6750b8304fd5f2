/** @module The codes with which a log stops or refuses. Add-only. */
import { CodedError, codeOf } from '@countersign/kernel';

export type LogErrorCode =
  | 'log_failed' // storage failed; nothing more is accepted until the log is opened again
  | 'log_queue_full' // too much is staged and not yet durable
  | 'log_closed' // `close` was called
  | 'log_record_too_large' // entry, attachments or their number exceed a limit
  | 'log_corrupt' // the journal or a tile does not say what was written; the path and offset are named
  | 'log_rolled_back' // the journal holds less than a checkpoint that was already published
  | 'log_forked' // the journal does not lead to the root of the published checkpoint
  | 'log_wrong_origin' // the checkpoint on storage belongs to another log or another key
  | 'log_archived' // the record was moved to an archive
  | 'log_archive_mismatch' // an archive does not hold what was moved to it
  | 'log_segment_missing' // a segment is gone, and nothing says where
  | 'log_out_of_range'; // no such index or tree size

interface Details {
  readonly path?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

export function logError(code: LogErrorCode, message: string, details: Details = {}): CodedError<LogErrorCode> {
  const { path, hint, cause } = details;
  const fault = { code, message, ...(path === undefined ? {} : { path }), ...(hint === undefined ? {} : { hint }) };
  return new CodedError(fault, cause === undefined ? undefined : { cause });
}

/** The one error that all pending and later appends get once storage has failed. */
export function logFailed(cause: unknown): CodedError<LogErrorCode> {
  return logError('log_failed', `the log stopped: storage failed with \`${codeOf(cause)}\``, {
    hint: 'repair the storage, then open the log again: every acknowledged entry is still there',
    cause,
  });
}
