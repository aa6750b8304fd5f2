/** @module The HTTP service below the doors: its limits, and how it takes what is no request. */
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { clampdError, faultOfThrown } from './doors/clampd-errors.ts';
import { GATEWAY_LIMITS } from './limits.ts';
import { answerUnreadable, readOut } from './unreadable-request.ts';

export interface GatewayServerLimits {
  /** Whether HEAD is answered wherever GET is; true when absent. */
  readonly exposeHeadRoutes: boolean;
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  readonly requestTimeoutMs: number;
}

const PAYLOAD_TOO_LARGE = 413;

/** A service without routes and doors. */
export function createService(limits: Partial<GatewayServerLimits> | undefined): FastifyInstance {
  const requestTimeoutMs = limits?.requestTimeoutMs ?? GATEWAY_LIMITS.requestTimeoutMs;
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: limits?.exposeHeadRoutes ?? true,
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
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === PAYLOAD_TOO_LARGE && !request.raw.complete) {
      reply.removeHeader('connection');
      readOut(request.raw);
    }
    return payload;
  });
  return app;
}
