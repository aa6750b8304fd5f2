/**
 * @module The HTTP service: one server, its doors, its limits. It has no opinion on any action; that is the pipeline's.
 */
import { type Verifier } from '@countersign/crypto';
import type { Ports } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { addClampdDoor, type ClampdDoor } from './doors/clampd.ts';
import { clampdError, faultOfThrown } from './doors/clampd-errors.ts';
import { addEventsDoor } from './doors/events.ts';
import { addLogDoor, type LogDoor } from './doors/log.ts';
import { addOperatorDoor, type OperatorDoor } from './doors/operator.ts';
import { addVerifyPage, type VerifyPage } from './doors/verify-page.ts';
import type { FeedHub } from './feed.ts';
import { createService, type GatewayServerLimits } from './http-service.ts';
import { createMetrics, type Gauge } from './metrics.ts';

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
  const app = createService(options.limits);
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
