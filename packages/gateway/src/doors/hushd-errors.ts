/** @module Errors of the hushd door: Clawdstrike's envelope, codes of its and of ours, and which status each has. */
import type { Fault } from '@countersign/kernel';
import type { RefusalCode } from '@countersign/pipeline';
import { faultOfThrown } from './clampd-errors.ts';

const STATUS = {
  UNAUTHORIZED: 401,
  INSUFFICIENT_SCOPE: 403,
  ROUTE_NOT_LISTED: 403,
  NOT_FOUND: 404,
  UNSUPPORTED_ENDPOINT: 501,
  RATE_LIMITED: 429,
  INVALID_BODY: 400,
  INVALID_JSON: 400,
  INVALID_QUERY: 400,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNKNOWN_ACTION_TYPE: 400,
  INVALID_TARGET: 400,
  INVALID_EGRESS_TARGET: 400,
  INVALID_OUTPUT_SEND: 400,
  INVALID_AGENT_IDENTITY: 400,
  INVALID_EVENT: 400,
  SESSION_ID_REQUIRED: 400,
  INVALID_SESSION: 403,
  API_KEY_SESSION_BINDING_MISMATCH: 403,
  SESSION_IDENTITY_MISMATCH: 403,
  SESSION_NOT_FOUND: 404,
  SESSION_STATE_REFUSED: 403,
  SESSION_LIMIT: 503,
  SESSION_BUSY: 409,
  INVALID_TTL: 400,
  POSTURE_STATE_NOT_INITIALIZED: 400,
  INVALID_TRIGGER: 400,
  TRANSITION_REFUSED: 409,
  INVALID_POLICY: 400,
  POLICY_NOT_FOUND: 404,
  INVALID_POLICY_BUNDLE: 400,
  POLICY_BUNDLE_UNTRUSTED: 403,
  POLICY_BUNDLE_NOT_FOUND: 404,
  INVALID_RECEIPT: 400,
  RECEIPT_NOT_FOUND: 404,
  AGENT_LIMIT: 503,
  TOO_MANY_SUBSCRIBERS: 503,
  AGENT_REFUSED: 403,
  INVALID_ACTION: 400,
  POLICY_UNAVAILABLE: 503,
  AUDIT_UNAVAILABLE: 503,
  UNAVAILABLE: 503,
  INTERNAL: 500,
} as const;

export type HushdCode = keyof typeof STATUS;

/** Refusals of the pipeline, in the words of this wire. */
const REFUSALS: Readonly<Record<RefusalCode, HushdCode>> = {
  action_too_large: 'PAYLOAD_TOO_LARGE',
  invalid_action: 'INVALID_ACTION',
  invalid_session_id: 'INVALID_SESSION',
  session_ended: 'INVALID_SESSION',
  invalid_delegation_chain: 'INVALID_ACTION',
  delegation_unknown_caller: 'AGENT_REFUSED',
  agent_not_found: 'AGENT_REFUSED',
  agent_killed: 'AGENT_REFUSED',
  agent_suspended: 'AGENT_REFUSED',
  org_mismatch: 'AGENT_REFUSED',
  tool_not_registered: 'INVALID_ACTION',
  policy_unavailable: 'POLICY_UNAVAILABLE',
  state_unavailable: 'UNAVAILABLE',
  engine_unavailable: 'UNAVAILABLE',
  log_unavailable: 'AUDIT_UNAVAILABLE',
  overloaded: 'UNAVAILABLE',
  shutting_down: 'UNAVAILABLE',
  timeout: 'UNAVAILABLE',
  internal: 'INTERNAL',
};

export interface HushdOrigin {
  readonly requestId?: string;
  readonly receiptId?: string | null;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number;
}

/** A fault that travels as an exception through the HTTP framework. */
export class HushdError extends Error {
  override readonly name = 'HushdError';
  readonly fault: Fault<HushdCode>;
  readonly origin: HushdOrigin;

  constructor(fault: Fault<HushdCode>, origin: HushdOrigin = {}) {
    super(fault.message);
    this.fault = fault;
    this.origin = origin;
  }
}

/** What the pipeline refused, as an error of this door; the code of the pipeline stays in the text. */
export function refusalError(refusal: Fault<RefusalCode>, origin: HushdOrigin): HushdError {
  const { code, message, hint } = refusal;
  return new HushdError({ code: REFUSALS[code], message: `${message} (${code})`, ...(hint === undefined ? {} : { hint }) }, origin);
}

export interface HushdErrorAnswer {
  readonly status: number;
  readonly body: object;
  readonly retryAfter?: number;
}

const FRAMEWORK: Readonly<Record<string, HushdCode>> = {
  payload_too_large: 'PAYLOAD_TOO_LARGE',
  unsupported_media_type: 'UNSUPPORTED_MEDIA_TYPE',
  malformed_request: 'INVALID_BODY',
};

function errorOf(error: unknown): HushdError {
  if (error instanceof HushdError) return error;
  const { code, message } = faultOfThrown(error);
  return new HushdError({ code: FRAMEWORK[code] ?? 'INTERNAL', message });
}

/** Status and envelope of whatever was thrown. Says nothing of an error that is not one of ours. */
export function hushdError(error: unknown, requestId: string): HushdErrorAnswer {
  const { fault, origin } = errorOf(error);
  const { code, message, path, hint } = fault;
  const { receiptId, retryAfter } = origin;
  const details = {
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
    ...(receiptId === undefined || receiptId === null ? {} : { receipt_id: receiptId }),
  };
  const retry = retryAfter === undefined ? {} : { retryAfter };
  return {
    status: STATUS[code],
    ...retry,
    body: {
      error: {
        code,
        message,
        ...(Object.keys(details).length === 0 ? {} : { details }),
        requestId: origin.requestId ?? requestId,
        ...retry,
      },
    },
  };
}
