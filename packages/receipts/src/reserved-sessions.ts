/** @module Chains that no agent writes to: what happens to the vault of an org, and what happens to a log. */

export const VAULT_SESSION = 'countersign.vault';
export const LOG_SESSION = 'countersign.log';
/** Stands where an org would, in entries about the log itself. */
export const LOG_ORG = 'countersign';
