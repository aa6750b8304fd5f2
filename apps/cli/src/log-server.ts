/**
 * @module A read-only server of one log directory, without a gateway: the published files over HTTP, by the rules of spec/log.md LOG-090.
 * It opens no journal and takes no lock, so it runs beside the gateway that writes the log, or over a copy of `public/` anywhere else.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { codeOf } from '@countersign/kernel';
import { CHECKPOINT_PATH, type ReadAnswer, readAnswer } from '@countersign/log';
import { CLI_LIMITS } from './limits.ts';
import { configError, runtimeError } from './outcome.ts';

const compress = promisify(gzip);
const TEXT_TYPE = 'text/plain; charset=utf-8';
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);
const REFUSALS: Readonly<Record<number, string>> = { 404: 'no such file of the log\n', 405: 'the log is only read\n' };

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface LogServer {
  /** Where the log can be read, with a slash at its end. */
  readonly url: string;
  /** Resolves when the last reader has got its answer. */
  close(): Promise<void>;
}

/** The folder of published files in a log directory, or the directory itself where it is such a folder. @throws {CliError} exit 3. */
export function publishedFolder(directory: string): string {
  const found = [join(directory, 'public'), directory].find((folder) => existsSync(join(folder, CHECKPOINT_PATH)));
  if (found !== undefined) return found;
  throw configError([
    {
      code: 'log_not_published',
      message: 'there is no checkpoint of a log here',
      path: directory,
      hint: 'name the directory of a log, e.g. --log .countersign/log',
    },
  ]);
}

/** `path` is one that `readAnswer` has read: relative, without a way up. */
async function readPublishedFile(folder: string, path: string): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(join(folder, path), 'r');
    try {
      const { size } = await handle.stat();
      if (size > CLI_LIMITS.publishedBytesMax)
        throw runtimeError({ code: 'log_malformed', message: 'a file of the log is too large', path });
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (NOTHING_THERE.has(codeOf(error))) return undefined;
    throw error;
  }
}

async function sendRead(answer: ReadAnswer, isHead: boolean, response: ServerResponse): Promise<void> {
  const { body = new Uint8Array(0) } = answer;
  const isPacked = answer.gzip;
  if (isHead) {
    // What compressing would come to is not worked out for nothing.
    response.writeHead(answer.status, { ...answer.headers, ...(isPacked ? {} : { 'content-length': body.length }) }).end();
    return;
  }
  const sent = isPacked ? await compress(body) : body;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': sent.length }).end(sent);
}

async function answerRequest(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [url = ''] = (request.url ?? '').split('?', 1);
  const answer = await readAnswer(
    {
      method: request.method ?? '',
      path: url.startsWith('/') ? url.slice(1) : '',
      ifNoneMatch: request.headers['if-none-match'],
      acceptEncoding: request.headers['accept-encoding'],
    },
    (path) => readPublishedFile(folder, path),
  );
  if (answer.status === 200) return sendRead(answer, request.method === 'HEAD', response);
  const text = REFUSALS[answer.status];
  // A body that nobody will read ends the connection.
  const ending = answer.status === 405 ? { connection: 'close' } : {};
  response.writeHead(answer.status, { ...answer.headers, ...ending, ...(text === undefined ? {} : { 'content-type': TEXT_TYPE }) });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function refuseFailed(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(500, { 'content-type': TEXT_TYPE, 'cache-control': 'no-store' }).end('the log cannot be read\n');
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<string> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = codeOf(error);
    const message = code === 'EADDRINUSE' ? `port ${port} on ${host} is taken` : `${host}:${port} cannot be listened on (${code})`;
    throw runtimeError({ code: code === 'EADDRINUSE' ? 'port_taken' : 'listen_failed', message, path: '--listen' }, error);
  }
  const bound = server.address();
  const actual = bound === null || typeof bound === 'string' ? port : bound.port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actual}/`;
}

/** Serves the published files in `folder`. @throws {CliError} exit 4 where the address cannot be had. */
export async function serveLog(folder: string, address: ListenAddress): Promise<LogServer> {
  const server = createServer(
    {
      requestTimeout: CLI_LIMITS.requestMs,
      headersTimeout: CLI_LIMITS.requestMs,
      keepAliveTimeout: CLI_LIMITS.requestMs,
    },
    (request, response) => {
      answerRequest(folder, request, response).catch(() => refuseFailed(response));
    },
  );
  server.maxConnections = CLI_LIMITS.serveConnectionsMax;
  // A reader that takes nothing for so long gets nothing more.
  server.timeout = CLI_LIMITS.requestMs;
  const url = await listen(server, address);
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
