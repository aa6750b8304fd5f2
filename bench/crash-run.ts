/**
 * @module kill -9 at random moments under load: no acknowledged receipt may be lost, no torn log may be served. One data directory goes
 * through all the crashes, and a follower who trusts only the public files checks it after each.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { createFollower, type Follower } from './log-follower.ts';
import { headersFor, type Ready, type ServerProcess, startServer } from './server-process.ts';

export interface CrashOptions {
  readonly runs: number;
  readonly seed: number;
  readonly clients?: number;
  readonly onRun?: (run: CrashRun) => void;
}

export interface CrashRun {
  readonly run: number;
  readonly acknowledged: number;
  readonly logSize: number;
  readonly startMs: number;
}

export interface CrashReport {
  readonly runs: number;
  readonly seed: number;
  readonly acknowledged: number;
  /** Acknowledged receipts that are not in the log. */
  readonly lost: readonly string[];
  readonly logSize: number;
  readonly slowestStartMs: number;
}

const LONGEST_LOAD_MS = 250;

/** Mulberry32: small, seeded, good enough to choose moments. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Load {
  readonly acknowledged: string[];
  stop(): Promise<void>;
}

/** Clients that ask for decisions until the server dies, and write down every receipt they were shown. */
export function loadServer(ready: Ready, clients: number): Load {
  const pool = new Pool(ready.url, { connections: clients });
  const headers = headersFor(ready);
  const acknowledged: string[] = [];
  let stopped = false;
  let n = 0;
  const client = async (id: number): Promise<void> => {
    while (!stopped) {
      n += 1;
      const sql = n % 5 === 0 ? 'DROP TABLE users' : `SELECT name FROM users WHERE id = ${n}`;
      const body = JSON.stringify({ tool: 'database.query', params: { sql }, target_url: '' });
      try {
        const response = await pool.request({
          method: 'POST',
          path: '/v1/proxy',
          headers: { ...headers, 'x-ag-session': `crash-${id}` },
          body,
        });
        const answer = (await response.body.json()) as { receipt_id?: string | null };
        if (response.statusCode === 200 && typeof answer.receipt_id === 'string') acknowledged.push(answer.receipt_id);
      } catch {
        stopped = true; // The server is gone: that is the point.
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  return {
    acknowledged,
    async stop(): Promise<void> {
      stopped = true;
      await running;
      await pool.destroy();
    },
  };
}

async function crashOnce(
  server: ServerProcess,
  follower: Follower,
  options: { readonly clients: number; readonly loadMs: number },
): Promise<readonly string[]> {
  const load = loadServer(server.ready, options.clients);
  await wait(options.loadMs / 2);
  await follower.glance(server.ready.url);
  await wait(options.loadMs / 2);
  await server.kill('SIGKILL');
  await load.stop();
  return load.acknowledged;
}

/** Runs the crashes and checks after each; throws with a sentence when the log does not hold. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-crash-'));
  const random = seeded(options.seed);
  const acknowledged = new Set<string>();
  let slowestStartMs = 0;
  let server: ServerProcess | undefined;
  try {
    server = await startServer(dataDir);
    const { token } = JSON.parse(await readFile(join(dataDir, 'operator.json'), 'utf8')) as { token: string };
    const follower = createFollower((await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim(), token);
    for (let run = 1; run <= options.runs; run += 1) {
      const seen = await crashOnce(server, follower, { clients: options.clients ?? 8, loadMs: 10 + random() * LONGEST_LOAD_MS });
      for (const id of seen) acknowledged.add(id);
      server = await startServer(dataDir);
      slowestStartMs = Math.max(slowestStartMs, server.startMs);
      await follower.follow(server.ready.url);
      options.onRun?.({ run, acknowledged: acknowledged.size, logSize: follower.size, startMs: Math.round(server.startMs) });
    }
    await server.kill('SIGTERM');
    const lost = [...acknowledged].filter((id) => !follower.receipts.has(id));
    return {
      runs: options.runs,
      seed: options.seed,
      acknowledged: acknowledged.size,
      lost,
      logSize: follower.size,
      slowestStartMs: Math.round(slowestStartMs),
    };
  } finally {
    await server?.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}
