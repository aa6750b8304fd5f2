/** What checks and events become, and what is said of them. */
import type { GuardResult } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { checkWire } from '../src/doors/hushd-answer.ts';
import { GATEWAY_LIMITS } from '../src/index.ts';
import { createHushdWorld } from './hushd-world.ts';
import { AGENT, type Fault, ORG, verdictOf } from './world.ts';

const CHECK = '/api/v1/check';
const EVAL = '/api/v1/eval';

async function actionOf(body: unknown, url = CHECK): Promise<Record<string, unknown>> {
  const { send, actions } = await createHushdWorld();
  const reply = await send('POST', url, { body });
  expect(reply.text).toContain('"allowed":true');
  expect(actions).toHaveLength(1);
  return { ...actions[0] };
}

const event = (eventType: string, data: object, more: object = {}): object => ({
  eventId: 'e-1',
  eventType,
  timestamp: '2026-01-01T00:00:00Z',
  data,
  ...more,
});

describe('HUSHD-010: what a check becomes', () => {
  it.each([
    ['file_access', { target: '/app/a.md' }, { kind: 'file.read', params: { path: '/app/a.md' } }],
    ['file_write', { target: '/app/a.md', content: 'x' }, { kind: 'file.write', params: { path: '/app/a.md' }, content: 'x' }],
    ['patch', { target: 'a.ts', content: '+x' }, { kind: 'file.patch', params: { path: 'a.ts' }, content: '+x' }],
    ['egress', { target: 'api.example.com:8443' }, { kind: 'net.egress', params: { host: 'api.example.com', port: 8443 } }],
    ['shell', { target: 'ls -la', args: ['x'] }, { kind: 'shell.exec', params: { command: 'ls -la', args: ['x'] } }],
    ['mcp_tool', { target: 'read_file', args: { path: 'a' } }, { kind: 'mcp.call', tool: 'read_file', params: { path: 'a' } }],
    ['mcp_tool', { target: 'list' }, { kind: 'mcp.call', tool: 'list', params: {} }],
    ['output_send', { target: 'slack', content: 'hi' }, { kind: 'agent.message', params: { to: 'slack' }, content: 'hi' }],
    ['shell', { target: 'ls', content: 'hidden' }, { kind: 'shell.exec', params: { command: 'ls', content: 'hidden' } }],
  ])('%s %j', async (type, body, expected) => {
    const action = await actionOf({ action_type: type, unknown_field: 1, ...body });
    expect(action).toMatchObject({ ...expected, org: ORG, agent: AGENT, source: { door: 'hushd' } });
  });

  it.each([
    [{ action_type: 'database', target: 'x' }, 'UNKNOWN_ACTION_TYPE'],
    [{ action_type: 'constructor', target: 'x' }, 'UNKNOWN_ACTION_TYPE'],
    [{ action_type: 'shell' }, 'INVALID_TARGET'],
    [{ action_type: 'shell', target: '' }, 'INVALID_TARGET'],
    [{ action_type: 'shell', target: 7 }, 'INVALID_BODY'],
    [{ action_type: 'shell', target: 'ls', content: {} }, 'INVALID_BODY'],
    [{ target: 'ls' }, 'INVALID_BODY'],
    [{ action_type: 'output_send', target: 'slack' }, 'INVALID_OUTPUT_SEND'],
    [[], 'INVALID_BODY'],
    ['{"action_type":"shell","action_type":"egress"}', 'INVALID_JSON'],
  ])('%j is 400 %s', async (body, code) => {
    const { send, actions } = await createHushdWorld();
    expect(await send('POST', CHECK, { body })).toMatchObject({ status: 400, code });
    expect(actions).toEqual([]);
  });

  it('HUSHD-015: numbers keep their digits', async () => {
    const action = await actionOf('{"action_type":"mcp_tool","target":"t","args":{"id":12345678901234567890}}');
    expect(action).toMatchObject({ params: { id: '12345678901234567890' }, exactNumbers: ['/params/id'] });
  });

  it.each([
    ['hushdTargetCharsMax', (n: number) => ({ action_type: 'file_access', target: 'a'.repeat(n) }), GATEWAY_LIMITS.hushdTargetCharsMax],
    ['toolNameCharsMax', (n: number) => ({ action_type: 'mcp_tool', target: 'a'.repeat(n) }), GATEWAY_LIMITS.toolNameCharsMax],
    [
      'hushdTextCharsMax',
      (n: number) => ({ action_type: 'shell', target: 'ls', endpoint_agent_id: 'a'.repeat(n) }),
      GATEWAY_LIMITS.hushdTextCharsMax,
    ],
  ])('%s: read at the limit, refused above it', async (_, body, limit) => {
    const { send } = await createHushdWorld();
    expect((await send('POST', CHECK, { body: body(limit) })).status).toBe(200);
    expect((await send('POST', CHECK, { body: body(limit + 1) })).status).toBe(400);
  });

  it('HUSHD-007: a body of the limit is read, of one byte more is 413', async () => {
    const { send } = await createHushdWorld();
    const body = (bytes: number): string => {
      const text = JSON.stringify({ action_type: 'shell', target: 'ls' });
      return `${text}${' '.repeat(bytes - text.length)}`;
    };
    expect((await send('POST', CHECK, { body: body(GATEWAY_LIMITS.bodyBytesMax) })).status).toBe(200);
    expect(await send('POST', CHECK, { body: body(GATEWAY_LIMITS.bodyBytesMax + 1) })).toMatchObject({
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
    });
  });
});

describe('HUSHD-011: where an egress goes', () => {
  it.each([
    ['example.com', { host: 'example.com', port: 443 }],
    ['EXAMPLE.com.:80', { host: 'EXAMPLE.com.', port: 80 }],
    ['[2001:db8::1]:8080', { host: '[2001:db8::1]', port: 8080 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 443 }],
    ['https://user@example.com/x', { url: 'https://user@example.com/x' }],
  ])('%s', async (target, params) => {
    expect(await actionOf({ action_type: 'egress', target })).toMatchObject({ params });
  });

  it.each([
    'https://',
    'a b',
    'example.com:0',
    'example.com:65536',
    'good.com@evil.com',
    'x/y',
    'a:b:c',
    'https://exa mple.com',
    ':443',
    'a\\b',
  ])('%j is none', async (target) => {
    const { send } = await createHushdWorld();
    expect(await send('POST', CHECK, { body: { action_type: 'egress', target } })).toMatchObject({
      status: 400,
      code: 'INVALID_EGRESS_TARGET',
    });
  });
});

describe('HUSHD-014: what a client says of itself', () => {
  it('is part of the action and gives no right', async () => {
    const action = await actionOf({
      action_type: 'shell',
      target: 'ls',
      agent_id: 'laptop',
      runtime_agent_id: 'r',
      runtime_agent_kind: 'claude',
      origin: { provider: 'slack' },
    });
    expect(action).toMatchObject({
      agent: AGENT,
      origin: { endpoint_agent_id: 'laptop', runtime_agent_id: 'r', runtime_agent_kind: 'claude', origin: { provider: 'slack' } },
    });
  });

  it.each([
    { runtime_agent_id: 'r', endpoint_agent_id: 'e' },
    { runtime_agent_kind: 'k', endpoint_agent_id: 'e' },
    { runtime_agent_id: 'r', runtime_agent_kind: 'k' },
  ])('%j is INVALID_AGENT_IDENTITY', async (identity) => {
    const { send } = await createHushdWorld();
    const body = { action_type: 'shell', target: 'ls', ...identity };
    expect(await send('POST', CHECK, { body })).toMatchObject({ status: 400, code: 'INVALID_AGENT_IDENTITY' });
  });
});

describe('HUSHD-012: what is said of a verdict', () => {
  const guard = (name: string, over: Partial<GuardResult>): GuardResult => ({
    guard: name,
    allowed: true,
    severity: 'info',
    code: 'allowed',
    message: 'Allowed',
    evidence: [],
    ...over,
  });
  const reason = { code: 'R001', text: 'a rule', severity: 'high', score: 900, evidence: [] } as const;
  type Answered = Parameters<typeof checkWire>[0];
  const answer = (over: Partial<Answered>, guards: readonly GuardResult[] = []): Answered =>
    ({ requestId: 'q', receipt: { id: 'r' }, verdict: verdictOf(), session: 's', judgement: { guards }, ...over }) as Answered;

  it('the refusing guard before a graver one that allows', () => {
    const guards = [
      guard('a', { severity: 'critical' }),
      guard('b', { allowed: false, severity: 'high', message: 'No', details: { x: 1 } }),
    ];
    expect(checkWire(answer({ verdict: verdictOf({ decision: 'deny' }) }, guards))).toEqual({
      allowed: false,
      guard: 'b',
      severity: 'error',
      message: 'No',
      details: { x: 1 },
      receipt_id: 'r',
    });
  });

  it('the first of equal ones', () => {
    expect(checkWire(answer({}, [guard('a', {}), guard('b', {})])).guard).toBe('a');
  });

  it('a rule, where no guard refuses', () => {
    const denied = answer({ verdict: verdictOf({ decision: 'deny', severity: 'high', reasons: [reason] }) }, [guard('a', {})]);
    expect(checkWire(denied)).toMatchObject({ allowed: false, guard: 'countersign', severity: 'error', message: 'R001: a rule' });
  });

  it('a guard that allows cannot speak for a verdict that does not', () => {
    expect(checkWire(answer({ verdict: verdictOf({ decision: 'deny' }) }, [guard('a', {})])).allowed).toBe(false);
  });

  it.each(['defer', 'modify', 'deny'] as const)('%s is not allowed on this wire', (decision) => {
    expect(checkWire(answer({ verdict: verdictOf({ decision }) })).allowed).toBe(false);
  });

  it('no receipt, no permission', () => {
    expect(checkWire(answer({ receipt: null })).allowed).toBe(false);
  });
});

const FAULTS: readonly Fault[] = [
  'org-read',
  'agent-read',
  'calls-read',
  'engine-none',
  'engine-throws',
  'judge-throws',
  'stage-throws',
  'session-ended',
  'disk',
  'delta-throws',
  'signals',
];

describe('HUSHD-013: nothing that fails ends in an allow', () => {
  const REQUESTS = [
    [CHECK, { action_type: 'file_access', target: 'a' }],
    [CHECK, { action_type: 'mcp_tool', target: 'a' }],
    ['/api/v1/agent/policy-check', { action_type: 'shell', target: 'ls', session_id: 'mine' }],
    [EVAL, event('file_read', { type: 'file', path: 'a' })],
  ] as const;

  it('the same requests are allowed where nothing fails', async () => {
    const { send } = await createHushdWorld();
    for (const [url, body] of REQUESTS) expect((await send('POST', url, { body })).text).toContain('"allowed":true');
  });

  it.each(FAULTS)('%s', async (fault) => {
    const { send } = await createHushdWorld({ faults: [fault] });
    for (const [url, body] of REQUESTS) {
      const reply = await send('POST', url, { body });
      expect(reply.text).not.toContain('"allowed":true');
      expect(reply.status).toBeGreaterThanOrEqual(400);
    }
  });

  it('a log that takes nothing is 503 AUDIT_UNAVAILABLE', async () => {
    const { send } = await createHushdWorld({ faults: ['disk'] });
    expect(await send('POST', CHECK, { body: REQUESTS[0][1] })).toMatchObject({ status: 503, code: 'AUDIT_UNAVAILABLE' });
  });

  it('a full gate, and an agent that an operator stopped', async () => {
    const full = await createHushdWorld({ inFlightMax: 0 });
    expect(await full.send('POST', CHECK, { body: REQUESTS[0][1] })).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    const killed = await createHushdWorld({ agentState: 'killed' });
    expect(await killed.send('POST', CHECK, { body: REQUESTS[0][1] })).toMatchObject({ status: 403, code: 'AGENT_REFUSED' });
  });

  it.each(['judge-hangs', 'disk-hangs'] as const)('%s: the deadline ends it', async (fault) => {
    const world = await createHushdWorld({ faults: [fault] });
    const pending = Symbol('pending');
    const asked = world.send('POST', CHECK, { body: REQUESTS[0][1] });
    let first: Awaited<typeof asked> | typeof pending = pending;
    while (first === pending) {
      world.expire();
      first = await Promise.race([asked, new Promise<typeof pending>((resolve) => setImmediate(resolve, pending))]);
    }
    const answer = await asked;
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('"allowed":true');
  });

  it('HUSHD-008: an error of our own says nothing of itself', async () => {
    const { send } = await createHushdWorld({
      hushd: { audit: { size: () => 1, entry: () => Promise.reject(new Error('secret place')) } },
    });
    const reply = await send('GET', '/api/v1/audit', { key: ['hsk', 'read', 'r'.repeat(20)].join('_') });
    expect(reply).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(reply.text).not.toContain('secret place');
  });
});

describe('HUSHD-020: what an event becomes', () => {
  it.each([
    ['file_read', { type: 'file', path: 'a' }, { kind: 'file.read', params: { path: 'a' } }],
    ['file_write', { type: 'file', path: 'a', content: 'x' }, { kind: 'file.write', content: 'x' }],
    ['file_write', { type: 'file', path: 'a', contentBase64: 'eMOk' }, { content: 'xä' }],
    [
      'network_egress',
      { type: 'network', host: 'a.example', port: 443, url: 'https://b.example/' },
      { kind: 'net.egress', params: { host: 'a.example', port: 443, url: 'https://b.example/' } },
    ],
    ['command_exec', { type: 'command', command: 'rm', args: ['-rf', 'a b', "it's"] }, { params: { command: `rm -rf 'a b' 'it'"'"'s'` } }],
    ['command_exec', { type: 'command', command: 'ls | wc' }, { kind: 'shell.exec', params: { command: 'ls | wc' } }],
    ['patch_apply', { type: 'patch', filePath: 'a', patchContent: '+x' }, { kind: 'file.patch', params: { path: 'a', patch: '+x' } }],
    ['tool_call', { type: 'tool', tool_name: 't', parameters: { a: 1 } }, { kind: 'mcp.call', tool: 't', params: { a: 1 } }],
    ['secret_access', { type: 'secret', secretName: 's', scope: 'o' }, { kind: 'secret.access', params: { secret_name: 's', scope: 'o' } }],
    ['custom', { type: 'custom', customType: 'untrusted_text', text: 'x' }, { kind: 'tool.response', content: 'x' }],
    ['custom', { type: 'custom', customType: 'hushclaw.user_input', payload: 'x' }, { kind: 'prompt.input', content: 'x' }],
    ['custom', { type: 'custom', customType: 'remote.screen' }, { kind: 'remote.screen' }],
    ['remote.screen', { type: 'cua' }, { kind: 'remote.screen' }],
    ['remote.clipboard', { type: 'cua', direction: 'read' }, { kind: 'remote.clipboard', params: { type: 'cua', direction: 'read' } }],
  ])('%s %j', async (type, data, expected) => {
    expect(await actionOf(event(type, data), EVAL)).toMatchObject(expected);
    expect(await actionOf({ event: event(type, data) }, EVAL)).toMatchObject(expected);
  });

  it('digits of numbers are kept, bare and under `event`', async () => {
    const bare = '{"event_id":"e","event_type":"tool_call","data":{"type":"tool","toolName":"t","parameters":{"n":12345678901234567890}}}';
    for (const body of [bare, `{"event":${bare}}`]) expect(await actionOf(body, EVAL)).toMatchObject({ exactNumbers: ['/params/n'] });
  });

  it.each([
    ['custom', { type: 'custom', customType: 'database_drop' }, 'custom.database_drop'],
    ['custom', { type: 'custom', customType: 'remote.telepathy' }, 'custom.remote.telepathy'],
    ['custom', { type: 'custom', customType: 'toString' }, 'custom.toString'],
    ['remote.telepathy', { type: 'cua' }, 'custom.remote.telepathy'],
    ['__proto__', { type: 'cua' }, 'custom.__proto__'],
    ['x'.repeat(200), {}, `custom.${'x'.repeat(57)}`],
  ])('HUSHD-021: %s %j is a kind that nobody knows', async (type, data, kind) => {
    const { send, actions } = await createHushdWorld();
    await send('POST', EVAL, { body: event(type, data) });
    expect(actions[0]?.kind).toBe(kind);
  });

  it.each([
    ['file_read', { type: 'network', path: 'a' }],
    ['file_read', { path: 'a' }],
    ['file_read', { type: 'file' }],
    ['file_write', { type: 'file', path: 'a', content: 'x', contentBase64: 'eQ==' }],
    ['file_write', { type: 'file', path: 'a', contentBase64: 'not base64!' }],
    ['command_exec', { type: 'command', command: 'ls', args: 'x' }],
    ['command_exec', { type: 'command', command: 'ls', args: [1] }],
    ['tool_call', { type: 'tool', toolName: 7 }],
    ['tool_call', { type: 'tool', toolName: 'a', tool_name: 'b' }],
    ['network_egress', { type: 'network', host: 'a.example', port: '443' }],
    ['custom', { type: 'custom', customType: 'user_input', text: 'a', payload: 'b' }],
    ['remote.clipboard', { direction: 'read' }],
  ])('HUSHD-022: %s %j is refused', async (type, data) => {
    const { send, actions } = await createHushdWorld();
    expect(await send('POST', EVAL, { body: event(type, data) })).toMatchObject({ status: 400, code: 'INVALID_EVENT' });
    expect(actions).toEqual([]);
  });

  it.each([
    ['id', (n: number) => event('file_read', { type: 'file', path: 'a' }, { eventId: 'i'.repeat(n) })],
    ['type', (n: number) => event('t'.repeat(n), {})],
  ])('HUSHD-022: an %s of the limit is read, a longer one is refused', async (_, body) => {
    const { send } = await createHushdWorld();
    const max = GATEWAY_LIMITS.hushdTextCharsMax;
    expect((await send('POST', EVAL, { body: body(max) })).status).toBe(200);
    expect(await send('POST', EVAL, { body: body(max + 1) })).toMatchObject({ status: 400, code: 'INVALID_EVENT' });
  });
});

describe('HUSHD-023: the answer of an evaluation', () => {
  it('allowed, warned, denied', async () => {
    const body = event('file_read', { type: 'file', path: 'a' });
    const decisions = [];
    for (const decision of ['allow', 'warn', 'deny'] as const) {
      const { send } = await createHushdWorld({ verdict: { decision, severity: 'high' } });
      decisions.push((await send('POST', EVAL, { body })).body['decision']);
    }
    expect(decisions).toMatchObject([
      { allowed: true, denied: false, warn: false, reason_code: 'ADC_POLICY_ALLOW', guard: null, severity: null },
      { allowed: true, denied: false, warn: true, reason_code: 'ADC_POLICY_WARN' },
      { allowed: false, denied: true, warn: false, reason_code: 'ADC_POLICY_DENY', guard: 'countersign', severity: 'high' },
    ]);
  });

  const WRITE = event('file_write', { type: 'file', path: 'a', contentHash: 'sha256:00' });
  const unseen = { code: 'action.unseen_content', text: 'not there', severity: 'high', score: 0, evidence: [] } as const;

  it('a write without content is denied by that code, and by the plain one where more speaks against it', async () => {
    const rule = { code: 'R001', text: 'a rule', severity: 'high', score: 900, evidence: [] } as const;
    const pending = { code: 'tool_pending', text: 'pending', severity: 'medium', score: 0, evidence: [] } as const;
    const codes = [];
    for (const reasons of [[unseen], [unseen, pending], [rule, unseen], [{ ...pending, severity: 'high' } as const, unseen]]) {
      const { send } = await createHushdWorld({ verdict: { decision: 'deny', reasons } });
      const decision = (await send('POST', EVAL, { body: WRITE })).body['decision'] as Record<string, unknown>;
      expect(decision).toMatchObject({ allowed: false, denied: true, reason: 'missing_content_bytes' });
      codes.push(decision['reason_code']);
    }
    expect(codes).toEqual(['HSH_MISSING_CONTENT_BYTES', 'HSH_MISSING_CONTENT_BYTES', 'ADC_POLICY_DENY', 'ADC_POLICY_DENY']);
  });

  it('a judge that let it pass would be an error, and no permission', async () => {
    const { send } = await createHushdWorld();
    const reply = await send('POST', EVAL, { body: WRITE });
    expect(reply).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(reply.text).not.toContain('"allowed":true');
  });
});
