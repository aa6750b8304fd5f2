/**
 * @module The door of a witness: C2SP tlog-witness over plain HTTP/1.1, `POST /add-checkpoint` and nothing else. TLS is for whatever stands
 * in front of it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, CodedError } from '@countersign/kernel';
import { WITNESS_BODY_BYTES_MAX, type Witness, type WitnessVerdict } from '@countersign/log';
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';

const PLAIN = 'text/plain; charset=utf-8';

export interface WitnessServerOptions {
  readonly witness: Witness;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Told of every answer; `witness_failed` where the state failed. Names no more than the origin that a log shows to everybody. */
  readonly told?: (event: WitnessEvent) => void;
}

export interface WitnessEvent {
  readonly status: number;
  readonly verdict: WitnessVerdict | 'witness_failed';
  readonly origin?: string;
  /** Code of what failed. */
  readonly failure?: string;
}

export interface WitnessServer {
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  /** Answers what has arrived, then ends every connection. Idempotent. */
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function reply(response: ServerResponse, { status, contentType, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

const TOO_LARGE: Reply = {
  status: 413,
  contentType: PLAIN,
  body: `a request has at most ${WITNESS_BODY_BYTES_MAX} bytes (witness_body_too_large)\n`,
  // Who sends such requests gets no second one on this connection.
  headers: { connection: 'close' },
};

/** The body, or undefined where it is longer than any request may be. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of request as AsyncIterable<Uint8Array>) {
    total += part.length;
    if (total <= WITNESS_BODY_BYTES_MAX) parts.push(part);
    else parts.length = 0;
    // Leaving the loop early hangs up.
    if (total > LIMITS.witnessDrainBytesMax) break;
  }
  return total > WITNESS_BODY_BYTES_MAX ? undefined : Buffer.concat(parts);
}

function wrongPlace(request: IncomingMessage): Reply | undefined {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/add-checkpoint') return { status: 404, contentType: PLAIN, body: 'a witness has only /add-checkpoint\n' };
  if (request.method === 'POST') return undefined;
  return { status: 405, contentType: PLAIN, body: 'ask with POST\n', headers: { allow: 'POST' } };
}

async function answer(options: WitnessServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const wrong = wrongPlace(request);
  if (wrong !== undefined) {
    request.resume();
    reply(response, wrong);
    return;
  }
  const body = await readBody(request);
  if (body === undefined) {
    options.told?.({ status: 413, verdict: 'witness_body_too_large' });
    reply(response, TOO_LARGE);
    return;
  }
  let event: WitnessEvent;
  try {
    const { status, contentType, body: text, verdict, origin } = options.witness.addCheckpoint(body);
    event = { status, verdict, ...(origin === undefined ? {} : { origin }) };
    reply(response, { status, contentType, body: text });
  } catch (error) {
    event = { status: 500, verdict: 'witness_failed', failure: codeOf(error) };
    reply(response, { status: 500, contentType: PLAIN, body: 'the witness cannot store what it would sign (witness_failed)\n' });
  }
  options.told?.(event);
}

function listen(server: Server, { host, port }: WitnessServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new CodedError(
          {
            code: 'witness_cannot_listen',
            message: `\`${host}:${port}\` cannot be listened on (${codeOf(error)})`,
            hint: 'choose another address with --listen HOST:PORT, port 0 for any',
          },
          { cause: error },
        ),
      ),
    );
    // A server on a host and port, and not on a pipe, has an address with a port.
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });
}

/** Starts to listen. @throws CodedError `witness_cannot_listen`. */
export async function serveWitness(options: WitnessServerOptions): Promise<WitnessServer> {
  const server = createServer(
    {
      keepAlive: true,
      keepAliveTimeout: LIMITS.witnessIdleMs,
      headersTimeout: LIMITS.witnessRequestMs,
      requestTimeout: LIMITS.witnessRequestMs,
      connectionsCheckingInterval: LIMITS.witnessRequestMs,
      maxHeaderSize: LIMITS.witnessHeaderBytesMax,
    },
    (request, response) => {
      // A client that went away, in the middle of its request or before its answer, is told nothing.
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = LIMITS.witnessConnectionsMax;
  const { address, family, port } = await listen(server, options);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const cut = setTimeout(() => server.closeAllConnections(), LIMITS.witnessStopMs);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      server.closeIdleConnections();
    });
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close: () => (closing ??= close()) };
}
