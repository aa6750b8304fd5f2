/**
 * @module The Clampd door: `/v1/*`, `/.well-known/jwks.json`, `/health`, `/metrics`, as existing Clampd SDKs and hooks expect them
 * (spec/http.md). Authenticates from the headers before a byte of the body is read; decides nothing.
 */
import { jwkOf, readScopeToken, sha256Hex, type Verifier } from '@countersign/crypto';
import { codeOf, type Fault, parseJson, type Result } from '@countersign/kernel';
import { type ActionRequest, type Answer, authenticate, type Caller, countersignAction, type Ports } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { within } from '../deadline.ts';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { Metrics } from '../metrics.ts';
import { inspectOutput, inspectResponse } from '../response-inspection.ts';
import { countsOf, decisionText, scanWire, type Shown } from './clampd-answer.ts';
import { callRequest, type Envelope, type InspectedScope, inspectRequest, responseText, scanRequest } from './clampd-draft.ts';
import { type ClampdCode, clampdError, DoorError, type ErrorOrigin, faultOfThrown } from './clampd-errors.ts';
import {
  INSPECT_SCHEMA,
  INTROSPECT_SCHEMA,
  type InspectBody,
  type IntrospectBody,
  PROXY_SCHEMA,
  type ProxyBody,
  SCAN_SCHEMA,
  type ScanBody,
  VERIFY_SCHEMA,
} from './clampd-wire.ts';

export interface ClampdDoor {
  readonly ports: Ports;
  /** Verifies scope tokens; its public key is what `jwks.json` shows. */
  readonly scopeVerifier: Verifier;
  readonly metrics: Metrics;
  /** Why the gateway cannot allow anything now, or undefined. */
  readonly problem: () => string | undefined;
  /** Logs that take nothing, while others may. */
  readonly failedLogs: () => readonly { readonly name: string; readonly reason: string }[];
  /** Why the last change of the policy was refused; the one before it is in force. Quotes nothing of it. */
  readonly refusedPolicy: () => string | undefined;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const SCOPE_KEY_ID = 'scope-v1';

/** What the hooks leave for the handlers; requests get theirs in `onRequest`. */
const callers = new WeakMap<FastifyRequest, Caller>();
const exactNumbersOf = new WeakMap<FastifyRequest, readonly string[]>();

function sendError(reply: FastifyReply, fault: Fault<ClampdCode>, origin: ErrorOrigin = {}): FastifyReply {
  const { status, body } = clampdError(fault, origin);
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body));
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? undefined : value;
}

function faultOfWork(error: unknown): Fault<ClampdCode> {
  if (error instanceof DoorError) return error.fault;
  if (codeOf(error) === 'door_timeout') return { code: 'timeout', message: 'the decision took too long', hint: 'retry after a moment' };
  return { code: 'internal', message: 'the gateway failed; nothing was allowed' };
}

function unwrap<T>(result: Result<T, Fault<ClampdCode>>): T {
  if (!result.ok) throw new DoorError(result.error);
  return result.value;
}

function envelopeOf(request: FastifyRequest): Envelope {
  const caller = callers.get(request);
  if (caller === undefined) throw new DoorError({ code: 'internal', message: 'the caller is not known; nothing was allowed' });
  return { caller, headers: request.headers, remoteAddress: request.ip, exactNumbers: exactNumbersOf.get(request) ?? [] };
}

/** Establishes who calls, from the headers alone. */
async function authenticateRequest(door: ClampdDoor, request: FastifyRequest): Promise<void> {
  const { ports } = door;
  const credentials = { apiKey: one(request.headers['x-ag-key']), authorization: request.headers.authorization };
  const caller = await within(ports.timer, LIMITS.answerTimeoutMs, authenticate(credentials, ports));
  callers.set(request, unwrap(caller));
}

/** An API key is enough to ask about a token: the asker is a tool, not an agent. */
async function authenticateTool(door: ClampdDoor, request: FastifyRequest): Promise<string> {
  const { state, timer } = door.ports;
  const apiKey = one(request.headers['x-ag-key']);
  if (apiKey === undefined || apiKey === '') throw new DoorError({ code: 'missing_api_key', message: 'the `X-AG-Key` header is missing' });
  const record = await within(timer, LIMITS.answerTimeoutMs, state.apiKey(sha256Hex(apiKey)));
  if (record === undefined || !record.active)
    throw new DoorError({ code: 'invalid_api_key', message: 'the API key is unknown or revoked' });
  return record.org;
}

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  const parsed = parseJson(body, { bytesMax: LIMITS.bodyBytesMax });
  if (!parsed.ok) {
    const { message, path, span } = parsed.error;
    throw new DoorError({
      code: 'invalid_json',
      message: `the body is not acceptable JSON: ${message} (${parsed.error.code})`,
      ...(path === undefined ? {} : { path }),
      ...(span === undefined ? {} : { span }),
    });
  }
  exactNumbersOf.set(request, parsed.value.exactNumbers);
  return parsed.value.value;
}

/** What a route makes of an answer that was judged. */
type Show = (answer: Answer, shown: Shown) => { readonly text: string; readonly allowed: boolean; readonly flagged: boolean };

const UNREGISTERED = {
  code: 'tool_not_registered',
  message: 'nobody has registered this tool',
  path: '/tool',
  hint: 'an operator approves it: `countersign tool approve NAME`',
} as const;

const NOT_PUBLIC = {
  code: 'ssrf_blocked',
  message: 'the target URL is none, or leads to an address that is not public',
  path: '/target_url',
  hint: 'use an http or https URL without a user; an operator may trust an origin',
} as const;

/** What was judged and recorded, and yet is an error on this wire: nobody knows the tool and nothing else speaks against it, or no way out. */
function errorOf({ verdict, response }: Answer): Fault<ClampdCode> | undefined {
  const { decision, reasons } = verdict;
  if (decision === 'deny' && reasons.length > 0 && reasons.every(({ code }) => code === UNREGISTERED.code)) return UNREGISTERED;
  return response?.status === 'blocked' && response.reason === NOT_PUBLIC.code ? NOT_PUBLIC : undefined;
}

async function decide(
  door: ClampdDoor,
  reply: FastifyReply,
  work: { readonly request: ActionRequest; readonly show: Show },
): Promise<FastifyReply> {
  const { ports, metrics } = door;
  const startedMs = ports.clock.nowMs();
  const limitMs = work.request.mode === 'forward' ? LIMITS.forwardAnswerTimeoutMs : LIMITS.answerTimeoutMs;
  const answer = await within(ports.timer, limitMs, countersignAction(work.request, ports));
  const latencyMs = Math.max(0, Math.round(ports.clock.nowMs() - startedMs));
  if (answer.refusal !== undefined) {
    metrics.decided('refused', latencyMs);
    metrics.refused(answer.refusal.code);
    return sendError(reply, answer.refusal, { requestId: answer.requestId, receiptId: answer.receipt?.id ?? null });
  }
  const fault = errorOf(answer);
  if (fault !== undefined) {
    metrics.decided('denied', latencyMs);
    return sendError(reply, fault, { requestId: answer.requestId, receiptId: answer.receipt?.id ?? null });
  }
  const { text, allowed, flagged } = work.show(answer, { latencyMs });
  metrics.decided(allowed ? (flagged ? 'flagged' : 'allowed') : 'denied', latencyMs);
  return reply.code(200).header('content-type', JSON_TYPE).send(text);
}

function scopeOf(door: ClampdDoor, body: InspectBody): InspectedScope {
  if (body.scope_token === undefined || body.scope_token === null || body.scope_token === '') return {};
  const claims = readScopeToken(body.scope_token, door.scopeVerifier, Math.floor(door.ports.clock.nowMs() / 1000));
  return claims.ok ? { scope: claims.value.scope } : { tokenFault: claims.error.code };
}

async function inspect(door: ClampdDoor, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const body = request.body as InspectBody; // The route's schema says so.
  const envelope = envelopeOf(request);
  const text = responseText(body, envelope.exactNumbers);
  const scope = scopeOf(door, body);
  const show: Show = (answer, shown) => {
    const inspection = inspectResponse(text, countsOf(answer), scope.scope);
    const findings =
      scope.tokenFault === undefined ? inspection.findings : [...inspection.findings, `scope_token_invalid: ${scope.tokenFault}`];
    return decisionText(answer, { ...shown, inspection: { ...inspection, findings } });
  };
  return decide(door, reply, { request: inspectRequest(text, body, { envelope, scope }), show });
}

async function scan(door: ClampdDoor, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const body = request.body as ScanBody; // The route's schema says so.
  const kind = request.routeOptions.url === '/v1/scan-output' ? 'model.output' : 'prompt.input';
  const show: Show = (answer, shown) => {
    const inspection = kind === 'model.output' ? inspectOutput(countsOf(answer), answer.verdict.risk) : undefined;
    const wire = scanWire(answer, inspection === undefined ? shown : { ...shown, inspection });
    return { text: JSON.stringify(wire), allowed: wire.allowed, flagged: false };
  };
  return decide(door, reply, { request: scanRequest(body, envelopeOf(request), kind), show });
}

interface Introspected {
  readonly active: boolean;
  readonly sub?: string;
  readonly scope?: string;
  readonly exp?: number;
  readonly tool_binding?: string;
  readonly reason?: string;
}

/** Says whether a token still holds, and consumes it: the second question about the same token gets `nonce_consumed`. */
async function introspect(door: ClampdDoor, token: string, org: string): Promise<Introspected> {
  const { state, clock } = door.ports;
  const read = readScopeToken(token, door.scopeVerifier, Math.floor(clock.nowMs() / 1000));
  if (!read.ok)
    return { active: false, reason: read.error.code === 'scope_token_expired' ? 'expired' : `Invalid token: ${read.error.message}` };
  const { sub, scope, exp, binding, jti } = read.value;
  const agent = await state.agent(sub);
  if (agent === undefined || agent.org !== org || agent.state !== 'active') return { active: false, reason: 'agent_denied' };
  const fresh = await state.consumeOnce(`scope:${jti}`, exp * 1000);
  return fresh ? { active: true, sub, scope, exp, tool_binding: binding } : { active: false, reason: 'nonce_consumed' };
}

function addDecisionRoutes(app: FastifyInstance, door: ClampdDoor): void {
  app.addHook('onRequest', (request) => authenticateRequest(door, request));
  const call = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = request.body as ProxyBody; // The route's schema says so.
    const forward = request.routeOptions.url === '/v1/proxy';
    return decide(door, reply, { request: unwrap(callRequest(body, envelopeOf(request), forward)), show: decisionText });
  };
  app.post('/v1/proxy', { schema: { body: PROXY_SCHEMA } }, call);
  app.post('/v1/verify', { schema: { body: VERIFY_SCHEMA } }, call);
  app.post('/v1/inspect', { schema: { body: INSPECT_SCHEMA } }, (request, reply) => inspect(door, request, reply));
  app.post('/v1/scan-input', { schema: { body: SCAN_SCHEMA } }, (request, reply) => scan(door, request, reply));
  app.post('/v1/scan-output', { schema: { body: SCAN_SCHEMA } }, (request, reply) => scan(door, request, reply));
}

function addTokenRoutes(app: FastifyInstance, door: ClampdDoor): void {
  const orgs = new WeakMap<FastifyRequest, string>();
  app.addHook('onRequest', async (request) => void orgs.set(request, await authenticateTool(door, request)));
  app.post('/v1/introspect', { schema: { body: INTROSPECT_SCHEMA } }, async (request, reply) => {
    const { token } = request.body as IntrospectBody; // The route's schema says so.
    const answer = await within(door.ports.timer, LIMITS.answerTimeoutMs, introspect(door, token, orgs.get(request) ?? ''));
    return reply.header('content-type', JSON_TYPE).send(JSON.stringify(answer));
  });
}

/** It takes decisions; what it does not do as it should is named. */
function healthOf({ failedLogs, refusedPolicy }: ClampdDoor): object {
  const [logs, policy] = [failedLogs(), refusedPolicy()];
  if (logs.length === 0 && policy === undefined) return { status: 'ok' };
  return { status: 'degraded', ...(logs.length === 0 ? {} : { logs }), ...(policy === undefined ? {} : { policy }) };
}

function addOpenRoutes(app: FastifyInstance, door: ClampdDoor): void {
  const jwks = JSON.stringify({ keys: [jwkOf(door.scopeVerifier.publicKey, SCOPE_KEY_ID)] });
  app.get('/.well-known/jwks.json', (_, reply) =>
    reply.header('content-type', JSON_TYPE).header('cache-control', 'public, max-age=300').send(jwks),
  );
  app.get('/health', (_, reply) => {
    const reason = door.problem();
    const body = reason === undefined ? healthOf(door) : { status: 'unavailable', reason };
    return reply
      .code(reason === undefined ? 200 : 503)
      .header('content-type', JSON_TYPE)
      .send(JSON.stringify(body));
  });
  app.get('/metrics', (_, reply) => reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(door.metrics.text()));
}

/** Bodies of this door are read by the strict parser, whole, and only as JSON; every error leaves in the words of this wire. */
function speakClampd(app: FastifyInstance, door: ClampdDoor): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    parseBody(request, body),
  );
  app.setErrorHandler((error: unknown, _, reply) => {
    const fault = error instanceof DoorError || codeOf(error) === 'door_timeout' ? faultOfWork(error) : faultOfThrown(error);
    door.metrics.refused(fault.code);
    return sendError(reply, fault);
  });
}

/** Adds the routes of the door to `app`. */
export async function addClampdDoor(app: FastifyInstance, door: ClampdDoor): Promise<void> {
  const scopes = [addDecisionRoutes, addTokenRoutes, addOpenRoutes];
  for (const addRoutes of scopes) {
    await app.register(async (scoped) => {
      speakClampd(scoped, door);
      addRoutes(scoped, door);
    });
  }
}
