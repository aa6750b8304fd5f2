/**
 * @module One POST to the gateway: bounded in time and size, never following a redirect.
 */
import { Pool } from 'undici';
import { codeOf } from '@countersign/kernel';
import { SDK_LIMITS } from './limits.ts';

export interface WireRequest {
  /** Path below the gateway's address, e.g. `/v1/proxy`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type WireReply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: 'unreachable' | 'timeout' | 'too_large'; readonly reason: string };

/** Sends one request. Total: what goes wrong on the way is a reply. */
export interface Transport {
  send(request: WireRequest): Promise<WireReply>;
  close(): Promise<void>;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > SDK_LIMITS.answerBytesMax) return undefined;
    parts.push(chunk);
  }
  return new Uint8Array(Buffer.concat(parts, size));
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);

function failure(error: unknown, timeoutMs: number): WireReply {
  const timedOut = (error instanceof Error && error.name === 'TimeoutError') || TIMEOUTS.has(codeOf(error));
  if (timedOut) return { kind: 'timeout', reason: `the gateway did not answer within ${timeoutMs} ms` };
  return { kind: 'unreachable', reason: `the gateway cannot be reached (${codeOf(error)})` };
}

/** A pool of connections to one gateway. `timeoutMs` bounds a request from connecting to the last byte. */
export function createTransport(gateway: URL, timeoutMs: number): Transport {
  const pool = new Pool(gateway.origin, { connections: 64, connectTimeout: timeoutMs });
  const prefix = gateway.pathname.replace(/\/$/, '');
  return {
    async send(request) {
      try {
        const reply = await pool.request({
          method: 'POST',
          path: `${prefix}${request.path}`,
          headers: { ...request.headers, 'content-type': 'application/json', accept: 'application/json' },
          body: request.body,
          signal: AbortSignal.timeout(timeoutMs),
        });
        const body = await collect(reply.body);
        if (body === undefined) return { kind: 'too_large', reason: `the answer is larger than ${SDK_LIMITS.answerBytesMax} bytes` };
        return { kind: 'answered', status: reply.statusCode, body };
      } catch (error) {
        return failure(error, timeoutMs);
      }
    },
    close: () => pool.close(),
  };
}
