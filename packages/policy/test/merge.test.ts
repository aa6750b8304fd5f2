import { GUARD_NAMES, parsePolicy, resolvePolicy } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf, resolved, rulesets } from './support.ts';

const names = fc.constantFrom('default', 'strict', 'permissive', 'ai-agent', 'cicd');

describe('POL-020 POL-021 POL-022 merge', () => {
  it('an empty overlay changes nothing but the name', () => {
    fc.assert(
      fc.property(names, fc.subarray([...GUARD_NAMES].filter((name) => name !== 'path_allowlist')), (base, guards) => {
        const overlay = `extends: ${base}\nversion: "1.1.0"\nguards: {${guards.map((name) => `${name}: {}`).join(', ')}}\n`;
        const [left, right] = [resolved(overlay), resolved(base)];
        // A guard the base leaves to the built-in defaults begins from those defaults.
        expect(left.guards).toEqual(right.guards);
        expect(left.settings).toEqual(right.settings);
      }),
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
