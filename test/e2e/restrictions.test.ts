/** Cedar, boundaries and payments in a real gateway: what they refuse, what is remembered, and that it all replays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, openGateway, type Reply } from './gateway-world.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.close());

const POLICY = `
extends: learning
name: restricted
cedar:
  default: allow
  policies:
    - {id: no-push, compiled: 'forbid(principal, action == Action::"scm:git:push", resource);', cedar_reason: pushes are made by hand}
boundaries:
  - {name: all, max_calls_per_minute: 100000, max_payment_per_tx_cents: 500}
`;

function pay(mandateId: string, cents: number): Promise<Reply> {
  const mandate = { mandate_id: mandateId, agent_id: gateway.ready.agentId, refund_policy: 'within a week' };
  return gateway.call('payment.charge', { amount_cents: cents, mandate });
}

describe('POL-241 in a gateway', () => {
  it('a policy with a bad Cedar text is refused with its place, and the one in force stays', async () => {
    const source = POLICY.replace('resource);', 'resource) when { context.rsk > 1 };');
    const refused = await gateway.operator('POST', '/api/v1/policies', { source });
    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400);
    expect(refused.text).toMatch(/line 1, column 70 of it \(policy_cedar\)/);
    expect((await gateway.call('git.push', { branch: 'main' })).body).toMatchObject({ allowed: true });
  });

  it('holds from the next action on', async () => {
    const applied = await gateway.operator('POST', '/api/v1/policies', { source: POLICY });
    expect(applied.status, applied.text).toBe(201);
    const pushed = await gateway.call('git.push', { branch: 'main' });
    expect(pushed.body).toMatchObject({ allowed: false, action: 'block' });
    expect(String(pushed.body['denial_reason'])).toContain('policy.cedar_forbid: cedar policy no-push: pushes are made by hand');
    expect((await gateway.call('git.merge', { branch: 'main' })).body).toMatchObject({ allowed: true });
  });

  it('judges an action that is too large for the main loop in the same way', async () => {
    const pushed = await gateway.call('git.push', { branch: 'main', note: 'word '.repeat(20_000) });
    expect(String(pushed.body['denial_reason'])).toContain('policy.cedar_forbid');
  });
});

describe('POL-264 in a gateway', () => {
  it('a mandate holds once, and one that was refused holds still', async () => {
    expect(String((await pay('m-1', 501)).body['denial_reason'])).toContain('boundary.B-PAYMENT-TX');
    expect((await pay('m-1', 500)).body).toMatchObject({ allowed: true });
    expect(String((await pay('m-1', 500)).body['denial_reason'])).toContain('boundary.B-AP2-REPLAY');
    expect((await pay('m-2', 500)).body).toMatchObject({ allowed: true });
  });

  it('all of it replays, byte for byte', { timeout: 60_000 }, async () => {
    const replayed = await gateway.cli(['replay', '--all', '--json']);
    expect(replayed.code, replayed.stdout).toBe(0);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ complete: true, different: 0, refused: 0, unknown_engine: 0 });
  });
});
