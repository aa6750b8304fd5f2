import { POLICY_LIMITS } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { actionOf, judged } from './support.ts';

describe('POL-043 a crowd of light matches', () => {
  it('does not hide a heavy one', () => {
    const light = Object.fromEntries(
      Array.from({ length: POLICY_LIMITS.matchesMax + 8 }, (_, i) => [`f${String(i)}`, `password=${'word'.repeat(3)}${String(i)}`]),
    );
    const secret = (params: Readonly<Record<string, string>>): boolean | undefined =>
      judged('permissive', actionOf({ kind: 'tool.call', tool: 'note', params })).find((result) => result.guard === 'secret_leak')?.allowed;
    expect(secret(light)).toBe(true);
    expect(secret({ ...light, key: ['gh', 'p_', 'a1B2'.repeat(9)].join('') })).toBe(false);
  });
});
