import { canonicalize, type JsonValue } from '@countersign/kernel';
import {
  BUILTIN_RULESETS,
  compilePolicy,
  formatFaults,
  parsePolicy,
  POLICY_LIMITS,
  policyHash,
  type ResolvedPolicy,
  resolvePolicy,
  thresholdsFor,
} from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { compiled, documentOf, readText, readVectors, resolved, rulesets } from './support.ts';

interface Vectors {
  readonly valid: readonly { readonly name: string; readonly yaml: string }[];
  readonly invalid: readonly { readonly name: string; readonly yaml: string; readonly faults: readonly object[] }[];
}
const vectors = readVectors('documents.json') as Vectors;

function codes(yaml: string): readonly string[] {
  const document = parsePolicy(yaml, 'test');
  return document.ok ? [] : document.error.map((fault) => fault.code);
}

describe('POL-001 POL-002 POL-003 POL-004 POL-005 documents', () => {
  it.each(vectors.valid.map((one) => [one.name, one] as const))('accepts %s', (_, one) => {
    expect(codes(one.yaml)).toEqual([]);
  });
  it.each(vectors.invalid.map((one) => [one.name, one] as const))('refuses %s', (_, one) => {
    const document = parsePolicy(one.yaml, 'test');
    expect(document.ok).toBe(false);
    if (document.ok) return;
    expect(document.error).toMatchObject(one.faults);
    expect(document.error).toHaveLength(one.faults.length);
  });

  it('POL-006 says where and what to do', () => {
    const document = parsePolicy('guards:\n  forbiden_path: {}\n', 'team.yaml');
    expect(document.ok ? '' : formatFaults(document.error)).toBe(
      'team.yaml:2:3: guards.forbiden_path: there is no field `forbiden_path` here [policy_unknown_field]\n    did you mean `forbidden_path`?',
    );
  });
});

describe('POL-007 limits of documents, at n and n + 1', () => {
  const list = (length: number): string =>
    `guards: {mcp_tool: {block: [${Array.from({ length }, (_, i) => `t${String(i)}`).join(',')}]}}\n`;
  it('bytes', () => {
    const head = 'name: x\n#';
    const fill = (bytes: number): string => head + 'a'.repeat(bytes - head.length);
    expect(codes(fill(POLICY_LIMITS.documentBytesMax))).toEqual([]);
    expect(codes(fill(POLICY_LIMITS.documentBytesMax + 1))).toEqual(['policy_too_large']);
    expect(codes(`${fill(POLICY_LIMITS.documentBytesMax - 1)}é`)).toEqual(['policy_too_large']);
  });
  it('list entries', () => {
    expect(codes(list(POLICY_LIMITS.listMax))).toEqual([]);
    expect(codes(list(POLICY_LIMITS.listMax + 1))).toEqual(['policy_range']);
  });
  it('entry characters', () => {
    const tool = (length: number): string => `guards: {mcp_tool: {block: [${'a'.repeat(length)}]}}\n`;
    expect(codes(tool(POLICY_LIMITS.entryCharsMax))).toEqual([]);
    expect(codes(tool(POLICY_LIMITS.entryCharsMax + 1))).toEqual(['policy_range']);
  });
  it('expression characters', () => {
    const regex = (length: number): string => `guards: {shell_command: {forbidden_patterns: [${'a'.repeat(length)}]}}\n`;
    expect(codes(regex(POLICY_LIMITS.regexCharsMax))).toEqual([]);
    expect(codes(regex(POLICY_LIMITS.regexCharsMax + 1))).toEqual(['policy_range']);
  });
  it('depth', () => {
    const deep = (depth: number): string => `name: ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}\n`;
    expect(codes(deep(POLICY_LIMITS.depthMax + 1))).toEqual(['policy_type']);
    expect(codes(deep(POLICY_LIMITS.depthMax + 2))).toContain('policy_too_deep');
    expect(codes(`name: ${'['.repeat(100_000)}`)).toEqual(['policy_too_deep']);
    expect(codes('- '.repeat(50_000))).toEqual(['policy_too_deep']);
  });
  it('nodes, and aliases count each time', () => {
    const bomb = (levels: number): string => {
      let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
      for (let i = 1; i < levels; i += 1)
        text += `a${String(i)}: &a${String(i)} [${Array.from({ length: 10 }, () => `*a${String(i - 1)}`).join(', ')}]\n`;
      return text;
    };
    expect(codes(bomb(3))).not.toContain('policy_too_many_nodes');
    expect(codes(bomb(9))).toContain('policy_too_many_nodes');
  });
  it('faults', () => {
    const text = Array.from({ length: POLICY_LIMITS.faultsMax + 50 }, (_, i) => `x${String(i)}: 1\n`).join('');
    expect(codes(text)).toHaveLength(POLICY_LIMITS.faultsMax);
  });
});

describe('POL-010 rulesets', () => {
  it.each(BUILTIN_RULESETS)('%s resolves and compiles', (name) => {
    const policy = compilePolicy(resolved(name));
    expect(policy.ok ? [] : policy.error).toEqual([]);
    expect(readText(`packages/policy/rulesets/${name}.yaml`)).toMatch(/shell_command:|^extends: (?:default|ai-agent)$/m);
  });
  it.each(BUILTIN_RULESETS)('POL-011 %s looks for every secret family', (name) => {
    const names = resolved(name).guards.secret_leak.patterns.map((pattern) => pattern.name);
    expect(names).toEqual(
      expect.arrayContaining([
        'aws_access_key',
        'github_token',
        'github_pat',
        'private_key',
        'npm_token',
        'slack_token',
        'stripe_secret_key',
        'gitlab_pat',
        'anthropic_key',
        'generic_secret',
      ]),
    );
  });
  it('learning is default that reports', () => {
    const [learning, base] = [resolved('learning'), resolved('default')];
    expect(learning.guards.egress_allowlist).toEqual({ ...base.guards.egress_allowlist, default_action: 'log' });
    expect(learning.guards.forbidden_path).toEqual(base.guards.forbidden_path);
    expect([learning.settings.unregistered_tools, base.settings.unregistered_tools]).toEqual(['warn', 'refuse']);
  });
});

describe('POL-012 host sets', () => {
  const hosts = (yaml: string, sets: Readonly<Record<string, readonly string[]>>): readonly string[] =>
    resolved(yaml, new Map(Object.entries(sets))).guards.egress_allowlist.allow;
  it('are frozen in, and empty where the operator named none', () => {
    expect(hosts('default', { 'package-registries': ['pkg.example'] })).toContain('pkg.example');
    expect(hosts('default', {}).some((host) => host.startsWith('@'))).toBe(false);
  });
  it('are faults where nobody knows them or they hold no host', () => {
    const document = documentOf('guards: {egress_allowlist: {allow: ["@package-registry"]}}\n');
    const unknown = resolvePolicy(document, { rulesets, hostSets: new Map() });
    expect(unknown.ok ? [] : unknown.error).toMatchObject([
      { code: 'policy_host_set', line: 1, hint: 'did you mean `@package-registries`?' },
    ]);
    const bad = resolvePolicy(documentOf('guards: {egress_allowlist: {allow: ["@s"]}}\n'), {
      rulesets,
      hostSets: new Map([['s', ['https://x']]]),
    });
    expect(bad.ok ? [] : bad.error).toMatchObject([{ code: 'policy_host_set' }]);
  });
});

describe('POL-013 POL-014 the hash', () => {
  it('does not depend on how the document is written', () => {
    const a = resolved('name: a\nsettings: {fail_fast: true}\nguards: {shell_command: {enabled: true}}\n');
    const b = resolved('guards:\n  shell_command:\n    enabled: true\nsettings:\n  fail_fast: true\nname: "a"\n');
    expect(policyHash(a)).toBe(policyHash(b));
    expect(policyHash(a)).toMatch(/^[0-9a-f]{64}$/);
  });
  it('changes with every field', () => {
    const base = resolved('default');
    const other = resolved('extends: default\nsettings: {thresholds: {flag: 299}}\n');
    expect(policyHash(other)).not.toBe(policyHash(base));
  });
  it('survives a round trip through JSON', () => {
    const base = resolved('strict');
    const again = JSON.parse(canonicalize(base as unknown as JsonValue)) as ResolvedPolicy;
    expect(policyHash(again)).toBe(policyHash(base));
    expect(compilePolicy(again).ok).toBe(true);
  });
});

describe('POL-015 a resolved policy from elsewhere', () => {
  const base = resolved('default');
  const broken: readonly (readonly [string, unknown])[] = [
    ['nothing', null],
    ['a field too few', { ...base, settings: undefined }],
    ['a field too many', { ...base, extra: 1 }],
    ['an alias', { ...base, guards: { ...base.guards, secret_leak: { ...base.guards.secret_leak, severity_threshold: 'high' } } }],
    ['a bad pattern', { ...base, guards: { ...base.guards, forbidden_path: { ...base.guards.forbidden_path, patterns: ['[a'] } } }],
    ['an open host set', { ...base, guards: { ...base.guards, egress_allowlist: { ...base.guards.egress_allowlist, allow: ['@x'] } } }],
    ['turned thresholds', { ...base, settings: { ...base.settings, thresholds: { flag: 2, block: 1 } } }],
    ['a list for a mapping', { ...base, guards: [] }],
  ];
  it.each(broken)('is refused with %s', (_, value) => {
    expect(compilePolicy(value as ResolvedPolicy).ok).toBe(false);
  });
});

describe('POL-016 thresholds', () => {
  const policy = compiled(
    'settings: {thresholds: {flag: 300, block: 700}, tool_thresholds: [{tool: "database.*", flag: 100, block: 400}, {tool: "*", flag: 1, block: 2}]}\n',
  );
  it('first tool pattern wins, else those of the policy', () => {
    expect(thresholdsFor(policy, 'Database.query')).toEqual({ flag: 100, block: 400 });
    expect(thresholdsFor(policy, 'x')).toEqual({ flag: 1, block: 2 });
    expect(thresholdsFor(policy, undefined)).toEqual({ flag: 300, block: 700 });
    expect(compiled('default').thresholds).toEqual({ flag: 300, block: 700 });
  });
});
