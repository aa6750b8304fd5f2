import { describe, expect, test } from 'vitest';
import { call, createWorld, verdictOf } from './world.ts';

async function actionFor(decision: 'allow' | 'warn' | 'deny'): Promise<unknown> {
  const text = 'exempt by the policy: R020';
  const reasons = [{ code: 'scope_exemption:support', text, severity: 'info' as const, score: 0, evidence: [] }];
  const world = await createWorld({ verdict: verdictOf({ decision, reasons }) });
  const payload = JSON.stringify(call());
  const reply = await world.app.inject({ method: 'POST', url: '/v1/proxy', headers: world.headers({}), payload });
  return reply.json<{ readonly action: unknown }>().action;
}

describe("POL-250 on Clampd's wire", () => {
  test('what an exemption lets through is exempt, a warning stays a flag, and a denial a block', async () => {
    expect([await actionFor('allow'), await actionFor('warn'), await actionFor('deny')]).toEqual(['exempt', 'flag', 'block']);
  });
});
