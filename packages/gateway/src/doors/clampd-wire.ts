/**
 * @module The bodies of the Clampd wire, as JSON Schema for the door's validator, and their types. Unknown properties are tolerated:
 * clients are older and newer than this door. What is known must have its type; nothing is coerced.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';

/** JSON pointers of the body whose numbers a double cannot hold are kept beside the body by the parser. */
export interface ProxyBody {
  readonly tool: string;
  readonly params: JsonValue;
  readonly target_url?: string | null;
  readonly prompt_context?: string | null;
  readonly caller_agent_id?: string | null;
  readonly delegation_chain?: readonly string[] | null;
  readonly delegation_trace_id?: string | null;
  readonly delegation_purpose?: string | null;
  readonly tool_descriptor_hash?: string | null;
  readonly tool_description?: string | null;
  readonly tool_params_schema?: string | null;
  readonly origin?: JsonObject | null;
}

export interface InspectBody {
  readonly tool: string;
  readonly response_data: JsonValue;
  readonly request_id?: string | null;
  readonly scope_token?: string | null;
  readonly origin?: JsonObject | null;
}

export interface ScanBody {
  readonly text: string;
  readonly request_id?: string | null;
  readonly message_count?: number | null;
  readonly roles?: readonly string[] | null;
  readonly origin?: JsonObject | null;
}

export interface IntrospectBody {
  readonly token: string;
}

const text = (charsMax: number): object => ({ type: ['string', 'null'], maxLength: charsMax });

/** Where the agent was asked, as the client says. Read by the judge, where the policy has origins. */
const origin = { type: ['object', 'null'] };

const tool = {
  type: 'string',
  minLength: 1,
  maxLength: LIMITS.toolNameCharsMax,
  pattern: '^[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$',
};

const call = {
  tool,
  params: {},
  target_url: text(LIMITS.targetUrlCharsMax),
  prompt_context: text(LIMITS.bodyBytesMax),
  caller_agent_id: text(LIMITS.memberCharsMax),
  delegation_chain: {
    type: ['array', 'null'],
    maxItems: LIMITS.delegationMembersMax,
    items: { type: 'string', maxLength: LIMITS.memberCharsMax },
  },
  delegation_trace_id: text(LIMITS.memberCharsMax),
  delegation_purpose: text(LIMITS.descriptionCharsMax),
  tool_descriptor_hash: { type: ['string', 'null'], pattern: '^(?:sha256:)?[0-9a-f]{64}$|^$' },
  tool_description: text(LIMITS.descriptionCharsMax),
  tool_params_schema: text(LIMITS.schemaTextCharsMax),
  origin,
};

/** `target_url` must be there, and empty means: evaluate only. */
export const PROXY_SCHEMA: object = { type: 'object', required: ['tool', 'params', 'target_url'], properties: call };

export const VERIFY_SCHEMA: object = { type: 'object', required: ['tool', 'params'], properties: call };

export const INSPECT_SCHEMA: object = {
  type: 'object',
  required: ['tool', 'response_data'],
  properties: { tool, response_data: {}, request_id: text(LIMITS.memberCharsMax), scope_token: text(LIMITS.tokenCharsMax), origin },
};

export const SCAN_SCHEMA: object = {
  type: 'object',
  required: ['text'],
  properties: {
    text: { type: 'string' },
    request_id: text(LIMITS.memberCharsMax),
    message_count: { type: ['integer', 'null'] },
    roles: { type: ['array', 'null'], maxItems: 1024, items: { type: 'string', maxLength: 64 } },
    origin,
  },
};

export const INTROSPECT_SCHEMA: object = {
  type: 'object',
  required: ['token'],
  properties: { token: { type: 'string', maxLength: LIMITS.tokenCharsMax } },
};

export interface CountedPii {
  readonly pii_type: string;
  readonly count: number;
}

export interface CountedSecret {
  readonly secret_type: string;
  readonly count: number;
}

/** What `/v1/proxy`, `/v1/verify` and `/v1/inspect` answer. */
export interface DecisionWire {
  readonly request_id: string;
  readonly receipt_id: string | null;
  readonly allowed: boolean;
  readonly action: 'pass' | 'flag' | 'block' | 'exempt';
  /** 0 to 1. */
  readonly risk_score: number;
  readonly scope_granted: string | null;
  readonly tool_response: JsonValue;
  readonly denial_reason: string | null;
  readonly reasoning?: string;
  readonly matched_rules: readonly string[];
  readonly latency_ms: number;
  readonly degraded_stages: readonly string[];
  readonly session_flags: readonly string[];
  readonly scope_token?: string;
}

/** What `/v1/scan-input` and `/v1/scan-output` answer. */
export interface ScanWire {
  readonly request_id: string;
  readonly receipt_id: string | null;
  readonly allowed: boolean;
  readonly risk_score: number;
  readonly denial_reason: string | null;
  readonly matched_rules: readonly string[];
  readonly latency_ms: number;
  readonly degraded_stages: readonly string[];
  readonly session_flags: readonly string[];
  readonly pii_found: readonly CountedPii[];
  readonly secrets_found: readonly CountedSecret[];
}
