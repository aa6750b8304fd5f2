/** Origins and a broker in a real gateway: what a place permits, what the session remembers, and that it all replays. */
import { rm } from 'node:fs/promises';
import { openEmbedded } from '@countersign/sdk/embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, newDirectory, openGateway, type Reply } from './gateway-world.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.close());

const POLICY = `
version: "1.5.0"
extends: learning
guards: {egress_allowlist: {additional_allow: [api.pay.example]}}
origins:
  profiles:
    - id: room
      match_rules: {provider: slack, visibility: internal}
      mcp: {block: ["deploy_*"]}
      data: {redact_before_send: true}
      budgets: {shell_commands: 1}
      bridge_policy: {allow_cross_origin: true, allowed_targets: [{provider: github}]}
    - {id: review, match_rules: {provider: github}}
broker:
  providers:
    - {name: pay, host: api.pay.example, secret_ref: PAY, exact_paths: [/v1/charges], methods: [POST], max_body_bytes: 20}
`;

const ROOM = { provider: 'slack', space_id: 'C1', visibility: 'internal' };
const REVIEW = { provider: 'github', space_type: 'pull_request' };

function ask(session: string, origin: object | undefined, [tool, params]: readonly [string, object]): Promise<Reply> {
  const body = JSON.stringify({ tool, params, target_url: '', ...(origin === undefined ? {} : { origin }) });
  return gateway.send({ headers: { 'x-ag-session': session }, body });
}

const denial = ({ body }: Reply): string => String(body['denial_reason']);
const LS = ['shell.exec', { command: 'ls' }] as const;
const MERGE = ['git.merge', { branch: 'main' }] as const;

describe('POL-310 in a gateway', () => {
  it('an action says where it was asked, or is refused', async () => {
    const applied = await gateway.operator('POST', '/api/v1/policies', { source: POLICY });
    expect(applied.status, applied.text).toBe(201);
    expect(denial(await ask('a', undefined, MERGE))).toContain('guard.origin.origin_required');
    expect(denial(await ask('a', { space_id: 'C1' }, MERGE))).toContain('guard.origin.origin_malformed');
    expect(denial(await ask('a', { provider: 'teams' }, MERGE))).toContain('guard.origin.origin_unknown');
    const allowed = await ask('a', ROOM, MERGE);
    expect([allowed.body['allowed'], allowed.body['reasoning']], allowed.text).toEqual([
      true,
      expect.stringContaining('guard.origin.asserted'),
    ]);
    expect(denial(await ask('a', ROOM, ['deploy_prod', {}]))).toContain('guard.origin.tool_blocked');
  });

  it('the session remembers its place and what it used, and goes where its profile lets it', async () => {
    expect((await ask('b', ROOM, LS)).body['allowed']).toBe(true);
    expect(denial(await ask('b', ROOM, LS))).toContain('guard.origin.budget_exhausted');
    expect(denial(await ask('b', { ...ROOM, space_id: 'C2' }, MERGE))).toContain('guard.origin.cross_origin_target');
    expect((await ask('b', REVIEW, MERGE)).body['allowed']).toBe(true);
    expect(denial(await ask('b', ROOM, MERGE))).toContain('guard.origin.cross_origin');
    // Another session begins where it likes.
    expect((await ask('c', ROOM, LS)).body['allowed']).toBe(true);
  });

  it('an output is judged by where it is seen', async () => {
    const text = 'write to jo.smith@mail.example today';
    const said = async (origin?: object): Promise<Reply> =>
      gateway.send({
        path: '/v1/scan-output',
        headers: { 'x-ag-session': 'd' },
        body: JSON.stringify({ text, ...(origin && { origin }) }),
      });
    expect(denial(await said(ROOM))).toContain('guard.origin.redaction_required');
    expect(denial(await said())).toContain('guard.origin.origin_required');
    expect((await said(ROOM)).text).not.toContain('jo.smith');
  });

  it('POL-316 a brokered host is reached as its provider lists it', async () => {
    const call = (change: object): readonly [string, object] => [
      'http.request',
      { url: 'https://api.pay.example/v1/charges', method: 'POST', body: 'amount=1', ...change },
    ];
    const passed = await ask('e', REVIEW, call({}));
    expect(passed.body['allowed'], passed.text).toBe(true);
    expect(denial(await ask('e', REVIEW, call({ method: 'DELETE' })))).toContain('guard.broker.method_not_allowed');
    expect(denial(await ask('e', REVIEW, call({ body: 'x'.repeat(21) })))).toContain('guard.broker.body_too_large');
    const curl = 'curl -X POST https://api.pay.example/v1/charges';
    expect(denial(await ask('e', REVIEW, ['shell.exec', { command: curl }]))).toContain('guard.broker.call_unreadable');
  });

  it('all of it replays, byte for byte', { timeout: 60_000 }, async () => {
    const replayed = await gateway.cli(['replay', '--all', '--json']);
    expect(replayed.code, replayed.stdout).toBe(0);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ complete: true, different: 0, refused: 0, unknown_engine: 0 });
  });
});

describe('POL-302 in a process of its own', () => {
  it('calls and responses say where they were asked', { timeout: 60_000 }, async () => {
    const dataDir = await newDirectory();
    const embedded = await openEmbedded({ dataDir, agent: 'a', tools: ['docs.read'], ruleset: 'origin-enclaves-example' });
    try {
      const origin = { provider: 'slack', visibility: 'external_shared' };
      const refused = await embedded.proxy('docs.read', {});
      expect([refused.allowed, refused.denialReason]).toEqual([false, expect.stringContaining('guard.origin.origin_required')]);
      expect(await embedded.proxy('docs.read', {}, { origin, session: 's' })).toMatchObject({ allowed: true });
      expect(await embedded.inspect('docs.read', 'a page', { origin, session: 's' })).toMatchObject({ allowed: true });
      const unsaid = await embedded.inspect('docs.read', 'a page', { session: 's' });
      expect([unsaid.allowed, unsaid.denialReason]).toEqual([false, expect.stringContaining('guard.origin.origin_required')]);
    } finally {
      await embedded.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
