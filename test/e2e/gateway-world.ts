/** A real gateway in a process of its own, somebody who calls it, an operator, a stranger who follows the log, and the command line. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { expect } from 'vitest';
import { createFollower } from '../../bench/log-follower.ts';
import { headersFor, type Ready, type ServerProcess, startServer } from '../../bench/server-process.ts';

const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('../../apps/server/dist/main.js', import.meta.url));

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** The JSON object of the answer. */
  readonly body: Record<string, unknown>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'countersign-e2e-'));
}

async function ended(args: readonly string[], env: Record<string, string>, input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [...args], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined).end(input);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** The built command line on a data directory. */
export function cli(dataDir: string, args: readonly string[], input?: string): Promise<Ended> {
  return ended([CLI, ...args, '--data', dataDir], {}, input);
}

/** The built server where it is expected not to start. */
export function failedStart(dataDir: string, env: Record<string, string> = {}, args: readonly string[] = ['--json']): Promise<Ended> {
  return ended([SERVER, ...args], { COUNTERSIGN_DATA: dataDir, COUNTERSIGN_PORT: '0', ...env });
}

export async function operatorToken(dataDir: string): Promise<string> {
  return (JSON.parse(await readFile(join(dataDir, 'operator.json'), 'utf8')) as { token: string }).token;
}

/** Reads the whole log as a stranger would, and throws where it does not hold. */
export async function followedReceipts(url: string, dataDir: string): Promise<ReadonlySet<string>> {
  const vkey = (await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim();
  const follower = createFollower(vkey, await operatorToken(dataDir));
  await follower.follow(url);
  return follower.receipts;
}

export interface Upstream {
  readonly url: string;
  readonly seen: { readonly path: string; readonly body: string; readonly headers: IncomingMessage['headers'] }[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** A tool behind the gateway. */
export async function openUpstream(): Promise<Upstream> {
  const upstream: Upstream = {
    url: '',
    seen: [],
    answer: (_, response) => void response.end('{"ok":true}'),
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
  const server: Server = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      upstream.seen.push({ path: incoming.url ?? '', body, headers: incoming.headers });
      response.setHeader('content-type', 'application/json');
      upstream.answer(incoming, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(upstream, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface Gateway {
  readonly ready: Ready;
  readonly server: ServerProcess;
  /** Receipts of every answer that named one. */
  readonly acknowledged: ReadonlySet<string>;
  /** As the first agent, with a good token, unless `headers` say otherwise. */
  send(sent: Sent): Promise<Reply>;
  call(tool: string, params: unknown, more?: Record<string, unknown>): Promise<Reply>;
  operator(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  /** A refusal in the words of the door, with nothing in it that should not be. */
  expectRefusal(reply: Reply, status: number, code: string): void;
  cli(args: readonly string[], input?: string): Promise<Ended>;
  close(): Promise<void>;
}

function asObject(answer: string): Record<string, unknown> {
  try {
    return JSON.parse(answer) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** What no answer and no complaint may ever show. */
const LEAKS = [/\n\s+at /, /\.[jt]s:\d+/, /node:internal/, /node_modules/, /undefined|\[object/];

export function expectClean(answer: string, secrets: readonly string[] = []): void {
  for (const leak of LEAKS) expect(answer).not.toMatch(leak);
  for (const secret of secrets) expect(answer.includes(secret), `a secret is in: ${answer}`).toBe(false);
}

/** Starts a gateway with a directory of its own. */
export async function openGateway(env: Record<string, string> = {}): Promise<Gateway> {
  const dataDir = await newDirectory();
  const server = await startServer(dataDir, env);
  const { ready } = server;
  const acknowledged = new Set<string>();
  const token = await operatorToken(dataDir);
  const secrets = [ready.apiKey, ready.agentSecret, token, dataDir];

  async function exchange(path: string, options: Parameters<typeof request>[1]): Promise<Reply> {
    const response = await request(`${ready.url}${path}`, options);
    const answer = await response.body.text();
    return { status: response.statusCode, text: answer, body: asObject(answer) };
  }

  async function send({ path = '/v1/proxy', headers = {}, body = '' }: Sent): Promise<Reply> {
    const reply = await exchange(path, { method: 'POST', headers: { ...headersFor(ready), ...headers }, body: body as string });
    if (typeof reply.body['receipt_id'] === 'string') acknowledged.add(reply.body['receipt_id']);
    return reply;
  }

  return {
    ready,
    server,
    acknowledged,
    send,
    call: (tool, params, more = {}) => send({ body: JSON.stringify({ tool, params, target_url: '', ...more }) }),
    operator(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      return exchange(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    },
    expectRefusal(reply, status, code) {
      expect([reply.status, reply.body['error_code']], reply.text).toEqual([status, code]);
      expect(String(reply.body['error']).split(' ').length, reply.text).toBeGreaterThanOrEqual(3);
      expect(reply.body['allowed'] ?? false, reply.text).toBe(false);
      expectClean(reply.text, secrets);
    },
    cli: (args, input) => cli(dataDir, args, input),
    async close() {
      await server.kill('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
