import type { JsonValue } from '@countersign/kernel';
import { GUARD_NAMES, parsePolicy, policyHash, type ResolvedPolicy, resolvePolicy } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlays } from './overlays.ts';
import { documentOf, resolved, rulesets } from './support.ts';

const names = fc.constantFrom('default', 'strict', 'permissive', 'ai-agent', 'cicd');

describe('POL-020 POL-021 POL-022 merge', () => {
  it('an empty overlay changes nothing but the name', () => {
    fc.assert(
      fc.property(
        names,
        fc.subarray([...GUARD_NAMES].filter((name) => name !== 'path_allowlist' && name !== 'spider_sense')),
        (base, guards) => {
          const overlay = `extends: ${base}\nversion: "1.1.0"\nguards: {${guards.map((name) => `${name}: {}`).join(', ')}}\n`;
          const [left, right] = [resolved(overlay), resolved(base)];
          // A guard the base leaves to the built-in defaults begins from those defaults.
          expect(left.guards).toEqual(right.guards);
          expect(left.settings).toEqual(right.settings);
        },
      ),
      { numRuns: 50 },
    );
  });

  const host = fc.constantFrom<string>('a.example', 'b.example', 'c.example', 'github.com', '*.openai.com');
  const hosts = fc.uniqueArray(host);
  it('what is added is there, what is removed is gone whatever was added, and twice is once', () => {
    fc.assert(
      fc.property(names, hosts, hosts, (base, add, remove) => {
        const text = (list: readonly string[]): string => JSON.stringify(list);
        const overlay = `extends: ${base}\nguards: {egress_allowlist: {additional_allow: ${text(add)}, remove_allow: ${text(remove)}}}\n`;
        const allow = resolved(overlay).guards.egress_allowlist.allow;
        const expected = [...new Set([...resolved(base).guards.egress_allowlist.allow, ...add])].filter((one) => !remove.includes(one));
        expect(allow).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('a list that holds something replaces, an empty one says nothing', () => {
    expect(resolved('extends: default\nguards: {egress_allowlist: {allow: [x.example]}}\n').guards.egress_allowlist.allow).toEqual([
      'x.example',
    ]);
    expect(resolved('extends: default\nguards: {egress_allowlist: {allow: []}}\n').guards.egress_allowlist.allow).toEqual(
      resolved('default').guards.egress_allowlist.allow,
    );
    expect(resolved('guards: {mcp_tool: {block: []}}\n').guards.mcp_tool.block).toEqual([]);
  });

  it('allow and additional_allow add up', () => {
    expect(
      resolved('guards: {egress_allowlist: {allow: [a.example], additional_allow: [b.example]}}\n').guards.egress_allowlist.allow,
    ).toEqual(['a.example', 'b.example']);
  });

  it('an overlay of one field keeps the others, and keeps a guard off that was off', () => {
    const patch = resolved('extends: strict\nguards: {patch_integrity: {max_additions: 7}}\n').guards.patch_integrity;
    expect(patch).toEqual({ ...resolved('strict').guards.patch_integrity, max_additions: 7 });
    const off = documentOf('guards: {shell_command: {enabled: false}}\n');
    const overlay = documentOf('extends: default\nguards: {shell_command: {unparsed: warn}}\n');
    const policy = resolvePolicy(overlay, { rulesets: new Map([['default', off]]), hostSets: new Map() });
    expect(policy.ok && policy.value.guards.shell_command).toMatchObject({ enabled: false, unparsed: 'warn' });
  });

  it('exceptions and skipped paths are united, secret patterns replaced by name', () => {
    const policy = resolved(
      'extends: ai-agent\nguards: {forbidden_path: {exceptions: ["/x"], additional_patterns: ["/y"]}, secret_leak: {skip_paths: ["/z"], additional_patterns: [{name: jwt, pattern: "eyJx", severity: warning}], remove_patterns: [npm_token]}}\n',
    );
    expect(policy.guards.forbidden_path.exceptions).toEqual(['**/.env.example', '**/.env.template', '/x']);
    expect(policy.guards.forbidden_path.patterns).toContain('/y');
    expect(policy.guards.secret_leak.skip_paths.at(-1)).toBe('/z');
    expect(policy.guards.secret_leak.patterns.filter((pattern) => pattern.name === 'jwt')).toMatchObject([{ pattern: 'eyJx' }]);
    expect(policy.guards.secret_leak.removed).toEqual(['npm_token']);
  });

  it('replace takes the child as it is, merge takes whole sections', () => {
    expect(resolved('extends: strict\nmerge_strategy: replace\n').guards).toEqual(resolved('{}\n').guards);
    const merged = resolved('extends: strict\nmerge_strategy: merge\nguards: {shell_command: {}}\n');
    expect(merged.settings).toEqual(resolved('strict').settings);
    expect(merged.guards.mcp_tool).toEqual(resolved('{}\n').guards.mcp_tool);
  });

  it('POL-023 cycles and missing rulesets are faults', () => {
    const [a, b] = [documentOf('extends: strict\n', 'a'), documentOf('extends: default\n', 'b')];
    const cycle = resolvePolicy(a, {
      rulesets: new Map([
        ['strict', b],
        ['default', a],
      ]),
      hostSets: new Map(),
    });
    expect(cycle.ok ? [] : cycle.error).toMatchObject([{ code: 'policy_extends_cycle' }]);
    const missing = resolvePolicy(a, { rulesets: new Map(), hostSets: new Map() });
    expect(missing.ok ? [] : missing.error).toMatchObject([{ code: 'policy_extends', path: 'extends', line: 1 }]);
  });

  it('thresholds that only clash once merged are a fault', () => {
    const policy = resolvePolicy(documentOf('extends: default\nsettings: {thresholds: {flag: 701}}\n'), { rulesets, hostSets: new Map() });
    expect(policy.ok ? [] : policy.error).toMatchObject([{ code: 'policy_range', path: 'settings.thresholds' }]);
  });

  it('parsing never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc.string().map((text) => `guards:\n  ${text}`),
        ),
        (text) => {
          expect(typeof parsePolicy(text, 'x').ok).toBe('boolean');
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The last text laid on the others, the first of which extends nothing. */
function stacked(...texts: readonly Readonly<Record<string, JsonValue>>[]): ResolvedPolicy {
  const documents = texts.map((text, i) => documentOf(JSON.stringify({ ...text, ...(i > 0 && { extends: 'default' }) })));
  const [top, ...under] = documents.toReversed();
  if (top === undefined) throw new Error('nothing is stacked');
  // The chain is given, so what `extends` names is not asked for; only its end must name nothing.
  const policy = resolvePolicy(top, { rulesets: new Map(), hostSets: new Map(), ancestors: under });
  if (!policy.ok) throw new Error(policy.error[0]?.message);
  return policy.value;
}

function shuffled(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, shuffled(item)]),
  );
}

describe('POL-114 laws of merging', () => {
  const runs = { numRuns: 40, seed: 7 };
  const base = overlays().map((overlay) => ({ ...overlay, merge_strategy: 'deep_merge' }));
  it('the same overlay twice is the overlay once', () => {
    fc.assert(
      fc.property(base, overlays(), (under, over) => {
        expect(stacked(under, over, over)).toEqual(stacked(under, over));
      }),
      runs,
    );
  });
  it('an overlay that says nothing changes nothing, wherever it stands', () => {
    fc.assert(
      fc.property(base, base, (under, over) => {
        const guards = { shell_command: {}, mcp_tool: {}, egress_allowlist: {}, forbidden_path: {}, secret_leak: {}, patch_integrity: {} };
        expect(stacked(under, { guards }, over)).toEqual(stacked(under, over));
        expect(stacked(under, over, { guards, settings: {}, detection: {} })).toEqual(stacked(under, over));
      }),
      runs,
    );
  });
  it('`replace` does not depend on what is below', () => {
    fc.assert(
      fc.property(base, overlays(), (under, over) => {
        expect(stacked(under, { ...over, merge_strategy: 'replace' })).toEqual(stacked(over));
      }),
      runs,
    );
  });
  it('`merge` takes a section whole or not at all', () => {
    fc.assert(
      fc.property(base, overlays(), (under, over) => {
        const merged = stacked(under, { guards: over['guards'] ?? {}, merge_strategy: 'merge' });
        expect(merged.guards).toEqual(stacked({ guards: over['guards'] ?? {} }).guards);
        expect(merged.settings).toEqual(stacked(under).settings);
      }),
      runs,
    );
  });
  it('the order of keys in a text changes no hash', () => {
    fc.assert(
      fc.property(base, overlays(), (under, over) => {
        const turned = (value: Readonly<Record<string, JsonValue>>): Readonly<Record<string, JsonValue>> => ({
          ...(shuffled(value) as typeof value),
        });
        expect(policyHash(stacked(turned(under), turned(over)))).toBe(policyHash(stacked(under, over)));
      }),
      runs,
    );
  });
});
