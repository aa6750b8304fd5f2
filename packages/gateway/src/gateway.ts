/**
 * @module The HTTP service: one server, its doors, its limits. It has no opinion on any action; that is the pipeline's.
 */
import { type Verifier } from '@countersign/crypto';
import type { Ports } from '@countersign/pipeline';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { addClampdDoor, type ClampdDoor } from './doors/clampd.ts';
import { clampdError, faultOfThrown } from './doors/clampd-errors.ts';
import { addEventsDoor } from './doors/events.ts';
import { addLogDoor, type LogDoor } from './doors/log.ts';
import { addOperatorDoor, type OperatorDoor } from './doors/operator.ts';
import { addVerifyPage, type VerifyPage } from './doors/verify-page.ts';
import type { FeedHub } from './feed.ts';
import { GATEWAY_LIMITS } from './limits.ts';
import { createMetrics, type Gauge } from './metrics.ts';
import { answerUnreadable, readOut } from './unreadable-request.ts';

export interface GatewayOptions {
  readonly ports: Ports;
  /** Verifies the scope tokens that `ports.tokens` mints. */
  readonly scopeVerifier: Verifier;
  /** Absent: no operator door, no log door and no live feed on this server. */
  readonly operator?: Omit<OperatorDoor, 'feed' | 'clock'> & Pick<LogDoor, 'publicLog'>;
  /** Absent: nothing can be watched. */
  readonly feedHub?: FeedHub;
  /** Why nothing can be allowed now (every log has failed, ...), or undefined. A missing policy is found out without it. */
  readonly problem?: () => string | undefined;
  /** Logs that take nothing, while others may. */
  readonly failedLogs?: ClampdDoor['failedLogs'];
  /** Why the last change of the policy was refused, while the one before it is in force. */
  readonly refusedPolicy?: ClampdDoor['refusedPolicy'];
  /** The page that verifies bundles. Absent: `GET /verify` is 404. */
  readonly verifyPage?: VerifyPage;
  readonly gauges?: readonly Gauge[];
  readonly limits?: Partial<GatewayServerLimits>;
}

export interface GatewayServerLimits {
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  readonly requestTimeoutMs: number;
}

const PAYLOAD_TOO_LARGE = 413;

function createServer(limits: Partial<GatewayServerLimits> | undefined): FastifyInstance {
  const requestTimeoutMs = limits?.requestTimeoutMs ?? GATEWAY_LIMITS.requestTimeoutMs;
  const app = Fastify({
    logger: false,
    bodyLimit: limits?.bodyBytesMax ?? GATEWAY_LIMITS.bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: GATEWAY_LIMITS.keepAliveTimeoutMs,
    http: { headersTimeout: Math.min(GATEWAY_LIMITS.headersTimeoutMs, requestTimeoutMs), requestTimeout: requestTimeoutMs },
    // Who still comes while it closes is refused by the pipeline, in the words of the door.
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error: unknown, _: unknown, reply: FastifyReply) => {
      const { status, body } = clampdError(faultOfThrown(error));
      void reply.code(status).send(body);
    },
    routerOptions: { maxParamLength: GATEWAY_LIMITS.urlCharsMax },
    // A stranger's header is no request id.
    requestIdHeader: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: true, allowUnionTypes: true } },
  });
  app.server.maxConnections = limits?.connectionsMax ?? GATEWAY_LIMITS.connectionsMax;
  return app;
}

function gatewayGauges(options: GatewayOptions): readonly Gauge[] {
  const { ports, feedHub } = options;
  const feed: readonly Gauge[] =
    feedHub === undefined
      ? []
      : [
          { name: 'countersign_feed_subscribers', help: 'who watches the live feed', type: 'gauge', read: () => feedHub.subscribers },
          { name: 'countersign_feed_dropped_total', help: 'events lost by slow watchers', type: 'counter', read: () => feedHub.dropped },
        ];
  return [
    { name: 'countersign_decisions_in_flight', help: 'decisions under way', type: 'gauge', read: () => ports.gate.inFlight },
    ...feed,
    ...(options.gauges ?? []),
  ];
}

/**
 * A gateway that is ready to `listen`. `close()` refuses newcomers, lets the decisions under way finish (each within its deadline),
 * ends the feeds, and resolves when all connections are done.
 */
export async function createGateway(options: GatewayOptions): Promise<FastifyInstance> {
  const { ports } = options;
  const app = createServer(options.limits);
  const problem = (): string | undefined => options.problem?.() ?? ports.engines.problem;
  const metrics = createMetrics(() => problem() === undefined, gatewayGauges(options));
  // Outside the doors no body is ever read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, __, done) => done(null));
  app.setErrorHandler((error: unknown, _, reply) => {
    const { status, body } = clampdError(faultOfThrown(error));
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_, reply) => {
    const { status, body } = clampdError({ code: 'not_found', message: 'there is nothing here' });
    return reply.code(status).send(body);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === PAYLOAD_TOO_LARGE && !request.raw.complete) {
      reply.removeHeader('connection');
      readOut(request.raw);
    }
    return payload;
  });
  app.addHook('preClose', () => ports.gate.close());
  if (options.verifyPage !== undefined) addVerifyPage(app, options.verifyPage);
  const { failedLogs = () => [], refusedPolicy = () => undefined } = options;
  await addClampdDoor(app, { ports, scopeVerifier: options.scopeVerifier, metrics, problem, failedLogs, refusedPolicy });
  if (options.operator !== undefined) {
    await addOperatorDoor(app, { ...options.operator, feed: ports.feed, clock: ports.clock });
    await addLogDoor(app, options.operator);
    if (options.feedHub !== undefined) addEventsDoor(app, { ...options.operator, hub: options.feedHub });
  }
  return app;
}
