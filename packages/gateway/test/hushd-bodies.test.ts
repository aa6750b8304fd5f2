/** Whatever a body says, the hushd door has an answer for it, and never one that a verdict does not carry. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, createHushdWorld, type HushdWorld } from './hushd-world.ts';

const WORDS = [
  'action_type',
  'target',
  'content',
  'args',
  'session_id',
  'origin',
  'agent_id',
  'event',
  'eventType',
  'eventId',
  'data',
  'type',
];
const VALUES = [
  'shell',
  'egress',
  'mcp_tool',
  'file_write',
  'custom',
  'tool_call',
  'command_exec',
  'network',
  'command',
  'tool',
  '__proto__',
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...VALUES),
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
    tie('object'),
    fc.array(tie('any'), { maxLength: 3 }),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 6 })), tie('any'), { maxKeys: 6 }),
})).any;

/** Bodies that look enough like requests to get far. */
const check = fc.record(
  { action_type: fc.constantFrom(...VALUES), target: value, content: value, args: value, origin: value, agent_id: value },
  { requiredKeys: [] },
);
const event = fc.record(
  {
    eventId: fc.constant('e'),
    eventType: fc.constantFrom(...VALUES),
    sessionId: value,
    data: fc.record(
      { type: fc.constantFrom(...VALUES), toolName: value, parameters: value, command: value, args: value, customType: value },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const ROUTES = [
  ['POST', '/api/v1/check', fc.oneof(check, value)],
  ['POST', '/api/v1/agent/policy-check', check],
  [
    'POST',
    '/api/v1/eval',
    fc.oneof(
      event,
      event.map((inner) => ({ event: inner })),
      value,
    ),
  ],
  ['POST', '/api/v1/session', value],
  ['POST', '/api/v1/session/x/transition', value],
  ['PUT', '/api/v1/policy', value],
  ['PUT', '/api/v1/policy/bundle', value],
  ['POST', '/api/v1/policy/validate', value],
  [
    'POST',
    '/api/v1/audit/batch',
    fc.oneof(
      value,
      fc.array(value, { maxLength: 3 }).map((events) => ({ events })),
    ),
  ],
  ['POST', '/api/v1/agent/heartbeat', value],
  ['POST', '/api/v1/receipts/verify', value],
] as const;

describe('HUSHD-013: any body', () => {
  let world: HushdWorld;

  beforeAll(async () => {
    world = await createHushdWorld({
      verdict: { decision: 'deny' },
      hushd: { rateLimit: { perSecond: 1_000_000, burst: 1_000_000 } },
    });
  });

  afterAll(() => world.hushd.close());

  it.each(ROUTES)('%s %s is answered without an error of our own, and not with a yes', async (method, url, bodies) => {
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const reply = await world.send(method, url, { key: ADMIN_KEY, body });
        expect(reply.status).not.toBe(500);
        expect(reply.text).not.toContain('"allowed":true');
      }),
      { numRuns: 150 },
    );
  });
});
