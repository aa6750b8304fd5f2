/** The section `origins`: read, merged, resolved, matched, and told in HushSpec. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canonicalize } from '@countersign/kernel';
import {
  compilePolicy,
  flattenPolicy,
  parsePolicy,
  POLICY_LIMITS,
  policyHash,
  type ResolvedPolicy,
  resolvePolicy,
} from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestProfile } from '../src/match-origin.ts';
import { isOutside, originOfAction, placeOf, readOrigin } from '../src/origin-context.ts';
import { ORIGIN_TEXTS, type OriginFields, VISIBILITIES } from '../src/origins.ts';
import { actionOf, compiled, documentOf, resolved, rulesets } from './support.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);

type Said = readonly (readonly [string, string | undefined, number | undefined, number | undefined])[];

function faults(yaml: string, parent?: string): Said {
  const known = parent === undefined ? rulesets : new Map([...rulesets, ['default', documentOf(parent)]]);
  const document = parsePolicy(yaml, 'test');
  const policy = document.ok ? resolvePolicy(document.value, { rulesets: known, hostSets: new Map() }) : document;
  return policy.ok ? [] : policy.error.map(({ code, path, line, column }) => [code, path, line, column] as const);
}

function laid(child: string, parent: string): ResolvedPolicy {
  const known = new Map([...rulesets, ['default', documentOf(parent)]]);
  const policy = resolvePolicy(documentOf(child), { rulesets: known, hostSets: new Map([['ours', ['a.example', 'b.example']]]) });
  if (!policy.ok) throw new Error(policy.error.map(({ message }) => message).join());
  return policy.value;
}

describe('POL-300 the section `origins`', () => {
  it('is read and filled in; what a profile does not hold restricts nothing', () => {
    const yaml = `origins:
  profiles:
    - {id: bare}
    - id: full
      match_rules: {provider: slack, tags: [b, a, b]}
      mcp: {block: [x], additional_allow: [y], remove_block: [x]}
      egress: {allow: ["a.example"], additional_block: ["b.example"]}
      data: {redact_before_send: true}
      bridge_policy: {allowed_targets: [{tags: [q, p]}]}
`;
    expect(resolved(yaml).origins).toEqual({
      default_behavior: 'deny',
      profiles: [
        { id: 'bare', match_rules: {}, budgets: {} },
        {
          id: 'full',
          match_rules: { provider: 'slack', tags: ['a', 'b'] },
          budgets: {},
          mcp: {
            enabled: true,
            allow: ['y'],
            block: [],
            require_confirmation: [],
            default_action: 'allow',
            max_args_size: POLICY_LIMITS.originArgsBytes,
          },
          egress: { enabled: true, allow: ['a.example'], block: ['b.example'], default_action: 'block' },
          data: { allow_external_sharing: false, redact_before_send: true, block_sensitive_outputs: false },
          bridge_policy: { allow_cross_origin: false, allowed_targets: [{ tags: ['p', 'q'] }], require_approval: false },
        },
      ],
    });
  });

  it('is absent where no document has it, so that hashes stay what they were', () => {
    for (const absent of ['origins: null\n', 'broker: null\n', 'settings: {verification: {enabled: false}}\n'])
      expect(policyHash(resolved(absent))).toBe(policyHash(resolved('name: ""\n')));
    expect(compiled('default').origins).toBeUndefined();
  });

  it('host sets are frozen into profiles', () => {
    const yaml = 'origins: {profiles: [{id: a, egress: {allow: ["@ours", c.example], block: ["@ours"]}}]}\n';
    expect(laid(yaml, '{}').origins?.profiles[0]?.egress).toMatchObject({
      allow: ['a.example', 'b.example', 'c.example'],
      block: ['a.example', 'b.example'],
    });
    expect(faults('origins:\n  profiles:\n    - id: a\n      egress: {allow: ["@nobody"]}\n')).toEqual([
      ['policy_host_set', 'origins.profiles[0].egress.allow', 4, 16],
    ]);
  });

  it('what a profile names must be a state of the posture, once merged', () => {
    const yaml = 'origins:\n  profiles:\n    - id: a\n      posture: high\n';
    const posture = 'posture: {initial: low, states: {low: {}, high: {}}}\n';
    const wanted = [['policy_posture', 'origins.profiles[0].posture', 4, 7]];
    expect(faults(yaml)).toEqual(wanted);
    expect(faults(`${yaml}posture: {initial: low, states: {low: {}}}\n`)).toEqual(wanted);
    expect(faults(yaml + posture)).toEqual([]);
    expect(faults(`extends: default\n${yaml}`, posture)).toEqual([]);
    expect(faults(yaml.replace('high', 'locked'))).toEqual([]);
    const broken = structuredClone(resolved(yaml + posture)) as { posture?: unknown } & ResolvedPolicy;
    delete broken.posture;
    expect(compilePolicy(broken)).toMatchObject({ ok: false, error: [{ code: 'policy_posture' }] });
  });

  it('has at most as many profiles as the limit, also once merged', () => {
    const of = (count: number, name = 'p'): string =>
      `origins: {profiles: [${Array.from({ length: count }, (_, i) => `{id: ${name}${String(i)}}`).join(', ')}]}\n`;
    const max = POLICY_LIMITS.originProfilesMax;
    expect(faults(of(max))).toEqual([]);
    expect(faults(of(max + 1))).toEqual([['policy_range', 'origins.profiles', 1, 11]]);
    expect(faults(`extends: default\n${of(1, 'q')}`, of(max)).map(([code]) => code)).toEqual(['policy_range']);
  });

  it('a resolved policy out of a bundle must have the whole shape', () => {
    const good = resolved('origin-enclaves-example');
    expect(compilePolicy(good).ok).toBe(true);
    const [first, ...rest] = good.origins?.profiles ?? [];
    for (const change of [
      { budgets: undefined },
      { mcp: { enabled: true } },
      { data: {} },
      { id: '' },
      { more: 1 },
      { match_rules: { x: 1 } },
    ]) {
      const origins = { ...good.origins, profiles: [{ ...first, ...change }, ...rest] };
      const bad = JSON.parse(JSON.stringify({ ...good, origins })) as ResolvedPolicy;
      expect([change, compilePolicy(bad).ok]).toEqual([change, false]);
    }
  });
});

describe('POL-301 origins merged', () => {
  const parent =
    'origins: {default_behavior: minimal_profile, profiles: [{id: a, posture: locked}, {id: b, budgets: {egress_calls: 1}}]}\n';
  const ids = ({ origins }: ResolvedPolicy): unknown => [origins?.default_behavior, origins?.profiles.map(({ id }) => id)];

  it('profiles are united by id: one that is there again stands in the place of the first, as a whole', () => {
    const child = laid('extends: default\norigins: {profiles: [{id: c}, {id: a, budgets: {shell_commands: 2}}]}\n', parent);
    expect(ids(child)).toEqual(['minimal_profile', ['a', 'b', 'c']]);
    expect(child.origins?.profiles[0]).toEqual({ id: 'a', match_rules: {}, budgets: { shell_commands: 2 } });
  });

  it('`merge` takes the section whole, `replace` the document as it is', () => {
    const own = 'origins: {profiles: [{id: c}]}\n';
    expect(ids(laid(`extends: default\nmerge_strategy: merge\n${own}`, parent))).toEqual(['deny', ['c']]);
    expect(ids(laid('extends: default\nmerge_strategy: merge\n', parent))).toEqual(['minimal_profile', ['a', 'b']]);
    expect(laid('extends: default\nmerge_strategy: replace\n', parent).origins).toBeUndefined();
  });

  it('the same overlay twice is the overlay once, and one that says nothing changes nothing', () => {
    const child = 'extends: default\norigins: {profiles: [{id: b}, {id: c, mcp: {block: [x]}}]}\n';
    const once = laid(child, parent);
    expect(laid('extends: default\norigins: {}\n', parent).origins).toEqual(resolved(parent).origins);
    expect(laid(child, JSON.stringify(flattenPolicy(once))).origins).toEqual(once.origins);
  });

  it('POL-107 a policy with all sections flattens to the same hash', () => {
    const policy = resolved('origin-enclaves-example');
    expect(policyHash(resolved(JSON.stringify(flattenPolicy(policy))))).toBe(policyHash(policy));
  });
});

const origins = (): fc.Arbitrary<OriginFields> => {
  const word = fc.constantFrom('a', 'b');
  const texts = Object.fromEntries(ORIGIN_TEXTS.map((name) => [name, word]));
  const rest = {
    visibility: fc.constantFrom(...VISIBILITIES),
    external_participants: fc.boolean(),
    tags: fc.subarray(['x', 'y', 'z']),
  };
  return fc.record({ ...texts, ...rest }, { requiredKeys: [] });
};

/** Rules that often match: a part of the origin, with one field that may be another. */
const rulesFor = (origin: OriginFields): fc.Arbitrary<OriginFields> =>
  fc
    .tuple(fc.subarray(Object.keys(origin)), fc.option(fc.record({ visibility: fc.constantFrom(...VISIBILITIES) }), { freq: 5 }))
    .map(([names, other]) => ({ ...Object.fromEntries(names.map((name) => [name, origin[name as keyof OriginFields]])), ...other }));

/** Sorted, and the first taken: as the document says it, and no faster. */
function dull(rules: readonly OriginFields[], origin: OriginFields): number | undefined {
  const says = (rule: OriginFields, name: string): boolean => {
    const wanted = rule[name as keyof OriginFields];
    if (wanted === undefined) return true;
    if (name === 'tags') return (rule.tags ?? []).filter((tag) => !(origin.tags ?? []).includes(tag)).length === 0;
    return wanted === origin[name as keyof OriginFields];
  };
  const all = rules.map((rule, i) => ({ i, rule, names: Object.keys(rule) }));
  const fitting = all.filter(({ rule, names }) => names.every((name) => says(rule, name)));
  const space = (names: readonly string[]): number => (names.includes('space_id') ? 1 : 0);
  return fitting.toSorted((a, b) => space(b.names) - space(a.names) || b.names.length - a.names.length || a.i - b.i)[0]?.i;
}

describe('POL-303 which profile an origin gets', () => {
  it('is what the dull reference says', () => {
    const cases = origins().chain((origin) => fc.tuple(fc.constant(origin), fc.array(rulesFor(origin), { maxLength: 8 })));
    let matched = 0;
    fc.assert(
      fc.property(cases, ([origin, rules]) => {
        const found = bestProfile(
          rules.map((match_rules, i) => ({ match_rules, i })),
          origin,
        );
        matched += found === undefined ? 0 : 1;
        expect(found?.profile.i).toBe(dull(rules, origin));
        expect(found === undefined ? undefined : found.by === 'space_id').toBe(
          found === undefined ? undefined : found.profile.match_rules.space_id !== undefined,
        );
      }),
      { numRuns: 3000, seed: 3 },
    );
    expect(matched).toBeGreaterThan(1500);
  });

  it('an exact space before more fields, more fields before the list, and the list at last', () => {
    const by = (rules: readonly OriginFields[], origin: OriginFields): number | undefined =>
      bestProfile(
        rules.map((match_rules, i) => ({ match_rules, i })),
        origin,
      )?.profile.i;
    const origin = { provider: 'slack', space_id: 'C1', visibility: 'internal', tags: ['a', 'b'] } as const;
    expect(by([{ provider: 'slack', visibility: 'internal', tags: ['a'] }, { space_id: 'C1' }], origin)).toBe(1);
    expect(by([{ provider: 'slack' }, { provider: 'Slack', tags: ['a', 'b'] }], origin)).toBe(1);
    expect(by([{ tags: ['a'] }, { tags: ['a', 'b'] }], origin)).toBe(0);
    expect(by([{ tags: ['c'] }, { space_id: 'c1' }, { visibility: 'public' }, { external_participants: false }], origin)).toBeUndefined();
    expect(by([{}], origin)).toBe(0);
  });
});

describe('POL-302 the origin of an action', () => {
  it('is read in both spellings; what cannot be read is no origin', () => {
    const claim = {
      provider: 'GitHub',
      spaceType: 'pull_request',
      externalParticipants: true,
      tags: ['b', 'a', 'b'],
      metadata: { any: 1 },
    };
    expect(readOrigin(claim)).toEqual({ provider: 'github', space_type: 'pull_request', external_participants: true, tags: ['a', 'b'] });
    expect(readOrigin({ provider: 'x', space_id: 'a', spaceId: 'a', visibility: null })).toEqual({ provider: 'x', space_id: 'a' });
    expect([readOrigin(undefined), readOrigin(null)]).toEqual(['missing', 'missing']);
    const bad = ['slack', [], {}, { space_id: 'x' }, { provider: '' }, { provider: 1 }, { provider: 'x', space_id: 'a', spaceId: 'b' }];
    const worse = [
      { visibility: 'secret' },
      { tags: 'a' },
      { tags: [1] },
      { tags: [''] },
      { external_participants: 'no' },
      { actor_role: {} },
      { provider: ' '.repeat(POLICY_LIMITS.entryCharsMax + 1) },
    ];
    for (const claimed of [...bad, ...worse.map((one) => ({ provider: 'x', ...one }))])
      expect([claimed, readOrigin(claimed)]).toEqual([claimed, 'malformed']);
  });

  it('has limits, at n and n + 1', () => {
    const tags = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
    expect(readOrigin({ provider: 'x', tags: tags(POLICY_LIMITS.originTagsMax) })).toMatchObject({ provider: 'x' });
    expect(readOrigin({ provider: 'x', tags: tags(POLICY_LIMITS.originTagsMax + 1) })).toBe('malformed');
    expect(readOrigin({ provider: 'x', space_id: 'a'.repeat(POLICY_LIMITS.entryCharsMax) })).toMatchObject({ provider: 'x' });
    expect(readOrigin({ provider: 'x', space_id: 'a'.repeat(POLICY_LIMITS.entryCharsMax + 1) })).toBe('malformed');
  });

  it('stands under `origin.origin` of the action, and nowhere else', () => {
    const action = actionOf({ kind: 'file.read', origin: { origin: { provider: 'x' } } });
    expect(originOfAction(action)).toEqual({ provider: 'x' });
    expect(originOfAction(actionOf({ kind: 'file.read', origin: { provider: 'x' } }))).toBe('missing');
    expect(originOfAction(actionOf({ kind: 'file.read', params: { origin: { provider: 'x' } } }))).toBe('missing');
  });

  it('POL-308 one place is one value, whoever speaks there; another place is another', () => {
    fc.assert(
      fc.property(origins(), origins(), (a, b) => {
        const strip = ({ actor_id: _a, actor_type: _t, actor_role: _r, provenance_confidence: _p, ...rest }: OriginFields): string =>
          canonicalize(rest);
        expect(placeOf(a) === placeOf(b)).toBe(strip(a) === strip(b));
        expect(placeOf(a)).toMatch(/^[0-9a-f]{32}$/);
        expect(placeOf({ ...a, actor_id: 'other', provenance_confidence: 'weak' })).toBe(placeOf(a));
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  it('is seen from outside unless it says that it is not', () => {
    expect([{ visibility: 'private' }, { visibility: 'internal' }].map((one) => isOutside(one as OriginFields))).toEqual([false, false]);
    const outside = [{}, { visibility: 'unknown' }, { visibility: 'public' }, { visibility: 'internal', external_participants: true }];
    for (const one of outside) expect(isOutside(one as OriginFields)).toBe(true);
  });
});

describe('POL-309 origins of others', () => {
  it('HushSpec says the same under its names', () => {
    const hush = `hushspec: "0.1.0"
extensions:
  posture: {initial: s, states: {s: {capabilities: [tool_call]}}}
  origins:
    default_behavior: minimal_profile
    profiles:
      - id: room
        match: {provider: slack, visibility: internal, tags: [x]}
        posture: s
        tool_access: {allow: [a], block: ["b_*"], require_confirmation: [c], default: block, max_args_size: 7}
        egress: {allow: [a.example], block: [b.example], default: block}
        data: {allow_external_sharing: true, redact_before_send: true, block_sensitive_outputs: false}
        budgets: {tool_calls: 3, egress_calls: 2, shell_commands: 1}
        bridge: {allow_cross_origin: true, allowed_targets: [{provider: github}], require_approval: true}
        explanation: why
`;
    const same = `posture: {initial: s, states: {s: {capabilities: [mcp_tool]}}}
origins:
  default_behavior: minimal_profile
  profiles:
    - id: room
      match_rules: {provider: slack, visibility: internal, tags: [x]}
      posture: s
      mcp: {allow: [a], block: ["b_*"], require_confirmation: [c], default_action: block, max_args_size: 7}
      egress: {allow: [a.example], block: [b.example], default_action: block}
      data: {allow_external_sharing: true, redact_before_send: true, block_sensitive_outputs: false}
      budgets: {mcp_tool_calls: 3, egress_calls: 2, shell_commands: 1}
      bridge_policy: {allow_cross_origin: true, allowed_targets: [{provider: github}], require_approval: true}
      explanation: why
`;
    expect(policyHash(resolved(hush))).toBe(policyHash(resolved(same)));
    const wrong = hush.replace('visibility: internal', 'visibility: secret');
    expect(faults(wrong)).toEqual([['policy_enum', 'extensions.origins.profiles[0].match.visibility', 8, 34]]);
  });

  it.skipIf(!present)(
    `the example of Clawdstrike loads with its meaning${present ? '' : ` (skipped: nothing at ${archive}; set COUNTERSIGN_SHARED)`}`,
    () => {
      const text = execFileSync('tar', ['xzOf', archive, './rulesets/origin-enclaves-example.yaml'], { encoding: 'utf8' });
      const policy = resolved(text);
      expect(compilePolicy(policy).ok).toBe(true);
      const ours = resolved('origin-enclaves-example');
      const facts = (one: ResolvedPolicy): unknown =>
        one.origins?.profiles.map(({ id, match_rules, posture, data, budgets, bridge_policy, mcp }) => ({
          id,
          rest: [match_rules, posture, data, budgets, bridge_policy],
          mcp: [mcp?.default_action, mcp?.allow, mcp?.block, mcp?.require_confirmation],
        }));
      expect(facts(ours)).toEqual(facts(policy));
      expect(policy.origins?.default_behavior).toBe('deny');
    },
  );

  it('the ruleset has four places', () => {
    expect(resolved('origin-enclaves-example').origins?.profiles.map(({ id }) => id)).toEqual([
      'incident-room',
      'external-chat',
      'code-review',
      'internal-default',
    ]);
  });
});
