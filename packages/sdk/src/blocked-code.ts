/** @module Why a guarded call did not happen, as stable codes. */

/** Add-only. `denied` is a verdict; every other code says why no verdict could be had, or could not be trusted. */
export type BlockedCode =
  | 'denied'
  | 'gateway_refused'
  | 'gateway_unreachable'
  | 'gateway_timeout'
  | 'gateway_answer_invalid'
  | 'circuit_open'
  | 'request_too_large'
  | 'arguments_not_json'
  | 'response_not_json'
  | 'response_blocked'
  | 'internal';
