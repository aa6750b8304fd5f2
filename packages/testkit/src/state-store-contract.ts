/**
 * @module What every state store owes, whatever it keeps its rows in. Run by the tests of each implementation.
 */
import { agentJwtKey, sha256Hex } from '@countersign/crypto';
import type { Clock, Random } from '@countersign/kernel';
import type { AdminStore, OrgRecord, StateStore } from '@countersign/pipeline';
import { describe, expect, test } from 'vitest';
import { windowContract } from './agent-window-contract.ts';
import { principal, sessionStateContract } from './session-state-contract.ts';

/** A store under test, with what the contract needs beyond the ports. */
export type ContractStore = StateStore &
  AdminStore & {
    appliedIndex(log?: string): number;
    knownLogs(): readonly string[];
    orgLog(org: string): { readonly log: string; readonly leaving: string | null };
    orgsOn(log: string): number;
    orgsLeaving(log: string): readonly string[];
    setOrgLog(org: string, place: { readonly log: string; readonly leaving: string | null }): OrgRecord | undefined;
    flush(appliedIndex: number, log?: string): void;
    foldDelta(logged: {
      readonly log?: string;
      readonly index: number;
      readonly principal: Principal;
      readonly delta: Parameters<StateStore['stageDelta']>[1];
    }): void;
  };

type Principal = Parameters<StateStore['stageDelta']>[0];

export interface StateBed {
  readonly store: ContractStore;
  readonly clock: Clock & { set(ms: number): void };
  /** Closes the store and opens it again; undefined where nothing survives. */
  readonly reopen: (() => ContractStore) | undefined;
}

/** Settable time and repeatable bytes. */
export function createBench(): { readonly clock: StateBed['clock']; readonly random: Random } {
  let nowMs = 1_700_000_000_000;
  let seed = 1;
  return {
    clock: {
      nowMs: () => nowMs,
      set(ms: number): void {
        nowMs = ms;
      },
    },
    random: {
      bytes: (length) =>
        Uint8Array.from({ length }, () => {
          seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
          return seed >>> 24;
        }),
    },
  };
}

function value<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly code: string } }): T {
  if (result.ok) return result.value;
  throw new Error(`refused: ${result.error.code}`);
}

function code(result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } }): string {
  return result.ok ? 'ok' : result.error.code;
}

const HASH = 'ab'.repeat(32);
const OTHER_HASH = 'cd'.repeat(32);

interface PreparedBed extends StateBed {
  readonly org: OrgRecord;
}

type Prepare = () => PreparedBed;

function agentContract(name: string, prepare: Prepare): void {
  describe(`${name}: orgs and agents`, () => {
    test('what was made is read back, the secret only as a key', async () => {
      const { store, org } = prepare();
      expect(await store.org(org.id)).toEqual(org);
      const { agent, secret } = value(store.createAgent({ org: org.id, name: 'billing bot', scopes: ['db:query:read', 'db:query:read'] }));
      expect(secret).toMatch(/^ags_[A-Za-z0-9_-]{43}$/);
      expect(await store.agent(agent.id)).toEqual({
        id: agent.id,
        org: org.id,
        name: 'billing bot',
        state: 'active',
        scopes: ['db:query:read'],
      });
      expect(await store.agentJwtKey(agent.id)).toEqual(agentJwtKey(secret));
      expect(JSON.stringify([store.agentView(agent.id), store.listAgents({ org: org.id }), await store.agent(agent.id)])).not.toContain(
        secret,
      );
    });

    test('what does not exist is undefined', async () => {
      const { store } = prepare();
      expect(await store.org('none')).toBeUndefined();
      expect(await store.agent('00000000-0000-7000-8000-000000000000')).toBeUndefined();
      expect(await store.agent('not a uuid')).toBeUndefined();
      expect(await store.agentJwtKey('00000000-0000-7000-8000-000000000000')).toBeUndefined();
      expect(await store.apiKey(HASH)).toBeUndefined();
      expect(await store.apiKey('constructor')).toBeUndefined();
      expect(code(store.createAgent({ org: 'none', name: 'x', scopes: [] }))).toBe('not_found');
    });

    test('states: killed is final but for a revival, which changes the secret', async () => {
      const { store, org } = prepare();
      const { agent, secret } = value(store.createAgent({ org: org.id, name: 'x', scopes: [] }));
      const set = (state: 'active' | 'suspended' | 'killed'): string =>
        code(store.setAgentState({ agent: agent.id, state, reason: 'manual_admin' }));
      expect(await store.agent(agent.id)).toMatchObject({ state: 'active' });
      expect([set('suspended'), set('active'), set('suspended'), set('killed')]).toEqual(['ok', 'ok', 'ok', 'ok']);
      expect(await store.agent(agent.id)).toMatchObject({ state: 'killed' });
      expect(await store.agentJwtKey(agent.id)).toBeUndefined();
      expect([set('active'), set('suspended'), set('killed')]).toEqual(['invalid_state_transition', 'invalid_state_transition', 'ok']);
      expect(code(store.createAgent({ org: org.id, name: 'X', scopes: [] }))).toBe('name_taken');
      const revived = value(store.reviveAgent(agent.id, 'manual_admin'));
      expect(revived.secret).not.toBe(secret);
      expect(await store.agentJwtKey(agent.id)).toEqual(agentJwtKey(revived.secret));
      expect(code(store.reviveAgent(agent.id, 'again'))).toBe('invalid_state_transition');
      expect(code(store.setAgentState({ agent: 'none', state: 'killed', reason: 'r' }))).toBe('not_found');
    });

    test('a kill is seen by the next read, also after earlier reads', async () => {
      const { store, org } = prepare();
      const { agent } = value(store.createAgent({ org: org.id, name: 'x', scopes: [] }));
      expect((await store.agent(agent.id))?.state).toBe('active');
      value(store.setAgentState({ agent: agent.id, state: 'killed', reason: 'r' }));
      expect((await store.agent(agent.id))?.state).toBe('killed');
    });
  });
}

function agentListContract(name: string, prepare: Prepare): void {
  describe(`${name}: agents in lists`, () => {
    test('scopes and modes change at once', async () => {
      const { store, org } = prepare();
      const { agent } = value(store.createAgent({ org: org.id, name: 'x', scopes: ['*'] }));
      await store.agent(agent.id);
      await store.org(org.id);
      value(store.setAgentScopes(agent.id, ['fs:file:read']));
      value(store.setOrgMode(org.id, 'locked'));
      expect((await store.agent(agent.id))?.scopes).toEqual(['fs:file:read']);
      expect((await store.org(org.id))?.mode).toBe('locked');
    });

    test('lists come in pages by id, one org at a time', () => {
      const { store, org } = prepare();
      const other = value(store.createOrg({ name: 'other', mode: 'locked' }));
      const ids = ['c', 'a', 'b'].map((letter) => value(store.createAgent({ org: org.id, name: letter, scopes: [] })).agent.id);
      value(store.createAgent({ org: other.id, name: 'a', scopes: [] }));
      const sorted = [...ids].sort();
      expect(store.listAgents({ org: org.id, limit: 2 }).map(({ id }) => id)).toEqual(sorted.slice(0, 2));
      expect(store.listAgents({ org: org.id, after: sorted[1] ?? '' }).map(({ id }) => id)).toEqual(sorted.slice(2));
      expect(
        store
          .listOrgs()
          .map(({ name: orgName }) => orgName)
          .sort(),
      ).toEqual(['acme', 'other']);
    });

    test('an id can be brought along, once', () => {
      const { store, org } = prepare();
      const id = '6001f36e-e50f-4a33-ab86-91ff44cf5cd0';
      expect(value(store.createAgent({ org: org.id, name: 'x', scopes: [], id })).agent.id).toBe(id);
      expect(code(store.createAgent({ org: org.id, name: 'y', scopes: [], id }))).toBe('id_taken');
      expect(code(store.createAgent({ org: org.id, name: 'z', scopes: [], id: 'nope' }))).toBe('invalid_id');
    });
  });
}

function keyContract(name: string, prepare: Prepare): void {
  describe(`${name}: API keys`, () => {
    test('a key is found by its whole hash, and no longer once revoked', async () => {
      const { store, org } = prepare();
      const { apiKey, key } = value(store.createApiKey({ org: org.id, label: 'ci', kind: 'write', environment: 'test' }));
      expect(key).toMatch(/^ag_test_[A-Za-z0-9_-]{43}$/);
      expect(await store.apiKey(sha256Hex(key))).toEqual({ id: apiKey.id, org: org.id, kind: 'write', active: true });
      expect(await store.apiKey(sha256Hex(key).slice(0, 16))).toBeUndefined();
      expect(await store.apiKey(`${sha256Hex(key).slice(0, 16)}${'0'.repeat(48)}`)).toBeUndefined();
      expect(code(store.revokeApiKey('another org', apiKey.id))).toBe('not_found');
      value(store.revokeApiKey(org.id, apiKey.id));
      expect(await store.apiKey(sha256Hex(key))).toMatchObject({ active: false });
      expect(store.findApiKey(sha256Hex(key))?.revokedMs).toEqual(expect.any(Number));
      expect(JSON.stringify(store.listApiKeys({ org: org.id }))).not.toContain(key.slice(8));
    });

    test.each(['read', 'kill', 'write'] as const)('kind %s is kept', async (kind) => {
      const { store, org } = prepare();
      const { key } = value(store.createApiKey({ org: org.id, label: '', kind, environment: 'live' }));
      expect(await store.apiKey(sha256Hex(key))).toMatchObject({ kind });
    });
  });
}

function toolContract(name: string, prepare: Prepare): void {
  describe(`${name}: tools`, () => {
    test('unknown, pending, approved, and a descriptor that changed', async () => {
      const { store, org } = prepare();
      const ask = (descriptorHash?: string): ReturnType<StateStore['tool']> =>
        store.tool({ org: org.id, tool: 'web.search', ...(descriptorHash === undefined ? {} : { descriptorHash }) });
      expect(await ask(HASH)).toEqual({});
      store.stageDelta(principal(org.id), { pendingTool: { tool: 'web.search', hash: HASH } });
      expect([await ask(HASH), await ask(), await ask(OTHER_HASH)]).toEqual([
        { registration: 'pending' },
        { registration: 'pending' },
        { registration: 'mismatch' },
      ]);
      store.flush(0);
      expect(store.listTools({ org: org.id, status: 'pending' })).toMatchObject([{ tool: 'web.search', hash: HASH }]);
      value(store.approveTool({ org: org.id, tool: 'web.search', hash: HASH, scope: 'net:http:outbound' }));
      const registered = { registration: 'registered', scope: 'net:http:outbound' };
      expect([await ask(HASH), await ask(), await ask(OTHER_HASH)]).toEqual([registered, registered, { registration: 'mismatch' }]);
      expect(store.listTools({ org: org.id, status: 'pending' })).toEqual([]);
    });

    test('approved without a hash holds for every descriptor; without a scope it has none', async () => {
      const { store, org } = prepare();
      value(store.approveTool({ org: org.id, tool: 't', hash: '', scope: null }));
      expect(await store.tool({ org: org.id, tool: 't', descriptorHash: HASH })).toEqual({ registration: 'registered' });
      expect(await store.tool({ org: 'another', tool: 't', descriptorHash: HASH })).toEqual({});
    });

    test('an approval survives a pending delta that is folded after it', async () => {
      const { store, org } = prepare();
      store.stageDelta(principal(org.id), { pendingTool: { tool: 't', hash: HASH } });
      value(store.approveTool({ org: org.id, tool: 't', hash: HASH, scope: null }));
      store.flush(0);
      store.foldDelta({ index: 0, principal: principal(org.id), delta: { pendingTool: { tool: 't', hash: HASH } } });
      store.flush(1);
      expect(await store.tool({ org: org.id, tool: 't', descriptorHash: HASH })).toEqual({ registration: 'registered' });
    });

    test('a bad name, hash or scope is refused', () => {
      const { store, org } = prepare();
      const approve = (draft: { tool?: string; hash?: string; scope?: string }): string =>
        code(store.approveTool({ org: org.id, tool: 't', hash: '', scope: null, ...draft }));
      expect(['', 'a b', 'x'.repeat(257), 'a\u0000'].map((tool) => approve({ tool }))).toEqual(
        Array.from({ length: 4 }, () => 'invalid_tool'),
      );
      expect(approve({ tool: 'x'.repeat(256) })).toBe('ok');
      expect(approve({ hash: 'zz' })).toBe('invalid_tool');
      expect(['db', 'db:query', 'db:*:read', 'DB:query:read', `db:query:${'r'.repeat(128)}`].map((scope) => approve({ scope }))).toEqual(
        Array.from({ length: 5 }, () => 'invalid_scope'),
      );
    });
  });
}

function deltaContract(name: string, prepare: Prepare): void {
  describe(`${name}: deltas`, () => {
    test('a staged delta is read at once and never goes back', async () => {
      const { store, org } = prepare();
      expect(await store.sessionCalls(org.id, 's-1')).toBe(0);
      store.stageDelta(principal(org.id), { sessionCalls: 3 });
      store.stageDelta(principal(org.id), { sessionCalls: 2 });
      store.stageDelta(principal(org.id, 's-2'), {});
      expect(await store.sessionCalls(org.id, 's-1')).toBe(3);
      expect(await store.sessionCalls(org.id, 's-2')).toBe(0);
      expect(await store.sessionCalls('another', 's-1')).toBe(0);
      store.flush(7);
      expect([store.appliedIndex(), await store.sessionCalls(org.id, 's-1')]).toEqual([7, 3]);
      store.foldDelta({ index: 5, principal: principal(org.id), delta: { sessionCalls: 2 } });
      store.flush(6);
      expect([store.appliedIndex(), await store.sessionCalls(org.id, 's-1')]).toEqual([7, 3]);
    });

    test('an id is consumed once', async () => {
      const { store, clock } = prepare();
      const expires = clock.nowMs() + 1000;
      expect([await store.consumeOnce('a', expires), await store.consumeOnce('a', expires), await store.consumeOnce('b', expires)]).toEqual(
        [true, false, true],
      );
      clock.set(expires + 1);
      expect(await store.consumeOnce('a', expires)).toBe(false);
    });

    test('ids are forgotten long after they expired, not before', async () => {
      const { store, clock } = prepare();
      const expires = clock.nowMs();
      await store.consumeOnce('old', expires);
      clock.set(expires + 86_400_000);
      await store.consumeOnce('x', expires + 200_000_000);
      expect(await store.consumeOnce('old', expires)).toBe(false);
      clock.set(expires + 86_400_001);
      await store.consumeOnce('y', expires + 200_000_000);
      expect(await store.consumeOnce('old', expires)).toBe(true);
    });
  });
}

function policyContract(name: string, prepare: Prepare): void {
  describe(`${name}: policies and documents`, () => {
    const draft = (text: string): { name: string; source: string; resolved: string; hash: string } => ({
      name: 'team',
      source: `# ${text}`,
      resolved: `{"v":"${text}"}`,
      hash: sha256Hex(`{"v":"${text}"}`),
    });

    test('the newest is active, all versions stay', () => {
      const { store } = prepare();
      expect(store.activePolicy()).toBeUndefined();
      expect(value(store.setPolicy(draft('one')))).toMatchObject({ version: 1, active: true });
      expect(value(store.setPolicy(draft('two')))).toMatchObject({ version: 2, active: true });
      expect(store.activePolicy()).toMatchObject({ version: 2, source: '# two' });
      expect(store.policy('team', 1)).toMatchObject({ active: false, source: '# one' });
      expect(store.policy('team')).toMatchObject({ version: 2 });
      expect(store.policy('none')).toBeUndefined();
      expect(store.listPolicies().map(({ version, active }) => [version, active])).toEqual([
        [2, true],
        [1, false],
      ]);
      expect(store.document(draft('one').hash)).toBe(draft('one').resolved);
    });

    test('a hash that is not that of the document is refused', () => {
      const { store } = prepare();
      expect(code(store.setPolicy({ ...draft('one'), hash: HASH }))).toBe('invalid_policy');
      expect(code(store.setPolicy({ ...draft('one'), name: '' }))).toBe('invalid_policy');
      expect(store.activePolicy()).toBeUndefined();
      expect(() => store.putDocument(HASH, 'text')).toThrow(expect.objectContaining({ code: 'document_refused' }));
      store.putDocument(sha256Hex('text'), 'text');
      store.putDocument(sha256Hex('text'), 'text');
      expect(store.document(sha256Hex('text'))).toBe('text');
      expect(store.document(HASH)).toBeUndefined();
    });
  });
}

function restartContract(name: string, prepare: Prepare): void {
  describe(`${name}: after a restart`, () => {
    test('everything an operator did and every flushed delta is there', async (context) => {
      const { store, org, clock, reopen } = prepare();
      context.skip(reopen === undefined, 'nothing survives in memory');
      if (reopen === undefined) return;
      const { agent, secret } = value(store.createAgent({ org: org.id, name: 'x', scopes: ['*', 'db:query:read'] }));
      const trusted = value(store.createAgent({ org: org.id, name: 'trusted', scopes: [], trust: 'elevated' })).agent;
      const dead = value(store.createAgent({ org: org.id, name: 'dead', scopes: [] })).agent;
      value(store.setAgentState({ agent: dead.id, state: 'killed', reason: 'r' }));
      const { key } = value(store.createApiKey({ org: org.id, label: '', kind: 'write', environment: 'live' }));
      await store.consumeOnce('jti', clock.nowMs() + 1000);
      const placed = { origin: { at: 'ab', profile: 'room' }, counts: { 'origin/room/egress_calls': 2 } };
      const posture = { n: 1, state: 'locked', entered: 600, used: {}, history: [], ...placed };
      store.stageDelta(principal(org.id), {
        sessionCalls: 4,
        hotUntil: 600,
        posture,
        sessionRisk: 2 ** 50 + 1,
        pendingTool: { tool: 't', hash: HASH },
      });
      store.flush(9);
      store.stageDelta(principal(org.id), { sessionCalls: 5 });
      const again = reopen();
      expect(await again.agent(agent.id)).toMatchObject({ scopes: ['*', 'db:query:read'], state: 'active' });
      expect(await again.agentJwtKey(agent.id)).toEqual(agentJwtKey(secret));
      expect(await again.agent(dead.id)).toMatchObject({ state: 'killed' });
      expect(await again.apiKey(sha256Hex(key))).toMatchObject({ active: true });
      expect(await again.consumeOnce('jti', clock.nowMs() + 1000)).toBe(false);
      expect(await again.tool({ org: org.id, tool: 't', descriptorHash: HASH })).toEqual({ registration: 'pending' });
      expect([again.appliedIndex(), await again.sessionCalls(org.id, 's-1')]).toEqual([9, 4]);
      expect([await again.sessionHotUntil(org.id, 's-1'), (await again.agent(trusted.id))?.trust]).toEqual([600, 'elevated']);
      expect(await again.sessionRisk(org.id, 's-1')).toBe(2 ** 50 + 1);
      expect(await again.sessionPosture(org.id, 's-1')).toEqual(posture);
      again.foldDelta({ index: 10, principal: principal(org.id), delta: { sessionCalls: 5 } });
      again.flush(10);
      expect([again.appliedIndex(), await again.sessionCalls(org.id, 's-1')]).toEqual([10, 5]);
    });
  });
}

function logContract(name: string, prepare: Prepare): void {
  describe(`${name}: LOG-081 LOG-082 several logs`, () => {
    test('an org writes to main until it is said otherwise, and its deltas are those of its log', async () => {
      const { store, org } = prepare();
      const other = value(store.createOrg({ name: 'other', mode: 'locked' }));
      expect([store.orgLog(org.id), store.orgLog('none').log, org.log]).toEqual([{ log: 'main', leaving: null }, 'main', 'main']);
      expect(await store.org(org.id)).toMatchObject({ log: 'main' });
      expect(store.setOrgLog(org.id, { log: 'a', leaving: 'main' })).toMatchObject({ id: org.id, log: 'a', mode: 'learning' });
      expect(store.setOrgLog('none', { log: 'a', leaving: null })).toBeUndefined();
      expect(value(store.setOrgMode(org.id, 'locked'))).toMatchObject({ log: 'a', mode: 'locked' });
      expect([await store.org(org.id), store.orgLog(org.id)]).toMatchObject([{ log: 'a' }, { log: 'a', leaving: 'main' }]);
      expect([store.orgsOn('main'), store.orgsOn('a'), store.orgsLeaving('main'), store.orgsLeaving('a')]).toEqual([1, 1, [org.id], []]);
      store.stageDelta(principal(org.id), { sessionCalls: 2 });
      store.stageDelta(principal(other.id), { sessionCalls: 1 });
      store.flush(4, 'a');
      expect([store.appliedIndex(), store.appliedIndex('main'), store.appliedIndex('a')]).toEqual([-1, -1, 4]);
      expect([...store.knownLogs()].sort()).toEqual(['a', 'main']);
    });

    test('after a restart each log has its own mark, and each org its log', async (context) => {
      const { store, org, reopen } = prepare();
      context.skip(reopen === undefined, 'nothing survives in memory');
      if (reopen === undefined) return;
      const other = value(store.createOrg({ name: 'other', mode: 'locked' }));
      store.setOrgLog(org.id, { log: 'a', leaving: 'b' });
      store.stageDelta(principal(org.id), { sessionCalls: 2 });
      store.stageDelta(principal(other.id), { sessionCalls: 7 });
      store.flush(4, 'a');
      store.flush(-1, 'empty');
      const again = reopen();
      expect([again.appliedIndex(), again.appliedIndex('a'), again.appliedIndex('empty')]).toEqual([-1, 4, -1]);
      expect([...again.knownLogs()].sort()).toEqual(['a', 'b', 'empty', 'main']);
      expect([again.orgLog(org.id), again.orgLog(other.id)]).toEqual([
        { log: 'a', leaving: 'b' },
        { log: 'main', leaving: null },
      ]);
      expect([await again.sessionCalls(org.id, 's-1'), await again.sessionCalls(other.id, 's-1')]).toEqual([2, 0]);
      again.foldDelta({ index: 0, principal: principal(other.id), delta: { sessionCalls: 7 } });
      again.flush(0);
      expect([again.appliedIndex(), await again.sessionCalls(other.id, 's-1')]).toEqual([0, 7]);
    });
  });
}

/** The suite. `open` gives a fresh, empty store. */
export function stateStoreContract(name: string, open: () => StateBed): void {
  const prepare: Prepare = () => {
    const bed = open();
    return { ...bed, org: value(bed.store.createOrg({ name: 'acme', mode: 'learning' })) };
  };
  const contracts = [
    sessionStateContract,
    agentContract,
    agentListContract,
    keyContract,
    toolContract,
    deltaContract,
    windowContract,
    logContract,
    policyContract,
    restartContract,
  ];
  for (const contract of contracts) contract(name, prepare);
}
