/** The wire format of OpenAI's embeddings, against real servers of this machine. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { JsonValue } from '@countersign/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { embed, embeddingServer, environmentSecrets, INTEL_LIMITS, namedValue, readEndpoint, requestJson } from '../src/index.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonValue;
}

let server: Server;
let origin = '';
let seen: Seen[] = [];
let answer: (response: ServerResponse, body: JsonValue) => void;

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const body = text === '' ? null : (JSON.parse(text) as JsonValue);
      seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      answer(response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
});

const secrets = environmentSecrets({ SPIDER_SENSE_EMBEDDING_KEY: 'k'.repeat(20) });

async function ask(texts: readonly string[], signal = new AbortController().signal): Promise<unknown> {
  const named = embeddingServer({ url: `${origin}/v1/embeddings`, model: 'small', key: '${SPIDER_SENSE_EMBEDDING_KEY}' }, secrets);
  if (!named.ok) throw new Error(named.error.message);
  try {
    return (await embed(named.value, texts, signal)).map((vector) => [...vector]);
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

describe('POL-179 a server of vectors', () => {
  it('is asked in the format of OpenAI, for one text and for several, and answers in any order', async () => {
    answer = (response): void =>
      json(response, { object: 'list', model: 'small', data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }] });
    expect(await ask(['hello'])).toEqual([[32_767, -16_383]]);
    answer = (response): void =>
      json(response, {
        data: [
          { index: 1, embedding: [0, 2] },
          { index: 0, embedding: [1, 0] },
        ],
      });
    expect(await ask(['a', 'b'])).toEqual([
      [32_767, 0],
      [0, 32_767],
    ]);
    answer = (response): void => json(response, { data: [{ embedding: [1, 0] }, { embedding: [0, 2] }] });
    expect(await ask(['a', 'b'])).toEqual([
      [32_767, 0],
      [0, 32_767],
    ]);
    expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/embeddings', { input: 'hello', model: 'small' }],
      ['POST', '/v1/embeddings', { input: ['a', 'b'], model: 'small' }],
      ['POST', '/v1/embeddings', { input: ['a', 'b'], model: 'small' }],
    ]);
    expect(seen[0]?.headers).toMatchObject({ authorization: `Bearer ${'k'.repeat(20)}`, 'content-type': 'application/json' });
  });

  it('may write numbers as long as it likes', async () => {
    const body = '{"data":[{"embedding":[0.00692928349599242210388183593750001,-1.0e-2]}]}';
    answer = (response): void => void response.end(body);
    expect(await ask(['a'])).toEqual([[22_705, -32_767]]);
  });

  it.each([
    ['no object', []],
    ['no list', { data: {} }],
    ['fewer vectors than texts', { data: [] }],
    ['more vectors than texts', { data: [{ embedding: [1] }, { embedding: [1] }] }],
    ['no vector', { data: [{}] }],
    ['an empty vector', { data: [{ embedding: [] }] }],
    ['texts for numbers', { data: [{ embedding: ['1'] }] }],
    ['nothing for a number', { data: [{ embedding: [1, null] }] }],
    ['zeros', { data: [{ embedding: [0, 0] }] }],
    ['a place that is not there', { data: [{ index: 1, embedding: [1] }] }],
    ['too many numbers', { data: [{ embedding: Array.from({ length: 4097 }, () => 1) }] }],
  ])('that answers with %s gives no answer', async (...[, value]) => {
    answer = (response): void => json(response, value);
    expect(await ask(['a'])).toBe('answer_malformed');
  });

  it.each([
    ['NaN', '{"data":[{"embedding":[NaN]}]}'],
    ['a number without end', '{"data":[{"embedding":[1e999]}]}'],
    ['half an answer', '{"data":['],
    ['nothing', ''],
    ['bytes that are no text', Buffer.of(0xff)],
    ['a page', '<html></html>'],
  ])('that answers with %s gives no answer', async (...[, body]) => {
    answer = (response): void => void response.end(body);
    expect(await ask(['a'])).toBe('answer_malformed');
  });

  it('that gives vectors of two dimensions, or one place twice, gives no answer', async () => {
    answer = (response): void => json(response, { data: [{ embedding: [1] }, { embedding: [1, 2] }] });
    expect(await ask(['a', 'b'])).toBe('answer_malformed');
    answer = (response): void =>
      json(response, {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] },
        ],
      });
    expect(await ask(['a', 'b'])).toBe('answer_malformed');
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'not_found'],
    [400, 'http_status'],
    [429, 'too_many_requests'],
    [500, 'server_error'],
    [503, 'server_error'],
  ])('that says %i gives no answer, whatever stands in the body', async (status, reason) => {
    answer = (response): void => json(response, { data: [{ embedding: [1] }] }, status);
    expect(await ask(['a'])).toBe(reason);
  });

  it('that leads elsewhere is not followed', async () => {
    answer = (response): void => void response.writeHead(307, { location: `${origin}/elsewhere` }).end();
    expect(await ask(['a'])).toBe('redirected');
    expect(seen.map(({ path }) => path)).toEqual(['/v1/embeddings']);
  });

  it('that hangs up, or is not there, is unreachable', async () => {
    answer = (response): void => void response.destroy();
    expect(await ask(['a'])).toBe('unreachable');
    answer = (response): void => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"data":');
      response.destroy();
    };
    expect(await ask(['a'])).toBe('unreachable');
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const endpoint = { origin: `http://127.0.0.1:${port}`, basePath: '' };
    await expect(embed({ endpoint, model: 'm' }, ['a'], new AbortController().signal)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('that takes too long is let go', async () => {
    const controller = new AbortController();
    answer = (): void => controller.abort();
    expect(await ask(['a'], controller.signal)).toBe('unreachable');
  });

  it('may answer with so many bytes, also unpacked, and no more', async () => {
    const endpoint = { origin, basePath: '' };
    const options = { signal: new AbortController().signal, floats: true };
    const get = async (): Promise<string> =>
      requestJson(endpoint, { method: 'GET', path: '/x' }, options).then(
        () => 'read',
        (error: { readonly code: string }) => error.code,
      );
    const body = (length: number): string => `"${'x'.repeat(length - 2)}"`;
    answer = (response): void => void response.end(body(INTEL_LIMITS.answerBytesMax));
    expect(await get()).toBe('read');
    answer = (response): void => void response.end(body(INTEL_LIMITS.answerBytesMax + 1));
    expect(await get()).toBe('answer_too_large');
    answer = (response): void =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body(INTEL_LIMITS.answerBytesMax + 1)));
    expect(await get()).toBe('answer_too_large');
  });

  it('is sent so many bytes, and no more', async () => {
    const endpoint = { origin, basePath: '' };
    const post = async (text: string): Promise<string> =>
      requestJson(endpoint, { method: 'POST', path: '/x', body: text }, { signal: new AbortController().signal }).then(
        () => 'sent',
        (error: { readonly code: string }) => error.code,
      );
    answer = (response): void => json(response, {});
    expect(await post('x'.repeat(INTEL_LIMITS.requestBytesMax - 2))).toBe('sent');
    expect(await post('x'.repeat(INTEL_LIMITS.requestBytesMax - 1))).toBe('request_too_large');
  });

  it('strict answers have so many values and so many levels, and no more; a status that means something is given back', async () => {
    const endpoint = { origin, basePath: '' };
    const get = async (text: string): Promise<string> => {
      answer = (response): void => void response.end(text);
      return requestJson(endpoint, { method: 'GET', path: '/' }, { signal: new AbortController().signal }).then(
        () => 'read',
        (error: { readonly code: string }) => error.code,
      );
    };
    const { answerNodesMax: nodes, answerDepthMax: depth } = INTEL_LIMITS;
    const list = (items: number): string => `[1${',1'.repeat(items - 1)}]`;
    expect([await get(list(nodes - 1)), await get(list(nodes))]).toEqual(['read', 'answer_malformed']);
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect([await get(deep(depth)), await get(deep(depth + 1))]).toEqual(['read', 'answer_malformed']);
    expect(await get('{"a":1,"a":2}')).toBe('answer_malformed');
    answer = (response): void => void response.writeHead(404).end();
    const options = { signal: new AbortController().signal, accept: [404] };
    expect(await requestJson(endpoint, { method: 'GET', path: '/' }, options)).toEqual({ status: 404, body: null });
  });
});

describe('POL-183 addresses and secrets', () => {
  it.each([
    ['https://api.example/v1/embeddings', 'https://api.example', '/v1/embeddings'],
    ['https://api.example', 'https://api.example', ''],
    ['http://localhost:8081/e/', 'http://localhost:8081', '/e'],
    ['http://[::1]:8081/e', 'http://[::1]:8081', '/e'],
  ])('%s', (text, host, basePath) => {
    expect(readEndpoint(text, 'p')).toEqual({ ok: true, value: { origin: host, basePath } });
  });

  it.each([
    'http://api.example/v1',
    'ftp://x.example',
    'x',
    '',
    'https://u:p@x.example',
    'https://x.example/?a=b',
    'https://x.example/#a',
    'http://127.0.0.1.example/',
  ])('refused: %s', (text) => {
    expect(readEndpoint(text, 'p')).toMatchObject({ ok: false, error: { code: 'policy_endpoint', path: 'p' } });
  });

  it('a name is filled in from what the process was given for it, and nothing else is', () => {
    const env = { SPIDER_SENSE_X: 'one', OWN_NAME: 'two', JWT_SECRET: 'three', SNYK_TOKEN: '', COUNTERSIGN_SECRETS: 'OWN_NAME, OTHER' };
    const source = environmentSecrets(env);
    const value = (text: string): string => {
      const found = namedValue(text, source, 'p');
      return found.ok ? found.value : found.error.code;
    };
    expect(['${SPIDER_SENSE_X}', '${secrets.SPIDER_SENSE_X}', '${OWN_NAME}', 'plain'].map(value)).toEqual(['one', 'one', 'two', 'plain']);
    expect(['${JWT_SECRET}', '${OTHER}', '${SNYK_TOKEN}', '${COUNTERSIGN_SECRETS}'].map(value)).toEqual(
      Array(4).fill('policy_secret_missing'),
    );
    expect(namedValue('${OTHER}', source, 'p')).toMatchObject({ error: { path: 'p' } });
  });

  it('a key that no header carries is refused, and never shown', () => {
    const named = embeddingServer({ url: 'https://x.example', model: 'm', key: '${VT_KEY}' }, environmentSecrets({ VT_KEY: 'a\nb' }));
    expect(named).toMatchObject({ ok: false, error: { code: 'policy_secret' } });
    expect(JSON.stringify(named)).not.toContain('a\\nb');
  });
});
