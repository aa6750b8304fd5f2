/**
 * @module Every error of the Clampd door: which status and `error_code` it has on that wire. What is not named here is a 500 that
 * blames nobody, and no error ever carries `allowed: true`.
 */
import type { Fault } from '@countersign/kernel';
import type { AuthenticationCode, RefusalCode } from '@countersign/pipeline';

/** Codes of refusals the door makes itself. */
export type DoorCode =
  | 'invalid_json'
  | 'invalid_body'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'invalid_delegation_confidence'
  | 'invalid_caller_agent_id'
  | 'unauthorized_tool'
  | 'ssrf_blocked'
  | 'not_found'
  | 'method_not_allowed'
  | 'headers_too_large'
  | 'request_timeout'
  | 'malformed_request';

export type ClampdCode = DoorCode | AuthenticationCode | RefusalCode;

interface WireError {
  readonly status: number;
  /** Where the wire knows another word for it. */
  readonly code?: string;
}

const WIRE: Readonly<Record<ClampdCode, WireError>> = {
  invalid_json: { status: 422 },
  invalid_body: { status: 422 },
  payload_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  invalid_delegation_confidence: { status: 400 },
  invalid_caller_agent_id: { status: 400 },
  unauthorized_tool: { status: 403 },
  ssrf_blocked: { status: 403 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  malformed_request: { status: 400 },
  headers_too_large: { status: 431 },
  request_timeout: { status: 408 },
  missing_api_key: { status: 401 },
  invalid_api_key: { status: 401 },
  missing_jwt: { status: 401 },
  invalid_jwt: { status: 401 },
  org_mismatch: { status: 403 },
  action_too_large: { status: 413, code: 'payload_too_large' },
  invalid_action: { status: 422 },
  invalid_session_id: { status: 400 },
  session_ended: { status: 409 },
  invalid_delegation_chain: { status: 400 },
  delegation_unknown_caller: { status: 403 },
  agent_not_found: { status: 404 },
  agent_killed: { status: 403 },
  agent_suspended: { status: 403 },
  tool_not_registered: { status: 422 },
  policy_unavailable: { status: 503 },
  state_unavailable: { status: 503, code: 'registry_unavailable' },
  engine_unavailable: { status: 503, code: 'intent_unavailable' },
  log_unavailable: { status: 503 },
  overloaded: { status: 503 },
  shutting_down: { status: 503 },
  timeout: { status: 503 },
  internal: { status: 500 },
};

/** The stage that is degraded when a decision could not be made, in the words of the wire. */
const DEGRADED: Readonly<Partial<Record<ClampdCode, string>>> = {
  policy_unavailable: 'policy',
  state_unavailable: 'registry',
  engine_unavailable: 'intent',
  log_unavailable: 'audit',
};

export interface ErrorWire {
  readonly error: string;
  readonly error_code: string;
  readonly allowed: false;
  readonly action: 'block';
  readonly path?: string;
  readonly hint?: string;
  readonly request_id?: string;
  readonly receipt_id: string | null;
  readonly degraded_stages: readonly string[];
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorWire;
}

/** Receipt and request a refusal belongs to, where it got that far. */
export interface ErrorOrigin {
  readonly requestId?: string;
  readonly receiptId?: string | null;
}

/** The error a client sees for a fault. */
export function clampdError(fault: Fault<ClampdCode>, origin: ErrorOrigin = {}): ErrorAnswer {
  const { status, code } = WIRE[fault.code];
  const degraded = DEGRADED[fault.code];
  return {
    status,
    body: {
      error: fault.message,
      error_code: code ?? fault.code,
      allowed: false,
      action: 'block',
      ...(fault.path === undefined ? {} : { path: fault.path }),
      ...(fault.hint === undefined ? {} : { hint: fault.hint }),
      ...(origin.requestId === undefined ? {} : { request_id: origin.requestId }),
      receipt_id: origin.receiptId ?? null,
      degraded_stages: degraded === undefined ? [] : [degraded],
    },
  };
}

/** A fault that travels as an exception through the HTTP framework. */
export class DoorError extends Error {
  override readonly name = 'DoorError';
  readonly fault: Fault<ClampdCode>;

  constructor(fault: Fault<ClampdCode>) {
    super(fault.message);
    this.fault = fault;
  }
}

interface FrameworkError {
  readonly code: string;
  readonly statusCode: number;
  readonly validation: readonly { readonly instancePath?: unknown; readonly message?: unknown }[] | undefined;
}

function readFrameworkError(error: unknown): FrameworkError {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  return {
    code: typeof fields['code'] === 'string' ? fields['code'] : '',
    statusCode: typeof fields['statusCode'] === 'number' ? fields['statusCode'] : 500,
    validation: Array.isArray(fields['validation']) ? (fields['validation'] as FrameworkError['validation']) : undefined,
  };
}

function validationFault(validation: NonNullable<FrameworkError['validation']>): Fault<ClampdCode> {
  const first = validation[0];
  const path = typeof first?.instancePath === 'string' ? first.instancePath : '';
  const message = typeof first?.message === 'string' ? first.message : 'does not have the form this route expects';
  return { code: 'invalid_body', message: `the body ${path === '' ? '' : `at \`${path}\` `}${message}`, path };
}

/** Whatever was thrown on the way through the framework, as a fault of this door. */
export function faultOfThrown(error: unknown): Fault<ClampdCode> {
  if (error instanceof DoorError) return error.fault;
  const { code, statusCode, validation } = readFrameworkError(error);
  if (validation !== undefined) return validationFault(validation);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { code: 'payload_too_large', message: 'the body is too large', hint: 'send at most 1 MiB' };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { code: 'unsupported_media_type', message: 'the body must be `application/json`' };
  if (statusCode >= 400 && statusCode < 500) return { code: 'malformed_request', message: 'the request could not be read' };
  return { code: 'internal', message: 'the gateway failed; nothing was allowed' };
}
