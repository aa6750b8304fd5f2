/**
 * @module What the gateway answers, read strictly: an answer that is not wholly understood is a refusal.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import type { BlockedCode } from './blocked-code.ts';
import { SDK_LIMITS } from './limits.ts';

/** Why an answer is a refusal that no policy made; absent on a verdict. */
export type GatewayFault = Exclude<BlockedCode, 'denied' | 'arguments_not_json' | 'response_not_json' | 'response_blocked'>;

/** A decision on a call, a dry run or a response. */
export interface Answer {
  readonly allowed: boolean;
  readonly action: 'pass' | 'flag' | 'block' | 'exempt';
  /** 0..1. */
  readonly risk: number;
  readonly requestId: string | null;
  readonly receiptId: string | null;
  readonly denialReason: string | null;
  readonly reasoning: string | null;
  readonly matchedRules: readonly string[];
  readonly sessionFlags: readonly string[];
  readonly degradedStages: readonly string[];
  readonly scopeGranted: string | null;
  readonly scopeToken: string | null;
  readonly toolResponse: JsonValue;
  readonly latencyMs: number;
  readonly fault?: GatewayFault;
  /** HTTP status and `error_code` of a refusal, where the gateway gave them. */
  readonly status?: number;
  readonly errorCode?: string;
}

export interface CountedType {
  readonly type: string;
  readonly count: number;
}

/** A decision on a text. */
export interface ScanAnswer {
  readonly allowed: boolean;
  /** 0..1. */
  readonly risk: number;
  readonly receiptId: string | null;
  readonly denialReason: string | null;
  readonly matchedRules: readonly string[];
  readonly pii: readonly CountedType[];
  readonly secrets: readonly CountedType[];
  readonly latencyMs: number;
  readonly fault?: GatewayFault;
  readonly errorCode?: string;
}

/** What a scope token is still good for; asking consumes it. */
export interface Introspection {
  readonly active: boolean;
  readonly subject: string | null;
  readonly scope: string | null;
  /** Unix seconds. */
  readonly expires: number | null;
  readonly toolBinding: string | null;
  readonly reason: string | null;
}

export interface FaultDetails {
  readonly fault: GatewayFault;
  readonly reason: string;
  readonly status?: number;
  readonly errorCode?: string;
  readonly requestId?: string | null;
  /** Refusals of a known agent are recorded too. */
  readonly receiptId?: string | null;
}

/** The refusal that stands for an answer nobody gave. */
export function refusal(details: FaultDetails): Answer {
  return {
    allowed: false,
    action: 'block',
    risk: 1,
    requestId: details.requestId ?? null,
    receiptId: details.receiptId ?? null,
    denialReason: details.reason,
    reasoning: null,
    matchedRules: [],
    sessionFlags: [],
    degradedStages: [],
    scopeGranted: null,
    scopeToken: null,
    toolResponse: null,
    latencyMs: 0,
    fault: details.fault,
    ...(details.status === undefined ? {} : { status: details.status }),
    ...(details.errorCode === undefined ? {} : { errorCode: details.errorCode }),
  };
}

/** The same for a scan. */
export function scanRefusal(details: FaultDetails): ScanAnswer {
  const { risk, receiptId, denialReason, matchedRules, latencyMs } = refusal(details);
  const code = details.errorCode === undefined ? {} : { errorCode: details.errorCode };
  return { allowed: false, risk, receiptId, denialReason, matchedRules, pii: [], secrets: [], latencyMs, fault: details.fault, ...code };
}

/** The object of a body, or undefined where it is none. */
export function readObject(body: Uint8Array): JsonObject | undefined {
  const parsed = parseJson(body, { bytesMax: SDK_LIMITS.answerBytesMax });
  return parsed.ok && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
}

/** Text of a property, null where it is absent or null. Another type is a broken answer: undefined. */
function textOrNull(object: JsonObject, key: string): string | null | undefined {
  const value = getOwn(object, key) ?? null;
  return value === null || typeof value === 'string' ? value : undefined;
}

function texts(object: JsonObject, key: string): readonly string[] | undefined {
  const value = getOwn(object, key) ?? [];
  if (!Array.isArray(value)) return undefined;
  return value.every((item): item is string => typeof item === 'string') ? value : undefined;
}

function quantity(object: JsonObject, key: string, max: number): number | undefined {
  const value = getOwn(object, key);
  return typeof value === 'number' && value >= 0 && value <= max ? value : undefined;
}

const ACTIONS: ReadonlySet<unknown> = new Set(['pass', 'flag', 'block', 'exempt']);

/** True where the two fields that say yes or no say the same: an answer at odds with itself is not followed. */
function agrees(allowed: unknown, action: unknown): boolean {
  return typeof allowed === 'boolean' && ACTIONS.has(action) && allowed === (action !== 'block');
}

type Fields<Shape> = { readonly [Key in keyof Shape]: Shape[Key] | undefined };

/** All fields or nothing: one that could not be read spoils the answer. */
function complete<Shape extends object>(fields: Fields<Shape>): Shape | undefined {
  if (Object.values(fields).includes(undefined)) return undefined;
  // Every field was just seen to be there.
  return fields as Shape;
}

/** Reads a ProxyResponse; undefined where a field is missing or of another type. */
export function readAnswer(object: JsonObject): Answer | undefined {
  const allowed = getOwn(object, 'allowed');
  const action = getOwn(object, 'action');
  if (!agrees(allowed, action)) return undefined;
  const shared = readShared(object);
  const rest = complete<Omit<Answer, keyof NonNullable<typeof shared> | 'allowed' | 'action' | 'fault' | 'status' | 'errorCode'>>({
    requestId: textOrNull(object, 'request_id'),
    reasoning: textOrNull(object, 'reasoning'),
    sessionFlags: texts(object, 'session_flags'),
    degradedStages: texts(object, 'degraded_stages'),
    scopeGranted: textOrNull(object, 'scope_granted'),
    scopeToken: textOrNull(object, 'scope_token'),
    toolResponse: getOwn(object, 'tool_response') ?? null,
  });
  if (shared === undefined || rest === undefined) return undefined;
  // `agrees` has checked both.
  return { allowed: allowed as boolean, action: action as Answer['action'], ...shared, ...rest };
}

type Shared = Pick<Answer, 'risk' | 'receiptId' | 'denialReason' | 'matchedRules' | 'latencyMs'>;

function readShared(object: JsonObject): Shared | undefined {
  return complete<Shared>({
    risk: quantity(object, 'risk_score', 1),
    receiptId: textOrNull(object, 'receipt_id'),
    denialReason: textOrNull(object, 'denial_reason'),
    matchedRules: texts(object, 'matched_rules'),
    latencyMs: quantity(object, 'latency_ms', Number.MAX_SAFE_INTEGER),
  });
}

function readCounts(object: JsonObject, key: string, typeKey: string): readonly CountedType[] | undefined {
  const list = getOwn(object, key) ?? [];
  if (!Array.isArray(list)) return undefined;
  const counts: CountedType[] = [];
  for (const item of list) {
    const type = isJsonObject(item) ? getOwn(item, typeKey) : undefined;
    const count = isJsonObject(item) ? quantity(item, 'count', Number.MAX_SAFE_INTEGER) : undefined;
    if (typeof type !== 'string' || count === undefined) return undefined;
    counts.push({ type, count });
  }
  return counts;
}

/** Reads a scan response; undefined where a field is missing or of another type. */
export function readScanAnswer(object: JsonObject): ScanAnswer | undefined {
  const allowed = getOwn(object, 'allowed');
  const shared = readShared(object);
  const pii = readCounts(object, 'pii_found', 'pii_type');
  const secrets = readCounts(object, 'secrets_found', 'secret_type');
  if (typeof allowed !== 'boolean' || shared === undefined || pii === undefined || secrets === undefined) return undefined;
  return { allowed, ...shared, pii, secrets };
}

/** Reads an introspection; anything but a clear yes is a no. */
export function readIntrospection(object: JsonObject): Introspection {
  const active = getOwn(object, 'active') === true;
  const exp = getOwn(object, 'exp');
  return {
    active,
    subject: textOrNull(object, 'sub') ?? null,
    scope: textOrNull(object, 'scope') ?? null,
    expires: typeof exp === 'number' ? exp : null,
    toolBinding: textOrNull(object, 'tool_binding') ?? null,
    reason: textOrNull(object, 'reason') ?? null,
  };
}
