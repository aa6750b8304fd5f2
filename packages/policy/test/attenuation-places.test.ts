/** Only tighter: the sections `origins` and `broker`, and `settings.verification` as the word for it in other documents. */
import type { JsonObject } from '@countersign/kernel';
import {
  compilePolicy,
  judgeBroker,
  judgeOrigin,
  type PolicyDocument,
  policyHash,
  type ResolvedPolicy,
  resolvePolicy,
  widenings,
} from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionOf, documentOf, resolved, rulesets, understanding } from './support.ts';

function laid(child: string, parent: string): { readonly policy?: ResolvedPolicy; readonly paths: readonly (string | undefined)[] } {
  const known = new Map<string, PolicyDocument>([...rulesets, ['default', documentOf(parent, 'parent')]]);
  const policy = resolvePolicy(documentOf(child, 'child'), { rulesets: known, hostSets: new Map() });
  if (policy.ok) return { policy: policy.value, paths: [] };
  expect(policy.error.every(({ code }) => code === 'policy_attenuation')).toBe(true);
  return { paths: policy.error.map(({ path }) => path) };
}

const tight = (child: string, parent: string): readonly (string | undefined)[] =>
  laid(`extends: default\nattenuate_only: true\n${child}`, parent).paths;

const profile = (rest = '', id = 'a'): string => `{id: ${id}${rest === '' ? '' : `, ${rest}`}}`;
const origins = (...profiles: readonly string[]): string => `origins: {profiles: [${profiles.join(', ')}]}\n`;

describe('POL-311 attenuate_only and origins', () => {
  it('a new section only takes away; an old one may not go', () => {
    expect(tight(origins(profile()), '{}')).toEqual([]);
    expect(tight('merge_strategy: replace\n', origins(profile()))).toContain('origins');
    expect(tight('name: other\n', origins(profile()))).toEqual([]);
  });

  it('which profile an origin gets must not change', () => {
    expect(tight(origins(profile('', 'b')), origins(profile()))).toEqual(['origins.profiles[1]']);
    expect(tight(origins(profile('match_rules: {provider: x}')), origins(profile()))).toEqual(['origins.profiles[0]']);
    expect(tight('merge_strategy: merge\norigins: {profiles: []}\n', origins(profile()))).toEqual(['origins.profiles[0]']);
    expect(tight('origins: {default_behavior: minimal_profile}\n', origins(profile()))).toEqual(['origins.default_behavior']);
    expect(
      tight('origins: {default_behavior: deny}\n', `origins: {default_behavior: minimal_profile, profiles: [${profile()}]}\n`),
    ).toEqual([]);
  });

  it.each([
    ['a budget', 'budgets: {egress_calls: 3}', 'budgets: {egress_calls: 2, shell_commands: 1}', 'budgets: {egress_calls: 4}'],
    ['a budget that is gone', 'budgets: {egress_calls: 3}', 'budgets: {egress_calls: 3}', ''],
    ['data that was free', '', 'data: {allow_external_sharing: true}', undefined],
    ['sharing', 'data: {allow_external_sharing: true}', 'data: {allow_external_sharing: false, redact_before_send: true}', ''],
    [
      'redaction',
      'data: {redact_before_send: true}',
      'data: {redact_before_send: true, block_sensitive_outputs: true}',
      'data: {block_sensitive_outputs: true}',
    ],
    [
      'blocking',
      'data: {block_sensitive_outputs: true}',
      'data: {block_sensitive_outputs: true, redact_before_send: true}',
      'data: {redact_before_send: true}',
    ],
    ['sharing that was not', 'data: {}', 'data: {redact_before_send: true}', 'data: {allow_external_sharing: true}'],
    [
      'a bridge',
      'bridge_policy: {allow_cross_origin: true}',
      'bridge_policy: {allow_cross_origin: true, require_approval: true}',
      undefined,
    ],
    ['a bridge that is gone', 'bridge_policy: {allow_cross_origin: true}', '', undefined],
    ['a new bridge', '', 'bridge_policy: {allow_cross_origin: false}', 'bridge_policy: {allow_cross_origin: true}'],
    [
      'an approval',
      'bridge_policy: {allow_cross_origin: true, require_approval: true}',
      'bridge_policy: {}',
      'bridge_policy: {allow_cross_origin: true}',
    ],
    [
      'targets',
      'bridge_policy: {allow_cross_origin: true, allowed_targets: [{provider: x}]}',
      'bridge_policy: {}',
      'bridge_policy: {allow_cross_origin: true}',
    ],
    ['tools', 'mcp: {block: [x]}', 'mcp: {block: [x]}', 'mcp: {block: [x, y]}'],
    ['hosts', 'egress: {allow: [a.example]}', 'egress: {allow: [a.example]}', 'egress: {}'],
    ['an explanation', 'explanation: a', 'explanation: b', undefined],
  ] as const)('%s', (_, ...[parent, tighter, wider]) => {
    expect(tight(origins(profile(tighter)), origins(profile(parent)))).toEqual([]);
    if (wider !== undefined) expect(tight(origins(profile(wider)), origins(profile(parent)))).toEqual(['origins.profiles[0]']);
  });
});

const pay = (rest = '', name = 'pay', host = 'pay.example'): string =>
  `{name: ${name}, host: ${host}, secret_ref: S, exact_paths: [/a], methods: [GET]${rest === '' ? '' : `, ${rest}`}}`;
const broker = (...providers: readonly string[]): string => `broker: {providers: [${providers.join(', ')}]}\n`;

describe('POL-318 attenuate_only and a broker', () => {
  it('providers stay as they are; a new one is of a host that none had', () => {
    expect(tight(broker(pay()), '{}')).toEqual([]);
    expect(tight(broker(pay('', 'b', 'b.example')), broker(pay()))).toEqual([]);
    expect(tight(broker(pay('', 'b')), broker(pay()))).toEqual(['broker.providers[1]']);
    expect(tight(broker(pay('max_executions: 1')), broker(pay()))).toEqual(['broker.providers[0]']);
    expect(tight('merge_strategy: replace\n', broker(pay()))).toContain('broker.providers');
  });
});

describe('POL-319 what is accepted as tighter is tighter', () => {
  const word = fc.constantFrom('x', 'y');
  const flags = fc.record(
    { allow_external_sharing: fc.boolean(), redact_before_send: fc.boolean(), block_sensitive_outputs: fc.boolean() },
    { requiredKeys: [] },
  );
  const bridge = fc.record(
    { allow_cross_origin: fc.boolean(), require_approval: fc.boolean(), allowed_targets: fc.constantFrom([], [{ provider: 'x' }]) },
    { requiredKeys: [] },
  );
  const one = fc.record(
    {
      id: fc.constantFrom('a', 'b'),
      match_rules: fc.record({ provider: word }, { requiredKeys: [] }),
      mcp: fc.record({ block: fc.subarray(['drop', 'take']) }),
      data: flags,
      budgets: fc.record({ mcp_tool_calls: fc.nat(2) }, { requiredKeys: [] }),
      bridge_policy: bridge,
    },
    { requiredKeys: ['id'] },
  );
  const section = fc.record(
    {
      default_behavior: fc.constantFrom('deny', 'minimal_profile'),
      profiles: fc.uniqueArray(one, { selector: ({ id }) => id, maxLength: 2 }),
    },
    { requiredKeys: ['profiles'] },
  );
  const provider = fc.record(
    {
      name: fc.constantFrom('p', 'q'),
      host: fc.constantFrom('pay.example', 'b.example'),
      secret_ref: fc.constant('S'),
      exact_paths: fc.constantFrom(['/a'], ['/a', '/b']),
      methods: fc.constant(['GET']),
      max_body_bytes: fc.nat(2),
      require_intent_preview: fc.boolean(),
    },
    { requiredKeys: ['name', 'host', 'secret_ref', 'exact_paths', 'methods'] },
  );
  const overlay = fc.record({
    origins: fc.option(section, { nil: null, freq: 5 }),
    broker: fc.option(fc.record({ providers: fc.uniqueArray(provider, { selector: ({ name }) => name, minLength: 1, maxLength: 2 }) }), {
      nil: null,
    }),
  });

  const claims: readonly (JsonObject | undefined)[] = [
    undefined,
    { provider: 'x', visibility: 'internal' },
    { provider: 'y' },
    { provider: 'z' },
  ];
  const actions = [
    { kind: 'mcp.call', tool: 'drop', params: {} },
    { kind: 'agent.message', content: 'write to jo@example.org' },
    { kind: 'agent.message', content: 'nothing' },
    { kind: 'net.egress', params: { url: 'https://pay.example/b', method: 'GET' } },
    { kind: 'net.egress', params: { url: 'https://b.example/a', method: 'GET', body: 'ab' } },
  ].flatMap((fields) => claims.map((claim) => actionOf({ ...fields, ...(claim === undefined ? {} : { origin: { origin: claim } }) })));
  const understood = actions.map((action) => ({ action, facts: understanding.understand(action, []) }));
  const kepts = [undefined, { origin: { at: '0'.repeat(32), profile: 'a' } }, { counts: { 'origin/a/mcp_tool_calls': 1 } }];

  /** Which of all questions a policy refuses. */
  function refused(policy: ResolvedPolicy): readonly boolean[] {
    const made = compilePolicy(policy);
    if (!made.ok) throw new Error('does not compile');
    const { origins: places, broker: brokered } = made.value;
    return understood.flatMap((question) =>
      kepts.map((kept) => {
        const origin = places === undefined ? [] : judgeOrigin(places, { ...question, kept }).objections;
        const call = brokered === undefined ? undefined : judgeBroker(brokered, { ...question, kept, level: 'low' });
        return origin.length > 0 || (call?.objections.length ?? 0) > 0;
      }),
    );
  }

  it('over generated overlays', () => {
    let accepted = 0;
    fc.assert(
      fc.property(overlay, overlay, (parent, child) => {
        const under = resolved(JSON.stringify(parent));
        const { policy } = laid(JSON.stringify({ extends: 'default', attenuate_only: true, ...child }), JSON.stringify(parent));
        if (policy === undefined) return;
        accepted += 1;
        expect(widenings(under, policy)).toEqual([]);
        const after = refused(policy);
        for (const [i, was] of refused(under).entries()) if (was) expect([i, after[i]]).toEqual([i, true]);
      }),
      { numRuns: 400, seed: 4 },
    );
    expect(accepted).toBeGreaterThan(60);
  });
});

describe('POL-320 settings.verification', () => {
  const on = 'settings: {verification: {enabled: true}}\n';
  const off = 'guards: {forbidden_path: {enabled: false}}\n';

  it('a weakened prohibition is an error, whether it is strict or not', () => {
    expect(laid(`extends: default\n${on}${off}`, '{}').paths).toEqual(['guards.forbidden_path.enabled']);
    expect(laid(`extends: default\nsettings: {verification: {enabled: true, strict: true, cache: false}}\n${off}`, '{}').paths).toEqual([
      'guards.forbidden_path.enabled',
    ]);
    expect(laid(`extends: default\nsettings: {verification: {strict: true}}\n${off}`, '{}').policy?.settings.verification).toEqual({
      enabled: false,
      strict: true,
      cache: true,
    });
    expect(laid(`extends: default\n${on}guards: {mcp_tool: {additional_block: [x]}}\n`, '{}').paths).toEqual([]);
  });

  it('an heir cannot switch it off, whatever its merge strategy', () => {
    for (const strategy of ['deep_merge', 'merge', 'replace']) {
      const heir = `extends: default\nmerge_strategy: ${strategy}\nsettings: {verification: {enabled: false, strict: false, cache: true}}\n`;
      const parent = 'settings: {verification: {enabled: true, strict: true, cache: false}}\n';
      expect(laid(heir, parent).policy?.settings.verification).toEqual({ enabled: true, strict: true, cache: false });
      expect(laid(heir + off, parent).paths).toContain('guards.forbidden_path.enabled');
    }
  });

  it('without it nothing is proven, and its defaults leave no trace', () => {
    expect(laid(`extends: default\n${off}`, '{}').paths).toEqual([]);
    const plain = 'settings: {verification: {enabled: false, strict: false, cache: true}}\n';
    expect(policyHash(resolved(plain))).toBe(policyHash(resolved('{}')));
    expect(policyHash(resolved(on))).not.toBe(policyHash(resolved('{}')));
  });
});
