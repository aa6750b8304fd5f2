/** The section `broker`: merged, resolved, and calls held against what a provider permits. */
import { sha256Hex } from '@countersign/crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import {
  type BrokerAnswer,
  compilePolicy,
  flattenPolicy,
  judgeBroker,
  parsePolicy,
  POLICY_LIMITS,
  policyHash,
  type ResolvedPolicy,
  resolvePolicy,
} from '@countersign/policy';
import { type Action, PROTOCOL_LIMITS, RISK_LEVELS, type RiskLevel } from '@countersign/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionOf, compiled, documentOf, resolved, rulesets, understanding } from './support.ts';

const provider = (rest = '', name = 'pay'): string =>
  `{name: ${name}, host: api.pay.example, secret_ref: PAY, exact_paths: [/v1/charges, "/v1/list?page=1"], methods: [POST, get]${rest === '' ? '' : `, ${rest}`}}`;
const section = (...providers: readonly string[]): string => `broker: {providers: [${providers.join(', ')}]}\n`;

interface More {
  readonly level?: RiskLevel | undefined;
  readonly counts?: Readonly<Record<string, number>>;
}

function judged(policy: string, fields: Partial<Action> & { readonly kind: string }, more: More = {}): BrokerAnswer | undefined {
  const { broker } = compiled(policy);
  if (broker === undefined) throw new Error('the policy has no broker');
  const action = actionOf(fields);
  const { counts } = more;
  const level = 'level' in more ? more.level : 'low';
  return judgeBroker(broker, {
    action,
    facts: understanding.understand(action, []),
    kept: counts === undefined ? undefined : { counts },
    level,
  });
}

const CALL: JsonObject = { url: 'https://api.pay.example/v1/charges', method: 'POST' };
const egress = (params: JsonValue): { kind: string; params: JsonValue } => ({ kind: 'net.egress', params });

/** Codes of what stands against a call; `-` where the broker does not concern it, `` where it passes. */
function said(rest: string, change: Readonly<Record<string, JsonValue | undefined>>, more: More = {}): string {
  const params = Object.fromEntries(
    Object.entries({ ...CALL, ...change }).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
  const answer = judged(section(provider(rest)), egress(params), more);
  return answer === undefined ? '-' : answer.objections.map(({ code }) => code).join();
}

function laid(child: string, parent: string): ResolvedPolicy {
  const known = new Map([...rulesets, ['default', documentOf(parent)]]);
  const policy = resolvePolicy(documentOf(child), { rulesets: known, hostSets: new Map() });
  if (!policy.ok) throw new Error(policy.error.map(({ message }) => message).join());
  return policy.value;
}

describe('POL-315 the section `broker`', () => {
  it('is read and filled in', () => {
    const yaml = section(
      provider('allowed_headers: [X-B, content-type, X-b], approval_required_data_classes: [PII]').replace('api.pay', 'API.pay'),
    );
    expect(resolved(yaml).broker).toEqual({
      providers: [
        {
          name: 'pay',
          host: 'api.pay.example',
          port: 443,
          secret_ref: 'PAY',
          exact_paths: ['/v1/charges', '/v1/list?page=1'],
          methods: ['POST', 'GET'],
          allowed_headers: ['content-type', 'x-b'],
          require_body_sha256: false,
          stream_response: false,
          require_intent_preview: false,
          approval_required_risk_levels: [],
          approval_required_data_classes: ['pii'],
        },
      ],
    });
  });

  it('providers are united by name, each as a whole; `merge` takes the section, `replace` the document', () => {
    const parent = section(provider('max_executions: 3'), provider('', 'b'));
    const own = section(provider('port: 8443'), provider('', 'c'));
    const names = (policy: ResolvedPolicy): unknown =>
      policy.broker?.providers.map(({ name, port, max_executions: max }) => [name, port, max]);
    expect(names(laid(`extends: default\n${own}`, parent))).toEqual([
      ['pay', 8443, undefined],
      ['b', 443, undefined],
      ['c', 443, undefined],
    ]);
    expect(names(laid(`extends: default\nmerge_strategy: merge\n${own}`, parent))).toEqual([
      ['pay', 8443, undefined],
      ['c', 443, undefined],
    ]);
    expect(names(laid('extends: default\nmerge_strategy: replace\n', parent))).toBeUndefined();
    const policy = resolved(parent);
    expect(policyHash(resolved(JSON.stringify(flattenPolicy(policy))))).toBe(policyHash(policy));
  });

  it('a provider permits what it lists, so it lists something; and there are at most as many as the limit', () => {
    const faults = (yaml: string): unknown => {
      const document = parsePolicy(yaml, 'test');
      const policy = document.ok ? resolvePolicy(document.value, { rulesets, hostSets: new Map() }) : document;
      return policy.ok ? [] : policy.error.map(({ code, path, line, column }) => [code, path, line, column]);
    };
    const empty =
      'broker:\n  providers:\n    - name: a\n      host: a.example\n      secret_ref: S\n      exact_paths: []\n      methods: []\n';
    expect(faults(empty)).toEqual([
      ['policy_required', 'broker.providers[0].exact_paths', 6, 7],
      ['policy_required', 'broker.providers[0].methods', 7, 7],
    ]);
    expect(faults('broker: {providers: []}\n')).toEqual([['policy_required', 'broker', 1, 1]]);
    const many = (count: number): string => section(...Array.from({ length: count }, (_, i) => provider('', `p${String(i)}`)));
    expect(faults(many(POLICY_LIMITS.brokerProvidersMax))).toEqual([]);
    expect(faults(many(POLICY_LIMITS.brokerProvidersMax + 1))).toMatchObject([['policy_range', 'broker.providers', 1, 10]]);
  });

  it('a resolved policy out of a bundle must have the whole shape', () => {
    const good = resolved(section(provider()));
    expect(compilePolicy(good).ok).toBe(true);
    const [first] = good.broker?.providers ?? [];
    for (const change of [{ port: undefined }, { methods: ['get'] }, { exact_paths: [] }, { secret: 'x' }, { host: '*.x' }, { name: '' }]) {
      const bad = JSON.parse(JSON.stringify({ ...good, broker: { providers: [{ ...first, ...change }] } })) as ResolvedPolicy;
      expect([change, compilePolicy(bad).ok]).toEqual([change, false]);
    }
  });
});

describe('POL-316 a call to a brokered host', () => {
  it('passes where its provider lists path, method, headers and size', () => {
    expect(said('', {})).toBe('');
    expect(said('', { method: 'get', url: 'https://API.pay.example./v1/list?page=1#top' })).toBe('');
    expect(said('', { url: 'https://api.pay.example/v1/charges?x=1' })).toBe('');
    expect(said('', { url: 'https://api.pay.example:443/v1/x/../charges', host: 'api.pay.example', protocol: 'https', port: 443 })).toBe(
      '',
    );
    expect(judged(section(provider()), egress(CALL))).toEqual({ objections: [], provider: 'pay', counts: undefined });
  });

  it.each([
    ['another path', { url: 'https://api.pay.example/v1/charges/' }, 'path_not_allowed'],
    ['a path below', { url: 'https://api.pay.example/v1/charges/1' }, 'path_not_allowed'],
    ['a path in other case', { url: 'https://api.pay.example/V1/charges' }, 'path_not_allowed'],
    ['a path in escapes', { url: 'https://api.pay.example/v1%2Fcharges' }, 'path_not_allowed'],
    ['another query of a path that is listed with one', { url: 'https://api.pay.example/v1/list?page=2' }, 'path_not_allowed'],
    ['another method', { method: 'DELETE' }, 'method_not_allowed'],
    ['another port', { url: 'https://api.pay.example:8443/v1/charges' }, 'port_not_allowed'],
    ['no encryption', { url: 'http://api.pay.example/v1/charges' }, 'port_not_allowed'],
    ['a header', { headers: { Authorization: 'x' } }, 'header_not_allowed'],
    ['a response that streams', { stream: true }, 'stream_not_allowed'],
    ['no method', { method: undefined }, 'call_unreadable'],
    ['no URL', { url: undefined, host: 'api.pay.example', port: 443 }, 'call_unreadable'],
    ['a member that no call has', { timeout: 1 }, 'call_unreadable'],
    ['headers that are a list', { headers: ['a'] }, 'call_unreadable'],
    ['two bodies', { body: 'a', content: 'b' }, 'call_unreadable'],
    ['a port beside the URL that differs', { port: 80 }, 'call_unreadable'],
    ['a protocol beside the URL that differs', { protocol: 'http' }, 'call_unreadable'],
    ['a host beside the URL that differs', { host: 'b.example' }, 'call_unreadable'],
    ['a URL beside the host that differs', { url: 'https://b.example/', host: 'api.pay.example' }, 'call_unreadable'],
    ['a URL with more behind it', { url: 'https://api.pay.example/v1/charges /../x' }, 'call_unreadable'],
    ['members in two places', { args: { method: 'POST' } }, 'call_unreadable'],
    ['a flag that is none', { stream: 'yes' }, 'call_unreadable'],
  ] as const)('is refused for %s', (_, change, code) => expect(said('', change)).toBe(code));

  it('of any other kind is refused: nobody can see the whole of it', () => {
    const policy = section(provider());
    const others = [
      { kind: 'shell.exec', params: { command: 'curl -X POST https://api.pay.example/v1/charges' } },
      { kind: 'tool.call', tool: 'fetch', params: CALL },
      { kind: 'mcp.call', tool: 'x', params: { url: CALL['url'] ?? null } },
      { ...egress(CALL), targetUrl: 'https://api.pay.example/v1/charges' },
      { kind: 'tool.call', tool: 'x', params: {}, targetUrl: 'https://api.pay.example/v1/charges' },
      egress('https://api.pay.example/v1/charges'),
      egress({ ...CALL, args: 'x' }),
    ];
    for (const action of others)
      expect([action, judged(policy, action)?.objections.map(({ code }) => code)]).toEqual([action, ['call_unreadable']]);
  });

  it('does not concern other hosts, and what only a body names is data', () => {
    expect(said('', { url: 'https://other.example/v1' })).toBe('-');
    expect(said('', { url: 'https://other.example/v1', body: 'https://api.pay.example/v1/charges' })).toBe('-');
    expect(said('', { url: 'https://evil.api.pay.example/v1/charges' })).toBe('-');
    expect(said('', { body: 'https://api.pay.example/v1/charges' })).toBe('');
    expect(said('', { body: 'https://api.pay.example/other' })).toBe('');
    expect(judged(section(provider()), { kind: 'prompt.input', content: 'see https://api.pay.example/x' })).toBeUndefined();
  });

  it('where not all hosts could be read, one of them could be brokered', () => {
    const { broker } = compiled(section(provider()));
    const action = actionOf(egress({ host: 'other.example' }));
    const facts = { ...understanding.understand(action, []), cuts: ['hosts' as const] };
    const answer = broker && judgeBroker(broker, { action, facts, kept: undefined, level: 'low' });
    expect(answer?.objections.map(({ code }) => code)).toEqual(['hosts_unread']);
  });

  it('members may stand under `args`, and the body in `content`', () => {
    const { url = null } = CALL;
    expect(
      judged(section(provider('max_body_bytes: 2')), { ...egress({ url, args: { method: 'POST' } }), content: 'ab' })?.objections,
    ).toEqual([]);
    expect(
      judged(section(provider('max_body_bytes: 2')), { ...egress({ url, args: { method: 'POST' } }), content: 'abc' })?.objections,
    ).toMatchObject([{ code: 'body_too_large' }]);
  });

  it('bodies have a size, at n and n + 1, in UTF-8 or RFC 8785 bytes', () => {
    expect([said('max_body_bytes: 3', { body: 'aé' }), said('max_body_bytes: 3', { body: 'éé' })]).toEqual(['', 'body_too_large']);
    expect([said('max_body_bytes: 7', { body: { a: 1 } }), said('max_body_bytes: 6', { body: { a: 1 } })]).toEqual(['', 'body_too_large']);
    expect(said('max_body_bytes: 0', {})).toBe('');
  });

  it('a hash of the body is checked where it is asked for', () => {
    const body = 'amount=1';
    expect(said('require_body_sha256: true', { body, body_sha256: sha256Hex(body) })).toBe('');
    expect(said('require_body_sha256: true', { body_sha256: sha256Hex('') })).toBe('');
    expect(said('require_body_sha256: true', { body })).toBe('body_hash_missing');
    expect(said('require_body_sha256: true', { body, body_sha256: sha256Hex('amount=2') })).toBe('body_hash_missing');
    expect(said('require_body_sha256: true', { body: { a: 1 }, body_sha256: sha256Hex('{"a":1}') })).toBe('body_hash_missing');
  });

  it('headers are compared without case, and streams pass where they may', () => {
    expect(said('allowed_headers: [Content-Type]', { headers: { 'content-TYPE': 'a' } })).toBe('');
    expect(said('stream_response: true', { stream: true })).toBe('');
  });

  it('of several providers of a host one is enough, and the nearest speaks', () => {
    const both = section(provider('max_executions: 0'), provider('stream_response: true', 'second'));
    expect(judged(both, egress({ ...CALL, stream: true }))).toMatchObject({ objections: [], provider: 'second' });
    const stepping = section(provider('stream_response: true, max_body_bytes: 0'), provider('require_intent_preview: true', 'second'));
    expect(judged(stepping, egress({ ...CALL, body: 'x' }))?.objections).toMatchObject([
      { code: 'preview_required', provider: 'second', step: true },
    ]);
  });
});

describe('POL-317 what needs somebody who can say yes is refused', () => {
  it('a preview', () => expect(said('require_intent_preview: true', {})).toBe('preview_required'));

  it('the levels that are listed, `critical` where `high` is, and a level nobody knows', () => {
    const at = (levels: string, level: RiskLevel | undefined): string => said(`approval_required_risk_levels: [${levels}]`, {}, { level });
    expect(RISK_LEVELS.map((level) => at('high', level))).toEqual(['', '', 'approval_required_risk', 'approval_required_risk']);
    expect(RISK_LEVELS.map((level) => at('low, critical', level))).toEqual(['approval_required_risk', '', '', 'approval_required_risk']);
    expect([at('medium', undefined), at('', undefined)]).toEqual(['approval_required_risk', '']);
  });

  it('data of the classes that are listed; one that nobody can tell is taken to be there', () => {
    const body = 'write to jo@example.org';
    expect(said('approval_required_data_classes: [pii]', { body })).toBe('approval_required_data');
    expect(said('approval_required_data_classes: [pii]', { body: 'nothing' })).toBe('');
    expect(said('approval_required_data_classes: [Secrets]', { body })).toBe('');
    expect(said('approval_required_data_classes: [health]', { body: 'nothing' })).toBe('approval_required_data');
  });

  it('calls beyond `max_executions` of the session, at n and n + 1', () => {
    const policy = section(provider('max_executions: 2'));
    expect(judged(policy, egress(CALL), { counts: { 'broker/pay': 1 } })).toEqual({
      objections: [],
      provider: 'pay',
      counts: { 'broker/pay': 2 },
    });
    expect(judged(policy, egress(CALL), { counts: { 'broker/pay': 2 } })?.objections).toMatchObject([
      { code: 'executions_exhausted', step: false },
    ]);
    expect(said('max_executions: 0', {})).toBe('executions_exhausted');
    const counts = Object.fromEntries(Array.from({ length: PROTOCOL_LIMITS.sessionCountsMax }, (_, i) => [`origin/p${String(i)}/x`, 1]));
    expect(judged(policy, egress(CALL), { counts })?.objections).toMatchObject([{ code: 'executions_uncounted' }]);
  });

  it('whatever a call holds, it passes only as the provider lists it', () => {
    const urls = fc.constantFrom(
      'https://api.pay.example/v1/charges',
      'https://api.pay.example/x',
      'http://api.pay.example/v1/charges',
      'https://API.PAY.EXAMPLE/v1/charges',
    );
    const call = fc.record(
      {
        url: urls,
        method: fc.constantFrom('GET', 'post', 'get', 'PUT', 1),
        headers: fc.constantFrom<JsonValue>({}, { 'X-A': 'b' }, {}, { a: 'b' }, 'x'),
        body: fc.oneof({ weight: 4, arbitrary: fc.string({ maxLength: 6 }) }, fc.constant({ a: 'https://api.pay.example/v1/charges' })),
        stream: fc.boolean(),
        other: fc.constantFrom(undefined, undefined, undefined, 1),
      },
      { requiredKeys: ['url', 'method', 'headers', 'body', 'other'] },
    );
    const policy = section(provider('allowed_headers: [x-a], max_body_bytes: 4'));
    let passed = 0;
    fc.assert(
      fc.property(call, (params) => {
        const answer = judged(policy, egress(JSON.parse(JSON.stringify(params)) as JsonObject));
        const { url, method, headers, body, stream = false } = params;
        const bytes = typeof body === 'string' ? Buffer.byteLength(body) : 99;
        const listed =
          /^https:\/\/api\.pay\.example\/v1\/charges$/i.test(url) &&
          typeof method === 'string' &&
          ['GET', 'POST'].includes(method.toUpperCase()) &&
          isJsonObject(headers) &&
          Object.keys(headers).every((name) => name === 'X-A');
        const wanted = listed && bytes <= 4 && !stream && params.other === undefined;
        passed += wanted ? 1 : 0;
        expect([params, answer?.objections.length === 0]).toEqual([params, wanted]);
      }),
      { numRuns: 1500, seed: 12 },
    );
    expect(passed).toBeGreaterThan(50);
  });
});
