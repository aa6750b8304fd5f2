import { BUILTIN_RULESETS, flattenPolicy, parsePolicy, policyHash, resolvePolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { resolved, rulesets } from './support.ts';

const OVERLAY = `extends: strict
version: "1.2.0"
guards:
  path_allowlist: {file_access_allow: ["/w/**"]}
  secret_leak: {remove_patterns: [npm_token], additional_patterns: [{name: own, pattern: "OWN-[0-9]{8}", masking: {first: 0, last: 0}}]}
detection: {paranoia_level: 2, disable: [R042], scores: {R123: 0.57, R7: 1}}
`;

describe('POL-107 a policy without what it extends', () => {
  it.each([...BUILTIN_RULESETS, OVERLAY, 'version: "1.1.0"\nextends: learning\nsettings: {thresholds: {flag: 1}}\n'])('%s', (policy) => {
    const whole = resolved(policy);
    const flat = parsePolicy(JSON.stringify(flattenPolicy(whole)), 'flat');
    expect(flat.ok ? [] : flat.error).toEqual([]);
    if (!flat.ok) return;
    expect(flat.value.content.extends).toBeUndefined();
    const again = resolvePolicy(flat.value, { rulesets, hostSets: new Map() });
    expect(again.ok && policyHash(again.value)).toBe(policyHash(whole));
  });
});
