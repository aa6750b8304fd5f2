import { createSigner } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { buildPolicyBundle, POLICY_LIMITS, policyHash, verifyPolicyBundle } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { resolved } from './support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const signer = createSigner(new Uint8Array(32).fill(7));
const stranger = createSigner(new Uint8Array(32).fill(8));
const [own, other] = [hex(signer.publicKey), hex(stranger.publicKey)];
const facts = {
  bundleId: '01890000-0000-7000-8000-000000000000',
  compiledAt: '2026-01-01T00:00:00.000Z',
  sources: ['team.yaml', 'strict'],
};
const policy = resolved('strict');
const text = buildPolicyBundle(policy, facts, signer);

interface Parts {
  readonly bundle: JsonObject;
  readonly signature: string;
  readonly public_key?: string;
}
const parts = JSON.parse(text) as Parts;

function verify(bundle: string | JsonValue, pinned: readonly string[] = [own]): ReturnType<typeof verifyPolicyBundle> {
  return verifyPolicyBundle(new TextEncoder().encode(typeof bundle === 'string' ? bundle : JSON.stringify(bundle)), pinned);
}
function code(bundle: string | JsonValue, pinned?: readonly string[]): string {
  const verified = verify(bundle, pinned);
  return verified.ok ? 'ok' : verified.error.code;
}
/** The same with other contents, rightly signed. */
function resigned(change: Readonly<Record<string, JsonValue | undefined>>, by = signer): JsonValue {
  const entries = Object.entries({ ...parts.bundle, ...change }).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  const bundle: JsonObject = Object.fromEntries(entries);
  return { bundle, signature: hex(by.sign(canonicalize(bundle))) };
}

describe('POL-120 POL-121 signed bundles', () => {
  it('are believed for a pinned key, whatever the order of its members', () => {
    const verified = verify(text, [other, own]);
    expect(verified.ok && verified.value).toMatchObject({ ...facts, policy, hash: policyHash(policy), signedBy: own });
    expect(code(JSON.stringify({ signature: parts.signature, bundle: parts.bundle }, null, 2))).toBe('ok');
    expect(code(resigned({ metadata: { ticket: 'X-1' } }))).toBe('ok');
  });
  it('are never believed for the key inside', () => {
    expect(code(text, [])).toBe('policy_bundle_no_trust');
    expect(code(text, [other])).toBe('policy_bundle_signature');
    expect(code(buildPolicyBundle(policy, facts, stranger))).toBe('policy_bundle_signature');
    expect(code({ ...(resigned({}) as JsonObject), public_key: other })).toBe('policy_bundle_key');
  });
  it.each(['', 'zz'.repeat(32), own.toUpperCase(), `${own}00`, '00'.repeat(32)])('a pin `%s` matches nothing', (pin) => {
    expect(code(text, [pin])).toBe('policy_bundle_signature');
  });
  it('any changed member breaks the signature', () => {
    for (const key of ['bundle_id', 'compiled_at', 'policy_hash', 'sources', 'policy']) {
      const value: Readonly<Record<string, JsonValue>> = {
        bundle_id: '01890000-0000-7000-8000-000000000001',
        compiled_at: '2027-01-01T00:00:00Z',
        policy_hash: '0'.repeat(64),
        sources: [],
        policy: { ...(parts.bundle['policy'] as JsonObject), name: 'x' },
      };
      expect(code({ ...parts, bundle: { ...parts.bundle, [key]: value[key] ?? null } })).toBe('policy_bundle_signature');
    }
  });
  it('the hash must be that of the policy, and the policy one that compiles', () => {
    expect(code(resigned({ policy_hash: '0'.repeat(64) }))).toBe('policy_bundle_hash');
    const broken = { ...(parts.bundle['policy'] as JsonObject), format: 'other' };
    const hash = policyHash(broken as unknown as typeof policy);
    expect(code(resigned({ policy: broken, policy_hash: hash }))).toBe('policy_bundle_policy');
  });
  it.each<readonly [string, JsonValue | string]>([
    ['no JSON', '{'],
    ['a list', []],
    ['a key twice', text.replace('{"bundle"', '{"signature":"","bundle"')],
    ['another version', resigned({ version: '2.0.0' })],
    ['no id', resigned({ bundle_id: 'x' })],
    ['no time', resigned({ compiled_at: 'yesterday' })],
    ['sources that are no texts', resigned({ sources: [1] })],
    ['a member more', resigned({ more: 1 })],
    ['a member less', resigned({ sources: undefined })],
    ['a signature of another length', { ...parts, signature: 'ab' }],
    ['a member more outside', { ...parts, more: 1 }],
  ])('%s is malformed', (_, bundle) => {
    expect(code(bundle)).toBe('policy_bundle_malformed');
  });
  it('has a limit of bytes, at n and n + 1', () => {
    expect(code(' '.repeat(POLICY_LIMITS.bundleBytesMax - text.length) + text)).toBe('ok');
    expect(code(' '.repeat(POLICY_LIMITS.bundleBytesMax - text.length + 1) + text)).toBe('policy_bundle_too_large');
  });
});
