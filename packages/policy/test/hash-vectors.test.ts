import { canonicalize, type JsonValue } from '@countersign/kernel';
import { policyHash, type ResolvedPolicy, verifyPolicyBundle } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { readVectors, resolved } from './support.ts';

interface HashCase {
  readonly name: string;
  readonly yaml: string;
  readonly resolved: JsonValue;
  readonly hash: string;
}
interface BundleCase {
  readonly name: string;
  readonly file: string;
  readonly pinned: readonly string[];
  readonly code: string;
  readonly hash?: string;
}
const hashes = readVectors('hashes.json') as { readonly cases: readonly HashCase[] };
const bundles = readVectors('bundles.json') as { readonly cases: readonly BundleCase[] };

describe('POL-014 the hash of a policy, as any language computes it', () => {
  it.each(hashes.cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const policy = resolved(one.yaml);
    expect(canonicalize(policy as unknown as JsonValue)).toBe(canonicalize(one.resolved));
    expect(policyHash(policy)).toBe(one.hash);
    expect(policyHash(one.resolved as unknown as ResolvedPolicy)).toBe(one.hash);
  });
});

describe('POL-120 POL-121 bundles, as any language verifies them', () => {
  it.each(bundles.cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const verified = verifyPolicyBundle(new TextEncoder().encode(one.file), one.pinned);
    expect(verified.ok ? 'ok' : verified.error.code).toBe(one.code);
    if (verified.ok) expect(verified.value.hash).toBe(one.hash);
  });
});
