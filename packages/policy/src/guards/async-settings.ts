/**
 * @module How guards that need the outside ask it (`async` of their block): how long they wait, what holds when no answer came, and what
 * spares the one that is asked. Names and ranges are those of Clawdstrike 0.2.7; no answer denies unless the policy says `warn`.
 */
import { type Field, shape, type Shape, whole, words } from '../field-shapes.ts';

export interface AsyncSettings {
  /** For one question, all tries together. */
  readonly timeout_ms: number;
  /** Holds for every reason that there is no answer. `defer`: the last answer to the same question, however old; none denies. */
  readonly on_timeout: 'deny' | 'warn' | 'defer';
  /** `sequential`: its questions are asked one after another. */
  readonly execution_mode: 'parallel' | 'sequential';
  readonly cache: { readonly enabled: boolean; readonly ttl_seconds: number; readonly max_size_mb: number };
  readonly rate_limit?: RateLimit;
  readonly circuit_breaker?: CircuitBreaker;
  readonly retry?: Retry;
}
export interface RateLimit {
  /** One of the two. */
  readonly requests_per_second?: number;
  readonly requests_per_minute?: number;
  readonly burst: number;
}
export interface CircuitBreaker {
  readonly failure_threshold: number;
  readonly reset_timeout_ms: number;
  readonly success_threshold: number;
}
export interface Retry {
  readonly max_retries: number;
  readonly initial_backoff_ms: number;
  readonly max_backoff_ms: number;
  readonly multiplier: number;
}
export interface WrittenAsync extends Partial<Omit<AsyncSettings, 'cache' | 'rate_limit' | 'circuit_breaker' | 'retry'>> {
  readonly cache?: Partial<AsyncSettings['cache']>;
  readonly rate_limit?: Partial<RateLimit>;
  readonly circuit_breaker?: Partial<CircuitBreaker>;
  readonly retry?: Partial<Retry>;
}

export const ASYNC_DEFAULTS: AsyncSettings = {
  timeout_ms: 5000,
  on_timeout: 'deny',
  execution_mode: 'parallel',
  cache: { enabled: true, ttl_seconds: 3600, max_size_mb: 64 },
};
const BREAKER_DEFAULTS: CircuitBreaker = { failure_threshold: 5, reset_timeout_ms: 30_000, success_threshold: 2 };
const RETRY_DEFAULTS: Retry = { max_retries: 2, initial_backoff_ms: 250, max_backoff_ms: 2000, multiplier: 2 };

const FLAG: Field = { is: 'flag' };
const RATE: Field = { is: 'number', min: 0.001, max: 100_000, whole: false };
const BACKOFF = whole(100, 300_000);
const CACHE = shape({ enabled: FLAG, ttl_seconds: whole(1, 31_536_000), max_size_mb: whole(1, 1024) });
const RATE_LIMIT = shape({ requests_per_second: RATE, requests_per_minute: RATE, burst: whole(1, 100_000) });
const BREAKER = shape({
  failure_threshold: whole(1, 100_000),
  reset_timeout_ms: whole(1000, 86_400_000),
  success_threshold: whole(1, 100_000),
});
const RETRY = shape({
  max_retries: whole(0, 10),
  initial_backoff_ms: BACKOFF,
  max_backoff_ms: BACKOFF,
  multiplier: { is: 'number', min: 1, max: 100, whole: false },
});
const NULLABLE = new Set(['rate_limit', 'circuit_breaker', 'retry', 'cache']);

/** The block `async` as written. */
export const ASYNC_FIELDS: Shape = shape(
  {
    timeout_ms: whole(100, 300_000),
    on_timeout: words(
      { deny: 'deny', warn: 'warn', defer: 'defer' },
      { allow: 'would let pass what nobody has looked at: say `deny`, or `warn` where it must pass' },
    ),
    execution_mode: words(
      { parallel: 'parallel', sequential: 'sequential' },
      { background: 'is an answer after the act, which judges nothing: say `parallel`' },
    ),
    cache: CACHE,
    rate_limit: RATE_LIMIT,
    circuit_breaker: BREAKER,
    retry: RETRY,
  },
  { nullable: NULLABLE },
);

type Full = (base: Shape, change?: { readonly add?: Readonly<Record<string, Field>>; readonly optional?: readonly string[] }) => Shape;

/** The same once resolved; `full` makes every field of a shape a required one. */
export function resolvedAsync(full: Full): Shape {
  return full(ASYNC_FIELDS, {
    add: {
      cache: full(CACHE),
      rate_limit: full(RATE_LIMIT, { optional: ['requests_per_second', 'requests_per_minute'] }),
      circuit_breaker: full(BREAKER),
      retry: full(RETRY),
    },
    optional: ['rate_limit', 'circuit_breaker', 'retry'],
  });
}

/** A rate is said once: the block that names one takes the other away. */
function mergeRate(block: Partial<RateLimit>, base: RateLimit | undefined): RateLimit {
  const { requests_per_second: second, requests_per_minute: minute, burst } = block;
  const rates = second === undefined && minute === undefined ? base : block;
  return {
    ...(rates?.requests_per_second === undefined ? {} : { requests_per_second: rates.requests_per_second }),
    ...(rates?.requests_per_minute === undefined ? {} : { requests_per_minute: rates.requests_per_minute }),
    burst: burst ?? base?.burst ?? 1,
  };
}

/** Each field of the block on what is below, part by part. */
export function mergeAsync(block: WrittenAsync | undefined, base: AsyncSettings): AsyncSettings {
  if (block === undefined) return base;
  const { cache, rate_limit: rate, circuit_breaker: breaker, retry, ...plain } = block;
  return {
    ...base,
    ...plain,
    cache: { ...base.cache, ...cache },
    ...(rate === undefined ? {} : { rate_limit: mergeRate(rate, base.rate_limit) }),
    ...(breaker === undefined ? {} : { circuit_breaker: { ...BREAKER_DEFAULTS, ...base.circuit_breaker, ...breaker } }),
    ...(retry === undefined ? {} : { retry: { ...RETRY_DEFAULTS, ...base.retry, ...retry } }),
  };
}

export interface AsyncProblem {
  readonly path: string;
  readonly message: string;
}

/** What no single field can tell; `path` is that of the block. */
export function asyncProblems({ rate_limit: rate, retry }: AsyncSettings, path: string): readonly AsyncProblem[] {
  const found: AsyncProblem[] = [];
  if (rate !== undefined && (rate.requests_per_second === undefined) === (rate.requests_per_minute === undefined))
    found.push({ path: `${path}.rate_limit`, message: 'must say one of `requests_per_second` and `requests_per_minute`' });
  if (retry !== undefined && retry.initial_backoff_ms > retry.max_backoff_ms)
    found.push({ path: `${path}.retry`, message: '`initial_backoff_ms` must not be above `max_backoff_ms`' });
  return found;
}
