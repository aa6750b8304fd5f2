/**
 * @module Getting a request answered: breaker, repeats, and the one place where every way of failing becomes a refusal.
 */
import type { Clock, JsonObject } from '@countersign/kernel';
import { getOwn } from '@countersign/kernel';
import { type FaultDetails, readObject } from './answer.ts';
import { type Breaker, type BreakerOptions, createBreaker } from './breaker.ts';
import { SDK_LIMITS } from './limits.ts';
import type { Transport, WireReply, WireRequest } from './transport.ts';

export interface RetryOptions {
  /** Repeats after the first attempt. */
  readonly maxRetries: number;
  /** Pause before the first repeat in milliseconds; each further one doubles it. */
  readonly baseDelayMs: number;
}

export interface CourierOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Resolves after so many milliseconds. */
  readonly delay: (ms: number) => Promise<void>;
  readonly retry: RetryOptions;
  readonly circuitBreaker: BreakerOptions;
}

export interface Delivery {
  /** Made again for every attempt, so that a repeat carries a fresh token. */
  readonly request: () => WireRequest;
  /** False where a repeat could do something twice. */
  readonly repeatable: boolean;
}

export type Reply = { readonly ok: true; readonly body: JsonObject } | { readonly ok: false; readonly error: FaultDetails };

export interface Courier {
  deliver(delivery: Delivery): Promise<Reply>;
}

function isTransient(reply: WireReply): boolean {
  if (reply.kind !== 'answered') return reply.kind !== 'too_large';
  return reply.status === 429 || reply.status >= 500;
}

/** Whether the gateway failed, as far as the breaker is concerned: a full queue (429) is life, not a failure. */
function isFailure(reply: WireReply): boolean {
  return reply.kind !== 'answered' || reply.status >= 500;
}

const HINT_401 = 'agent authentication failed: the agent is suspended or killed, or its secret or API key is wrong';

function readRefusal(status: number, body: JsonObject | undefined): FaultDetails {
  const text = (key: string): string | undefined => {
    const value = body === undefined ? undefined : getOwn(body, key);
    return typeof value === 'string' ? value.slice(0, 512) : undefined;
  };
  const errorCode = text('error_code');
  const said = [errorCode, text('error')].filter((part) => part !== undefined).join(': ');
  const reason = status === 401 ? `${HINT_401} (${said})` : said;
  return {
    fault: 'gateway_refused',
    reason: reason === '' ? `the gateway answered with status ${status}` : reason,
    status,
    requestId: text('request_id') ?? null,
    receiptId: text('receipt_id') ?? null,
    ...(errorCode === undefined ? {} : { errorCode }),
  };
}

const FAULTS = { timeout: 'gateway_timeout', unreachable: 'gateway_unreachable', too_large: 'gateway_answer_invalid' } as const;

function read(reply: WireReply): Reply {
  if (reply.kind !== 'answered') return { ok: false, error: { fault: FAULTS[reply.kind], reason: reply.reason } };
  const body = readObject(reply.body);
  if (reply.status !== 200) return { ok: false, error: readRefusal(reply.status, body) };
  if (body === undefined) {
    return { ok: false, error: { fault: 'gateway_answer_invalid', reason: 'the answer is not a JSON object', status: 200 } };
  }
  return { ok: true, body };
}

const OPEN: Reply = {
  ok: false,
  error: { fault: 'circuit_open', reason: 'circuit breaker open: the gateway failed repeatedly and is left alone for a while' },
};

const TOO_LARGE: Reply = {
  ok: false,
  error: { fault: 'request_too_large', reason: `a request has at most ${SDK_LIMITS.requestBytesMax} bytes` },
};

async function attempt(options: CourierOptions, breaker: Breaker, delivery: Delivery): Promise<WireReply | Reply> {
  const request = delivery.request();
  if (Buffer.byteLength(request.body) > SDK_LIMITS.requestBytesMax) return TOO_LARGE;
  if (!breaker.admit()) return OPEN;
  const reply = await options.transport.send(request);
  if (isFailure(reply)) breaker.failed();
  else breaker.succeeded();
  return reply;
}

export function createCourier(options: CourierOptions): Courier {
  const breaker = createBreaker(options.circuitBreaker, options.clock);
  return {
    async deliver(delivery) {
      const repeats = delivery.repeatable ? Math.min(options.retry.maxRetries, SDK_LIMITS.retriesMax) : 0;
      for (let attempted = 0; ; attempted += 1) {
        const reply = await attempt(options, breaker, delivery);
        if ('ok' in reply) return reply;
        if (attempted >= repeats || !isTransient(reply)) return read(reply);
        await options.delay(Math.min(options.retry.baseDelayMs * 2 ** attempted, SDK_LIMITS.retryDelayMaxMs));
      }
    },
  };
}
