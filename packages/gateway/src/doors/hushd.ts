/**
 * @module The hushd door: the HTTP service of Clawdstrike's daemon, on a listener of its own (spec/hushd.md). Existing clients, SDKs and
 * hooks speak to it unchanged, with a key. Who calls and whether they may is settled before a byte of the body is read.
 */
import type { ServerResponse } from 'node:http';
import { base64url } from '@countersign/crypto';
import { invariant, parseJson } from '@countersign/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { createService, type GatewayServerLimits } from '../http-service.ts';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { createMetrics, type Gauge, type Metrics } from '../metrics.ts';
import { allowRoute, type HushdKey, keyOf, needOf } from './hushd-access.ts';
import { addAgentRoutes } from './hushd-agents.ts';
import { addAuditRoutes } from './hushd-audit.ts';
import { addBatchRoute } from './hushd-batch.ts';
import { addDecisionRoutes } from './hushd-decisions.ts';
import { type HushdDoor, type HushdRoom, send } from './hushd-door.ts';
import { HushdError, hushdError } from './hushd-errors.ts';
import { createHushdEvents, type EventFilter } from './hushd-events.ts';
import { queryText } from './hushd-fields.ts';
import { addPolicyRoutes } from './hushd-policy.ts';
import { addPostureRoutes, createInitialPosture } from './hushd-posture.ts';
import { clientAddress, createRateGate, type RateLimit, rangeOf } from './hushd-rate.ts';
import { addReceiptRoutes } from './hushd-receipts.ts';
import { createHushdSessions } from './hushd-session-store.ts';
import { addSessionRoutes } from './hushd-sessions.ts';

export interface HushdOptions extends HushdDoor {
  readonly rateLimit: RateLimit;
  /** Addresses and ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly gauges?: readonly Gauge[];
  readonly limits?: Partial<GatewayServerLimits>;
}

const RUN_BYTES = 6;
/** A day: timers take no longer times than some weeks. */
const STREAM_MS_MAX = 86_400_000;

interface Read {
  readonly bytes: Uint8Array;
  readonly exactNumbers: readonly string[];
}

const keys = new WeakMap<FastifyRequest, HushdKey>();
const bodies = new WeakMap<FastifyRequest, Read>();

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body, retryAfter } = hushdError(error, request.id);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  return send(reply, body, status);
}

function readBody(request: FastifyRequest, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const parsed = parseJson(bytes, { bytesMax: LIMITS.bodyBytesMax });
  if (!parsed.ok) {
    const { code, message, path = '' } = parsed.error;
    throw new HushdError({ code: 'INVALID_JSON', message: `the body is not acceptable JSON: ${message} (${code})`, path });
  }
  bodies.set(request, { bytes, exactNumbers: parsed.value.exactNumbers });
  return parsed.value.value;
}

/** Every route stands in the table, or the service does not start. */
function checkListed({ method, url }: RouteOptions): void {
  for (const verb of [method].flat()) invariant(needOf(verb, url) !== undefined, 'a route of the hushd door stands in its table');
}

function speakHushd(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    readBody(request, body),
  );
  app.addHook('onRoute', checkListed);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) =>
    sendError(new HushdError({ code: 'NOT_FOUND', message: 'there is nothing here' }), request, reply),
  );
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

/** Rate first, so that keys cannot be guessed quickly; then who, then whether. */
function addGuard(app: FastifyInstance, options: HushdOptions): void {
  const gate = createRateGate(options.rateLimit);
  const { clock } = options.ports;
  const proxies = options.trustedProxies.map((text) => {
    const range = rangeOf(text);
    invariant(range !== undefined, 'a trusted proxy is an address or a range of addresses');
    return range;
  });
  app.addHook('onRequest', async (request) => {
    const { url: route } = request.routeOptions;
    const need = needOf(request.method, route);
    if (route === '/health') return;
    const nowMs = clock.nowMs();
    const address = clientAddress(request.socket.remoteAddress ?? '', one(request.headers['x-forwarded-for']), proxies);
    const retryAfter = gate.enter(address, nowMs);
    if (retryAfter !== undefined)
      throw new HushdError({ code: 'RATE_LIMITED', message: 'too many requests from this address' }, { retryAfter });
    if (need === 'public') return;
    const key = keyOf(request.headers, options.keyring, nowMs);
    allowRoute(key, need, { url: request.url, routed: route !== undefined });
    keys.set(request, key);
  });
}

function addStateRoutes(app: FastifyInstance, room: HushdRoom): void {
  const { door, metrics, run, startedMs, tally } = room;
  const { version, ports } = door;
  app.get('/health', (_, reply) => {
    const uptimeMs = ports.clock.nowMs() - startedMs;
    const count = tally.allowed + tally.violations;
    return send(reply, {
      status: 'healthy',
      version,
      uptime_secs: Math.floor(uptimeMs / 1000),
      session_id: run,
      audit_count: count,
    });
  });
  app.get('/ready', (_, reply) => {
    const problem = door.problem();
    const checks = [
      { name: 'policy', ok: door.admin.activePolicy() !== undefined },
      // What exactly is wrong is for whoever has a key: it is in `/metrics` and in the log.
      { name: 'decisions', ok: problem === undefined },
    ];
    const ready = checks.every(({ ok }) => ok);
    return send(reply, { status: ready ? 'ready' : 'degraded', version, checks }, ready ? 200 : 503);
  });
  app.get('/metrics', (_, reply) => reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(metrics.text()));
  app.get('/api/v1/me', (request, reply) => {
    const { id, name, scopes, org, agent } = room.keyFor(request);
    return send(reply, { principal: { type: 'api_key', id, name, org, agent }, scopes: [...scopes], roles: [] });
  });
}

function filterOf(request: FastifyRequest, org: string): EventFilter {
  const { query } = request;
  const types = queryText(query, 'event_types');
  const members = [
    ['session', queryText(query, 'session_id')],
    ['endpointAgent', queryText(query, 'endpoint_agent_id')],
    ['runtimeAgent', queryText(query, 'runtime_agent_id')],
    ['runtimeKind', queryText(query, 'runtime_agent_kind')],
  ] as const;
  const asked = Object.fromEntries(members.filter(([, value]) => value !== undefined));
  return { org, ...asked, ...(types === undefined ? {} : { types: new Set(types.split(',').map((type) => type.trim())) }) };
}

/** A stream does not outlive the key that opened it; who comes back goes on where it was. */
function endWithKey({ door }: HushdRoom, key: HushdKey, out: ServerResponse): void {
  if (key.expiresMs === undefined) return;
  const { timer, clock } = door.ports;
  const stop = timer.after(Math.min(key.expiresMs - clock.nowMs(), STREAM_MS_MAX), () => out.end());
  out.on('close', stop);
}

function addEventRoute(app: FastifyInstance, room: HushdRoom): void {
  const { events } = room;
  app.get('/api/v1/events', (request, reply) => {
    const key = room.keyFor(request);
    const filter = filterOf(request, key.org);
    if (events.watchers >= LIMITS.hushdSubscribersMax)
      throw new HushdError({ code: 'TOO_MANY_SUBSCRIBERS', message: 'too many watch already' });
    reply.hijack();
    endWithKey(room, key, reply.raw);
    events.watch(reply.raw, filter, one(request.headers['last-event-id']));
    return reply;
  });
  app.addHook('preClose', async () => events.close());
}

function roomOf(options: HushdOptions, metrics: Metrics): HushdRoom {
  const { ports } = options;
  const run = base64url(ports.random.bytes(RUN_BYTES)).replaceAll('-', '.');
  return {
    door: options,
    metrics,
    run,
    sessions: createHushdSessions(ports),
    events: createHushdEvents(ports.timer, run),
    tally: { allowed: 0, violations: 0 },
    startedMs: ports.clock.nowMs(),
    initialPosture: createInitialPosture(options),
    keyFor: (request) => {
      const key = keys.get(request);
      if (key === undefined) throw new HushdError({ code: 'UNAUTHORIZED', message: 'no key' });
      return key;
    },
    exactNumbersOf: (request) => bodies.get(request)?.exactNumbers ?? [],
    bytesOf: (request) => bodies.get(request)?.bytes ?? new Uint8Array(0),
  };
}

/** The door as a service that is ready to `listen`. It shares ports with the gateway, so it is closed before these are. */
export async function createHushdGateway(options: HushdOptions): Promise<FastifyInstance> {
  const app = createService({ ...options.limits, exposeHeadRoutes: false });
  const healthy = (): boolean => options.problem() === undefined;
  const room = roomOf(options, createMetrics(healthy, options.gauges ?? []));
  speakHushd(app);
  addGuard(app, options);
  const parts = [
    addStateRoutes,
    addDecisionRoutes,
    addSessionRoutes,
    addPostureRoutes,
    addPolicyRoutes,
    addAuditRoutes,
    addBatchRoute,
    addEventRoute,
    addAgentRoutes,
    addReceiptRoutes,
  ];
  for (const addRoutes of parts) addRoutes(app, room);
  return app;
}
