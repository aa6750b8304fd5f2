/**
 * @module One question over HTTP to the one host of a source. No redirect is followed, no other host is ever reached, sizes are bounded,
 * and nothing that goes wrong carries a header, a path or a body.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isJsonObject, type JsonObject, parseJson } from '@countersign/kernel';
import type { BaseUrl } from './base-url.ts';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

/** Why there is no answer. Words without anything of the question in them. */
export type Unavailable =
  /** No connection, or it broke. */
  | 'unreachable'
  | 'timeout'
  /** The credentials were refused (401, 403). */
  | 'not_authorized'
  /** The source says that it was asked too often (429). */
  | 'quota_exceeded'
  /** The source failed (5xx). */
  | 'source_failed'
  /** Any other status than the documented ones, redirects among them. */
  | 'unexpected_status'
  | 'answer_too_large'
  | 'answer_not_json'
  /** JSON, but not of the documented form. */
  | 'answer_unknown_form'
  | 'question_too_large'
  /** Our own limit on how often it is asked. */
  | 'rate_limited'
  /** It failed so often that it is left alone for a while. */
  | 'circuit_open'
  /** Too many questions at once. */
  | 'busy'
  | 'no_credentials';

export interface Question {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses whose body is an answer; any other is none. */
  readonly statuses: readonly number[];
}

export type HttpAnswer =
  { readonly ok: true; readonly status: number; readonly value: JsonObject } | { readonly ok: false; readonly why: Unavailable };

/** Never rejects. `signal` ends the question, whatever it is waiting for. */
export type AskJson = (question: Question, signal: AbortSignal) => Promise<HttpAnswer>;

export interface JsonSource {
  readonly ask: AskJson;
  /** Gives the connections up. */
  close(): void;
}

function failed(why: Unavailable): HttpAnswer {
  return { ok: false, why };
}

function whyOfStatus(status: number): Unavailable {
  if (status === 401 || status === 403) return 'not_authorized';
  if (status === 429) return 'quota_exceeded';
  return status >= 500 && status <= 599 ? 'source_failed' : 'unexpected_status';
}

async function readBody(response: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    total += part.length;
    if (total > LIMITS.answerBytesMax) {
      response.destroy();
      return undefined;
    }
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function readAnswer(response: IncomingMessage, statuses: readonly number[]): Promise<HttpAnswer> {
  const { statusCode = 0, headers } = response;
  if (!statuses.includes(statusCode)) {
    response.destroy();
    return failed(whyOfStatus(statusCode));
  }
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  if (headers['content-encoding'] !== undefined || type.trim().toLowerCase() !== 'application/json') {
    response.destroy();
    return failed('answer_not_json');
  }
  const body = await readBody(response);
  if (body === undefined) return failed('answer_too_large');
  const parsed = parseJson(body, { bytesMax: LIMITS.answerBytesMax, depthMax: LIMITS.answerDepthMax, nodesMax: LIMITS.answerNodesMax });
  if (!parsed.ok) return failed('answer_not_json');
  const { value } = parsed.value;
  return isJsonObject(value) ? { ok: true, status: statusCode, value } : failed('answer_unknown_form');
}

/** A source at one host. `ca`: certificates to believe instead of those of the system, for tests and for hosts of one's own. */
export function openJsonSource(base: BaseUrl, options: { readonly ca?: string } = {}): JsonSource {
  const pool = { keepAlive: true, maxSockets: LIMITS.connectionsMax, maxFreeSockets: 2 };
  const agent = base.secure ? new HttpsAgent({ ...pool, ...(options.ca !== undefined && { ca: options.ca }) }) : new HttpAgent(pool);
  const request = base.secure ? requestHttps : requestHttp;

  function send(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, headers, body, path } = question;
      const sent = request(
        {
          agent,
          host: base.host,
          port: base.port,
          path: `${base.path}${path}`,
          method,
          headers: {
            ...headers,
            accept: 'application/json',
            'accept-encoding': 'identity',
            'user-agent': 'countersign',
            ...(body !== undefined && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
          },
          maxHeaderSize: LIMITS.answerHeaderBytesMax,
          signal,
        },
        resolve,
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  return {
    async ask(question, signal): Promise<HttpAnswer> {
      if (Buffer.byteLength(question.body ?? '') > LIMITS.requestBytesMax) return failed('question_too_large');
      try {
        return await readAnswer(await send(question, signal), question.statuses);
      } catch {
        // What was thrown may quote the address with its query: only the word for it goes on.
        return failed(signal.aborted ? 'timeout' : 'unreachable');
      }
    },
    close: () => agent.destroy(),
  };
}
