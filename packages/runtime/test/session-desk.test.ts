import { countersignAction, type ForwardResponse } from '@countersign/pipeline';
import { verifySession } from '@countersign/receipts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await freshDirectory();
});

function endOf(runtime: Runtime, org: string, change: object = {}): ReturnType<Runtime['sessions']['end']> {
  return runtime.sessions.end({ org, session: 's', reason: 'done', ...change });
}

async function codeOf(result: Promise<{ ok: boolean; error?: { code: string } }>): Promise<string> {
  const { ok, error } = await result;
  return ok ? 'ok' : (error?.code ?? '');
}

function forward(runtime: Runtime, caller: Actor): ReturnType<typeof countersignAction> {
  const source = { framework: 'test', door: 'test' };
  const draft = { kind: 'db.query', tool: 'database.query', params: {}, source, delegation: [], targetUrl: 'https://tool.example/run' };
  return countersignAction({ caller, draft, session: 's', fingerprint: '', mode: 'forward', paramsText: '{}' }, runtime.ports);
}

describe('RCPT-034 RCPT-035 the end of a session', () => {
  it('closes the chain, for the next process too; what came before verifies as whole and closed', async () => {
    const first = await openIn(dataDir);
    const caller = register(first);
    await act(first, caller, QUERY('SELECT 1'));
    const ended = unwrap(await endOf(first, caller.org));
    expect(ended).toMatchObject({ index: 1, session: 's', entries: 2 });
    await first.close();
    const runtime = await openIn(dataDir);
    const answer = await act(runtime, caller, QUERY('SELECT 2'));
    expect([answer.refusal?.code, answer.receipt, answer.scopeToken]).toEqual(['session_ended', null, undefined]);
    expect(runtime.log.size).toBe(2);
    const entries = unwrap(await runtime.sessions.entries(caller.org, 's'));
    expect(entries.map(({ seq, index }) => [seq, index])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const bundles = await Promise.all(entries.map(async ({ id }) => unwrap(await runtime.bundle(id, { inputs: false }))));
    const report = await verifySession(bundles, { vkeys: [runtime.logKey] });
    expect([report.ok, report.end]).toEqual([true, 'closed']);
    expect(await codeOf(endOf(runtime, caller.org))).toBe('session_ended');
  });

  it('waits for no outcome: while one is awaited it is refused, and the outcome has its place', async () => {
    const answered = Promise.withResolvers<ForwardResponse>();
    const called = Promise.withResolvers<void>();
    const upstream = {
      forward: (): Promise<ForwardResponse> => {
        called.resolve();
        return answered.promise;
      },
    };
    const runtime = await openIn(dataDir, { upstream });
    const caller = register(runtime);
    const pending = forward(runtime, caller);
    await called.promise;
    expect(await codeOf(endOf(runtime, caller.org))).toBe('session_busy');
    answered.resolve({ status: 'ok', code: 200, body: new TextEncoder().encode('rows') });
    expect((await pending).verdict.decision).not.toBe('deny');
    expect(unwrap(await endOf(runtime, caller.org)).entries).toBe(3);
    const bodies = await Promise.all(
      [0, 1, 2].map(async (at) => JSON.parse(new TextDecoder().decode(await runtime.log.readEntry(at))).body.type),
    );
    expect(bodies).toEqual(['countersign.receipt.v1', 'countersign.outcome.v1', 'countersign.session-end.v1']);
  });

  it('takes its turn behind the decisions that wait, and those behind it are refused', async () => {
    const runtime = await openIn(dataDir);
    const caller = register(runtime);
    await act(runtime, caller, QUERY('SELECT 1'));
    const turn = await runtime.ports.turns.take(`${caller.org}\ns`);
    const ending = endOf(runtime, caller.org);
    const behind = act(runtime, caller, QUERY('SELECT 2'));
    turn?.();
    expect([await codeOf(ending), (await behind).refusal?.code]).toEqual(['ok', 'session_ended']);
    expect(runtime.log.size).toBe(2);
  });

  it('of two at once one is the end', async () => {
    const runtime = await openIn(dataDir);
    const caller = register(runtime);
    await act(runtime, caller, QUERY('SELECT 1'));
    const codes = await Promise.all([codeOf(endOf(runtime, caller.org)), codeOf(endOf(runtime, caller.org))]);
    expect(codes.toSorted()).toEqual(['ok', 'session_ended']);
  });

  it.each([
    [{ session: 'nobody' }, 'session_unknown'],
    [{ session: 'countersign.vault' }, 'invalid_session'],
    [{ session: 'x'.repeat(129) }, 'invalid_session'],
    [{ session: 'x'.repeat(128) }, 'session_unknown'],
    [{ org: 'another' }, 'session_unknown'],
    [{ reason: '' }, 'invalid_reason'],
    [{ reason: 'r'.repeat(161) }, 'invalid_reason'],
    [{ reason: 'say "it"' }, 'invalid_reason'],
    [{ reason: 'r'.repeat(160) }, 'ok'],
  ])('%j is %s', async (change, code) => {
    const runtime = await openIn(dataDir);
    const caller = register(runtime);
    await act(runtime, caller, QUERY('SELECT 1'));
    expect(await codeOf(endOf(runtime, caller.org, change))).toBe(code);
  });

  it('a log that fails ends nothing, and allows nothing', async () => {
    const runtime = await openIn(dataDir);
    const caller = register(runtime);
    await act(runtime, caller, QUERY('SELECT 1'));
    await runtime.log.close();
    await expect(endOf(runtime, caller.org)).rejects.toMatchObject({ code: 'log_closed' });
    expect((await act(runtime, caller, QUERY('SELECT 2'))).verdict.decision).toBe('deny');
  });
});
