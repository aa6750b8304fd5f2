/** Sessions, policy, audit, agents and receipts at the hushd door. */
import { err, type JsonValue } from '@countersign/kernel';
import { describe, expect, it } from 'vitest';
import { createHeartbeats, type Heartbeat } from '../src/doors/hushd-agents.ts';
import { createSeenIds } from '../src/doors/hushd-batch.ts';
import { createHushdSessions } from '../src/doors/hushd-session-store.ts';
import { GATEWAY_LIMITS as LIMITS, type HushdKey, type HushdOptions } from '../src/index.ts';
import { ADMIN_KEY, CHECK_KEY_2, createHushdWorld, type HushdWorld, OTHER_ORG_KEY, READ_KEY } from './hushd-world.ts';
import { AGENT, NOW_MS, ORG } from './world.ts';

const SESSION = '/api/v1/session';
const CHECK = '/api/v1/check';
const shell = (more: object = {}): object => ({ action_type: 'shell', target: 'ls', ...more });

async function open(world: HushdWorld, body: object = {}): Promise<string> {
  const reply = await world.send('POST', SESSION, { body });
  expect(reply.status).toBe(200);
  return (reply.body['session'] as { session_id: string }).session_id;
}

describe('HUSHD-030: sessions', () => {
  it('belong to the key that opened them, and name its agent', async () => {
    const world = await createHushdWorld();
    const id = await open(world, { ttl_seconds: 60, state: { note: 1 }, request: { ip: 'x' } });
    expect((await world.send('GET', `${SESSION}/${id}`)).body['session']).toMatchObject({
      session_id: id,
      identity: { type: 'api_key', id: 'check', org: ORG, agent: AGENT },
      state: { note: 1 },
      created_at: new Date(NOW_MS).toISOString(),
      expires_at: new Date(NOW_MS + 60_000).toISOString(),
    });
    await world.send('POST', CHECK, { body: shell({ session_id: id }) });
    expect(world.actions[0]?.session).toBe(id);
  });

  it.each([
    [1, 200],
    [LIMITS.hushdSessionSecondsMax, 200],
    [0, 400],
    [LIMITS.hushdSessionSecondsMax + 1, 400],
    [1.5, 400],
    ['60', 400],
  ])('ttl_seconds %j is %d', async (ttl, status) => {
    const { send } = await createHushdWorld();
    expect((await send('POST', SESSION, { body: { ttl_seconds: ttl } })).status).toBe(status);
  });

  it('end with their time, and make room for others then', () => {
    let nowMs = 0;
    let made = 0;
    const bytes = (length: number): Uint8Array => {
      made += 1;
      return Uint8Array.from({ length }, (_, at) => (made >> (8 * (at % 3))) & 255);
    };
    const ports = { clock: { nowMs: () => nowMs }, random: { bytes } };
    const sessions = createHushdSessions(ports);
    const keyOf = (n: number): HushdKey => ({ id: `k-${n}`, name: 'k', scopes: [], org: ORG, agent: AGENT });
    const key = keyOf(0);
    const first = sessions.create(key, 1, { state: {} });
    for (let n = 1; n < LIMITS.hushdSessionsPerKeyMax; n += 1) sessions.create(key, 1, { state: {} });
    expect(() => sessions.create(key, 1, { state: {} })).toThrow('too many sessions of this key are open');
    for (let n = LIMITS.hushdSessionsPerKeyMax; n < LIMITS.hushdSessionsMax; n += 1)
      sessions.create(keyOf(Math.floor(n / LIMITS.hushdSessionsPerKeyMax)), 1, { state: {} });
    expect(() => sessions.create(keyOf(99), 1, { state: {} })).toThrow('too many sessions are open');
    nowMs = 999;
    expect(sessions.find(first.id)).toBe(first);
    nowMs = 1000;
    expect(sessions.find(first.id)).toBeUndefined();
    expect(sessions.create(key, 1, { state: {} }).id).not.toBe(first.id);
  });
});

describe('HUSHD-031: whose session it is', () => {
  it('an unknown one, that of another key, and that of another endpoint agent are refused, and nothing is judged', async () => {
    const world = await createHushdWorld();
    const id = await open(world, { endpoint_agent_id: 'laptop' });
    const replies = [
      await world.send('POST', CHECK, { body: shell({ session_id: 'unknown' }) }),
      await world.send('POST', CHECK, { body: shell({ session_id: id }), key: CHECK_KEY_2 }),
      await world.send('POST', CHECK, { body: shell({ session_id: id, endpoint_agent_id: 'other' }) }),
    ];
    expect(replies.map(({ status, code }) => [status, code])).toEqual([
      [403, 'INVALID_SESSION'],
      [403, 'API_KEY_SESSION_BINDING_MISMATCH'],
      [403, 'SESSION_IDENTITY_MISMATCH'],
    ]);
    expect(world.actions).toEqual([]);
    expect((await world.send('POST', CHECK, { body: shell({ session_id: id, endpoint_agent_id: 'laptop' }) })).status).toBe(200);
  });

  it('another key neither sees nor deletes it', async () => {
    const world = await createHushdWorld();
    const id = await open(world);
    for (const method of ['GET', 'DELETE'] as const)
      expect(await world.send(method, `${SESSION}/${id}`, { key: CHECK_KEY_2 })).toMatchObject({ status: 404, code: 'SESSION_NOT_FOUND' });
    expect(world.ended).toEqual([]);
  });

  it('HUSHD-016: a hook counts its sessions itself, and still cannot name one of another key', async () => {
    const world = await createHushdWorld();
    const id = await open(world);
    const url = '/api/v1/agent/policy-check';
    for (const session of ['mine', 'countersign.vault', 'with spaces'])
      expect((await world.send('POST', url, { body: shell({ session_id: session }) })).status).toBe(200);
    expect(world.actions.map(({ session }) => session)).toEqual([
      'mine',
      expect.stringMatching(/^event:[0-9a-f]{32}$/),
      expect.stringMatching(/^event:[0-9a-f]{32}$/),
    ]);
    expect((await world.send('POST', url, { body: shell({ session_id: id }), key: CHECK_KEY_2 })).status).toBe(403);
  });
});

describe('HUSHD-032: what a session may not be given', () => {
  it.each(['posture', 'bound_api_key_id', 'identity', 'effective_roles', 'effective_permissions'])('%s', async (name) => {
    const { send } = await createHushdWorld();
    const body = { state: { [name]: { current_state: 'elevated' } } };
    expect(await send('POST', SESSION, { body, key: ADMIN_KEY })).toMatchObject({ status: 403, code: 'SESSION_STATE_REFUSED' });
  });
});

describe('HUSHD-033: posture', () => {
  it('the owner of a session cannot approve itself; who may is told where there is no posture', async () => {
    const world = await createHushdWorld();
    const id = await open(world);
    const body = { toState: 'elevated', trigger: 'user_approval' };
    const url = `${SESSION}/${id}/transition`;
    expect(await world.send('POST', url, { body })).toMatchObject({ status: 403, code: 'INSUFFICIENT_SCOPE' });
    expect(await world.send('POST', url, { body, key: ADMIN_KEY })).toMatchObject({ status: 400, code: 'POSTURE_STATE_NOT_INITIALIZED' });
    expect(await world.send('POST', url, { body: { ...body, trigger: 'remote' }, key: ADMIN_KEY })).toMatchObject({
      code: 'INVALID_TRIGGER',
    });
    expect(await world.send('GET', `${SESSION}/${id}/posture`)).toMatchObject({ status: 400, code: 'POSTURE_STATE_NOT_INITIALIZED' });
  });
});

describe('HUSHD-035: posture, where the policy has one', () => {
  const posture = {
    session: 's',
    state: 'restricted',
    entered: '2026-01-01T00:00:00.000Z',
    capabilities: ['file_access'],
    budgets: { file_writes: { used: 1, limit: 5 } },
    history: [{ from: 'a', to: 'restricted', on: 'timeout', at: '2026-01-01T00:00:00.000Z' }],
    violated: null,
    open: [],
  };

  async function withPosture(): Promise<{ world: HushdWorld; asked: unknown[] }> {
    const asked: unknown[] = [];
    const desk: HushdOptions['sessionDesk'] = {
      end: () => Promise.resolve({ ok: false, error: { code: 'session_unknown', message: 'none' } }),
      posture: () => Promise.resolve({ ok: true, value: posture }),
      transition: (request) => {
        asked.push(request);
        if (request.to === 'nowhere')
          return Promise.resolve({ ok: false, error: { code: 'transition_refused', message: 'it leads not there' } });
        const moved = { session: request.session, from: 'restricted', to: 'standard', on: 'user_approval', receipt: 'r', time: 't' };
        return Promise.resolve({ ok: true, value: moved });
      },
    };
    return { world: await createHushdWorld({ hushd: { sessionDesk: desk } }), asked };
  }

  it('is shown to the owner, and beside its checks', async () => {
    const { world } = await withPosture();
    const id = await open(world);
    const shown = { state: 'restricted', budgets: { file_writes: { used: 1, limit: 5 } } };
    expect((await world.send('GET', `${SESSION}/${id}/posture`)).body).toEqual({
      ...shown,
      enteredAt: '2026-01-01T00:00:00.000Z',
      transitionHistory: [{ from: 'a', to: 'restricted', trigger: 'timeout', at: '2026-01-01T00:00:00.000Z' }],
    });
    expect((await world.send('GET', `${SESSION}/${id}/posture`, { key: CHECK_KEY_2 })).status).toBe(404);
    expect((await world.send('POST', CHECK, { body: shell({ session_id: id }) })).body['posture']).toEqual(shown);
    expect((await world.send('POST', CHECK, { body: shell() })).body['posture']).toBeUndefined();
  });

  it('is moved by an admin key with its name, and by no other', async () => {
    const { world, asked } = await withPosture();
    const id = await open(world);
    const url = `${SESSION}/${id}/transition`;
    const body = { toState: 'standard', trigger: 'user_approval' };
    for (const key of [CHECK_KEY_2, READ_KEY]) expect((await world.send('POST', url, { body, key })).status).toBe(403);
    expect((await world.send('POST', url, { body })).status).toBe(403);
    expect(asked).toEqual([]);
    expect((await world.send('POST', url, { body, key: ADMIN_KEY })).body).toMatchObject({
      success: true,
      fromState: 'restricted',
      toState: 'standard',
    });
    expect(asked).toMatchObject([
      { org: ORG, session: id, to: 'standard', on: 'user_approval', by: 'key:hushd-admin', authority: 'posture:transition' },
    ]);
    expect(await world.send('POST', url, { body: { ...body, toState: 'nowhere' }, key: ADMIN_KEY })).toMatchObject({
      status: 409,
      code: 'TRANSITION_REFUSED',
    });
  });
});

describe('HUSHD-034: deleting a session', () => {
  it('closes it here at once and in the log', async () => {
    const world = await createHushdWorld();
    const id = await open(world);
    expect(await world.send('DELETE', `${SESSION}/${id}`)).toMatchObject({ status: 200, body: { success: true } });
    expect(world.ended).toEqual([id]);
    expect((await world.send('POST', CHECK, { body: shell({ session_id: id }) })).code).toBe('INVALID_SESSION');
  });

  it('stays closed here when the log cannot end the chain yet', async () => {
    const end = (): Promise<never> => Promise.resolve({ ok: false, error: { code: 'session_busy', message: 'busy' } } as never);
    const world = await createHushdWorld({ hushd: { sessionDesk: { end, posture: end, transition: end } } });
    const id = await open(world);
    expect(await world.send('DELETE', `${SESSION}/${id}`)).toMatchObject({ status: 409, code: 'SESSION_BUSY' });
    expect((await world.send('POST', CHECK, { body: shell({ session_id: id }) })).code).toBe('INVALID_SESSION');
  });
});

describe('HUSHD-040, HUSHD-041: the policy', () => {
  it('is shown, resolved, replaced and reloaded', async () => {
    const world = await createHushdWorld();
    const shown = await world.send('GET', '/api/v1/policy', { key: READ_KEY });
    expect(shown.body).toMatchObject({ name: 'test', version: '1.2.0', yaml: 'version: 1.2.0', schema: { current: '1.2.0' } });
    expect((await world.send('GET', '/api/v1/policy/resolve', { key: READ_KEY })).body).toMatchObject({ resolved: { version: '1.2.0' } });
    const put = await world.send('PUT', '/api/v1/policy', { key: ADMIN_KEY, body: { yaml: 'name: next' } });
    expect(put).toMatchObject({ status: 200, body: { success: true } });
    expect(world.policies).toEqual(['version: 1.2.0', 'name: next']);
    expect((await world.send('POST', '/api/v1/policy/reload', { key: ADMIN_KEY })).body['policy_hash']).toBe(put.body['policy_hash']);
  });

  it('a document that does not compile changes nothing', async () => {
    const world = await createHushdWorld();
    expect(await world.send('PUT', '/api/v1/policy', { key: ADMIN_KEY, body: { yaml: 'bad' } })).toMatchObject({
      status: 400,
      code: 'INVALID_POLICY',
      body: { error: { details: { path: 'name' } } },
    });
    const validated = await world.send('POST', '/api/v1/policy/validate', { key: ADMIN_KEY, body: { yaml: 'bad' } });
    expect(validated.body).toEqual({
      valid: false,
      errors: [{ path: 'name', code: 'policy_type', message: 'must be text' }],
      warnings: [],
    });
    const good = await world.send('POST', '/api/v1/policy/validate', { key: ADMIN_KEY, body: { yaml: 'name: x' } });
    expect(good.body).toMatchObject({ valid: true, normalized_version: '1.2.0' });
    expect(world.policies).toHaveLength(1);
  });

  it('a document that is stored and does not load is no success', async () => {
    const world = await createHushdWorld({ hushd: { problem: () => 'the engine did not load it' } });
    for (const [method, url] of [
      ['PUT', '/api/v1/policy'],
      ['POST', '/api/v1/policy/reload'],
    ] as const)
      expect(await world.send(method, url, { key: ADMIN_KEY, body: { yaml: 'name: next' } })).toMatchObject({
        status: 503,
        code: 'POLICY_UNAVAILABLE',
      });
  });

  const BUNDLE = { bundle: { policy: {} }, public_key: 'a'.repeat(64), signature: 'b'.repeat(128) };
  const PUT = '/api/v1/policy/bundle';

  it('HUSHD-042: a bundle that is not believed is refused by its code, and changes nothing, whoever sends it', async () => {
    const refused = [
      ['policy_bundle_no_trust', 403, 'POLICY_BUNDLE_UNTRUSTED'],
      ['policy_bundle_signature', 403, 'POLICY_BUNDLE_UNTRUSTED'],
      ['policy_bundle_key', 403, 'POLICY_BUNDLE_UNTRUSTED'],
      ['policy_signers_unreadable', 403, 'POLICY_BUNDLE_UNTRUSTED'],
      ['policy_bundle_malformed', 400, 'INVALID_POLICY_BUNDLE'],
      ['policy_bundle_hash', 400, 'INVALID_POLICY_BUNDLE'],
    ] as const;
    for (const [fault, status, code] of refused) {
      const compile = (): ReturnType<HushdOptions['policies']['compile']> => err({ code: fault, message: 'refused' });
      const world = await createHushdWorld({ hushd: { policies: { compile, reload: () => Promise.resolve() } } });
      expect(await world.send('PUT', PUT, { body: BUNDLE })).toMatchObject({ status: 403, code: 'INSUFFICIENT_SCOPE' });
      const reply = await world.send('PUT', PUT, { body: BUNDLE, key: ADMIN_KEY });
      expect(reply).toMatchObject({ status, code });
      expect(reply.text).toContain(fault);
      expect(world.policies).toHaveLength(1);
    }
    const world = await createHushdWorld();
    for (const body of [{ bundle: {} }, { yaml: 'name: x' }, [], '"bundle"'])
      expect(await world.send('PUT', PUT, { body, key: ADMIN_KEY })).toMatchObject({ status: 400, code: 'INVALID_POLICY_BUNDLE' });
    expect((await world.send('GET', PUT, { key: READ_KEY })).status).toBe(404);
    expect(world.policies).toHaveLength(1);
  });

  it('HUSHD-042: one that is believed is compiled from the bytes as they were sent', async () => {
    const world = await createHushdWorld();
    const text = JSON.stringify(BUNDLE, null, 3);
    expect(await world.send('PUT', PUT, { body: text, key: ADMIN_KEY })).toMatchObject({ status: 200, body: { success: true } });
    expect(world.policies.at(-1)).toBe(text);
    expect((await world.send('GET', PUT, { key: READ_KEY })).text).toBe(text);
    expect((await world.send('GET', PUT)).status).toBe(403);
  });
});

const receipt = (index: number, over: Record<string, JsonValue> = {}): JsonValue => ({
  index,
  body: {
    type: 'countersign.receipt.v1',
    id: `r-${index}`,
    time: '2026-01-01T00:00:00.000Z',
    session: index % 2 === 0 ? 'even' : 'odd',
    seq: index,
    principal: { org: ORG, agent: AGENT },
    action: { kind: 'shell.exec' },
    verdict: { decision: index % 3 === 0 ? 'deny' : 'allow', severity: 'high', reasons: [{ code: 'R001', text: '=a, "rule"' }] },
    ...over,
  },
});

describe('HUSHD-050: the audit', () => {
  async function withEntries(count: number): Promise<HushdWorld> {
    const world = await createHushdWorld();
    for (let n = 0; n < count; n += 1) world.entries.push(receipt(n));
    return world;
  }
  const ids = (body: Record<string, unknown>): string[] => (body['events'] as { id: string }[]).map(({ id }) => id);

  it('the newest first, page by page', async () => {
    const { send } = await withEntries(5);
    const first = await send('GET', '/api/v1/audit?limit=2', { key: READ_KEY });
    expect([ids(first.body), first.body['next_cursor'], first.body['has_more']]).toEqual([['r-4', 'r-3'], '3', true]);
    const second = await send('GET', '/api/v1/audit?limit=9&cursor=3', { key: READ_KEY });
    expect([ids(second.body), second.body['has_more']]).toEqual([['r-2', 'r-1', 'r-0'], false]);
    expect(ids((await send('GET', '/api/v1/audit?offset=4', { key: READ_KEY })).body)).toEqual(['r-0']);
  });

  it('filters, and says what was decided without a value', async () => {
    const { send } = await withEntries(5);
    const violations = await send('GET', '/api/v1/audit?event_type=violation&session_id=odd', { key: READ_KEY });
    expect(violations.body['events']).toEqual([
      expect.objectContaining({ id: 'r-3', action_type: 'shell', decision: 'blocked', target: null, guard: 'R001', agent_id: AGENT }),
    ]);
    expect(ids((await send('GET', '/api/v1/audit?action_type=egress', { key: READ_KEY })).body)).toEqual([]);
  });

  it('entries of another org are not there', async () => {
    const world = await withEntries(1);
    world.entries.push(
      receipt(1, { principal: { org: 'org-2', agent: 'x' } }),
      receipt(2, { type: 'countersign.outcome.v1', principal: null, org: 'org-2' }),
    );
    expect(ids((await world.send('GET', '/api/v1/audit', { key: READ_KEY })).body)).toEqual(['r-0']);
    expect(ids((await world.send('GET', '/api/v1/audit', { key: OTHER_ORG_KEY })).body)).toEqual(['r-2', 'r-1']);
  });

  it('as lines and as a table that no spreadsheet runs', async () => {
    const { send } = await withEntries(2);
    const lines = (await send('GET', '/api/v1/audit?format=jsonl', { key: READ_KEY })).text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['r-1', 'r-0']);
    const [head, row] = (await send('GET', '/api/v1/audit?format=csv', { key: READ_KEY })).text.split('\r\n');
    expect(head).toMatch(/^id,timestamp,event_type/);
    expect(row).toContain(`"'=a, ""rule"""`);
  });

  it.each([
    'limit=x',
    `limit=${LIMITS.auditPageMax + 1}`,
    'cursor=-1',
    'format=xml',
    'limit=1&limit=2',
    'runtime_agent_id=r',
    `offset=${LIMITS.auditScanMax + 1}`,
  ])('?%s is refused', async (query) => {
    const { send } = await withEntries(1);
    expect(await send('GET', `/api/v1/audit?${query}`, { key: READ_KEY })).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
  });

  it.each([`limit=${LIMITS.auditPageMax}`, `offset=${LIMITS.auditScanMax}`, `cursor=${Number.MAX_SAFE_INTEGER}`])(
    '?%s is the most',
    async (query) => {
      const { send } = await withEntries(1);
      expect((await send('GET', `/api/v1/audit?${query}`, { key: READ_KEY })).status).toBe(200);
    },
  );

  it(`looks at ${LIMITS.auditScanMax} entries for one page`, async () => {
    const world = await createHushdWorld();
    for (let n = 0; n <= LIMITS.auditScanMax; n += 1) world.entries.push(receipt(n, n === 0 ? { session: 'first' } : {}));
    const { body } = await world.send('GET', '/api/v1/audit?session_id=first', { key: READ_KEY });
    expect([ids(body), body['next_cursor']]).toEqual([[], '1']);
    expect(ids((await world.send('GET', '/api/v1/audit?session_id=first&cursor=1', { key: READ_KEY })).body)).toEqual(['r-0']);
  });

  it('HUSHD-052: what was decided since the start', async () => {
    const world = await createHushdWorld({ verdict: { decision: 'deny' } });
    await world.send('POST', CHECK, { body: shell() });
    expect((await world.send('GET', '/api/v1/audit/stats', { key: READ_KEY })).body).toMatchObject({
      violations: 1,
      allowed: 0,
      total_events: 0,
    });
  });

  it('a log that is not open is an error and no empty list', async () => {
    const world = await createHushdWorld({ hushd: { audit: { size: () => undefined, entry: () => Promise.resolve(null) } } });
    expect(await world.send('GET', '/api/v1/audit', { key: READ_KEY })).toMatchObject({ status: 503, code: 'AUDIT_UNAVAILABLE' });
  });
});

describe('HUSHD-051: events of others', () => {
  const BATCH = '/api/v1/audit/batch';

  it('are judged and recorded, once each', async () => {
    const world = await createHushdWorld();
    const body = '{"events":[{"id":"a","n":12345678901234567890},{"id":"a"},{"no":1},7]}';
    expect((await world.send('POST', BATCH, { key: ADMIN_KEY, body })).body).toEqual({
      accepted: 1,
      duplicates: 1,
      rejected: 2,
      accepted_ids: ['a'],
      duplicate_ids: ['a'],
      rejected_ids: [null, null],
    });
    expect(world.actions).toMatchObject([{ kind: 'session.audit', params: { id: 'a' }, exactNumbers: ['/params/n'] }]);
  });

  it('what could not be recorded is rejected, and no duplicate afterwards', async () => {
    const world = await createHushdWorld({ faults: ['disk'] });
    for (let n = 0; n < 2; n += 1)
      expect((await world.send('POST', BATCH, { key: ADMIN_KEY, body: { events: [{ id: 'a' }] } })).body).toMatchObject({
        accepted: 0,
        rejected: 1,
      });
  });

  it(`knows the newest ${LIMITS.auditIdsMax} ids`, () => {
    const seen = createSeenIds();
    for (let n = 0; n < LIMITS.auditIdsMax; n += 1) seen.add(`e-${n}`);
    expect(seen.has('e-0')).toBe(true);
    seen.add('more');
    expect([seen.has('e-0'), seen.has('e-1'), seen.has('more')]).toEqual([false, true, true]);
  });

  it.each([
    [LIMITS.auditBatchMax, 200],
    [LIMITS.auditBatchMax + 1, 400],
  ])('%d of them are %d', async (count, status) => {
    const { send } = await createHushdWorld();
    const events = Array.from({ length: count }, (_, n) => ({ id: `e-${n}` }));
    expect((await send('POST', BATCH, { key: ADMIN_KEY, body: { events } })).status).toBe(status);
  });
});

describe('HUSHD-070: receipts', () => {
  it('of the own org only', async () => {
    const { send } = await createHushdWorld();
    expect((await send('GET', '/api/v1/receipts/mine', { key: READ_KEY })).text).toBe('{"receipt":{}}');
    for (const id of ['theirs', 'unknown'])
      expect(await send('GET', `/api/v1/receipts/${id}`, { key: READ_KEY })).toMatchObject({ status: 404, code: 'RECEIPT_NOT_FOUND' });
  });

  it('are verified byte for byte as they were sent', async () => {
    const { send } = await createHushdWorld();
    const url = '/api/v1/receipts/verify';
    expect((await send('POST', url, { key: READ_KEY, body: '{"receipt":{}}' })).body).toMatchObject({ valid: true, code: null });
    expect((await send('POST', url, { key: READ_KEY, body: '{"receipt": {}}' })).body).toMatchObject({
      valid: false,
      code: 'VFY_SIGNATURE_INVALID',
    });
  });
});

describe('HUSHD-080: heartbeats', () => {
  it('are shown to the own org', async () => {
    const { send } = await createHushdWorld();
    const beat = (body: object): Promise<unknown> => send('POST', '/api/v1/agent/heartbeat', { body });
    await beat({ endpoint_agent_id: 'laptop', policy_version: 'old', daemon_version: '0.0.0' });
    await beat({ endpoint_agent_id: 'laptop', runtime_agent_id: 'r', runtime_agent_kind: 'claude' });
    const { body } = await send('GET', '/api/v1/agents/status', { key: READ_KEY });
    expect(body).toMatchObject({
      endpoints: [{ endpoint_agent_id: 'laptop', online: true, drift: { policy_drift: true, daemon_drift: false, stale: false } }],
      runtimes: [{ runtime_agent_id: 'r' }],
    });
    expect((await send('GET', '/api/v1/agents/status', { key: OTHER_ORG_KEY })).body).toMatchObject({ endpoints: [], runtimes: [] });
  });

  it(`of ${LIMITS.hushdAgentsMax} agents; one that fell silent makes room`, () => {
    const beats = createHeartbeats();
    const beat = (endpoint: string, seenMs: number): Heartbeat => {
      const unknown = { runtime: null, runtimeKind: null, policyVersion: null, daemonVersion: null, session: null };
      return { ...unknown, org: ORG, key: 'k', endpoint, seenMs };
    };
    for (let n = 0; n < LIMITS.hushdAgentsMax; n += 1) beats.take(beat(`e-${n}`, 0));
    beats.take(beat('e-0', 1));
    expect(() => beats.take(beat('more', 90_000))).toThrow('too many agents report already');
    beats.take(beat('more', 90_001));
    const names = beats.of(ORG).map(({ endpoint }) => endpoint);
    expect([names.length, names.includes('e-0'), names.includes('e-1')]).toEqual([LIMITS.hushdAgentsMax, true, false]);
  });
});

describe('HUSHD-081: how it is', () => {
  it('health and readiness without a key', async () => {
    const well = await createHushdWorld();
    expect((await well.send('GET', '/health', { key: null })).body).toMatchObject({ status: 'healthy', uptime_secs: 0, audit_count: 0 });
    expect((await well.send('GET', '/ready', { key: null })).body).toMatchObject({ status: 'ready' });
    const ill = await createHushdWorld({ faults: ['engine-none'] });
    const reply = await ill.send('GET', '/ready', { key: null });
    expect([reply.status, reply.body['status']]).toEqual([503, 'degraded']);
    expect(reply.text).not.toContain('there is no policy');
  });

  it('who one is, and counters', async () => {
    const { send } = await createHushdWorld();
    expect((await send('GET', '/api/v1/me', { key: READ_KEY })).body).toMatchObject({
      principal: { name: 'read', org: ORG },
      scopes: ['read'],
    });
    await send('POST', CHECK, { body: shell() });
    expect((await send('GET', '/metrics', { key: READ_KEY })).text).toContain('agentguard_allowed_total 1\n');
  });
});
