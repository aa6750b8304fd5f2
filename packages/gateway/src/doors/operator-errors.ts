/** @module Every error of the operator door: status and body. */
import { CodedError, codeOf, type Fault } from '@countersign/kernel';
import type {
  AdminFaultCode,
  LogDeskFaultCode,
  LogsFaultCode,
  RulesFaultCode,
  SessionFaultCode,
  VaultFaultCode,
} from '@countersign/pipeline';
import { faultOfThrown } from './clampd-errors.ts';

/** Codes of refusals this door makes itself. */
export type OperatorCode =
  | AdminFaultCode
  | VaultFaultCode
  | SessionFaultCode
  | LogDeskFaultCode
  | LogsFaultCode
  | RulesFaultCode
  | 'rules_unwritable'
  | 'operator_unauthorized'
  | 'operator_forbidden'
  | 'method_not_allowed'
  | 'org_required'
  | 'policy_rejected'
  | 'invalid_format'
  | 'export_refused'
  | 'too_many_subscribers'
  | 'state_unavailable'
  | 'evidence_unavailable'
  | 'vault_erased'
  | 'vault_unavailable'
  | 'vault_empty'
  | 'log_archived'
  | 'log_archive_mismatch'
  | 'log_segment_missing'
  | 'archive_unusable'
  | 'erasure_not_entered';

const STATUS: Readonly<Record<OperatorCode, number>> = {
  invalid_name: 422,
  name_taken: 409,
  id_taken: 409,
  invalid_id: 422,
  invalid_scope: 422,
  invalid_label: 422,
  invalid_permission: 422,
  invalid_reason: 422,
  invalid_state_transition: 409,
  invalid_tool: 422,
  invalid_policy: 422,
  invalid_subject: 422,
  subject_unknown: 404,
  invalid_session: 422,
  session_unknown: 404,
  session_ended: 409,
  session_busy: 409,
  transition_refused: 409,
  checkpoint_unreadable: 422,
  checkpoint_ahead: 409,
  checkpoint_forked: 409,
  checkpoint_order: 422,
  invalid_archive: 422,
  invalid_before: 422,
  log_keys_full: 409,
  log_key_last: 409,
  not_found: 404,
  invalid_log_name: 422,
  invalid_origin: 422,
  log_exists: 409,
  origin_taken: 409,
  logs_full: 422,
  log_unknown: 404,
  log_unavailable: 503,
  limit_reached: 422,
  operator_unauthorized: 401,
  operator_forbidden: 403,
  method_not_allowed: 405,
  org_required: 422,
  policy_rejected: 422,
  rules_rejected: 422,
  rule_pack_unknown: 404,
  rules_unwritable: 503,
  invalid_format: 422,
  export_refused: 422,
  too_many_subscribers: 503,
  state_unavailable: 503,
  evidence_unavailable: 503,
  vault_erased: 410,
  vault_unavailable: 503,
  vault_empty: 409,
  log_archived: 409,
  log_archive_mismatch: 409,
  log_segment_missing: 503,
  archive_unusable: 503,
  erasure_not_entered: 503,
};

export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly fault: Fault<OperatorCode>;
  /** Everything that is wrong with a document, where there is more to say. */
  readonly faults: readonly Fault[] | undefined;

  constructor(fault: Fault<OperatorCode>, faults?: readonly Fault[]) {
    super(fault.message);
    this.fault = fault;
    this.faults = faults;
  }
}

export interface OperatorErrorAnswer {
  readonly status: number;
  readonly body: {
    readonly error: string;
    readonly error_code: string;
    readonly path?: string;
    readonly hint?: string;
    readonly faults?: readonly Fault[];
  };
}

function answer(status: number, fault: Fault): OperatorErrorAnswer {
  const { message, code, path, hint } = fault;
  return {
    status,
    body: { error: message, error_code: code, ...(path === undefined ? {} : { path }), ...(hint === undefined ? {} : { hint }) },
  };
}

/** Framework refusals keep the status they came with. */
const FRAMEWORK: Readonly<Record<string, number>> = {
  invalid_json: 422,
  invalid_body: 422,
  payload_too_large: 413,
  unsupported_media_type: 415,
  malformed_request: 400,
};

/** Codes of thrown errors whose sentence is for the operator. */
const SAID: readonly OperatorCode[] = [
  'vault_erased',
  'vault_unavailable',
  'vault_empty',
  'erasure_not_entered',
  'log_archived',
  'log_archive_mismatch',
  'log_segment_missing',
  'archive_unusable',
  'rules_unwritable',
];

/** What a client sees of anything thrown. */
export function operatorError(error: unknown): OperatorErrorAnswer {
  if (error instanceof OperatorError) {
    const { status, body } = answer(STATUS[error.fault.code], error.fault);
    return { status, body: error.faults === undefined ? body : { ...body, faults: error.faults } };
  }
  const code = codeOf(error);
  if (code === 'state_unavailable') return answer(503, { code, message: 'the state could not be read or written' });
  const said = error instanceof CodedError ? SAID.find((one) => one === code) : undefined;
  if (said !== undefined) return answer(STATUS[said], (error as CodedError).fault);
  if (error instanceof CodedError) return answer(503, { code: 'evidence_unavailable', message: `the gateway could not answer (${code})` });
  const fault = faultOfThrown(error);
  const status = FRAMEWORK[fault.code];
  if (status !== undefined) return answer(status, fault);
  return answer(500, { code: 'internal', message: `the gateway failed (${code})` });
}
