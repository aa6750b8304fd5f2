/**
 * @module What a guarded call throws. A refusal is always this one class, whether the policy spoke or nobody could be asked:
 * callers that only want to know `may I` catch one thing.
 */
import type { Answer } from './answer.ts';
import type { BlockedCode } from './blocked-code.ts';

export interface BlockedDetails {
  readonly code: BlockedCode;
  /** A sentence; may quote what a guard said of the input. */
  readonly reason: string;
  readonly answer?: Answer;
}

type Known = Pick<Answer, 'matchedRules' | 'risk' | 'receiptId' | 'requestId' | 'sessionFlags'>;

/** What is known where nobody answered. */
const NOBODY: Known = { matchedRules: [], risk: 1, receiptId: null, requestId: null, sessionFlags: [] };

function messageOf(details: BlockedDetails): string {
  const { matchedRules, risk, sessionFlags } = details.answer ?? NOBODY;
  const rules = matchedRules.length > 0 ? ` | rules: ${matchedRules.join(', ')}` : '';
  const session = sessionFlags.length > 0 ? ` | session: ${sessionFlags.join(', ')}` : '';
  return `Blocked: ${details.reason} (risk=${risk.toFixed(2)})${rules}${session}`;
}

/** The call did not happen (`response_blocked`, `response_not_json`: it did, and its result is withheld). */
export class CountersignBlockedError extends Error {
  override readonly name = 'CountersignBlockedError';
  readonly code: BlockedCode;
  readonly reason: string;
  /** Ids of the rules that held. */
  readonly rules: readonly string[];
  /** 0..1; 1 where nobody could be asked. */
  readonly risk: number;
  /** Null where nothing was recorded. */
  readonly receiptId: string | null;
  readonly requestId: string | null;
  readonly sessionFlags: readonly string[];

  constructor(details: BlockedDetails) {
    super(messageOf(details));
    const answer = details.answer ?? NOBODY;
    this.code = details.code;
    this.reason = details.reason;
    this.rules = answer.matchedRules;
    this.risk = answer.risk;
    this.receiptId = answer.receiptId;
    this.requestId = answer.requestId;
    this.sessionFlags = answer.sessionFlags;
  }
}
