/** @module Clampd wire -> action. Only translates: what may happen is decided elsewhere. */
import type { IncomingHttpHeaders } from 'node:http';
import { sha256Hex } from '@countersign/crypto';
import {
  canonicalize,
  err,
  type Fault,
  isUuid,
  type JsonObject,
  type JsonValue,
  ok,
  parseJson,
  type Result,
  stringifyExact,
} from '@countersign/kernel';
import type { ActionDraft, ActionRequest, Caller } from '@countersign/pipeline';
import { knownCall, knownTool, type ToolDescriptor, type Trace } from '@countersign/protocol';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { ClampdCode } from './clampd-errors.ts';
import type { InspectBody, ProxyBody, ScanBody } from './clampd-wire.ts';

/** A request as the door got it, headers and who sent it. */
export interface Envelope {
  readonly caller: Caller;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** Pointers into the body. */
  readonly exactNumbers: readonly string[];
}

type Drafted<T> = Result<T, Fault<ClampdCode>>;

const CONFIDENCES: ReadonlySet<string> = new Set(['verified', 'inferred', 'declared']);
const AUTHORIZED_TOOL = /^[A-Za-z0-9_.]+$/;
const FRAMEWORK = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}/;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);

/** One value of a header that should come once; repeated, it is joined as HTTP does. */
function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function present(text: string | null | undefined): string | undefined {
  return text === null || text === undefined || text === '' ? undefined : text;
}

function frameworkOf(headers: IncomingHttpHeaders): string {
  return FRAMEWORK.exec(header(headers, 'user-agent') ?? '')?.[0].toLowerCase() ?? 'unknown';
}

function traceOf(headers: IncomingHttpHeaders): Trace | undefined {
  const found = TRACEPARENT.exec(header(headers, 'traceparent') ?? '');
  const [traceId, spanId] = [found?.[1], found?.[2]];
  if (traceId === undefined || spanId === undefined || traceId === NO_TRACE) return undefined;
  return { traceId, spanId };
}

/** What tells clients without a session id apart. Untrusted, and only ever hashed. */
function fingerprintOf(envelope: Envelope): string {
  const forwarded = header(envelope.headers, 'x-forwarded-for') ?? envelope.remoteAddress;
  return `${forwarded.slice(0, 256)}\n${(header(envelope.headers, 'user-agent') ?? '').slice(0, 256)}`;
}

/** What the client says of where the agent was asked: a claim, and kept apart from what the door knows. */
function claimOf({ origin }: { readonly origin?: JsonObject | null }): JsonObject {
  return origin === undefined || origin === null ? {} : { origin };
}

interface Delegation {
  readonly chain: readonly string[];
  readonly origin: JsonObject;
}

function chainOf(body: ProxyBody, headers: IncomingHttpHeaders): readonly string[] {
  if (body.delegation_chain !== undefined && body.delegation_chain !== null) return body.delegation_chain;
  const text = header(headers, 'x-clampd-delegation-chain');
  return text === undefined || text.trim() === '' ? [] : text.split(',', LIMITS.delegationMembersMax + 1).map((member) => member.trim());
}

function checkDelegation(body: ProxyBody, headers: IncomingHttpHeaders): Fault<ClampdCode> | undefined {
  const confidence = header(headers, 'x-clampd-delegation-confidence');
  if (confidence !== undefined && !CONFIDENCES.has(confidence)) {
    return { code: 'invalid_delegation_confidence', message: 'delegation confidence is `verified`, `inferred` or `declared`' };
  }
  const callerAgent = present(body.caller_agent_id);
  if (callerAgent !== undefined && !isUuid(callerAgent.toLowerCase())) {
    return { code: 'invalid_caller_agent_id', message: 'the caller agent id is not a UUID', path: '/caller_agent_id' };
  }
  return undefined;
}

/** The chain down to the direct caller: the agent itself, where it stands last, is left out. */
function callersOf(body: ProxyBody, envelope: Envelope): readonly string[] {
  const { headers, caller } = envelope;
  const sent = chainOf(body, headers);
  const callerAgent = present(body.caller_agent_id)?.toLowerCase();
  const chain = sent.length === 0 && callerAgent !== undefined && callerAgent !== caller.agent ? [callerAgent] : sent;
  return chain.at(-1)?.toLowerCase() === caller.agent ? chain.slice(0, -1) : chain;
}

function delegationOf(body: ProxyBody, envelope: Envelope): Drafted<Delegation> {
  const { headers } = envelope;
  const fault = checkDelegation(body, headers);
  if (fault !== undefined) return err(fault);
  const chain = callersOf(body, envelope);
  const traceId = present(body.delegation_trace_id) ?? header(headers, 'x-clampd-delegation-trace')?.slice(0, LIMITS.memberCharsMax);
  const purpose = present(body.delegation_purpose);
  const origin: JsonObject = {
    ...claimOf(body),
    ...(chain.length === 0 ? {} : { delegation_confidence: header(headers, 'x-clampd-delegation-confidence') ?? 'declared' }),
    ...(traceId === undefined ? {} : { delegation_trace_id: traceId }),
    ...(purpose === undefined ? {} : { delegation_purpose: purpose }),
  };
  return ok({ chain, origin });
}

interface Described {
  readonly descriptor?: ToolDescriptor;
  readonly exactNumbers: readonly string[];
}

function schemaOf(text: string | undefined): { readonly schema?: JsonValue; readonly exactNumbers: readonly string[] } {
  if (text === undefined) return { exactNumbers: [] };
  const parsed = parseJson(text);
  if (!parsed.ok) return { schema: text, exactNumbers: [] };
  return { schema: parsed.value.value, exactNumbers: parsed.value.exactNumbers.map((path) => `/descriptor/schema${path}`) };
}

/** What the client says of the tool. Without a hash of its own it gets that of what it says. */
function describe(body: ProxyBody): Described {
  const description = present(body.tool_description);
  const { schema, exactNumbers } = schemaOf(present(body.tool_params_schema));
  const given = present(body.tool_descriptor_hash)?.replace('sha256:', '');
  if (given === undefined && description === undefined && schema === undefined) return { exactNumbers: [] };
  const hash = given ?? sha256Hex(canonicalize({ name: body.tool, description: description ?? '', inputSchema: schema ?? {} }));
  return {
    descriptor: { hash, ...(description === undefined ? {} : { description }), ...(schema === undefined ? {} : { schema }) },
    exactNumbers,
  };
}

/** Pointers of the body that lie in `field`, as pointers below `field`. */
function below(exactNumbers: readonly string[], field: string): readonly string[] {
  return exactNumbers.filter((path) => path === field || path.startsWith(`${field}/`)).map((path) => path.slice(field.length));
}

function commonOf(envelope: Envelope): Pick<ActionDraft, 'source' | 'trace'> {
  const trace = traceOf(envelope.headers);
  return { source: { framework: frameworkOf(envelope.headers), door: 'clampd' }, ...(trace === undefined ? {} : { trace }) };
}

function requestOf(envelope: Envelope, draft: ActionDraft, mode: ActionRequest['mode']): ActionRequest {
  const session = header(envelope.headers, 'x-ag-session');
  return { caller: envelope.caller, draft, fingerprint: fingerprintOf(envelope), mode, ...(session === undefined ? {} : { session }) };
}

/** Refuses a tool that the caller's own list does not have. A list of nothing but invalid names refuses every tool. */
function checkAuthorized(tool: string, headers: IncomingHttpHeaders): Fault<ClampdCode> | undefined {
  const text = header(headers, 'x-ag-authorized-tools');
  if (text === undefined || text.trim() === '') return undefined;
  const listed = text
    .split(',', LIMITS.authorizedToolsMax)
    .map((name) => name.trim())
    .filter((name) => name.length <= LIMITS.authorizedToolCharsMax && AUTHORIZED_TOOL.test(name));
  const canonical = knownTool(tool).tool;
  if (listed.some((name) => name === tool || knownTool(name).tool === canonical)) return undefined;
  return { code: 'unauthorized_tool', message: 'the tool is not in the authorized tool set for this session', path: '/tool' };
}

/** `/v1/proxy` (with `forward`: send it on when it is allowed) and `/v1/verify`. */
export function callRequest(body: ProxyBody, envelope: Envelope, forward: boolean): Drafted<ActionRequest> {
  const unauthorized = checkAuthorized(body.tool, envelope.headers);
  if (unauthorized !== undefined) return err(unauthorized);
  const delegation = delegationOf(body, envelope);
  if (!delegation.ok) return delegation;
  const { descriptor, exactNumbers: inSchema } = describe(body);
  const { tool, kind, params } = knownCall(body.tool, body.params);
  const inParams = below(envelope.exactNumbers, '/params');
  const exactNumbers = [...inParams.map((path) => `/params${path}`), ...inSchema];
  const context = present(body.prompt_context);
  const targetUrl = present(body.target_url);
  const { chain, origin } = delegation.value;
  const draft: ActionDraft = {
    kind,
    tool,
    params,
    ...(exactNumbers.length === 0 ? {} : { exactNumbers }),
    ...(context === undefined ? {} : { context }),
    ...commonOf(envelope),
    delegation: chain,
    ...(descriptor === undefined ? {} : { descriptor }),
    ...(targetUrl === undefined ? {} : { targetUrl }),
    ...(Object.keys(origin).length === 0 ? {} : { origin }),
  };
  if (!forward || targetUrl === undefined) return ok(requestOf(envelope, draft, 'evaluate'));
  return ok({ ...requestOf(envelope, draft, 'forward'), paramsText: stringifyExact(body.params, inParams) });
}

/** The text of a response as it is judged: a string as it stands, anything else as JSON. */
export function responseText(body: InspectBody, exactNumbers: readonly string[]): string {
  if (typeof body.response_data === 'string') return body.response_data;
  return stringifyExact(body.response_data, below(exactNumbers, '/response_data'));
}

export interface InspectedScope {
  /** Scope of the token, where it verified. */
  readonly scope?: string;
  readonly tokenFault?: string;
}

/** `/v1/inspect`. */
export function inspectRequest(
  text: string,
  body: InspectBody,
  context: { readonly envelope: Envelope; readonly scope: InspectedScope },
): ActionRequest {
  const { envelope, scope } = context;
  const about = present(body.request_id);
  const origin: JsonObject = {
    ...claimOf(body),
    ...(about === undefined ? {} : { request_id: about }),
    ...(scope.scope === undefined ? {} : { granted_scope: scope.scope }),
    ...(scope.tokenFault === undefined ? {} : { scope_token: scope.tokenFault }),
  };
  const draft: ActionDraft = {
    kind: 'tool.response',
    tool: knownTool(body.tool).tool,
    content: text,
    ...commonOf(envelope),
    delegation: [],
    ...(Object.keys(origin).length === 0 ? {} : { origin }),
  };
  return requestOf(envelope, draft, 'scan');
}

/** `/v1/scan-input` and `/v1/scan-output`. */
export function scanRequest(body: ScanBody, envelope: Envelope, kind: 'prompt.input' | 'model.output'): ActionRequest {
  const about = present(body.request_id);
  const origin: JsonObject = { ...claimOf(body), ...(about === undefined ? {} : { request_id: about }) };
  const draft: ActionDraft = {
    kind,
    content: body.text,
    ...commonOf(envelope),
    delegation: [],
    ...(Object.keys(origin).length === 0 ? {} : { origin }),
  };
  return requestOf(envelope, draft, 'scan');
}
