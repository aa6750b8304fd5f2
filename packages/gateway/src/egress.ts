/**
 * @module The way out: the `Upstream` port over HTTP. A host name is resolved once, by the connection that uses the answer; every
 * address of the answer is checked and only a checked one is connected to, so a second answer (DNS rebinding) never matters.
 */
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { codeOf } from '@countersign/kernel';
import type { ForwardRequest, ForwardResponse, Upstream } from '@countersign/pipeline';
import { Agent, type Dispatcher, request as send } from 'undici';
import { isPublicAddress } from './address-guard.ts';
import { blocked, guardedLookup, type Resolve } from './guarded-lookup.ts';
import { GATEWAY_LIMITS as LIMITS } from './limits.ts';

export interface EgressOptions {
  /** Origins (`http://tools.internal:8080`) an operator trusts although their addresses are not public. Never from a request. */
  readonly trustedOrigins?: readonly string[];
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
  readonly responseBytesMax?: number;
}

export interface Egress extends Upstream {
  /** Ends every connection. */
  close(): Promise<void>;
}

const EMPTY = new Uint8Array(0);
const BLOCKED: ReadonlySet<string> = new Set(['ssrf_blocked', 'redirect_blocked', 'too_large', 'encoding_blocked']);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

async function resolveByDns(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map((entry) => entry.address);
}

function agentFor(lookupAddress: LookupFunction | undefined): Agent {
  return new Agent({
    connections: LIMITS.egressConnectionsPerOriginMax,
    connect: { timeout: LIMITS.egressTimeoutMs, ...(lookupAddress === undefined ? {} : { lookup: lookupAddress }) },
  });
}

function checkUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw blocked('ssrf_blocked');
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw blocked('ssrf_blocked');
  if (url.username !== '' || url.password !== '') throw blocked('ssrf_blocked');
  return url;
}

/** A host that is an address is checked here; a name is checked when it is connected to. */
function checkHost(url: URL): void {
  // A dot at the end says that a name is complete, and is the same name.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw blocked('ssrf_blocked');
  if (host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.internal') || host === '') throw blocked('ssrf_blocked');
}

interface Hop {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  /** Undefined once the call has left the host it was meant for. */
  readonly token: string | undefined;
  readonly body: string | undefined;
}

/** The next hop a redirect asks for. Neither the token nor the params ever reach another origin. */
function nextHop(hop: Hop, response: { readonly status: number; readonly location: string }, trusted: ReadonlySet<string>): Hop {
  const { status, location } = response;
  const url = checkUrl(location, hop.url);
  const sameOrigin = url.origin === hop.url.origin;
  // A stranger must not lead the way to what only the operator trusts.
  if (!sameOrigin && trusted.has(url.origin)) throw blocked('redirect_blocked');
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') throw blocked('redirect_blocked');
  const keepsBody = status === 307 || status === 308;
  if (keepsBody && !sameOrigin && hop.body !== undefined) throw blocked('redirect_blocked');
  return {
    url,
    method: keepsBody ? hop.method : 'GET',
    token: sameOrigin ? hop.token : undefined,
    body: keepsBody ? hop.body : undefined,
  };
}

async function readBody(response: Dispatcher.ResponseData, bytesMax: number): Promise<Uint8Array> {
  const encoding = response.headers['content-encoding'];
  // A compressed body would pass the fence unread.
  if (encoding !== undefined && encoding !== 'identity') throw blocked('encoding_blocked');
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > bytesMax) throw blocked('too_large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function isTimeout(code: string): boolean {
  return (
    code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT'
  );
}

/** Codes of failures before anything was sent. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function failureOf(error: unknown): ForwardResponse {
  const code = codeOf(error);
  if (BLOCKED.has(code)) return { status: 'blocked', reason: code, body: EMPTY };
  if (isTimeout(code) || (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')))
    return { status: 'timeout', body: EMPTY };
  return { status: NOT_SENT.has(code) ? 'error' : 'unknown', body: EMPTY };
}

/** An upstream that connects to public addresses and trusted origins only. */
export function createEgress(options: EgressOptions = {}): Egress {
  const trusted = new Set(options.trustedOrigins ?? []);
  const timeoutMs = options.timeoutMs ?? LIMITS.egressTimeoutMs;
  const bytesMax = options.responseBytesMax ?? LIMITS.egressResponseBytesMax;
  const guarded = agentFor(guardedLookup(options.resolve ?? resolveByDns));
  const direct = agentFor(undefined);

  async function sendHop(hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const isTrusted = trusted.has(hop.url.origin);
    if (!isTrusted) checkHost(hop.url);
    return send(hop.url, {
      dispatcher: isTrusted ? direct : guarded,
      method: hop.method,
      signal,
      headers: {
        accept: 'application/json, text/*;q=0.9, */*;q=0.1',
        ...(hop.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(hop.token === undefined ? {} : { authorization: `Bearer ${hop.token}` }),
      },
      ...(hop.body === undefined ? {} : { body: hop.body }),
    });
  }

  async function follow(request: ForwardRequest, signal: AbortSignal): Promise<ForwardResponse> {
    let hop: Hop = { url: checkUrl(request.url), method: 'POST', token: request.token, body: request.body };
    for (let redirects = 0; ; redirects += 1) {
      const response = await sendHop(hop, signal);
      const location = response.headers['location'];
      if (!REDIRECTS.has(response.statusCode) || typeof location !== 'string') {
        const body = await readBody(response, bytesMax);
        return { status: response.statusCode < 400 ? 'ok' : 'error', code: response.statusCode, body };
      }
      // Destroyed, not drained: nobody reads what stands beside a redirect.
      response.body.on('error', () => undefined).destroy();
      if (redirects >= LIMITS.egressRedirectsMax) throw blocked('redirect_blocked');
      hop = nextHop(hop, { status: response.statusCode, location }, trusted);
    }
  }

  return {
    async forward(request: ForwardRequest): Promise<ForwardResponse> {
      try {
        return await follow(request, AbortSignal.timeout(timeoutMs));
      } catch (error) {
        return failureOf(error);
      }
    },
    async close(): Promise<void> {
      await Promise.all([guarded.destroy(), direct.destroy()]);
    },
  };
}
