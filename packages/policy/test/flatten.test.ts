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

/** A section or guard each that came after the first. */
const LATER = [
  `posture: {initial: a, states: {a: {capabilities: [shell], budgets: {patches: 3}}, b: {}},
  transitions: [{from: a, to: b, on: timeout, after: 5m}, {from: "*", to: b, on: any_violation, requires: [{no_violations_in: 10m}]}]}\n`,
  'cedar: {policies: [{id: x, compiled: "forbid(principal, action, resource);", cedar_action: remove_scope, cedar_scope: "db:*"}], scopes: ["db:x:y"]}\n',
  'boundaries: [{name: b, agents: ["*"], hours: {from: 8, to: 9}}]\nexemptions: [{label: l, rules: [R020], scope: "db:*"}]\n',
  'protected_entities: [{name: n, tables: [x], action: warn}]\nguards: {jailbreak: {detector: {session_block_threshold: 60}}}\n',
  'guards: {computer_use: {mode: observe, allowed_actions: [remote.clipboard]}, remote_desktop_side_channel: {threat_tier: dev}}\n',
];

describe('POL-107 a policy without what it extends', () => {
  it.each([...BUILTIN_RULESETS, OVERLAY, ...LATER, 'version: "1.1.0"\nextends: learning\nsettings: {thresholds: {flag: 1}}\n'])(
    '%s',
    (policy) => {
      const whole = resolved(policy);
      const flat = parsePolicy(JSON.stringify(flattenPolicy(whole)), 'flat');
      expect(flat.ok ? [] : flat.error).toEqual([]);
      if (!flat.ok) return;
      expect(flat.value.content.extends).toBeUndefined();
      const again = resolvePolicy(flat.value, { rulesets, hostSets: new Map() });
      expect(again.ok && policyHash(again.value)).toBe(policyHash(whole));
    },
  );
});
