import type { JsonValue } from '@countersign/kernel';
import { describe, expect, it } from 'vitest';
import {
  agent,
  type Answer,
  currentScopeToken,
  CountersignBlockedError,
  type Countersigner,
  currentDelegation,
  descriptorHash,
  guard,
} from '../src/index.ts';

const YES: Answer = {
  allowed: true,
  action: 'pass',
  risk: 0,
  requestId: 'req-1',
  receiptId: 'rec-1',
  denialReason: null,
  reasoning: null,
  matchedRules: [],
  sessionFlags: [],
  degradedStages: [],
  scopeGranted: null,
  scopeToken: 'scope.token',
  toolResponse: null,
  latencyMs: 0,
};
const NO: Answer = {
  ...YES,
  allowed: false,
  action: 'block',
  risk: 0.9,
  denialReason: 'no',
  matchedRules: ['R001'],
  sessionFlags: ['burst'],
  scopeToken: null,
};

interface Asked {
  readonly kind: 'proxy' | 'inspect';
  readonly tool: string;
  readonly value: JsonValue;
  readonly options: object | undefined;
}

function countersigner(proxy: Answer = YES, inspect: Answer = YES): Countersigner & { readonly asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    proxy: (tool, value, options) => {
      asked.push({ kind: 'proxy', tool, value, options });
      return Promise.resolve(proxy);
    },
    inspect: (tool, value, options) => {
      asked.push({ kind: 'inspect', tool, value, options });
      return Promise.resolve(inspect);
    },
  };
}

async function blockedBy(call: Promise<unknown>): Promise<CountersignBlockedError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CountersignBlockedError);
  return error as CountersignBlockedError;
}

describe('guard', () => {
  it('runs the function after a yes and gives its result', async () => {
    const client = countersigner();
    const add = guard((sum: { a: number; b: number }) => sum.a + sum.b, { toolName: 'math.add', client });
    expect(await add({ a: 1, b: 2 })).toBe(3);
    expect(client.asked).toEqual([
      { kind: 'proxy', tool: 'math.add', value: { a: 1, b: 2 }, options: { descriptor: { hash: descriptorHash({ name: 'math.add' }) } } },
    ]);
  });

  it('hands over anything but a single object as `args`', async () => {
    const client = countersigner();
    const options = { toolName: 't', client };
    await guard((..._all: unknown[]) => 0, options)(1, 'b', null);
    await guard((_list: number[]) => 0, options)([1]);
    await guard(() => 0, options)();
    expect(client.asked.map(({ value }) => value)).toEqual([{ args: [1, 'b', null] }, { args: [[1]] }, { args: [] }]);
  });

  it('throws what a no says, and the function does not run', async () => {
    let ran = false;
    const guarded = guard(() => void (ran = true), { toolName: 't', client: countersigner(NO) });
    const error = await blockedBy(guarded());
    expect(error).toMatchObject({
      code: 'denied',
      reason: 'no',
      rules: ['R001'],
      risk: 0.9,
      receiptId: 'rec-1',
      requestId: 'req-1',
      sessionFlags: ['burst'],
    });
    expect(error.message).toBe('Blocked: no (risk=0.90) | rules: R001 | session: burst');
    expect(ran).toBe(false);
  });

  it.each(['gateway_unreachable', 'gateway_timeout', 'gateway_refused', 'gateway_answer_invalid', 'circuit_open'] as const)(
    'does not run the function when the answer is %s',
    async (fault) => {
      const guarded = guard(() => expect.unreachable(), { toolName: 't', client: countersigner({ ...NO, fault }) });
      expect(await blockedBy(guarded())).toMatchObject({ code: fault });
    },
  );

  it('does not run the function when the client throws, rejects or answers without types', async () => {
    const throwing: Countersigner = { ...countersigner(), proxy: () => expect.fail('broken client') };
    const rejecting: Countersigner = { ...countersigner(), proxy: () => Promise.reject(new TypeError('broken')) };
    const untyped = countersigner({ ...YES, allowed: 'yes' as unknown as boolean });
    for (const client of [throwing, rejecting]) {
      const guarded = guard(() => expect.unreachable(), { toolName: 't', client });
      expect(await blockedBy(guarded())).toMatchObject({ code: 'internal', risk: 1, receiptId: null });
    }
    await blockedBy(guard(() => expect.unreachable(), { toolName: 't', client: untyped })());
  });

  it('passes on what the function itself throws', async () => {
    const guarded = guard(() => Promise.reject(new RangeError('mine')), { toolName: 't', client: countersigner() });
    await expect(guarded()).rejects.toThrow(RangeError);
  });
});

describe('what was judged is what runs', () => {
  it('a change of the arguments during the question has no effect', async () => {
    const args = { path: 'notes.txt', deep: { list: ['a'] } };
    const client: Countersigner = {
      ...countersigner(),
      proxy: async () => {
        args.path = '/etc/shadow';
        args.deep.list[0] = 'z';
        return YES;
      },
    };
    const seen = await guard((given: typeof args) => JSON.stringify(given), { toolName: 't', client })(args);
    expect(seen).toBe('{"path":"notes.txt","deep":{"list":["a"]}}');
  });

  it('a getter is asked once', async () => {
    let turn = 0;
    const args = {
      get path() {
        turn += 1;
        return turn === 1 ? 'notes.txt' : '/etc/shadow';
      },
    };
    const client = countersigner();
    const ran = await guard((given: { readonly path: string }) => given.path + given.path, { toolName: 't', client })(args);
    expect([client.asked[0]?.value, ran]).toEqual([{ path: 'notes.txt' }, 'notes.txtnotes.txt']);
  });

  it('the function cannot change what it was given, and sees nothing of the original', async () => {
    const args = { list: [{ a: 1 }] };
    await guard(
      (given: typeof args) => {
        expect(Object.isFrozen(given) && Object.isFrozen(given.list) && Object.isFrozen(given.list[0])).toBe(true);
        expect(given.list).not.toBe(args.list);
      },
      { toolName: 't', client: countersigner() },
    )(args);
    expect(Object.isFrozen(args)).toBe(false);
  });

  it('the descriptor changes with name, description and schema, and with nothing else', () => {
    const base = { name: 't', description: 'd', inputSchema: { type: 'object', a: 1 } };
    const hash = descriptorHash(base);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(descriptorHash({ inputSchema: { a: 1, type: 'object' }, description: 'd', name: 't' })).toBe(hash);
    for (const other of [
      { ...base, name: 'u' },
      { ...base, description: 'e' },
      { ...base, inputSchema: { type: 'object' } },
    ]) {
      expect(descriptorHash(other)).not.toBe(hash);
    }
    expect(descriptorHash({ name: 't' })).toBe(descriptorHash({ name: 't', description: '', inputSchema: {} }));
  });
});

describe('scope token and delegation', () => {
  it('the token is there while the function runs, also after a pause, and nowhere else', async () => {
    const guarded = guard(
      async () => {
        await Promise.resolve();
        return currentScopeToken();
      },
      { toolName: 't', client: countersigner() },
    );
    expect(await guarded()).toBe('scope.token');
    expect(currentScopeToken()).toBeUndefined();
  });

  it('a call without a token hides the token of the call around it', async () => {
    const inner = guard(() => currentScopeToken(), { toolName: 'inner', client: countersigner({ ...YES, scopeToken: null }) });
    const outer = guard(() => inner(), { toolName: 'outer', client: countersigner() });
    expect(await outer()).toBeUndefined();
  });

  it('concurrent agents do not see each other', async () => {
    const chains = await Promise.all(
      ['a', 'b', 'c'].map((id) => agent('root', () => agent(id, () => Promise.resolve().then(() => currentDelegation()?.chain)))),
    );
    expect(chains).toEqual([
      ['root', 'a'],
      ['root', 'b'],
      ['root', 'c'],
    ]);
    expect(currentDelegation()).toBeUndefined();
  });
});

describe('checking the response', () => {
  it('asks with request id and token, and hands out a copy of what was judged', async () => {
    const client = countersigner();
    const own = { rows: [1] };
    const result = await guard(() => own, { toolName: 't', client, checkResponse: true, session: 's' })();
    expect(client.asked[1]).toEqual({
      kind: 'inspect',
      tool: 't',
      value: { rows: [1] },
      options: { requestId: 'req-1', scopeToken: 'scope.token', session: 's' },
    });
    expect(result).toEqual(own);
    expect(result).not.toBe(own);
    result.rows.push(2);
    expect(own.rows).toEqual([1]);
  });

  it('POL-302 the call and its response are asked where the agent was', async () => {
    const client = countersigner();
    let place: { provider: string } | undefined = { provider: 'slack' };
    const run = guard((params: { n: number }) => params.n, { toolName: 't', client, checkResponse: true, origin: () => place });
    await run({ n: 1 });
    place = undefined;
    await run({ n: 2 });
    const origins = client.asked.map(({ options }) => (options as { readonly origin?: object }).origin);
    expect(origins).toEqual([{ provider: 'slack' }, { provider: 'slack' }, undefined, undefined]);
  });

  it('withholds a response that is refused', async () => {
    const guarded = guard(() => 'secret', { toolName: 't', client: countersigner(YES, NO), checkResponse: true });
    expect(await blockedBy(guarded())).toMatchObject({ code: 'response_blocked' });
  });

  it('withholds a response that cannot be judged, or that nobody could judge', async () => {
    const client = countersigner();
    expect(await blockedBy(guard(() => new Map(), { toolName: 't', client, checkResponse: true })())).toMatchObject({
      code: 'response_not_json',
      receiptId: 'rec-1',
    });
    const broken: Countersigner = { ...client, inspect: () => Promise.reject(new Error('down')) };
    expect(await blockedBy(guard(() => 1, { toolName: 't', client: broken, checkResponse: true })())).toMatchObject({ code: 'internal' });
  });

  it('has nothing to ask where nothing came back', async () => {
    const client = countersigner();
    expect(await guard(() => undefined, { toolName: 't', client, checkResponse: true })()).toBeUndefined();
    expect(client.asked).toHaveLength(1);
  });
});
