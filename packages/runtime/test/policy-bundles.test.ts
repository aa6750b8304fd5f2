/** Signed bundles at a running gateway: believed by a key that the operator pinned, and by nothing else; on a real disk and by the real pipeline. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { buildPolicyBundle, parsePolicy, resolvePolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { policySignersPath, readPolicySigners, type Runtime, writePolicySigners } from '../src/index.ts';
import { RUNTIME_LIMITS } from '../src/limits.ts';
import { act, freshDirectory, openIn, register, unwrap } from './directory.ts';

const [PINNED, FRESH] = [createSigner(new Uint8Array(32).fill(1)), createSigner(new Uint8Array(32).fill(2))];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const KEY = hex(PINNED.publicKey);

function bundleOf(yaml: string, signer = PINNED): string {
  const policy = unwrap(resolvePolicy(unwrap(parsePolicy(yaml, 'test')), { rulesets: new Map(), hostSets: new Map() }));
  const facts = { bundleId: '01890000-0000-7000-8000-000000000001', compiledAt: '2026-01-01T00:00:00Z', sources: ['test'] };
  return buildPolicyBundle(policy, facts, signer);
}

const SIGNED =
  'version: "1.5.0"\nname: signed\nguards: {egress_allowlist: {allow: [one.example], default_action: block}}\nsettings: {unregistered_tools: warn}\n';

const hash = (runtime: Runtime): string | undefined => runtime.policy.engineFor('')?.inputs.policy;

async function codeOf(runtime: Runtime, source: string): Promise<string> {
  const before = hash(runtime);
  const set = await runtime.policy.set(source);
  const compiled = await runtime.policy.compile(source);
  if (set.ok) return 'in force';
  expect(compiled).toEqual(set);
  expect(hash(runtime)).toBe(before);
  return set.error.code;
}

describe('POL-122 a signed bundle at a running gateway', () => {
  it('is in force by a pinned key, judges, is kept as it came, and its change is in the log', async () => {
    const runtime = await openIn(await freshDirectory(), { policySigners: () => [KEY] });
    const actor = register(runtime);
    const size = runtime.log.durableSize;
    const text = bundleOf(SIGNED);
    expect(await codeOf(runtime, text)).toBe('in force');
    expect(runtime.store.activePolicy()).toMatchObject({ name: 'signed', source: text, hash: hash(runtime) });
    const host = async (name: string): Promise<string> =>
      (await act(runtime, actor, { kind: 'net.egress', params: { host: name } })).verdict.decision;
    const entry = JSON.parse(new TextDecoder().decode(await runtime.log.readEntry(size))) as { body: object };
    expect(entry.body).toMatchObject({ action: { kind: 'session.policy' }, inputs: { policy: hash(runtime) } });
    expect([await host('one.example'), await host('two.example')]).toEqual(['allow', 'deny']);
    // Taken up again from the store, as after a restart.
    const before = hash(runtime);
    await runtime.policy.reload();
    expect(hash(runtime)).toBe(before);
  });

  it('is refused by any other key, by one that it brings itself, and changed in one byte; the policy before it stays', async () => {
    const runtime = await openIn(await freshDirectory(), { policySigners: () => [KEY] });
    const good = bundleOf(SIGNED);
    expect(await codeOf(runtime, bundleOf(SIGNED, FRESH))).toBe('policy_bundle_signature');
    expect(await codeOf(runtime, good.replace(KEY, hex(FRESH.publicKey)))).toBe('policy_bundle_key');
    expect(await codeOf(runtime, good.replace('one.example', 'two.example'))).toBe('policy_bundle_signature');
    expect(await codeOf(runtime, '{"bundle": {}, "signature": ""}')).toBe('policy_bundle_malformed');
    // Members of a bundle in a document make it neither.
    expect(await codeOf(runtime, `bundle: {}\n${SIGNED}`)).toBe('policy_unknown_field');
  });

  it('is refused where nobody is pinned, where the pins cannot be read, and as soon as its signer is dropped', async () => {
    let pinned: () => readonly string[] = () => [];
    const runtime = await openIn(await freshDirectory(), { policySigners: () => pinned() });
    expect(await codeOf(runtime, bundleOf(SIGNED))).toBe('policy_bundle_no_trust');
    pinned = () => Object.values(readPolicySigners('/dev/null/none'));
    expect(await codeOf(runtime, bundleOf(SIGNED))).toBe('policy_signers_unreadable');
    pinned = () => [KEY];
    expect(await codeOf(runtime, bundleOf(SIGNED))).toBe('in force');
    pinned = () => [hex(FRESH.publicKey)];
    expect(await codeOf(runtime, bundleOf(SIGNED.replace('signed', 'later')))).toBe('policy_bundle_signature');
  });
});

describe('POL-122 the file of signers', () => {
  it('keeps keys by name, in the user-level configuration', async () => {
    const home = await freshDirectory();
    const path = policySignersPath(home);
    expect(path.startsWith(home)).toBe(true);
    expect(readPolicySigners(path)).toEqual({});
    writePolicySigners({ release: KEY }, path);
    expect(readPolicySigners(path)).toEqual({ release: KEY });
  });

  it.each([
    ['a list', '[]'],
    ['no JSON', '{'],
    ['a name of another form', JSON.stringify({ 'Not a name': KEY })],
    ['a key in upper case', JSON.stringify({ a: 'AB'.repeat(32) })],
    ['a key that is too short', JSON.stringify({ a: 'ab' })],
    ['a number', JSON.stringify({ a: 1 })],
    ['a file larger than its limit', `${' '.repeat(RUNTIME_LIMITS.policySignersBytesMax)}{}`],
  ])('%s is refused', async (_, text) => {
    const path = join(await freshDirectory(), 'signers.json');
    await writeFile(path, text);
    expect(() => readPolicySigners(path)).toThrow(expect.objectContaining({ code: 'policy_signers_invalid' }) as Error);
  });

  it('holds as many keys as the limit, and a file of as many bytes', async () => {
    const path = join(await freshDirectory(), 'signers.json');
    const signers = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, KEY]));
    writePolicySigners(signers(RUNTIME_LIMITS.policySignersMax), path);
    expect(() => writePolicySigners(signers(RUNTIME_LIMITS.policySignersMax + 1), path)).toThrow('at most 64');
    await writeFile(path, `${' '.repeat(RUNTIME_LIMITS.policySignersBytesMax - 2)}{}`);
    expect(readPolicySigners(path)).toEqual({});
  });
});
