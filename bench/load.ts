/**
 * @module The other side of a gateway measurement, in a process of its own: reads one plan from standard input, sends what it says, and
 * prints one line of figures.
 */
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { Client } from 'undici';
import { percentile } from './bench-rows.ts';

export interface LoadPlan {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodies: readonly string[];
  /** 1: one request after another, each timed by itself. More: as many connections at once. */
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadFigures {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, and requests without an answer. */
  readonly failures: number;
}

/** What is used of autocannon, which has no types of its own. */
interface Cannon {
  (options: {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly setupClient: (client: { setRequests(requests: readonly object[]): void }) => void;
  }): Promise<{
    readonly requests: { readonly total: number; readonly average: number };
    readonly latency: { readonly p50: number; readonly p99: number };
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
  }>;
}

const autocannon = createRequire(import.meta.url)('autocannon') as Cannon;

async function sendOneByOne(plan: LoadPlan): Promise<LoadFigures> {
  const client = new Client(plan.url);
  const samples: number[] = [];
  let failures = 0;
  const startedAt = performance.now();
  for (let n = 0; performance.now() - startedAt < plan.seconds * 1000; n += 1) {
    const sentAt = performance.now();
    const body = plan.bodies[n % plan.bodies.length] ?? '';
    const response = await client.request({
      method: 'POST',
      path: plan.path,
      headers: { ...plan.headers, 'x-ag-session': 'bench-one' },
      body,
    });
    await response.body.text();
    samples.push(performance.now() - sentAt);
    if (response.statusCode !== 200) failures += 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await client.close();
  return {
    requests: samples.length,
    perSecond: samples.length / seconds,
    p50Ms: percentile(samples, 0.5),
    p99Ms: percentile(samples, 0.99),
    failures,
  };
}

async function sendTogether(plan: LoadPlan): Promise<LoadFigures> {
  let connected = 0;
  const result = await autocannon({
    url: plan.url,
    connections: plan.connections,
    duration: plan.seconds,
    setupClient(client) {
      const session = `bench-${connected}`;
      const first = connected * 7;
      connected += 1;
      const bodies = plan.bodies.map((_, i) => plan.bodies[(i + first) % plan.bodies.length] ?? '');
      client.setRequests(
        bodies.map((body) => ({ method: 'POST', path: plan.path, headers: { ...plan.headers, 'x-ag-session': session }, body })),
      );
    },
  });
  return {
    requests: result.requests.total,
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors + result.timeouts,
  };
}

if (process.argv[1] === import.meta.filename) {
  const plan = JSON.parse(await text(process.stdin)) as LoadPlan;
  const figures = plan.connections === 1 ? await sendOneByOne(plan) : await sendTogether(plan);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
