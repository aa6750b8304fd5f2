/** The operator door over a real store: who may do what, and what comes of it. */
import { createVerifier, sha256, sha256Hex } from '@countersign/crypto';
import { CodedError, err, type JsonValue, ok } from '@countersign/kernel';
import type { FeedEvent, LogsDesk, LogsFaultCode, LogView, VaultDesk } from '@countersign/pipeline';
import { createMemoryStateStore, createSealer, type Store } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { describe, expect, test } from 'vitest';
import { createGateway, GATEWAY_LIMITS } from '../src/index.ts';
import { createWorld } from './world.ts';

const TOKEN = 'operator-token-of-this-test';
const RECEIPT = '00000000-0000-7000-8000-00000000000a';

function value<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly code: string } }): T {
  if (result.ok) return result.value;
  throw new Error(result.error.code);
}

interface Options {
  readonly publicLog?: boolean;
  readonly reloadFails?: boolean;
  readonly closedStore?: boolean;
  readonly logFails?: boolean;
  readonly vault?: Partial<VaultDesk>;
  readonly logs?: Partial<LogsDesk>;
  readonly bundleFails?: CodedError;
}

function logView(name: string): LogView {
  return { name, origin: `example.org/${name}`, keys: [`${name}+key`], size: 3, orgs: 2, problem: null };
}

async function open(options: Options = {}) {
  const { clock, random } = createBench();
  const store: Store = createMemoryStateStore({ sealer: createSealer(new Uint8Array(32), random), clock, random });
  const org = value(store.createOrg({ name: 'acme', mode: 'learning' })).id;
  const events: FeedEvent[] = [];
  let reloads = 0;
  const entry = { index: 4, body: { id: RECEIPT, principal: { org } }, signatures: [] };
  const foreign = { index: 5, body: { id: 'x', principal: { org: 'another' } }, signatures: [] };
  const entriesOf = (log: string): readonly JsonValue[] => (log === 'main' ? [entry, foreign] : [{ ...entry, index: 9 }]);
  const base = await createWorld();
  const app = await createGateway({
    ports: { ...base.ports, clock, feed: { publish: (event) => void events.push(event) } },
    scopeVerifier: createVerifier(base.signer.publicKey),
    operator: {
      admin: options.closedStore === true ? broken(store) : store,
      operatorTokenSha256: sha256(TOKEN),
      status: () => ({ policy: 'test' }),
      sessions: {} as never,
      logDesk: () => undefined,
      vault: {
        view: () => ({ subjects: 2, keys: 3, erased: 1 }),
        erase: () => Promise.resolve(err({ code: 'subject_unknown', message: 'nothing is sealed for this subject in this org' })),
        rotate: () => ok({ subjects: 2, keys: 3, erased: 1 }),
        ...options.vault,
      },
      logs: {
        list: () => [logView('main'), logView('a')],
        create: ({ name }) =>
          Promise.resolve(
            name === 'taken' ? err({ code: 'log_exists', message: 'there is a log of this name', path: '/name' }) : ok(logView(name)),
          ),
        moveOrg: (id, log) => {
          const moved = store.setOrgLog(id, { log, leaving: null });
          return Promise.resolve(moved === undefined ? err({ code: 'not_found', message: 'no such org' }) : ok(moved));
        },
        ...options.logs,
      },
      ...(options.publicLog === undefined ? {} : { publicLog: options.publicLog }),
      rules: {} as never,
      policies: {
        compile: (source) => {
          if (source.startsWith('bad'))
            return err({ code: 'policy_schema', message: 'unknown field', path: '/guards/x', hint: 'see the list' });
          const resolved = JSON.stringify({ source });
          return ok({ name: 'team', source, resolved, hash: sha256Hex(resolved) });
        },
        reload: () => {
          reloads += 1;
          return options.reloadFails === true ? Promise.reject(new Error('no engine')) : Promise.resolve();
        },
      },
      evidence: {
        exportFormats: ['dsse', 'signed-receipt'],
        export: (id, format) =>
          Promise.resolve(
            id !== RECEIPT
              ? undefined
              : format === 'dsse'
                ? ok(new TextEncoder().encode('{"payload":1}'))
                : err({ code: 'export_not_receipt', message: 'only a receipt can be one', hint: 'export it as dsse' }),
          ),
        receipt: (id) => Promise.resolve(id === RECEIPT ? entry : id === 'foreign' ? foreign : undefined),
        bundle: (id, { inputs }) => {
          if (!inputs) return Promise.resolve(new TextEncoder().encode('{"bundle":"bare"}'));
          if (options.bundleFails !== undefined) return Promise.reject(options.bundleFails);
          if (options.logFails === true) return Promise.reject(new CodedError({ code: 'log_corrupt', message: 'x' }));
          return Promise.resolve(id === RECEIPT ? new TextEncoder().encode('{"bundle":1}') : undefined);
        },
        tail: (limit, log) => Promise.resolve(log === 'none' ? undefined : entriesOf(log).slice(0, limit)),
        published: (path) =>
          Promise.resolve(['checkpoint', 'tile/0/000', 'tile/entries/000'].includes(path) ? new TextEncoder().encode(path) : undefined),
      },
    },
  });
  const ask = async (method: 'GET' | 'POST', url: string, request: { body?: unknown; headers?: Record<string, string> } = {}) => {
    const headers = request.headers ?? { authorization: `Bearer ${TOKEN}` };
    const payload =
      request.body === undefined
        ? {}
        : { payload: JSON.stringify(request.body), headers: { ...headers, 'content-type': 'application/json' } };
    const reply = await app.inject({ method, url, headers, ...payload });
    const isJson = String(reply.headers['content-type']).startsWith('application/json');
    return { status: reply.statusCode, body: isJson ? reply.json() : {}, text: reply.body, headers: reply.headers };
  };
  const keyOf = (kind: 'read' | 'write' | 'kill', of: string = org): Record<string, string> => ({
    'x-ag-key': value(store.createApiKey({ org: of, label: '', kind, environment: 'live' })).key,
  });
  return { app, store, org, ask, keyOf, events, reloads: () => reloads };
}

function broken(store: Store): Store {
  const fail = (): never => {
    throw Object.assign(new Error('disk'), { code: 'state_unavailable' });
  };
  return { ...store, listAgents: fail, createAgent: fail };
}

const GETS = [
  '/api/v1/status',
  '/api/v1/orgs',
  '/api/v1/agents',
  '/api/v1/keys',
  '/api/v1/tools',
  '/api/v1/policies',
  '/api/v1/receipts',
  `/api/v1/receipts/${RECEIPT}`,
];

describe('access', () => {
  test.each(GETS)('HTTP-040: %s', async (url) => {
    const { ask, keyOf, store, org } = await open();
    expect((await ask('GET', url)).status).toBe(200);
    expect((await ask('GET', url, { headers: keyOf('read') })).status).toBe(200);
    expect((await ask('GET', url, { headers: keyOf('kill') })).body.error_code).toBe('operator_forbidden');
    const revoked = value(store.createApiKey({ org, label: '', kind: 'read', environment: 'live' }));
    value(store.revokeApiKey(org, revoked.apiKey.id));
    for (const headers of [
      {},
      keyOf('write'),
      { 'x-ag-key': revoked.key },
      { 'x-ag-key': 'x' },
      { authorization: `Bearer ${TOKEN}x` },
      { authorization: TOKEN },
    ]) {
      const reply = await ask('GET', url, { headers: headers });
      expect([reply.status, reply.body.error_code]).toEqual([401, 'operator_unauthorized']);
    }
  });

  test.each([
    ['/api/v1/orgs', { name: 'x' }],
    ['/api/v1/agents', { name: 'x' }],
    ['/api/v1/keys', {}],
    ['/api/v1/tools/approve', { tool: 't' }],
    ['/api/v1/policies', { source: 'x' }],
    ['/api/v1/policies/validate', { source: 'x' }],
  ])('HTTP-040: %s is for the operator token alone', async (url, body) => {
    const { ask, keyOf } = await open();
    for (const kind of ['read', 'kill'] as const) expect((await ask('POST', url, { body, headers: keyOf(kind) })).status).toBe(403);
    expect((await ask('POST', url, { body })).status).toBeLessThan(300);
  });

  test('HTTP-041: what belongs to another org does not exist', async () => {
    const { ask, keyOf, store } = await open();
    const other = value(store.createOrg({ name: 'other', mode: 'locked' })).id;
    const { agent } = value(store.createAgent({ org: other, name: 'x', scopes: [] }));
    const headers = keyOf('read');
    expect((await ask('GET', `/api/v1/agents/${agent.id}`, { headers })).status).toBe(404);
    expect((await ask('GET', `/api/v1/agents?org=${other}`, { headers })).status).toBe(403);
    expect((await ask('GET', '/api/v1/receipts/foreign', { headers })).status).toBe(404);
    expect((await ask('GET', '/api/v1/receipts', { headers })).body.entries).toHaveLength(1);
    expect((await ask('GET', '/api/v1/receipts')).body.entries).toHaveLength(2);
    expect((await ask('GET', '/api/v1/orgs', { headers })).body.orgs).toHaveLength(1);
    const stop = await ask('POST', `/api/v1/agents/${agent.id}/state`, { body: { state: 'killed', reason: 'r' }, headers: keyOf('kill') });
    expect([stop.status, store.agentView(agent.id)?.state]).toEqual([404, 'active']);
  });

  test('HTTP-042: a kill key stops and nothing else', async () => {
    const { ask, keyOf, store, org } = await open();
    const { agent } = value(store.createAgent({ org, name: 'x', scopes: [] }));
    const headers = keyOf('kill');
    const set = async (state: string) =>
      (await ask('POST', `/api/v1/agents/${agent.id}/state`, { body: { state, reason: 'r' }, headers })).status;
    expect([await set('suspended'), await set('active'), await set('killed')]).toEqual([200, 403, 200]);
    expect((await ask('POST', `/api/v1/agents/${agent.id}/revive`, { body: { reason: 'r' }, headers })).status).toBe(403);
  });
});

describe('agents and keys', () => {
  test('HTTP-043: a secret is shown once', async () => {
    const { ask, events } = await open();
    const made = await ask('POST', '/api/v1/agents', { body: { name: 'bot', scopes: ['*'] } });
    expect([made.status, made.body.secret]).toEqual([201, expect.stringMatching(/^ags_/)]);
    const key = await ask('POST', '/api/v1/keys', { body: { label: 'ci' } });
    expect([key.status, key.body.apiKey.kind, key.body.key]).toEqual([201, 'write', expect.stringMatching(/^ag_live_/)]);
    for (const url of [...GETS, `/api/v1/agents/${made.body.agent.id}`]) {
      const { text } = await ask('GET', url);
      expect(text).not.toContain(made.body.secret);
      expect(text).not.toContain(key.body.key);
    }
    expect(JSON.stringify(events)).not.toContain(made.body.secret);
  });

  test('VER-047: the trust of an agent is set by who may set everything', async () => {
    const { ask, store } = await open();
    const made = (await ask('POST', '/api/v1/agents', { body: { name: 'bot', trust: 'elevated' } })).body.agent;
    expect(made.trust).toBe('elevated');
    const set = (trust: unknown) => ask('POST', `/api/v1/agents/${made.id}/trust`, { body: { trust } });
    expect((await set('untrusted')).body.agent.trust).toBe('untrusted');
    expect((await store.agent(made.id))?.trust).toBe('untrusted');
    expect([(await set('root')).status, (await set('standard')).body.agent.trust]).toEqual([422, undefined]);
  });

  test('a life: suspended, active, killed, revived; each told to who watches', async () => {
    const { ask, events } = await open();
    const { agent, secret } = (await ask('POST', '/api/v1/agents', { body: { name: 'bot' } })).body;
    const set = (state: string) => ask('POST', `/api/v1/agents/${agent.id}/state`, { body: { state, reason: 'manual_admin' } });
    expect([(await set('suspended')).status, (await set('active')).status, (await set('killed')).status]).toEqual([200, 200, 200]);
    const back = await set('active');
    expect([back.status, back.body.error_code]).toEqual([409, 'invalid_state_transition']);
    const revived = await ask('POST', `/api/v1/agents/${agent.id}/revive`, { body: { reason: 'manual_admin' } });
    expect([revived.status, revived.body.agent.state, revived.body.secret === secret]).toEqual([200, 'active', false]);
    expect(events.map(({ data }) => (data as { state: string }).state)).toEqual(['active', 'suspended', 'active', 'killed', 'active']);
  });

  test.each([
    ['/api/v1/agents', { name: '🤖' }, 422, 'invalid_name', '/name'],
    ['/api/v1/agents', { name: 'x', scopes: ['nope!'] }, 422, 'invalid_scope', '/scopes/0'],
    ['/api/v1/agents', { name: 'x', scope: ['*'] }, 422, 'invalid_body', ''],
    ['/api/v1/agents', { name: 1 }, 422, 'invalid_body', '/name'],
    ['/api/v1/agents', { name: 'x', org: 'none' }, 404, 'not_found', undefined],
    ['/api/v1/keys', { kind: 'admin' }, 422, 'invalid_body', '/kind'],
    ['/api/v1/tools/approve', { tool: 't', hash: 'x' }, 422, 'invalid_tool', '/hash'],
    ['/api/v1/tools/approve', { tool: 't', scope: 'x' }, 422, 'invalid_scope', '/scope'],
    ['/api/v1/agents/none/state', { state: 'killed', reason: 'r' }, 404, 'not_found', undefined],
    ['/api/v1/agents/none/state', { state: 'dead', reason: 'r' }, 422, 'invalid_body', '/state'],
    ['/api/v1/policies', { source: 'bad' }, 422, 'policy_rejected', '/guards/x'],
  ] as const)('HTTP-045: %s %j is %d %s', async (...[url, body, status, code, path]) => {
    const { ask } = await open();
    const reply = await ask('POST', url, { body });
    expect([reply.status, reply.body.error_code, reply.body.path]).toEqual([status, code, path]);
  });

  test('where there are several orgs one has to be named', async () => {
    const { ask, store, org } = await open();
    value(store.createOrg({ name: 'other', mode: 'locked' }));
    expect((await ask('GET', '/api/v1/agents')).body.error_code).toBe('org_required');
    expect((await ask('GET', `/api/v1/agents?org=${org}`)).status).toBe(200);
    expect((await ask('POST', `/api/v1/orgs/${org}/mode`, { body: { mode: 'locked' } })).body.org.mode).toBe('locked');
  });

  test('lists come in pages', async () => {
    const { ask, store, org } = await open();
    for (const name of ['a', 'b', 'c']) value(store.createAgent({ org, name, scopes: [] }));
    const first = (await ask('GET', '/api/v1/agents?limit=2')).body.agents;
    const rest = (await ask('GET', `/api/v1/agents?after=${first[1].id}&limit=x`)).body.agents;
    expect([first.length, rest.length]).toEqual([2, 1]);
  });

  test('a store that fails is 503 and says no more', async () => {
    const { ask } = await open({ closedStore: true });
    const reply = await ask('GET', '/api/v1/agents');
    expect([reply.status, reply.body]).toEqual([503, { error: 'the state could not be read or written', error_code: 'state_unavailable' }]);
  });

  test('bad JSON is named', async () => {
    const { app } = await open();
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const reply = await app.inject({ method: 'POST', url: '/api/v1/agents', headers, payload: '{"name":"a","name":"b"}' });
    expect([reply.statusCode, reply.json().error_code, reply.json().path]).toEqual([422, 'invalid_json', '/name']);
  });
});

describe('policies', () => {
  test('HTTP-044: a good one is in force when it is answered, a bad one changes nothing', async () => {
    const { ask, store, reloads, events } = await open();
    expect((await ask('GET', '/api/v1/policies/active')).status).toBe(404);
    const made = await ask('POST', '/api/v1/policies', { body: { source: 'one' } });
    expect([made.status, made.body.policy.version, reloads()]).toEqual([201, 1, 1]);
    expect((await ask('POST', '/api/v1/policies', { body: { source: 'bad' } })).body.error_code).toBe('policy_rejected');
    expect([store.activePolicy()?.source, reloads(), events.length]).toEqual(['one', 1, 1]);
    expect((await ask('POST', '/api/v1/policies/validate', { body: { source: 'two' } })).body).toMatchObject({ valid: true, name: 'team' });
    expect((await ask('POST', '/api/v1/policies/validate', { body: { source: 'bad' } })).status).toBe(422);
    expect(store.listPolicies()).toHaveLength(1);
    await ask('POST', '/api/v1/policies', { body: { source: 'two' } });
    expect((await ask('GET', '/api/v1/policies/team?version=1')).body.policy.source).toBe('one');
    expect((await ask('GET', '/api/v1/policies/team')).body.policy.source).toBe('two');
    expect((await ask('GET', '/api/v1/policies/none')).status).toBe(404);
  });

  test('when the engine cannot be loaded the operator hears of it', async () => {
    const { ask } = await open({ reloadFails: true });
    const reply = await ask('POST', '/api/v1/policies', { body: { source: 'one' } });
    expect([reply.status, reply.body.error_code]).toEqual([500, 'internal']);
  });

  test('a document of 1 MiB of characters is read, of one more is not', async () => {
    const { ask } = await open();
    const send = async (length: number) =>
      (await ask('POST', '/api/v1/policies/validate', { body: { source: 'x'.repeat(length) } })).status;
    expect([await send(1_048_576), await send(1_048_577), await send(GATEWAY_LIMITS.operatorBodyBytesMax)]).toEqual([200, 422, 413]);
  });
});

describe('evidence', () => {
  test('a receipt, its bundle byte for byte, and the newest', async () => {
    const { ask } = await open();
    expect((await ask('GET', `/api/v1/receipts/${RECEIPT}`)).body.receipt.index).toBe(4);
    expect((await ask('GET', `/api/v1/receipts/${RECEIPT}/bundle`)).text).toBe('{"bundle":1}');
    expect((await ask('GET', '/api/v1/receipts/none/bundle')).status).toBe(404);
    expect((await ask('GET', '/api/v1/receipts?limit=1')).body.entries).toHaveLength(1);
  });

  test('EXP-060 an export byte for byte, for whoever may read the receipt, in a format that there is', async () => {
    const { ask, keyOf } = await open();
    const at = (id: string, query: string): string => `/api/v1/receipts/${id}/export${query}`;
    expect((await ask('GET', at(RECEIPT, '?format=dsse'))).text).toBe('{"payload":1}');
    for (const query of ['', '?format=', '?format=xml', '?format=dsse&format=dsse'])
      expect([query, await ask('GET', at(RECEIPT, query))]).toMatchObject([
        query,
        { status: 422, body: { error_code: 'invalid_format', path: '/format' } },
      ]);
    expect(await ask('GET', at(RECEIPT, '?format=signed-receipt'))).toMatchObject({
      status: 422,
      body: { error_code: 'export_refused', error: 'only a receipt can be one (export_not_receipt)', hint: 'export it as dsse' },
    });
    expect((await ask('GET', at('none', '?format=dsse'))).status).toBe(404);
    expect((await ask('GET', at(RECEIPT, '?format=dsse'), { headers: keyOf('read') })).text).toBe('{"payload":1}');
    expect((await ask('GET', at('foreign', '?format=dsse'), { headers: keyOf('read') })).status).toBe(404);
    expect((await ask('GET', at(RECEIPT, '?format=dsse'), { headers: keyOf('kill') })).status).toBe(403);
    expect((await ask('GET', at(RECEIPT, '?format=dsse'), { headers: {} })).status).toBe(401);
  });

  test('a log that cannot answer is 503 with the code of it', async () => {
    const { ask } = await open({ logFails: true });
    const reply = await ask('GET', `/api/v1/receipts/${RECEIPT}/bundle`);
    expect([reply.status, reply.body]).toEqual([
      503,
      { error: 'the gateway could not answer (log_corrupt)', error_code: 'evidence_unavailable' },
    ]);
  });

  test('HTTP-046: checkpoint and hash tiles for all, entries for those who may', async () => {
    const { ask } = await open();
    const none = { headers: {} };
    expect(await ask('GET', '/log/checkpoint', none)).toMatchObject({
      status: 200,
      text: 'checkpoint',
      headers: { 'cache-control': 'no-cache' },
    });
    expect(await ask('GET', '/log/tile/0/000', none)).toMatchObject({
      status: 200,
      text: 'tile/0/000',
      headers: { 'cache-control': expect.stringContaining('immutable') },
    });
    expect((await ask('GET', '/log/tile/entries/000', none)).status).toBe(401);
    expect((await ask('GET', '/log/tile/entries/000')).text).toBe('tile/entries/000');
    for (const path of [
      '/log/tile/../state.db',
      '/log/tile/%2e%2e/master.key',
      '/log/tile/0/001',
      '/log/journal',
      '/log/tile/%65ntries/000',
    ]) {
      expect([401, 404]).toContain((await ask('GET', path, none)).status);
    }
    const open_ = await open({ publicLog: true });
    expect((await open_.ask('GET', '/log/tile/entries/000', none)).status).toBe(200);
    expect((await open_.ask('GET', '/api/v1/receipts', none)).status).toBe(401);
  });
});

describe('the vault', () => {
  test('HTTP-049 is shown, erased from and given other keys with the operator token, and with nothing else', async () => {
    const asked: unknown[] = [];
    const erased = { id: RECEIPT, index: 7, time: '2026-01-02T03:04:05.678Z', keys: 2 };
    const { ask, org, store } = await open({
      vault: {
        erase: (request) => {
          asked.push(request);
          return Promise.resolve(ok(erased));
        },
        rotate: (subject) => {
          asked.push(subject);
          return ok({ subjects: 2, keys: 3, erased: 1 });
        },
      },
    });
    expect(await ask('GET', '/api/v1/vault')).toMatchObject({ status: 200, body: { vault: { subjects: 2, keys: 3, erased: 1 } } });
    const body = { subject: 'ann@example.org', reason: 'asked for' };
    expect(await ask('POST', '/api/v1/vault/erase', { body })).toMatchObject({ status: 200, body: { erasure: erased } });
    expect(await ask('POST', '/api/v1/vault/rotate', { body: {} })).toMatchObject({ status: 200, body: { vault: { keys: 3 } } });
    expect(await ask('POST', '/api/v1/vault/rotate', { body: { subject: 'ann@example.org' } })).toMatchObject({ status: 200 });
    expect(asked).toEqual([{ org, ...body, by: 'operator' }, undefined, { org, subject: 'ann@example.org' }]);
    for (const kind of ['read', 'kill', 'write'] as const) {
      const { key } = value(store.createApiKey({ org, label: kind, kind, environment: 'test' }));
      const headers = { 'x-ag-key': key };
      const replies = [
        await ask('GET', '/api/v1/vault', { headers }),
        await ask('POST', '/api/v1/vault/erase', { headers, body }),
        await ask('POST', '/api/v1/vault/rotate', { headers, body: {} }),
      ];
      const code = kind === 'write' ? 'operator_unauthorized' : 'operator_forbidden';
      expect(replies.map((reply) => (reply.body as { error_code: string }).error_code)).toEqual([code, code, code]);
    }
    expect(asked).toHaveLength(3);
  });

  test.each([
    [{ subject: 'ann' }, 'invalid_body', 422],
    [{ reason: 'x' }, 'invalid_body', 422],
    [{ subject: 'ann', reason: 'x', all: true }, 'invalid_body', 422],
    [{ subject: 7, reason: 'x' }, 'invalid_body', 422],
    [{ subject: 'ann', reason: 'x' }, 'subject_unknown', 404],
    [{ subject: 'a'.repeat(4096), reason: 'x' }, 'subject_unknown', 404],
    [{ subject: 'a'.repeat(4097), reason: 'x' }, 'invalid_body', 422],
  ])('HTTP-045 HTTP-049 refuses what it cannot erase: %#, %s', async (body, code, status) => {
    const { ask } = await open();
    const reply = await ask('POST', '/api/v1/vault/erase', { body });
    expect([reply.status, reply.body]).toEqual([status, expect.objectContaining({ error_code: code })]);
  });

  test.each([
    ['erasure_not_entered', 503],
    ['vault_unavailable', 503],
    ['log_failed', 503],
  ])('says what failed: %s', async (code, status) => {
    const failed = new CodedError({ code, message: 'the sentence of the one who failed', hint: 'what to do' });
    const { ask } = await open({ vault: { erase: () => Promise.reject(failed) } });
    const reply = await ask('POST', '/api/v1/vault/erase', { body: { subject: 'ann', reason: 'x' } });
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(code);
  });
});

describe('a bundle whose content was erased', () => {
  test('HTTP-050 is 410 with the time, and is given without inputs', async () => {
    const erased = new CodedError({
      code: 'vault_erased',
      message: 'the content was erased on 2026-01-02T03:04:05.678Z',
      hint: 'its proof still holds',
    });
    const { ask } = await open({ bundleFails: erased });
    expect(await ask('GET', `/api/v1/receipts/${RECEIPT}/bundle`)).toMatchObject({
      status: 410,
      body: { error_code: 'vault_erased', error: expect.stringContaining('erased on 2026') },
    });
    expect(await ask('GET', `/api/v1/receipts/${RECEIPT}/bundle?inputs=false`)).toMatchObject({ status: 200, body: { bundle: 'bare' } });
    expect(await ask('GET', `/api/v1/receipts/${RECEIPT}/bundle?inputs=no`)).toMatchObject({
      status: 422,
      body: { error_code: 'invalid_body' },
    });
  });
});

describe('LOG-080 HTTP-051 logs', () => {
  test('are listed, made, and given to orgs with the operator token', async () => {
    const { ask, org } = await open();
    expect(await ask('GET', '/api/v1/logs')).toMatchObject({ status: 200, body: { logs: [logView('main'), logView('a')] } });
    expect(await ask('POST', '/api/v1/logs', { body: { name: 'b', origin: 'example.org/b' } })).toMatchObject({
      status: 201,
      body: { log: { name: 'b' } },
    });
    expect(await ask('POST', `/api/v1/orgs/${org}/log`, { body: { log: 'a' } })).toMatchObject({
      status: 200,
      body: { org: { id: org, log: 'a' } },
    });
    expect((await ask('GET', '/api/v1/orgs')).body.orgs).toMatchObject([{ id: org, log: 'a' }]);
  });

  test('a `read` key sees the log of its org and its entries, changes nothing; a `kill` key sees none', async () => {
    const { ask, keyOf, org } = await open();
    expect((await ask('POST', `/api/v1/orgs/${org}/log`, { body: { log: 'a' } })).status).toBe(200);
    const headers = keyOf('read');
    expect((await ask('GET', '/api/v1/logs', { headers })).body).toEqual({ logs: [{ ...logView('a'), orgs: 1 }] });
    const own = await ask('GET', '/api/v1/receipts?limit=9', { headers });
    expect(own.body.entries).toMatchObject([{ index: 9 }]);
    for (const [url, body] of [
      ['/api/v1/logs', { name: 'b' }],
      [`/api/v1/orgs/${org}/log`, { log: 'main' }],
    ] as const)
      expect((await ask('POST', url, { body, headers })).body.error_code).toBe('operator_forbidden');
    expect((await ask('GET', '/api/v1/logs', { headers: keyOf('kill') })).status).toBe(403);
  });

  test('the newest entries are those of the log that is named, of the main one where none is', async () => {
    const { ask } = await open();
    const newest = async (query: string): Promise<number> => (await ask('GET', `/api/v1/receipts${query}`)).body.entries[0].index;
    expect([await newest(''), await newest('?log=a')]).toEqual([4, 9]);
    expect(await ask('GET', '/api/v1/receipts?log=none')).toMatchObject({ status: 404, body: { error_code: 'not_found' } });
  });

  test.each<[LogsFaultCode, number]>([
    ['invalid_log_name', 422],
    ['invalid_origin', 422],
    ['logs_full', 422],
    ['log_exists', 409],
    ['origin_taken', 409],
    ['log_unknown', 404],
    ['not_found', 404],
    ['log_unavailable', 503],
  ])('%s is %i', async (code, status) => {
    const refused = () => Promise.resolve(err({ code, message: 'no', path: '/name', hint: 'so' }));
    const { ask, org } = await open({ logs: { create: refused, moveOrg: refused } });
    const body = { error: 'no', error_code: code, path: '/name', hint: 'so' };
    expect(await ask('POST', '/api/v1/logs', { body: { name: 'b' } })).toMatchObject({ status, body });
    expect(await ask('POST', `/api/v1/orgs/${org}/log`, { body: { log: 'b' } })).toMatchObject({ status, body });
  });

  test('a misspelt property is refused, and a missing one', async () => {
    const { ask, org } = await open();
    for (const body of [{}, { name: 1 }, { name: 'b', orgin: 'x' }]) expect((await ask('POST', '/api/v1/logs', { body })).status).toBe(422);
    for (const body of [{}, { log: 1 }, { log: 'a', x: 1 }])
      expect((await ask('POST', `/api/v1/orgs/${org}/log`, { body })).status).toBe(422);
  });
});
