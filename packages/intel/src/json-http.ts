/**
 * @module JSON over HTTP for guards: only to the host that was configured, over https or to this machine itself, without redirects, with a
 * bounded request and a bounded answer. A status other than 2xx is a failure with its own reason, whatever stands in the body.
 */
import { CodedError, err, type Fault, type JsonValue, ok, parseJson, type Result } from '@countersign/kernel';
import { INTEL_LIMITS } from './limits.ts';

/** Where requests go; nothing in an action changes it. */
export interface Endpoint {
  readonly origin: string;
  /** Path of the configured address, without a slash at its end. */
  readonly basePath: string;
}

export interface JsonRequest {
  readonly method: 'GET' | 'POST';
  /** Below the configured path, beginning with `/`; its parts are escaped by the caller. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
}

export interface JsonReply {
  readonly status: number;
  readonly body: JsonValue;
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Reads a configured address. */
export function readEndpoint(text: string, path: string): Result<Endpoint, Fault> {
  const refuse = (message: string): Result<never, Fault> => err({ code: 'policy_endpoint', message, path });
  if (!URL.canParse(text)) return refuse('this is no address of a server');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return refuse('an address holds no credentials: name the secret in its own field');
  if (url.search !== '' || url.hash !== '') return refuse('an address of a server has no query and no fragment');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
    return refuse('must be https, or http to this machine itself');
  return ok({ origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') });
}

function failed(reason: string, cause?: unknown): CodedError {
  return new CodedError({ code: reason, message: `the outside gave no answer: ${reason}` }, { cause });
}

function statusReason(status: number): string {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) return 'not_found';
  if (status === 429) return 'too_many_requests';
  if (status >= 300 && status < 400) return 'redirected';
  return status >= 500 ? 'server_error' : 'http_status';
}

async function readBody(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    // Leaving the loop early gives the connection up.
    for await (const part of response.body ?? []) {
      total += part.length;
      if (total > INTEL_LIMITS.answerBytesMax) throw failed('answer_too_large');
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof CodedError ? error : failed('unreachable', error);
  }
  return Buffer.concat(parts);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Numbers as doubles, whatever was written: for vectors, of which every number is a rounded one. */
function readFloats(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(decoder.decode(bytes)) as JsonValue;
  } catch (error) {
    throw failed('answer_malformed', error);
  }
}

function readJson(bytes: Uint8Array): JsonValue {
  const parsed = parseJson(bytes, {
    bytesMax: INTEL_LIMITS.answerBytesMax,
    depthMax: INTEL_LIMITS.answerDepthMax,
    nodesMax: INTEL_LIMITS.answerNodesMax,
  });
  if (!parsed.ok) throw failed('answer_malformed');
  return parsed.value.value;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly accept?: readonly number[];
  /** The answer must say of itself that it is JSON. */
  readonly declared?: boolean;
  /** The answer is read as numbers that were rounded, and not strictly. */
  readonly floats?: boolean;
}

async function send(endpoint: Endpoint, { method, path, headers, body }: JsonRequest, signal: AbortSignal): Promise<Response> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  if (sent.body !== undefined && Buffer.byteLength(sent.body) > INTEL_LIMITS.requestBytesMax) throw failed('request_too_large');
  const type = sent.body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await fetch(`${endpoint.origin}${endpoint.basePath}${path}`, {
      method,
      redirect: 'manual',
      headers: { accept: 'application/json', ...type, ...headers },
      signal,
      ...sent,
    });
  } catch (error) {
    throw failed('unreachable', error);
  }
}

/**
 * One request. `accept` are statuses beside 2xx whose answer means something to the caller, such as 404 for a file that nobody knows.
 * @throws {CodedError} `unreachable`, `redirected`, `unauthorized`, `not_found`, `too_many_requests`, `server_error`, `http_status`,
 * `answer_too_large`, `answer_malformed`, `request_too_large`.
 */
export async function requestJson(endpoint: Endpoint, request: JsonRequest, options: RequestOptions): Promise<JsonReply> {
  const response = await send(endpoint, request, options.signal);
  const { status } = response;
  if (!response.ok && options.accept?.includes(status) !== true) {
    await response.body?.cancel();
    throw failed(statusReason(status));
  }
  if (options.declared === true && !/^application\/json\s*(?:;|$)/i.test(response.headers.get('content-type') ?? '')) {
    await response.body?.cancel();
    throw failed('answer_malformed');
  }
  const bytes = await readBody(response);
  const read = options.floats === true ? readFloats : readJson;
  return { status, body: bytes.length === 0 && !response.ok ? null : read(bytes) };
}
