/** The log door over the published files of a real log. */
import { gunzipSync } from 'node:zlib';
import { createSigner, createVerifier, sha256 } from '@countersign/crypto';
import { CodedError } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, openLog } from '@countersign/log';
import { createMemoryStateStore, createSealer } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { describe, expect, test } from 'vitest';
import { createGateway } from '../src/index.ts';
import { createWorld } from './world.ts';

const TOKEN = 'operator-token-of-this-test';
const OPERATOR = { authorization: `Bearer ${TOKEN}` };
const ORIGIN = 'example.org/log-door';
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

const disk = createMemoryDisk();
const log = await openLog({
  storage: createMemoryStorage(disk),
  origin: ORIGIN,
  noteSigner: { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(3)) },
});
await Promise.all(
  Array.from({ length: 300 }, (_, i) => log.append({ entry: new TextEncoder().encode(`entry ${i}`), attachments: [] }).durable),
);
await log.close();

interface Options {
  readonly publicLog?: boolean;
  readonly failing?: boolean;
}

async function open({ publicLog, failing = false }: Options = {}) {
  const { clock, random } = createBench();
  const store = createMemoryStateStore({ sealer: createSealer(new Uint8Array(32), random), clock, random });
  const org = store.createOrg({ name: 'acme', mode: 'learning' });
  if (!org.ok) throw new Error(org.error.code);
  const base = await createWorld();
  const asked: string[] = [];
  const app = await createGateway({
    ports: base.ports,
    scopeVerifier: createVerifier(base.signer.publicKey),
    operator: {
      admin: store,
      operatorTokenSha256: sha256(TOKEN),
      status: () => ({}),
      ...(publicLog === undefined ? {} : { publicLog }),
      sessions: {} as never,
      logDesk: () => undefined,
      vault: {
        view: () => ({ subjects: 0, keys: 0, erased: 0 }),
        erase: () => Promise.reject(new CodedError({ code: 'x', message: 'x' })),
        rotate: () => ({ ok: true, value: { subjects: 0, keys: 0, erased: 0 } }),
      },
      logs: {
        list: () => [],
        create: () => Promise.reject(new CodedError({ code: 'x', message: 'x' })),
        moveOrg: () => Promise.reject(new CodedError({ code: 'x', message: 'x' })),
      },
      rules: {} as never,
      policies: { compile: () => ({ ok: false, error: { code: 'x', message: 'x' } }), reload: () => Promise.resolve() },
      evidence: {
        receipt: () => Promise.resolve(undefined),
        bundle: () => Promise.resolve(undefined),
        exportFormats: [],
        export: () => Promise.resolve(undefined),
        tail: () => Promise.resolve([]),
        published: (path, of) => {
          asked.push(of === 'main' ? path : `${of}:${path}`);
          if (of !== 'main' && of !== 'team-a') return Promise.resolve(undefined);
          return failing ? Promise.reject(new CodedError({ code: 'log_corrupt', message: 'x' })) : Promise.resolve(disk.files.get(path));
        },
      },
    },
  });
  const keyOf = (kind: 'read' | 'write' | 'kill'): Record<string, string> => {
    const made = store.createApiKey({ org: org.value.id, label: '', kind, environment: 'live' });
    return made.ok ? { 'x-ag-key': made.value.key } : {};
  };
  return { app, asked, keyOf };
}

const bytesOf = (path: string): Buffer => Buffer.from(disk.files.get(path) ?? []);
const ETERNAL = 'public, max-age=31536000, immutable';

describe('LOG-090 HTTP-046 the log door', () => {
  test('a checkpoint needs no credential, is asked for again, and is not sent twice', async () => {
    const { app } = await open();
    const first = await app.inject({ method: 'GET', url: '/log/checkpoint' });
    expect([first.statusCode, first.rawPayload]).toEqual([200, bytesOf('checkpoint')]);
    expect(first.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' });
    const etag = String(first.headers.etag);
    const again = await app.inject({ method: 'GET', url: '/log/checkpoint', headers: { 'if-none-match': etag } });
    expect([again.statusCode, again.body, again.headers.etag, again.headers['cache-control']]).toEqual([304, '', etag, 'no-cache']);
    const stale = await app.inject({ method: 'GET', url: '/log/checkpoint', headers: { 'if-none-match': '"older"' } });
    expect([stale.statusCode, stale.rawPayload]).toEqual([200, bytesOf('checkpoint')]);
  });

  test.each(['tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1'])('%s needs no credential and may be kept for ever', async (path) => {
    const { app } = await open();
    const reply = await app.inject({ method: 'GET', url: `/log/${path}`, headers: { 'accept-encoding': 'gzip' } });
    expect([reply.statusCode, reply.rawPayload]).toEqual([200, bytesOf(path)]);
    expect(reply.headers).toMatchObject({ 'content-type': 'application/octet-stream', 'cache-control': ETERNAL });
    expect(reply.headers['content-encoding']).toBeUndefined();
  });

  test('entries are for the operator token alone, unless the log is public', async () => {
    const { app, asked, keyOf } = await open();
    const get = async (headers: Record<string, string>, path = 'tile/entries/000'): Promise<number> =>
      (await app.inject({ method: 'GET', url: `/log/${path}`, headers })).statusCode;
    expect([await get({}), await get(keyOf('write')), await get({ authorization: `Bearer ${TOKEN}x` })]).toEqual([401, 401, 401]);
    expect([await get(keyOf('read')), await get(keyOf('kill'))]).toEqual([403, 403]);
    // Not even whether there is such a file.
    expect([await get({}, 'tile/entries/001.p/44'), await get({}, 'tile/entries/999')]).toEqual([401, 401]);
    expect(asked).toEqual([]);
    expect([await get(OPERATOR), await get(OPERATOR, 'tile/entries/999')]).toEqual([200, 404]);
    const all = await open({ publicLog: true });
    expect((await all.app.inject({ method: 'GET', url: '/log/tile/entries/001.p/44' })).rawPayload).toEqual(
      bytesOf('tile/entries/001.p/44'),
    );
    expect((await all.app.inject({ method: 'GET', url: '/api/v1/receipts' })).statusCode).toBe(401);
  });

  test('an entry bundle goes through gzip where that is accepted', async () => {
    const { app } = await open();
    const get = (encoding: string) =>
      app.inject({ method: 'GET', url: '/log/tile/entries/000', headers: { ...OPERATOR, 'accept-encoding': encoding } });
    const [packed, plain] = [await get('br, gzip'), await get('identity')];
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding', 'cache-control': ETERNAL });
    expect(gunzipSync(packed.rawPayload)).toEqual(bytesOf('tile/entries/000'));
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding', 'cache-control': ETERNAL });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.rawPayload).toEqual(bytesOf('tile/entries/000'));
  });

  test('HEAD says what GET would, and sends nothing', async () => {
    const { app } = await open();
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      for (const encoding of ['identity', 'gzip']) {
        const request = { url: `/log/${path}`, headers: { ...OPERATOR, 'accept-encoding': encoding } };
        const [head, get] = [await app.inject({ method: 'HEAD', ...request }), await app.inject({ method: 'GET', ...request })];
        expect([head.statusCode, head.body]).toEqual([200, '']);
        const { 'content-length': headLength, ...headHeaders } = head.headers;
        const { 'content-length': getLength, ...getHeaders } = get.headers;
        expect({ ...headHeaders, date: '' }).toEqual({ ...getHeaders, date: '' });
        const isPacked = path.includes('entries') && encoding === 'gzip';
        expect([headLength, getLength]).toEqual([isPacked ? undefined : getLength, String(get.rawPayload.length)]);
      }
    }
    expect((await app.inject({ method: 'HEAD', url: '/log/tile/entries/000' })).statusCode).toBe(401);
    expect((await app.inject({ method: 'HEAD', url: '/log/tile/5/000' })).statusCode).toBe(404);
  });

  test.each(METHODS)('%s is 405 with what is allowed, and its body is not read', async (method) => {
    const { app, asked } = await open();
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      const payload = { payload: '{"broken', headers: { 'content-type': 'application/json' } };
      const reply = await app.inject({ method, url: `/log/${path}`, ...(method === 'TRACE' ? {} : payload) });
      expect([reply.statusCode, reply.headers.allow, reply.json()]).toEqual([
        405,
        'GET, HEAD',
        { error: 'the log is only read', error_code: 'method_not_allowed' },
      ]);
    }
    expect((await app.inject({ method, url: '/log/journal' })).statusCode).toBe(404);
    expect(asked).toEqual([]);
  });

  test.each([
    'tile/64/000',
    'tile/00/000',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/x000/001',
    'tile/%65ntries/000',
    'tile/0/%30%30%30',
    'tile/../state.db',
    'tile/%2e%2e/master.key',
    'tile/0/000/',
    '/checkpoint',
    'Checkpoint',
    '',
    'x'.repeat(3000),
  ])('`%s` is no file of the log, and no file is looked for', async (path) => {
    const { app, asked } = await open();
    const reply = await app.inject({ method: 'GET', url: `/log/${path}`, headers: OPERATOR });
    expect([reply.statusCode, reply.json().error_code, reply.headers['cache-control']]).toEqual([404, 'not_found', 'no-store']);
    expect(asked).toEqual([]);
  });

  test('another spelling of the prefix leads nowhere', async () => {
    const { app, asked } = await open({ publicLog: true });
    for (const url of ['/%6cog/checkpoint', '/LOG/checkpoint', '//log/checkpoint', '/log//checkpoint', '/log'])
      expect((await app.inject({ method: 'GET', url })).statusCode).toBe(404);
    expect(asked).toEqual([]);
  });

  test('what stands behind a question mark is not looked at', async () => {
    const { app } = await open();
    expect((await app.inject({ method: 'GET', url: '/log/checkpoint?at=1' })).rawPayload).toEqual(bytesOf('checkpoint'));
  });

  test('the partial tile that a full one has replaced is still there', async () => {
    const { app } = await open();
    expect((await app.inject({ method: 'GET', url: '/log/tile/0/000.p/200' })).rawPayload).toEqual(
      bytesOf('tile/0/000').subarray(0, 200 * 32),
    );
    expect((await app.inject({ method: 'GET', url: '/log/tile/0/001.p/43' })).statusCode).toBe(404);
  });

  test('a log that cannot be read is 503 with the code of it, and may not be kept', async () => {
    const { app } = await open({ failing: true });
    const reply = await app.inject({ method: 'GET', url: '/log/tile/0/000' });
    expect([reply.statusCode, reply.json()]).toEqual([
      503,
      { error: 'the gateway could not answer (log_corrupt)', error_code: 'evidence_unavailable' },
    ]);
    expect(reply.headers['cache-control']).toBeUndefined();
  });
});

describe('LOG-085 the logs beside the main one', () => {
  test('have their files below their name, by the same rules', async () => {
    const { app, asked, keyOf } = await open();
    const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers });
    const checkpoint = await get('/logs/team-a/checkpoint');
    expect([checkpoint.statusCode, checkpoint.rawPayload]).toEqual([200, bytesOf('checkpoint')]);
    expect((await get('/logs/team-a/tile/0/000')).headers['cache-control']).toBe(ETERNAL);
    expect((await get('/logs/team-a/tile/entries/000')).statusCode).toBe(401);
    expect((await get('/logs/team-a/tile/entries/000', keyOf('read'))).statusCode).toBe(403);
    expect((await get('/logs/team-a/tile/entries/000', OPERATOR)).statusCode).toBe(200);
    expect(asked).toEqual(['team-a:checkpoint', 'team-a:tile/0/000', 'team-a:tile/entries/000']);
  });

  test('one that is not there, main under another path, and every other spelling are 404', async () => {
    const { app, asked } = await open();
    const wrong = [
      'none/checkpoint',
      'main/checkpoint',
      '/checkpoint',
      'team-a',
      'team-a/',
      'team-a//checkpoint',
      'team%2da/checkpoint',
      '',
    ];
    for (const path of wrong) {
      const answer = await app.inject({ method: 'GET', url: `/logs/${path}` });
      expect([path, answer.statusCode, answer.headers['cache-control']]).toEqual([path, 404, 'no-store']);
    }
    expect(asked.filter((one) => !one.includes(':'))).toEqual([]);
  });

  test('are only read', async () => {
    const { app } = await open();
    for (const method of ['POST', 'PUT', 'DELETE'] as const)
      expect(await app.inject({ method, url: '/logs/team-a/checkpoint' })).toMatchObject({
        statusCode: 405,
        headers: { allow: 'GET, HEAD' },
      });
  });
});
