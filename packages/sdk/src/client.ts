/**
 * @module The client of a Countersign gateway: each method is one question, and every answer that is not a clear yes is a no.
 */
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import { type Clock, CodedError, isUuid, type JsonObject, type JsonValue } from '@countersign/kernel';
import {
  type Answer,
  type FaultDetails,
  type Introspection,
  readAnswer,
  readIntrospection,
  readScanAnswer,
  refusal,
  type ScanAnswer,
  scanRefusal,
} from './answer.ts';
import type { BreakerOptions } from './breaker.ts';
import type { CallOptions, Countersigner, InspectOptions } from './countersigner.ts';
import { type Courier, createCourier, type RetryOptions } from './courier.ts';
import { currentDelegation, delegationHeaders } from './delegation.ts';
import { SDK_LIMITS } from './limits.ts';
import { createTransport, type Transport } from './transport.ts';

export interface ClientOptions {
  /** Address of the gateway, e.g. `http://127.0.0.1:8080`. */
  readonly gatewayUrl: string;
  /** UUID of the agent. */
  readonly agentId: string;
  /** `ag_live_...` or `ag_test_...`. */
  readonly apiKey: string;
  /** The agent's secret, `ags_...`. */
  readonly secret: string;
  /** From connecting to the last byte; 30000 when absent. */
  readonly timeoutMs?: number;
  /** No repeats, 500 ms when absent. Repeats: 429, 5xx and network failures, never of a call that the gateway itself forwards. */
  readonly retry?: Partial<RetryOptions>;
  /** 5 failures, 30000 ms when absent. */
  readonly circuitBreaker?: Partial<BreakerOptions>;
  /** Session of every call that names none. */
  readonly session?: string;
  /** Where the agent was asked, of every question that names no place of its own. */
  readonly origin?: JsonObject;
  /** The world, for tests and simulations. */
  readonly world?: { readonly clock?: Clock; readonly delay?: (ms: number) => Promise<void>; readonly transport?: Transport };
}

function invalid(message: string, path: string): CodedError {
  return new CodedError({ code: 'invalid_configuration', message, path });
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw invalid('the address of the gateway must be an http or https URL without a user', 'gatewayUrl');
  }
  return url;
}

function checkIdentity(options: ClientOptions): void {
  if (!isUuid(options.agentId.toLowerCase())) throw invalid('the agent id must be a UUID', 'agentId');
  if (options.secret === '') throw invalid('the secret of the agent is missing', 'secret');
  if (!/^ag_(?:live|test)_[\x21-\x7e]+$/.test(options.apiKey))
    throw invalid('the API key must begin with `ag_live_` or `ag_test_`', 'apiKey');
}

function checkNumber(value: number, path: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid('must be a whole number, not negative', path);
  return value;
}

const DEFAULTS = {
  timeoutMs: 30_000,
  retry: { maxRetries: 0, baseDelayMs: 500 },
  circuitBreaker: { threshold: 5, resetTimeoutMs: 30_000 },
} as const;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

function checkRetry(given: Partial<RetryOptions> = {}): RetryOptions {
  const { maxRetries, baseDelayMs } = { ...DEFAULTS.retry, ...given };
  return { maxRetries: checkNumber(maxRetries, 'retry.maxRetries'), baseDelayMs: checkNumber(baseDelayMs, 'retry.baseDelayMs') };
}

function checkBreaker(given: Partial<BreakerOptions> = {}): BreakerOptions {
  const { threshold, resetTimeoutMs } = { ...DEFAULTS.circuitBreaker, ...given };
  return {
    threshold: Math.max(1, checkNumber(threshold, 'circuitBreaker.threshold')),
    resetTimeoutMs: checkNumber(resetTimeoutMs, 'circuitBreaker.resetTimeoutMs'),
  };
}

function checkTransport(options: ClientOptions): Transport {
  const gateway = checkUrl(options.gatewayUrl);
  const timeoutMs = checkNumber(options.timeoutMs ?? DEFAULTS.timeoutMs, 'timeoutMs');
  return options.world?.transport ?? createTransport(gateway, timeoutMs);
}

function delegationFields(): JsonObject {
  const current = currentDelegation();
  if (current === undefined || current.chain.length < 2) return {};
  return { caller_agent_id: current.chain.at(-2) ?? '', delegation_chain: current.chain, delegation_trace_id: current.traceId };
}

function callBody(tool: string, params: JsonValue, options: CallOptions): JsonObject {
  const { descriptor } = options;
  return {
    tool,
    params,
    target_url: options.targetUrl ?? '',
    ...(options.promptContext === undefined ? {} : { prompt_context: options.promptContext }),
    ...delegationFields(),
    ...(descriptor === undefined ? {} : { tool_descriptor_hash: descriptor.hash }),
    ...(descriptor?.description === undefined ? {} : { tool_description: descriptor.description }),
    ...(descriptor?.inputSchema === undefined ? {} : { tool_params_schema: JSON.stringify(descriptor.inputSchema) }),
  };
}

interface Question {
  readonly path: string;
  readonly body: JsonObject;
  readonly session?: string | undefined;
  readonly authorizedTools?: readonly string[] | undefined;
  readonly origin?: JsonObject | undefined;
  readonly repeatable?: boolean;
}

/** Speaks the wire format of `spec/http.md`. One per agent; share it, it pools its connections. */
export class CountersignClient implements Countersigner {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #courier: Courier;
  readonly #transport: Transport;

  /** @throws {CodedError} `invalid_configuration` with the option in `path`. */
  constructor(options: ClientOptions) {
    checkIdentity(options);
    this.#options = options;
    this.#clock = options.world?.clock ?? { nowMs: () => Date.now() };
    this.#key = agentJwtKey(options.secret);
    this.#transport = checkTransport(options);
    this.#courier = createCourier({
      transport: this.#transport,
      clock: this.#clock,
      delay: options.world?.delay ?? pause,
      retry: checkRetry(options.retry),
      circuitBreaker: checkBreaker(options.circuitBreaker),
    });
  }

  /** Asks for a call: the whole pipeline, a receipt, and on a yes a scope token. */
  async proxy(tool: string, params: JsonValue, options: CallOptions = {}): Promise<Answer> {
    return this.#decide({
      path: '/v1/proxy',
      body: callBody(tool, params, options),
      session: options.session,
      authorizedTools: options.authorizedTools,
      origin: options.origin,
      repeatable: (options.targetUrl ?? '') === '',
    });
  }

  /** Asks what `proxy` would say, without taking a place in the session. */
  async verify(tool: string, params: JsonValue, options: CallOptions = {}): Promise<Answer> {
    const body = callBody(tool, params, options);
    const { session, authorizedTools, origin } = options;
    return this.#decide({ path: '/v1/verify', body, session, authorizedTools, origin });
  }

  /** Has the response of a tool judged. */
  async inspect(tool: string, response: JsonValue, options: InspectOptions = {}): Promise<Answer> {
    const body = {
      tool,
      response_data: response,
      ...(options.requestId === undefined ? {} : { request_id: options.requestId }),
      ...(options.scopeToken === undefined ? {} : { scope_token: options.scopeToken }),
    };
    return this.#decide({ path: '/v1/inspect', body, session: options.session, origin: options.origin });
  }

  /** Has a prompt judged. */
  async scanInput(text: string, options: { readonly messageCount?: number; readonly roles?: readonly string[] } = {}): Promise<ScanAnswer> {
    const { messageCount, roles } = options;
    return this.#scan({
      path: '/v1/scan-input',
      body: { text, ...(messageCount === undefined ? {} : { message_count: messageCount }), ...(roles === undefined ? {} : { roles }) },
    });
  }

  /** Has the output of a model or a tool judged: rules, personal data, secrets. */
  async scanOutput(text: string, options: { readonly requestId?: string } = {}): Promise<ScanAnswer> {
    const body = { text, ...(options.requestId === undefined ? {} : { request_id: options.requestId }) };
    return this.#scan({ path: '/v1/scan-output', body });
  }

  /** Asks what a scope token is good for, and consumes it: a second call is told no. Never repeated for the same reason. */
  async introspect(token: string): Promise<Introspection> {
    const reply = await this.#ask({ path: '/v1/introspect', body: { token }, repeatable: false });
    return reply.ok ? readIntrospection(reply.body) : { ...readIntrospection({}), reason: reply.error.reason };
  }

  /** Lets requests under way finish, then closes the connections. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #decide(question: Question): Promise<Answer> {
    const reply = await this.#ask(question);
    return reply.ok ? (readAnswer(reply.body) ?? refusal(unreadable())) : refusal(reply.error);
  }

  async #scan(question: Question): Promise<ScanAnswer> {
    const reply = await this.#ask(question);
    return reply.ok ? (readScanAnswer(reply.body) ?? scanRefusal(unreadable())) : scanRefusal(reply.error);
  }

  #ask(question: Question): ReturnType<Courier['deliver']> {
    const origin = question.path === '/v1/introspect' ? undefined : (question.origin ?? this.#options.origin);
    const body = JSON.stringify(origin === undefined ? question.body : { ...question.body, origin });
    return this.#courier.deliver({
      request: () => ({ path: question.path, headers: this.#headers(question), body }),
      repeatable: question.repeatable !== false,
    });
  }

  #headers(question: Question): Record<string, string> {
    const iat = Math.floor(this.#clock.nowMs() / 1000);
    const claims = { sub: this.#options.agentId.toLowerCase(), iss: 'countersign-sdk', iat, exp: iat + SDK_LIMITS.tokenSeconds };
    const session = question.session ?? this.#options.session;
    return {
      'x-ag-key': this.#options.apiKey,
      authorization: `Bearer ${mintAgentJwt({ key: this.#key, claims })}`,
      ...(session === undefined ? {} : { 'x-ag-session': session }),
      ...(question.authorizedTools === undefined ? {} : { 'x-ag-authorized-tools': question.authorizedTools.join(',') }),
      ...delegationHeaders(),
    };
  }
}

function unreadable(): FaultDetails {
  return { fault: 'gateway_answer_invalid', reason: 'the answer of the gateway is not one that this client understands', status: 200 };
}
