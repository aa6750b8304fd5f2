/** Who may move a session at the operator door, and what each of them may ask for. */
import { createVerifier, sha256 } from '@countersign/crypto';
import { err, ok } from '@countersign/kernel';
import type { ApiKeyKind, KeyPermission, SessionDesk, SessionTransitionRequest } from '@countersign/pipeline';
import { createMemoryStateStore, createSealer, type Store } from '@countersign/store';
import { beforeEach, describe, expect, test } from 'vitest';
import { createGateway } from '../src/index.ts';
import { API_KEY, createWorld, jwt } from './world.ts';

const TOKEN = 'operator-token-0123456789abcdef0123456789ab';
const MOVED = { session: 's', from: 'a', to: 'b', on: 'user_approval', receipt: 'r', time: '2026-01-02T03:04:05.678Z' };
const POSTURE = { session: 's', state: 'a', entered: null, capabilities: [], budgets: {}, history: [], violated: null, open: [] };
const REQUEST = { session: 's', to: 'b', reason: 'because' };

let asked: SessionTransitionRequest[] = [];
let store: Store;
let org = '';
let ask: (headers: Record<string, string>, body?: object) => Promise<{ status: number; code: string; body: unknown }>;

beforeEach(async () => {
  let drawn = 0;
  const random = { bytes: (length: number) => Uint8Array.from({ length }, () => (drawn = (drawn * 31 + 7) % 251)) };
  store = createMemoryStateStore({ sealer: createSealer(new Uint8Array(32), random), clock: { nowMs: () => 1 }, random });
  const made = store.createOrg({ name: 'acme', mode: 'learning' });
  org = made.ok ? made.value.id : '';
  asked = [];
  const sessions: SessionDesk = {
    end: () => Promise.reject(new Error('not asked here')),
    entries: () => Promise.reject(new Error('not asked here')),
    posture: async () => ok(POSTURE),
    transition: async (request) => {
      asked.push(request);
      return request.to === 'nowhere' ? err({ code: 'transition_refused', message: 'no' }) : ok(MOVED);
    },
  };
  const base = await createWorld();
  const unused = {} as never;
  const app = await createGateway({
    ports: base.ports,
    scopeVerifier: createVerifier(base.signer.publicKey),
    operator: {
      admin: store,
      operatorTokenSha256: sha256(TOKEN),
      status: () => null,
      vault: unused,
      rules: unused,
      policies: unused,
      evidence: unused,
      logs: unused,
      logDesk: () => undefined,
      sessions,
    },
  });
  ask = async (headers, body) => {
    const url = body === undefined ? '/api/v1/sessions/posture?session=s' : '/api/v1/sessions/transition';
    const reply = await app.inject({
      method: body === undefined ? 'GET' : 'POST',
      url,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    });
    const parsed = reply.json<{ error_code?: string }>();
    return { status: reply.statusCode, code: parsed.error_code ?? '', body: parsed };
  };
});

const BEARER = { authorization: `Bearer ${TOKEN}` };

function keyOf(
  kind: ApiKeyKind,
  permissions: readonly KeyPermission[] = [],
): { readonly headers: Record<string, string>; readonly id: string } {
  const made = store.createApiKey({ org, label: '', kind, environment: 'live', permissions });
  if (!made.ok) throw new Error(made.error.code);
  return { headers: { 'x-ag-key': made.value.key }, id: made.value.apiKey.id };
}

describe('POL-221 HTTP-042 who moves a session', () => {
  test('the operator token does', async () => {
    expect(await ask(BEARER, REQUEST)).toMatchObject({ status: 200, body: { transition: MOVED } });
    expect(asked).toEqual([{ ...REQUEST, org, by: 'operator', authority: 'posture:transition' }]);
  });

  test('a key with the permission does, in its own org, and a `kill` key may ask to lock', async () => {
    const allowed = keyOf('read', ['posture:transition']);
    const kill = keyOf('kill');
    expect([(await ask(allowed.headers, REQUEST)).status, (await ask(kill.headers, REQUEST)).status]).toEqual([200, 200]);
    expect(asked.map(({ by, authority }) => [by, authority])).toEqual([
      [`key:${allowed.id}`, 'posture:transition'],
      [`key:${kill.id}`, 'posture:lock'],
    ]);
    expect(await ask(allowed.headers, { ...REQUEST, org: 'another' })).toMatchObject({ status: 403, code: 'operator_forbidden' });
  });

  test('no other credential does: not that of an agent, not the owner of the session', async () => {
    const revoked = keyOf('read', ['posture:transition']);
    store.revokeApiKey(org, revoked.id);
    const answers = [
      await ask(keyOf('read').headers, REQUEST),
      await ask(keyOf('write').headers, REQUEST),
      await ask(revoked.headers, REQUEST),
      await ask({ 'x-ag-key': API_KEY, authorization: `Bearer ${jwt()}` }, REQUEST),
      await ask({}, REQUEST),
    ];
    expect(answers.map(({ status, code }) => [status, code])).toEqual([
      [403, 'operator_forbidden'],
      [401, 'operator_unauthorized'],
      [401, 'operator_unauthorized'],
      [401, 'operator_unauthorized'],
      [401, 'operator_unauthorized'],
    ]);
    expect(asked).toEqual([]);
  });

  test('what a body says of by and authority is refused, not believed', async () => {
    for (const more of [
      { by: 'someone' },
      { authority: 'posture:transition' },
      { on: 'critical_violation' },
      { to: 'x'.repeat(49) },
      { to: 7 },
    ])
      expect((await ask(keyOf('kill').headers, { ...REQUEST, ...more })).status).toBe(422);
    expect(asked).toEqual([]);
    expect(await ask(BEARER, { ...REQUEST, to: 'nowhere' })).toMatchObject({ status: 409, code: 'transition_refused' });
  });

  test('looking takes a key that may look', async () => {
    expect([(await ask(BEARER)).status, (await ask(keyOf('read').headers)).status, (await ask(keyOf('kill').headers)).code]).toEqual([
      200,
      200,
      'operator_forbidden',
    ]);
  });
});
