/** Sessions and the log at the operator door: who may, what is refused, and what is answered. */
import { createVerifier, sha256 } from '@countersign/crypto';
import { CodedError, err, ok } from '@countersign/kernel';
import type { LogDesk, SessionDesk } from '@countersign/pipeline';
import { createMemoryStateStore, createSealer, type Store } from '@countersign/store';
import { describe, expect, test } from 'vitest';
import { createGateway } from '../src/index.ts';
import { createWorld } from './world.ts';

const TOKEN = 'operator-token-0123456789abcdef0123456789ab';
const KEYS = { origin: 'example.org/log', active: ['a', 'b'], former: ['c'] };
const MOVED = { segments: 1, records: 2, bytes: 3, firstPresent: 4 };
const ENDED = { id: 'i', index: 9, time: '2026-01-02T03:04:05.678Z', session: 's', entries: 3 };

interface Opened {
  readonly asked: unknown[];
  readonly store: Store;
  readonly org: string;
  readonly ask: (
    method: 'GET' | 'POST',
    url: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ) => Promise<{ status: number; code: string; text: string }>;
}

async function open(changes: { sessions?: Partial<SessionDesk>; logDesk?: Partial<LogDesk> } = {}): Promise<Opened> {
  let drawn = 0;
  const random = { bytes: (length: number) => Uint8Array.from({ length }, () => (drawn = (drawn * 31 + 7) % 251)) };
  const clock = { nowMs: () => 1_700_000_000_000 };
  const store = createMemoryStateStore({ sealer: createSealer(new Uint8Array(32), random), clock, random });
  const made = store.createOrg({ name: 'acme', mode: 'learning' });
  const base = await createWorld();
  const asked: unknown[] = [];
  const noted = <T>(value: T): ((...args: unknown[]) => Promise<ReturnType<typeof ok<T>>>) => {
    return (...args) => {
      asked.push(args);
      return Promise.resolve(ok(value));
    };
  };
  const unasked = (): Promise<never> => Promise.reject(new Error('operator-posture.test.ts asks it'));
  const app = await createGateway({
    ports: base.ports,
    scopeVerifier: createVerifier(base.signer.publicKey),
    operator: {
      admin: store,
      operatorTokenSha256: sha256(TOKEN),
      status: ({ everything }) => ({ everything }),
      vault: {} as never,
      rules: {} as never,
      policies: {} as never,
      evidence: {} as never,
      sessions: {
        end: noted(ENDED),
        entries: noted([{ id: 'i', index: 1, seq: 0 }]),
        posture: unasked,
        transition: unasked,
        ...changes.sessions,
      },
      logs: {} as never,
      logDesk: (log) =>
        log === 'main' || log === 'team'
          ? {
              keys: () => KEYS,
              rotateKey: noted(KEYS),
              retireKey: noted(KEYS),
              consistency: noted(new TextEncoder().encode('{"type":"x"}')),
              archive: noted(MOVED),
              restore: noted(MOVED),
              ...changes.logDesk,
            }
          : undefined,
    },
  });
  return {
    asked,
    store,
    org: made.ok ? made.value.id : '',
    ask: async (method, url, { body, headers = { authorization: `Bearer ${TOKEN}` } } = {}) => {
      const reply = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body as object }) });
      const parsed = reply.json<{ error_code?: string }>();
      return { status: reply.statusCode, code: parsed.error_code ?? '', text: reply.body };
    },
  };
}

const CHANGES = [
  ['/api/v1/sessions/end', { session: 's', reason: 'done' }],
  ['/api/v1/log/keys/rotate', {}],
  ['/api/v1/log/keys/retire', {}],
  ['/api/v1/log/archive', { before: 5, directory: '/a' }],
  ['/api/v1/log/restore', { directory: '/a' }],
] as const;

describe('HTTP-055 HTTP-056 sessions and the log', () => {
  test('are changed with the operator token and with nothing else', async () => {
    const { ask, store, org, asked } = await open();
    for (const [url, body] of CHANGES) expect([url, (await ask('POST', url, { body })).status]).toEqual([url, 200]);
    expect(asked).toEqual([[{ org, session: 's', reason: 'done' }], [], [], [{ before: 5, directory: '/a' }], ['/a']]);
    for (const kind of ['read', 'kill', 'write'] as const) {
      const made = store.createApiKey({ org, label: kind, kind, environment: 'test' });
      const headers = { 'x-ag-key': made.ok ? made.value.key : '' };
      const code = kind === 'write' ? 'operator_unauthorized' : 'operator_forbidden';
      for (const [url, body] of CHANGES) expect([url, (await ask('POST', url, { headers, body })).code]).toEqual([url, code]);
    }
    for (const [url, body] of CHANGES) expect((await ask('POST', url, { headers: {}, body })).status).toBe(401);
    expect(asked).toHaveLength(5);
  });

  test('a read key sees keys, proofs and the entries of sessions of its org', async () => {
    const { ask, store, org, asked } = await open();
    const made = store.createApiKey({ org, label: 'r', kind: 'read', environment: 'test' });
    const headers = { 'x-ag-key': made.ok ? made.value.key : '' };
    expect(await ask('GET', '/api/v1/log/keys', { headers })).toMatchObject({ status: 200, text: JSON.stringify({ keys: KEYS }) });
    expect(await ask('POST', '/api/v1/log/consistency', { headers, body: { old: 'n' } })).toMatchObject({
      status: 200,
      text: '{"type":"x"}',
    });
    expect(await ask('GET', '/api/v1/sessions/entries?session=s', { headers })).toMatchObject({ status: 200 });
    expect(asked).toEqual([
      ['n', undefined],
      [org, 's'],
    ]);
    expect(await ask('GET', '/api/v1/sessions/entries?session=s&org=another', { headers })).toMatchObject({ status: 403 });
    expect((await ask('GET', '/api/v1/status', { headers })).text).toBe('{"status":{"everything":false}}');
    expect((await ask('GET', '/api/v1/status')).text).toBe('{"status":{"everything":true}}');
  });

  test.each([
    ['/api/v1/sessions/end', { session: 's' }],
    ['/api/v1/sessions/end', { session: 's', reason: 'r', all: true }],
    ['/api/v1/sessions/end', { session: 7, reason: 'r' }],
    ['/api/v1/log/keys/rotate', { now: true }],
    ['/api/v1/log/keys/retire', { log: '' }],
    ['/api/v1/log/consistency', {}],
    ['/api/v1/log/consistency', { old: 'x'.repeat(65_537) }],
    ['/api/v1/log/archive', { before: 5 }],
    ['/api/v1/log/archive', { before: -1, directory: '/a' }],
    ['/api/v1/log/archive', { before: 1.5, directory: '/a' }],
    ['/api/v1/log/archive', { before: true, directory: '/a' }],
    ['/api/v1/log/archive', { before: 'x'.repeat(33), directory: '/a' }],
    ['/api/v1/log/restore', { directory: '' }],
    ['/api/v1/log/restore', { directory: 'x'.repeat(4097) }],
  ])('HTTP-045 %s refuses %j', async (url, body) => {
    const { ask, asked } = await open();
    expect(await ask('POST', url, { body })).toMatchObject({ status: 422, code: 'invalid_body' });
    expect(asked).toEqual([]);
  });

  test('a log is named; one that is not open is 404, for a read key also one of others', async () => {
    const { ask, store, org } = await open();
    const made = store.createApiKey({ org, label: 'r', kind: 'read', environment: 'test' });
    const headers = { 'x-ag-key': made.ok ? made.value.key : '' };
    expect(await ask('GET', '/api/v1/log/keys?log=team')).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/v1/log/keys?log=none')).toMatchObject({ status: 404, code: 'log_unknown' });
    expect(await ask('POST', '/api/v1/log/archive', { body: { before: 1, directory: '/a', log: 'none' } })).toMatchObject({ status: 404 });
    expect(await ask('GET', '/api/v1/log/keys?log=main', { headers })).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/v1/log/keys?log=team', { headers })).toMatchObject({ status: 404, code: 'log_unknown' });
  });

  test.each([
    ['invalid_session', 422],
    ['session_unknown', 404],
    ['session_ended', 409],
    ['session_busy', 409],
  ] as const)('a session that cannot be ended: %s is %i', async (code, status) => {
    const refused = { end: () => Promise.resolve(err({ code, message: 'why', hint: 'what to do' })) };
    const { ask } = await open({ sessions: refused });
    const reply = await ask('POST', '/api/v1/sessions/end', { body: { session: 's', reason: 'r' } });
    expect([reply.status, reply.code, reply.text]).toEqual([status, code, expect.stringContaining('what to do')]);
  });

  test.each([
    ['checkpoint_unreadable', 422],
    ['checkpoint_ahead', 409],
    ['checkpoint_forked', 409],
    ['checkpoint_order', 422],
  ] as const)('a proof that cannot be given: %s is %i', async (code, status) => {
    const { ask } = await open({ logDesk: { consistency: () => Promise.resolve(err({ code, message: 'why' })) } });
    expect(await ask('POST', '/api/v1/log/consistency', { body: { old: 'n' } })).toMatchObject({ status, code });
  });

  test.each([
    ['log_archive_mismatch', 409],
    ['log_segment_missing', 503],
    ['archive_unusable', 503],
    ['log_archived', 409],
  ])('what the archive says is passed on: %s is %i', async (code, status) => {
    const failed = new CodedError({ code, message: 'the sentence', hint: 'what to do' });
    const { ask } = await open({ logDesk: { archive: () => Promise.reject(failed) } });
    const reply = await ask('POST', '/api/v1/log/archive', { body: { before: 1, directory: '/a' } });
    expect([reply.status, reply.code, reply.text]).toEqual([status, code, expect.stringContaining('the sentence')]);
  });
});
