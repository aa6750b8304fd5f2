import { CodedError } from '@countersign/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countersignAction, PIPELINE_LIMITS } from '../src/index.ts';
import { AGENT, createWorld, type Fault, forwardRequest, request } from './world.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('countersignAction', () => {
  it('VER-021 releases an allow only after its receipt is durable', async () => {
    const world = createWorld();
    const release = world.holdDisk();
    const pending = countersignAction(request(), world.ports);
    await settle();
    expect(world.journal).toEqual(['staged', 'delta']);
    release();
    const answer = await pending;
    expect(world.journal).toEqual(['staged', 'delta', 'durable', 'minted', 'feed:allow']);
    expect(answer.verdict.decision).toBe('allow');
    expect(answer.scopeToken).toBe('token');
    expect(answer.receipt?.id).toBe(answer.requestId);
  });

  it('records a deny and releases nothing', async () => {
    const world = createWorld({ decision: 'deny' });
    const answer = await countersignAction(forwardRequest(), world.ports);
    expect(answer.verdict.decision).toBe('deny');
    expect(answer.scopeToken).toBeUndefined();
    expect(world.journal).toEqual(['staged', 'delta', 'durable', 'feed:deny']);
    expect(answer.receipt?.outcomeBy).toBeNull();
  });

  it('RCPT-021 asks for an outcome of what is forwarded, due behind every time that the call may take', async () => {
    const answer = await countersignAction(forwardRequest(), createWorld().ports);
    const { time = '', outcomeBy } = answer.receipt ?? {};
    const dueMs = Date.parse(outcomeBy ?? '') - Date.parse(time);
    expect(dueMs).toBeGreaterThanOrEqual(PIPELINE_LIMITS.outcomeDueMs);
    expect(dueMs).toBeGreaterThan(PIPELINE_LIMITS.decisionTimeoutMs + PIPELINE_LIMITS.forwardTimeoutMs);
    expect((await countersignAction(request(), createWorld().ports)).receipt?.outcomeBy).toBeNull();
  });

  it('RCPT-021 records an outcome also where the call was stopped between its receipt and its release', async () => {
    const world = createWorld({ faults: new Set<Fault>(['mint']) });
    const answer = await countersignAction(forwardRequest(), world.ports);
    expect(answer.verdict.decision).toBe('deny');
    expect(answer.receipt?.outcomeBy).not.toBeNull();
    expect(world.journal).toContain('outcome-staged:blocked');
    expect(world.journal).not.toContain('forwarded');
  });

  it('forwards, fences and records the outcome before it answers', async () => {
    const world = createWorld();
    const answer = await countersignAction(forwardRequest(), world.ports);
    expect(world.journal).toEqual([
      'staged',
      'delta',
      'durable',
      'minted',
      'forwarded',
      'outcome-staged:ok',
      'outcome-durable',
      'feed:allow',
    ]);
    expect(new TextDecoder().decode(answer.response?.body)).toBe('rows');
  });

  it('POL-302 a response is seen where the call was asked', async () => {
    const world = createWorld();
    const origin = { origin: { provider: 'slack' } };
    const asked = forwardRequest();
    await countersignAction({ ...asked, draft: { ...asked.draft, origin } }, world.ports);
    expect(world.understood.map(({ kind, origin: seen }) => [kind, seen])).toEqual([
      [asked.draft.kind, origin],
      ['tool.response', origin],
    ]);
  });

  it('withholds a response that the fence refuses', async () => {
    const world = createWorld({ fenceDecision: 'deny' });
    const answer = await countersignAction(forwardRequest(), world.ports);
    expect(answer.response).toMatchObject({ status: 'blocked', reason: 'response_blocked' });
    expect(answer.response?.body.length).toBe(0);
    expect(world.journal).toContain('outcome-staged:blocked');
  });

  it('mints no token for a scan', async () => {
    const world = createWorld();
    const answer = await countersignAction(request({ mode: 'scan' }), world.ports);
    expect(answer.scopeToken).toBeUndefined();
    expect(answer.receipt).not.toBeNull();
  });
});

describe('POL-170 guards that ask the outside', () => {
  const signal = { kind: 'guard', subject: 'g', value: { key: 'k', status: 'unavailable', reason: 'timeout' } };

  it('are answered before the judge, and the answers are recorded', async () => {
    const world = createWorld({ answers: () => [signal] });
    await countersignAction(request(), world.ports);
    const order = world.journal.filter((entry) => /^(?:asked|judged|staged|signals)/.test(entry));
    expect(order).toEqual(['asked:db.query', 'judged:db.query', 'staged', 'signals:guard']);
  });

  it('are asked about what came back too', async () => {
    const world = createWorld({ answers: () => [] });
    await countersignAction(forwardRequest(), world.ports);
    expect(world.journal.filter((entry) => entry.startsWith('asked'))).toEqual(['asked:db.query', 'asked:tool.response']);
  });

  it('that never hear end in a refusal when the time of the decision is over', async () => {
    const world = createWorld({ faults: new Set<Fault>(['ask-never']) });
    const pending = countersignAction(request(), world.ports);
    await settle();
    world.expire();
    const answer = await pending;
    expect([answer.refusal?.code, answer.verdict.decision]).toEqual(['timeout', 'deny']);
    expect(world.journal).not.toContain('judged:db.query');
  });
});

describe('fail closed', () => {
  const cases: readonly (readonly [Fault, string, boolean])[] = [
    ['state', 'state_unavailable', true],
    ['engine-none', 'policy_unavailable', true],
    ['engine-throws', 'engine_unavailable', true],
    ['judge-throws', 'internal', true],
    ['signals', 'internal', true],
    ['ask-throws', 'internal', true],
    ['stage-throws', 'overloaded', false],
    ['vault', 'log_unavailable', false],
    ['disk', 'log_unavailable', false],
  ];
  it.each(cases)('%s ends in a deny with code %s', async (fault, code, recorded) => {
    const world = createWorld({ faults: new Set([fault]) });
    const answer = await countersignAction(request(), world.ports);
    expect(answer.refusal?.code).toBe(code);
    expect(answer.verdict).toMatchObject({ decision: 'deny', by: 'pipeline' });
    expect(answer.scopeToken).toBeUndefined();
    expect(answer.receipt !== null).toBe(recorded);
    expect(world.ports.gate.inFlight).toBe(0);
  });

  it('says nothing of what was thrown but its code', async () => {
    const world = createWorld({ faults: new Set<Fault>(['judge-throws']) });
    const answer = await countersignAction(request(), world.ports);
    expect(JSON.stringify(answer)).not.toContain('a bug');
  });

  it.each(['suspended', 'killed'] as const)('refuses a %s agent, and records it', async (agentState) => {
    const world = createWorld({ agentState });
    const answer = await countersignAction(request(), world.ports);
    expect(answer.refusal?.code).toBe(`agent_${agentState}`);
    expect(answer.receipt).not.toBeNull();
  });

  it('releases nothing for an agent that is killed while its receipt goes to disk', async () => {
    const world = createWorld();
    const release = world.holdDisk();
    const pending = countersignAction(request(), world.ports);
    await settle();
    world.setAgentState('killed');
    release();
    const answer = await pending;
    expect(answer.refusal?.code).toBe('agent_killed');
    expect(answer.verdict.decision).toBe('deny');
    expect(world.journal).not.toContain('minted');
  });

  it('denies when the judge takes too long, and records that', async () => {
    const world = createWorld();
    const { engines } = world.ports;
    const engine = engines.engineFor('org-1');
    if (engine === undefined) throw new Error('the world has an engine');
    const never = { ...engine, understand: () => new Promise<never>(() => undefined) };
    const pending = countersignAction(request(), { ...world.ports, engines: { engineFor: () => never } });
    await settle();
    world.expire();
    const answer = await pending;
    expect(answer.refusal?.code).toBe('timeout');
    expect(answer.receipt?.verdict.by).toBe('pipeline');
  });

  it('denies when the disk takes too long, and names no receipt', async () => {
    const world = createWorld();
    world.holdDisk();
    const pending = countersignAction(request(), world.ports);
    await settle();
    world.expire();
    const answer = await pending;
    expect(answer).toMatchObject({ receipt: null, refusal: { code: 'timeout' } });
    expect(world.journal).not.toContain('minted');
  });

  it('refuses at n + 1 decisions under way, not at n', async () => {
    const world = createWorld({ inFlightMax: 2 });
    const release = world.holdDisk();
    const first = countersignAction(request({ session: 'a' }), world.ports);
    const second = countersignAction(request({ session: 'b' }), world.ports);
    const third = await countersignAction(request({ session: 'c' }), world.ports);
    expect(third).toMatchObject({ receipt: null, refusal: { code: 'overloaded' } });
    release();
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ verdict }) => verdict.decision)).toEqual(['allow', 'allow']);
  });

  it('takes nobody once it stops, and waits for those inside', async () => {
    const world = createWorld();
    const release = world.holdDisk();
    const inside = countersignAction(request(), world.ports);
    await settle();
    const closed = world.ports.gate.close();
    expect((await countersignAction(request(), world.ports)).refusal?.code).toBe('shutting_down');
    release();
    expect((await inside).verdict.decision).toBe('allow');
    await closed;
  });

  it.each(['mint', 'upstream', 'fence', 'outcome-disk'] as const)('hands no response on when %s fails', async (fault) => {
    const world = createWorld({ faults: new Set<Fault>([fault]) });
    const answer = await countersignAction(forwardRequest(), world.ports);
    expect(answer.verdict.decision).toBe('deny');
    expect(answer.response === undefined || answer.response.body.length === 0).toBe(true);
    expect(answer.scopeToken === undefined || answer.refusal !== undefined).toBe(true);
  });

  it('VER-020 VER-021 never releases anything without a durable receipt, whatever fails', async () => {
    const faults: Fault[] = [
      'state',
      'engine-none',
      'engine-throws',
      'judge-throws',
      'stage-throws',
      'vault',
      'disk',
      'mint',
      'upstream',
      'fence',
      'outcome-disk',
      'signals',
    ];
    const beforeRelease: ReadonlySet<Fault> = new Set([
      'state',
      'engine-none',
      'engine-throws',
      'judge-throws',
      'stage-throws',
      'vault',
      'disk',
      'signals',
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(faults),
        fc.constantFrom('allow', 'warn', 'modify', 'defer', 'deny'),
        fc.boolean(),
        async (subset, decision, forward) => {
          const world = createWorld({ faults: new Set(subset), decision: decision as 'allow' });
          const answer = await countersignAction(forward ? forwardRequest() : request(), world.ports);
          const released = world.journal.findIndex((event) => event === 'minted' || event === 'forwarded');
          if (released >= 0) {
            expect(world.journal.slice(0, released)).toContain('durable');
            expect(['allow', 'warn']).toContain(decision);
          }
          if (subset.some((fault) => beforeRelease.has(fault))) expect(answer.verdict.decision).toBe('deny');
          expect(world.ports.gate.inFlight).toBe(0);
        },
      ),
    );
  });
});

describe('RCPT-034 a session that was ended', () => {
  it('takes no action: nothing is judged, recorded, released or told, and the code says why', async () => {
    for (const one of [request({ session: 's-1' }), { ...forwardRequest(), session: 's-1' }]) {
      const world = createWorld({ ended: (org, session) => `${org} ${session}` === 'org-1 s-1' });
      const answer = await countersignAction(one, world.ports);
      expect(answer).toMatchObject({ receipt: null, refusal: { code: 'session_ended', hint: 'begin another session' } });
      expect([answer.verdict.decision, answer.scopeToken, world.journal]).toEqual(['deny', undefined, []]);
      expect((await countersignAction({ ...one, session: 's-2' }, world.ports)).verdict.decision).toBe('allow');
    }
  });

  it('is found out by an action that waited for its turn while it was ended', async () => {
    let isEnded = false;
    const world = createWorld({ ended: () => isEnded });
    const turn = await world.ports.turns.take('org-1\ns-1');
    const pending = countersignAction(request({ session: 's-1' }), world.ports);
    await settle();
    isEnded = true;
    turn?.();
    const answer = await pending;
    expect([answer.refusal?.code, answer.verdict.decision, answer.scopeToken]).toEqual(['session_ended', 'deny', undefined]);
    expect(world.journal).not.toContain('minted');
  });

  it('a recorder that refuses to stage behind the end is a deny with the same code', async () => {
    const world = createWorld();
    const stageReceipt = (): never => {
      throw new CodedError({ code: 'session_ended', message: 'ended' });
    };
    const answer = await countersignAction(request(), { ...world.ports, recorder: { ...world.ports.recorder, stageReceipt } });
    expect(answer).toMatchObject({ receipt: null, verdict: { decision: 'deny' }, refusal: { code: 'session_ended' } });
    expect(world.journal).toEqual(['feed:deny']);
  });

  it('a memory that cannot say whether it was ended denies', async () => {
    const world = createWorld({ faults: new Set<Fault>(['ended-throws']) });
    const answer = await countersignAction(request(), world.ports);
    expect([answer.verdict.decision, answer.receipt, answer.scopeToken]).toEqual(['deny', null, undefined]);
  });
});

describe('admit', () => {
  const draft = request().draft;
  it.each([
    ['a session id of 129 characters', request({ session: 'a'.repeat(PIPELINE_LIMITS.sessionIdCharsMax + 1) }), 'invalid_session_id'],
    ['the session of the vault', request({ session: 'countersign.vault' }), 'invalid_session_id'],
    ['the session of the log', request({ session: 'countersign.log' }), 'invalid_session_id'],
    ['a session id with a space', request({ session: 'a b' }), 'invalid_session_id'],
    [
      'a tool name of 257 characters',
      request({ draft: { ...draft, tool: 't'.repeat(PIPELINE_LIMITS.toolNameCharsMax + 1) } }),
      'invalid_action',
    ],
    ['a kind of 65 characters', request({ draft: { ...draft, kind: 'k'.repeat(PIPELINE_LIMITS.kindCharsMax + 1) } }), 'invalid_action'],
    ['six delegating agents', request({ draft: { ...draft, delegation: ['a', 'b', 'c', 'd', 'e', 'f'] } }), 'invalid_delegation_chain'],
    ['a circle', request({ draft: { ...draft, delegation: [AGENT.toUpperCase()] } }), 'invalid_delegation_chain'],
    ['an empty member', request({ draft: { ...draft, delegation: [''] } }), 'invalid_delegation_chain'],
  ])('refuses %s, and records nothing', async (_, bad, code) => {
    const world = createWorld();
    const answer = await countersignAction(bad, world.ports);
    expect(answer).toMatchObject({ receipt: null, refusal: { code } });
    expect(world.journal).toEqual([]);
  });

  it('takes what is exactly at the limits', async () => {
    const world = createWorld();
    const good = request({
      session: 'a'.repeat(PIPELINE_LIMITS.sessionIdCharsMax),
      draft: { ...draft, tool: 't'.repeat(PIPELINE_LIMITS.toolNameCharsMax) },
    });
    expect((await countersignAction(good, world.ports)).verdict.decision).toBe('allow');
  });

  it('refuses an action larger than the limit by its bytes', async () => {
    const world = createWorld();
    const answer = await countersignAction(request({ draft: { ...draft, content: 'x'.repeat(1_048_576) } }), world.ports);
    expect(answer.refusal?.code).toBe('action_too_large');
  });

  it('refuses a delegating agent that nobody knows', async () => {
    const world = createWorld();
    const answer = await countersignAction(request({ draft: { ...draft, delegation: ['stranger'] } }), world.ports);
    expect(answer.refusal?.code).toBe('delegation_unknown_caller');
  });
});

describe('turns', () => {
  it('VER-022 judges one action of a session at a time, in order of arrival, and refuses when too many wait', async () => {
    const world = createWorld();
    const answers = await Promise.all([1, 2, 3, 4].map(() => countersignAction(request({ session: 's' }), world.ports)));
    const seqs = answers.map(({ receipt }) => receipt?.seq);
    expect(seqs).toEqual([1, 2, 3, 0]); // The one that is refused does not wait for its turn.
    expect(answers[3]?.refusal?.code).toBe('overloaded');
    expect(answers[3]?.receipt?.verdict.by).toBe('pipeline');
  });
});
