import { describe, expect, it } from 'vitest';
import { migratePolicy, type PolicyFault, policyHash } from '@countersign/policy';
import { readText, resolved, rulesets } from './support.ts';

function moved(text: string, to = '1.5.0'): { readonly text: string; readonly changes: readonly unknown[] } {
  const result = migratePolicy(text, 'test', to);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('; '));
  return result.value;
}

function codes(text: string, to: string): readonly string[] {
  const result = migratePolicy(text, 'test', to);
  return result.ok ? [] : result.error.map((fault: PolicyFault) => fault.code);
}

const OLD = `# ours
version: 1.0.0 # the first
name: Old
guards:
  egress_allowlist: {allow: [a.example], default_action: deny}
  secret_leak:
    severity_threshold: "high"
    patterns:
      - {name: a, pattern: aa, severity: low}
`;

describe('POL-284 policy migrate', () => {
  it('changes the version and old words, and not a byte besides', () => {
    const { text, changes } = moved(OLD);
    expect(text).toBe(
      OLD.replace('1.0.0', '"1.5.0"').replace('deny', 'block').replace('"high"', 'error').replace('severity: low', 'severity: info'),
    );
    expect(changes).toEqual([
      { path: 'version', from: '1.0.0', to: '1.5.0' },
      { path: 'guards.egress_allowlist.default_action', from: 'deny', to: 'block' },
      { path: 'guards.secret_leak.severity_threshold', from: 'high', to: 'error' },
      { path: 'guards.secret_leak.patterns[0].severity', from: 'low', to: 'info' },
    ]);
    expect(moved(text)).toEqual({ text, changes: [] });
  });

  it('a version that was absent is written before everything but comments', () => {
    expect(moved('# a comment\nname: A\n').text).toBe('# a comment\nversion: "1.5.0"\nname: A\n');
  });

  it('what the wanted version cannot say, and versions nobody knows, are faults', () => {
    expect(codes('version: "1.5.0"\nguards:\n  path_allowlist: {file_access_allow: [/a]}\n', '1.1.0')).toEqual(['policy_version_gate']);
    expect(codes('version: "3.0.0"\n', '1.5.0')).toEqual(['policy_version']);
    expect(codes('version: "1.5.0"\n', '9.9.9')).toEqual(['policy_version']);
    expect(codes('version: "1.0.0"\nguardz: {}\n', '1.5.0')).toEqual(['policy_unknown_field']);
    expect(codes('version: >-\n  1.0.0\n', '1.5.0')).toEqual(['policy_yaml']);
  });

  it.each([...rulesets.keys()])('%s says the same in every version that can say it', (name) => {
    const text = readText(`packages/policy/rulesets/${name}.yaml`);
    const there = resolved(moved(text, '1.4.0').text);
    expect(policyHash({ ...there, version: resolved(text).version })).toBe(policyHash(resolved(text)));
  });
});
