/** Rules of the operator at the operator door: who may, what is refused, and what is answered. */
import { createVerifier, sha256 } from '@countersign/crypto';
import { CodedError, err, ok } from '@countersign/kernel';
import type { RulesDesk } from '@countersign/pipeline';
import { createMemoryStateStore, createSealer, type Store } from '@countersign/store';
import { describe, expect, test } from 'vitest';
import { createGateway } from '../src/index.ts';
import { createWorld } from './world.ts';

const TOKEN = 'operator-token-0123456789abcdef0123456789ab';
const PACK = { pack: 'acme', description: 'd', rules: 1, hash: 'a'.repeat(64) };
const VIEW = { hash: 'b'.repeat(64), packs: [PACK], ignored: ['R9'], problem: null };
const FAULTS = [
  { code: 'rule_range', message: 'too high', path: '/rules/0/score', line: 7, column: 5, source: 'rules.yaml' },
  { code: 'rule_value', message: 'no', path: '/rules/0/id' },
];

interface Opened {
  readonly asked: unknown[];
  readonly store: Store;
  readonly org: string;
  readonly ask: (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ) => Promise<{ status: number; body: Record<string, unknown> }>;
}

async function open(changes: Partial<RulesDesk> = {}): Promise<Opened> {
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
  const rules: RulesDesk = {
    view: () => VIEW,
    source: (pack) => (pack === 'acme' ? 'version: 1' : undefined),
    check: noted(PACK),
    put: noted(PACK),
    remove: noted(VIEW),
    reload: noted(VIEW),
    ...changes,
  };
  const app = await createGateway({
    ports: base.ports,
    scopeVerifier: createVerifier(base.signer.publicKey),
    operator: {
      admin: store,
      operatorTokenSha256: sha256(TOKEN),
      status: () => ({}),
      vault: {} as never,
      rules,
      policies: {} as never,
      evidence: {} as never,
      sessions: {} as never,
      logs: {} as never,
      logDesk: () => undefined,
    },
  });
  return {
    asked,
    store,
    org: made.ok ? made.value.id : '',
    ask: async (method, url, { body, headers = { authorization: `Bearer ${TOKEN}` } } = {}) => {
      const reply = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body as object }) });
      return { status: reply.statusCode, body: reply.json() };
    },
  };
}

const CHANGES = [
  ['POST', '/api/v1/rules/validate', { source: 's' }],
  ['POST', '/api/v1/rules/reload', undefined],
  ['PUT', '/api/v1/rules/acme', { source: 's' }],
  ['DELETE', '/api/v1/rules/acme', undefined],
] as const;

describe('HTTP-058 rules at the operator door', () => {
  test('are changed with the operator token and with nothing else', async () => {
    const { ask, store, org, asked } = await open();
    for (const [method, url, body] of CHANGES) expect([url, (await ask(method, url, { body })).status]).toEqual([url, 200]);
    expect(asked).toEqual([['s'], [], ['acme', 's'], ['acme']]);
    for (const kind of ['read', 'kill', 'write'] as const) {
      const made = store.createApiKey({ org, label: kind, kind, environment: 'test' });
      const headers = { 'x-ag-key': made.ok ? made.value.key : '' };
      const code = kind === 'write' ? 'operator_unauthorized' : 'operator_forbidden';
      for (const [method, url, body] of CHANGES) expect((await ask(method, url, { headers, body })).body['error_code']).toBe(code);
    }
    for (const [method, url, body] of CHANGES) expect((await ask(method, url, { headers: {}, body })).status).toBe(401);
    expect(asked).toHaveLength(4);
  });

  test('are seen with a read key', async () => {
    const { ask, store, org } = await open();
    const made = store.createApiKey({ org, label: 'r', kind: 'read', environment: 'test' });
    const headers = { 'x-ag-key': made.ok ? made.value.key : '' };
    expect((await ask('GET', '/api/v1/rules', { headers })).body).toEqual({ rules: VIEW });
    expect((await ask('GET', '/api/v1/rules/acme', { headers })).body).toEqual({ pack: { ...PACK, source: 'version: 1' } });
    expect(await ask('GET', '/api/v1/rules/none', { headers })).toMatchObject({ status: 404, body: { error_code: 'rule_pack_unknown' } });
  });

  test('every fault of a bad document is told with its place', async () => {
    const refusal = err({ fault: { code: 'rules_rejected' as const, message: 'too high', path: '/rules/0/score' }, faults: FAULTS });
    const { ask } = await open({ put: () => Promise.resolve(refusal), check: () => Promise.resolve(refusal) });
    for (const [method, url] of [
      ['PUT', '/api/v1/rules/acme'],
      ['POST', '/api/v1/rules/validate'],
    ] as const)
      expect(await ask(method, url, { body: { source: 's' } })).toMatchObject({
        status: 422,
        body: { error_code: 'rules_rejected', path: '/rules/0/score', faults: FAULTS },
      });
  });

  test('a body of another form, and a disk that fails, are said', async () => {
    const failing = new CodedError({ code: 'rules_unwritable', message: 'the directory cannot be written' });
    const { ask } = await open({ put: () => Promise.reject(failing) });
    for (const body of [{}, { source: '' }, { source: 1 }, { source: 's', more: 1 }])
      expect(await ask('PUT', '/api/v1/rules/acme', { body })).toMatchObject({ status: 422, body: { error_code: 'invalid_body' } });
    expect(await ask('PUT', '/api/v1/rules/acme', { body: { source: 's' } })).toMatchObject({
      status: 503,
      body: { error_code: 'rules_unwritable' },
    });
  });
});
