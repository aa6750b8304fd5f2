/** An operator's transition under failing ports: whatever fails, nothing moves, and the answer is no. */
import { CodedError } from '@countersign/kernel';
import { describe, expect, test } from 'vitest';
import { countersignAction, transitionSession, type TransitionRequest } from '../src/index.ts';
import { createWorld, type Fault, ORG, request } from './world.ts';

const REQUEST: TransitionRequest = {
  org: ORG,
  session: 's',
  to: 'high',
  on: 'user_approval',
  reason: 'because',
  by: 'operator',
  authority: 'posture:transition',
};

describe('POL-220 a transition by hand', () => {
  test('is staged and durable before it is answered, and releases nothing', async () => {
    const { ports, journal } = createWorld();
    const answer = await transitionSession(REQUEST, ports);
    expect([answer.verdict.decision, answer.receipt === null, journal]).toEqual(['allow', false, ['staged', 'delta', 'durable']]);
  });

  test.each<[Fault, string]>([
    ['engine-none', 'policy_unavailable'],
    ['engine-throws', 'engine_unavailable'],
    ['judge-throws', 'internal'],
    ['stage-throws', 'overloaded'],
    ['disk', 'log_unavailable'],
    ['signals', 'internal'],
    ['ended-throws', 'internal'],
  ])('with a fault of %s it is refused with %s', async (fault, code) => {
    const { ports } = createWorld({ faults: new Set([fault]) });
    const answer = await transitionSession(REQUEST, ports);
    expect([answer.verdict.decision, answer.verdict.by, answer.refusal?.code]).toEqual(['deny', 'pipeline', code]);
  });

  test('a posture that cannot be read moves nothing, and lets no action pass', async () => {
    const { ports } = createWorld();
    const sessionPosture = (): Promise<never> => Promise.reject(new CodedError({ code: 'state_unavailable', message: 'no disk' }));
    const blind = { ...ports, state: { ...ports.state, sessionPosture } };
    const answers = [await transitionSession(REQUEST, blind), await countersignAction(request(), blind)];
    expect(answers.map(({ verdict, refusal }) => [verdict.decision, refusal?.code])).toEqual([
      ['deny', 'state_unavailable'],
      ['deny', 'state_unavailable'],
    ]);
  });

  test('behind the end of a session there is nothing, not even a receipt of the refusal', async () => {
    const { ports, journal } = createWorld({ ended: () => true });
    const answer = await transitionSession(REQUEST, ports);
    expect([answer.refusal?.code, answer.receipt, journal]).toEqual(['session_ended', null, []]);
  });

  test('what hangs is given up: the turn of the session is free again', async () => {
    const world = createWorld();
    const turn = await world.ports.turns.take(`${ORG}\ns`);
    const asked = transitionSession(REQUEST, world.ports);
    await Promise.resolve();
    world.expire();
    turn?.();
    expect((await asked).refusal?.code).toBe('timeout');
    expect(world.ports.turns.take(`${ORG}\ns`)).toBeDefined();
  });
});
