/**
 * @module What operators do to the vault: erase the content of a subject, change keys, count. The operator door and the command line
 * speak to this port; packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';

/** Codes of refusals an operator can cause. */
export type VaultFaultCode = 'invalid_subject' | 'invalid_reason' | 'subject_unknown';

export type VaultResult<T> = Result<T, Fault<VaultFaultCode>>;

export interface VaultView {
  /** Whose keys are there: end users, agents, and each org for its own entries. */
  readonly subjects: number;
  /** Keys that open something. */
  readonly keys: number;
  /** Keys that were destroyed. */
  readonly erased: number;
}

export interface ErasureRequest {
  readonly org: string;
  /** The end user as actions named them, or the id of an agent. */
  readonly subject: string;
  /** Who asked. */
  readonly by: string;
  /** 1 to 160 characters of printable ASCII without `"` and `\`: it stands in the log. */
  readonly reason: string;
}

/** What was erased, and the entry that says so. */
export interface Erased {
  /** Id of the entry. */
  readonly id: string;
  /** Its place in the log. */
  readonly index: number;
  /** RFC 3339. */
  readonly time: string;
  /** How many keys were destroyed. */
  readonly keys: number;
}

/** @throws CodedError where vault, state or log fail: `vault_unavailable`, `erasure_not_entered`, ... */
export interface VaultDesk {
  view(): VaultView;
  /**
   * On return the keys of everything that was sealed for the subject before the call are gone from disk and memory, and the entry is
   * durable. Cut short by a crash it is either not done at all, or entered at the next start.
   */
  erase(request: ErasureRequest): Promise<VaultResult<Erased>>;
  /** What comes is sealed under a new key, of one subject or of all. Durable on return. */
  rotate(subject?: { readonly org: string; readonly subject: string }): VaultResult<VaultView>;
}
