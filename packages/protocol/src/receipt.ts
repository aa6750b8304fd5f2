/**
 * @module Receipt and Outcome: the bodies of log entries. Formats are final; see `spec/receipt.md`.
 */
import type { Trace } from './action.ts';
import type { Span } from './facts.ts';
import type { Verdict } from './verdict.ts';

export const RECEIPT_TYPE = 'countersign.receipt.v1';
export const OUTCOME_TYPE = 'countersign.outcome.v1';
export const SESSION_END_TYPE = 'countersign.session-end.v1';
export const LOG_KEY_TYPE = 'countersign.log-key.v1';

export const ERASURE_TYPE = 'countersign.erasure.v1';

/** Fields every entry of a session chain has. */
export interface ChainLink {
  /** Origin line of the log. */
  readonly log: string;
  readonly session: string;
  /** Gap-free from 0 within this session in this log; receipts and outcomes share the counter. */
  readonly seq: number;
  /** Lower-case hex SHA-256 of the previous `JCS(body)` of this chain, or null at 0. */
  readonly prev: string | null;
}

export interface Principal {
  readonly org: string;
  readonly agent: string;
  readonly delegation: readonly string[];
  readonly trace?: Trace;
}

/** What the log says of an action: never a value from it. */
export interface ActionSummary {
  readonly id: string;
  readonly kind: string;
  /** Canonical tool name, capped at 128 characters; anything outside `[A-Za-z0-9_.:/-]` is replaced by `?`. */
  readonly tool?: string;
  readonly descriptor?: string;
  /** SHA-256(salt || JCS(Action)), hex. */
  readonly commitment: string;
  /** JSON pointers of the string leaves of params, at most 16, property names only. */
  readonly fields: readonly string[];
  readonly fieldsCut: number;
}

export interface ReceiptInputs {
  /** Hex SHA-256 of JCS of the resolved policy document. */
  readonly policy: string;
  /** Hex SHA-256 of JCS of the resolved rule documents. */
  readonly rules: string;
  /** Hex SHA-256 of the built single-file judge. */
  readonly engine: string;
  /** SHA-256(salt || JCS(StateSlice)), hex. */
  readonly state: string;
  /** SHA-256(salt || JCS(Signal[])), hex. */
  readonly signals: string;
}

export interface ReceiptBody extends ChainLink {
  readonly type: typeof RECEIPT_TYPE;
  /** UUIDv7. */
  readonly id: string;
  /** RFC 3339, milliseconds, UTC: the `now` the judge was given. */
  readonly time: string;
  readonly principal: Principal;
  readonly action: ActionSummary;
  readonly inputs: ReceiptInputs;
  readonly verdict: Verdict;
  readonly signing: 'batch' | 'each';
  readonly durability: 'synced' | 'fast';
  /** By when an outcome is due, RFC 3339, or null where none is expected. */
  readonly outcomeBy: string | null;
  readonly coverage: 'L0' | 'L1' | 'L2' | 'L3';
}

export interface OutcomeBody extends ChainLink {
  readonly type: typeof OUTCOME_TYPE;
  readonly id: string;
  readonly time: string;
  /** Org of the session: chains of two orgs are two, whatever their sessions are called. */
  readonly org: string;
  /** The receipt it belongs to. */
  readonly receipt: string;
  readonly status: 'ok' | 'error' | 'blocked' | 'timeout' | 'unknown';
  /** HTTP status of the upstream, where there is one. */
  readonly code?: number;
  readonly durationMs: number;
  /** SHA-256(salt || response bytes), hex, or null where there was no response. */
  readonly response: string | null;
  /** Rule ids and spans of what the post-action fence found. */
  readonly findings: readonly { readonly rule: string; readonly evidence: readonly Span[] }[];
  /** How many more findings there were. */
  readonly findingsCut: number;
  readonly redactions: number;
}

/** Closes a session's chain. */
export interface SessionEndBody extends ChainLink {
  readonly type: typeof SESSION_END_TYPE;
  readonly id: string;
  readonly time: string;
  /** Org of the session. */
  readonly org: string;
  readonly reason: string;
}

/** The content of a subject cannot be opened any more: its keys were destroyed before this was written. */
export interface ErasureBody extends ChainLink {
  readonly type: typeof ERASURE_TYPE;
  readonly id: string;
  readonly time: string;
  readonly org: string;
  /** SHA-256(salt || JCS({org, subject})), hex: a log does not say who was erased. */
  readonly subject: string;
  /** How many keys were destroyed. */
  readonly keys: number;
  readonly by: string;
  readonly reason: string;
}

/** Says which keys sign the checkpoints of the log from now on. */
export interface LogKeyBody extends ChainLink {
  readonly type: typeof LOG_KEY_TYPE;
  readonly id: string;
  readonly time: string;
  readonly org: string;
  /** Verifier keys, the oldest first. */
  readonly keys: readonly string[];
  readonly added: string | null;
  readonly retired: string | null;
}

export type EntryBody = ReceiptBody | OutcomeBody | SessionEndBody | LogKeyBody | ErasureBody;

export interface EntrySignature {
  /** First 16 hex of SHA-256(public key). */
  readonly keyId: string;
  /** base64url Ed25519 over JCS(body). */
  readonly sig: string;
}

/** What a log leaf is: `JCS({body, signatures})`. */
export interface Entry {
  readonly body: EntryBody;
  readonly signatures: readonly EntrySignature[];
}
