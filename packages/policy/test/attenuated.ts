/** A document that may only tighten what it extends, laid on it; for the tests of `attenuate_only`. */
import { type PolicyFault, type ResolvedPolicy, resolvePolicy } from '@countersign/policy';
import { expect } from 'vitest';
import { documentOf, rulesets } from './support.ts';

export interface Laid {
  readonly policy?: ResolvedPolicy;
  readonly faults: readonly PolicyFault[];
}

/** `child` extends `default`, which here is `parent`. */
export function laid(child: string, parent: string): Laid {
  const known = new Map([...rulesets, ['default', documentOf(parent, 'parent')] as const]);
  const policy = resolvePolicy(documentOf(child, 'child'), { rulesets: known, hostSets: new Map() });
  return policy.ok ? { policy: policy.value, faults: [] } : { faults: policy.error };
}

/** The paths of the fields that would be wider. */
export function wider(child: string, parent: string): readonly (string | undefined)[] {
  const { faults } = laid(`extends: default\nattenuate_only: true\n${child}\n`, parent);
  expect(faults.filter((fault) => fault.code !== 'policy_attenuation')).toEqual([]);
  return faults.map((fault) => fault.path);
}
