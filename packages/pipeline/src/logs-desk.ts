/**
 * @module What operators do with the logs of an installation: see them, make another, have an org write to another one
 * (spec/log.md LOG-080 to LOG-085). The operator door and the command line speak to this port; packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';
import type { OrgRecord } from './ports.ts';

/** The log that every installation has. */
export const MAIN_LOG = 'main';

/** Codes of refusals an operator can cause. */
export type LogsFaultCode =
  | 'invalid_log_name'
  | 'invalid_origin'
  | 'log_exists'
  | 'origin_taken'
  | 'logs_full'
  | 'log_unknown'
  | 'not_found'
  | 'log_unavailable';

export type LogsResult<T> = Result<T, Fault<LogsFaultCode>>;

export interface LogView {
  readonly name: string;
  /** Null where the log did not open and its origin is not known. */
  readonly origin: string | null;
  /** Verifier keys that sign, the oldest first. */
  readonly keys: readonly string[];
  /** Durable entries; null where the log did not open. */
  readonly size: number | null;
  /** Orgs that write to it. */
  readonly orgs: number;
  /** Why it takes nothing, or null. */
  readonly problem: string | null;
}

export interface LogDraft {
  /** 1 to 32 of `a-z0-9-`. */
  readonly name: string;
  /** First line of its checkpoints, for life; made from its key where it is not said. */
  readonly origin?: string;
}

export interface LogsDesk {
  /** `main` first, the others by name. */
  list(): readonly LogView[];
  /** On return the log is there for good and takes entries. Cut short by a crash it is either not there, or whole at the next start. */
  create(draft: LogDraft): Promise<LogsResult<LogView>>;
  /**
   * On return the org writes to this log. What it wrote so far stays where it is, and every change of state of it is in the tables.
   * @throws CodedError `state_unavailable`; the org then writes where it did.
   */
  moveOrg(org: string, log: string): Promise<LogsResult<OrgRecord>>;
}
