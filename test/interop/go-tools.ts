/** The public Go tools for tlog-tiles, built from test/interop/go-tiles, and a small server of a log directory. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readAnswer } from '@countersign/log';

const PROGRAM = fileURLToPath(new URL('./go-tiles/', import.meta.url));

/** Tools that read a whole log. */
export const TOOLS = ['fsck', 'client', 'torchwood', 'sumdb'] as const;
export type Tool = (typeof TOOLS)[number];

/** Why the program of the Go tools cannot be built here; undefined where it can. */
export function missingGo(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return 'there is no `go` on this machine';
  if (spawnSync('go', ['mod', 'download'], { cwd: PROGRAM }).status !== 0) {
    return 'the modules of Tessera, torchwood and x/mod cannot be had, or `go` is too old for them';
  }
  return undefined;
}

/** Builds the program into `file`; Go's own cache makes this short from the second time on. */
export function buildGoTools(file: string): void {
  execFileSync('go', ['build', '-o', file, '.'], { cwd: PROGRAM, stdio: 'pipe' });
}

/** What a tool saw of a log that it accepts. */
export interface ToolReport {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** SHA-256 over all entries, each behind its length in four bytes; fsck shows none. */
  readonly entries?: string;
  readonly proofs: number;
  readonly older: number;
}

/** What a tool said: a report where it accepts the log, else its refusal. */
export interface Verdict {
  readonly report: ToolReport | undefined;
  readonly refusal: string;
}

/** The program that is run, and the `Authorization` header it sends, where it is to send one. */
export interface GoTools {
  readonly program: string;
  readonly authorization?: string;
}

export function runTool({ program, authorization = '' }: GoTools, tool: Tool | 'proof', args: readonly string[]): Promise<Verdict> {
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
  const env = { ...process.env, GO_TILES_AUTHORIZATION: authorization };
  execFile(program, [tool, ...args], { encoding: 'utf8', env }, (error, stdout, stderr) => {
    if (error === null) resolve({ report: JSON.parse(stdout), refusal: '' });
    else if (error.code === 1 && stderr.startsWith(`refused by ${tool}: `)) resolve({ report: undefined, refusal: stderr.trimEnd() });
    else reject(new Error(`${tool} ended without a verdict: ${stderr.slice(0, 2000)}`));
  });
  return promise;
}

async function answer(directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const read = (path: string): Promise<Uint8Array | undefined> => readFile(join(directory, path)).catch(() => undefined);
  const { status, headers, body, gzip } = await readAnswer(
    { method: request.method ?? '', path: (request.url ?? '').slice(1), acceptEncoding: request.headers['accept-encoding'] },
    read,
  );
  response.writeHead(status, headers).end(body !== undefined && gzip ? gzipSync(body) : body);
}

export interface LogServer {
  readonly address: string;
  close(): void;
}

/** Serves the published files in `directory` over HTTP, by the rules of LOG-090. */
export async function serveDirectory(directory: string): Promise<LogServer> {
  const server = createServer((request, response) => {
    answer(directory, request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return {
    address: `http://127.0.0.1:${bound.port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
