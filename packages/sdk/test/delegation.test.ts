import { describe, expect, it } from 'vitest';
import { agent, currentDelegation, delegationHeaders, SDK_LIMITS } from '../src/index.ts';

function inside<T>(ids: readonly string[], work: () => T): T {
  const [first, ...rest] = ids;
  return first === undefined ? work() : agent(first, () => inside(rest, work));
}

describe('agent', () => {
  it('builds the chain from the root inwards, under one trace id', () => {
    const [outer, inner] = agent('a', () => [currentDelegation(), agent('b', () => currentDelegation())]);
    expect([outer?.chain, inner?.chain]).toEqual([['a'], ['a', 'b']]);
    expect(outer?.traceId).toMatch(/^[0-9a-f]{16}$/);
    expect(inner?.traceId).toBe(outer?.traceId);
  });

  it('gives back what the work gives, and throws what it throws', () => {
    expect(agent('a', () => 7)).toBe(7);
    expect(() =>
      agent('a', () => {
        throw new RangeError('mine');
      }),
    ).toThrow(RangeError);
  });

  it('an agent inside itself is no delegation', () => {
    expect(inside(['a', 'a', 'A'], () => currentDelegation()?.chain)).toEqual(['a']);
  });

  it('refuses a circle, whatever the case', () => {
    expect(() => inside(['a', 'b', 'A'], () => 0)).toThrow(
      expect.objectContaining({ code: 'delegation_cycle', message: 'circular delegation detected: a -> b -> A' }),
    );
  });

  it('has a limit of depth, at n and n + 1', () => {
    const ids = Array.from({ length: SDK_LIMITS.delegationDepthMax + 1 }, (_, i) => `agent-${i}`);
    expect(inside(ids.slice(1), () => currentDelegation()?.chain)).toHaveLength(SDK_LIMITS.delegationDepthMax);
    expect(() => inside(ids, () => expect.unreachable())).toThrow(expect.objectContaining({ code: 'delegation_too_deep' }));
  });

  it('has a limit of length, at n and n + 1', () => {
    expect(agent('x'.repeat(SDK_LIMITS.agentIdCharsMax), () => 1)).toBe(1);
    expect(() => agent('x'.repeat(SDK_LIMITS.agentIdCharsMax + 1), () => 1)).toThrow(expect.objectContaining({ code: 'invalid_agent_id' }));
  });

  it.each(['', 'a,b', 'a b', 'a\nb', 'ä'])('refuses the id %j', (id) => {
    expect(() => agent(id, () => 1)).toThrow(expect.objectContaining({ code: 'invalid_agent_id' }));
  });
});

describe('delegationHeaders', () => {
  it('has nothing to say outside, and of a single agent', () => {
    expect(delegationHeaders()).toEqual({});
    expect(agent('a', () => delegationHeaders())).toEqual({});
  });

  it('carries the chain', () => {
    const headers: Record<string, string | undefined> = inside(['a', 'b'], () => ({
      ...delegationHeaders(),
      trace: currentDelegation()?.traceId,
    }));
    expect(headers).toMatchObject({ 'x-clampd-delegation-chain': 'a,b', 'x-clampd-delegation-confidence': 'declared' });
    expect(headers['x-clampd-delegation-trace']).toBe(headers['trace']);
  });
});
