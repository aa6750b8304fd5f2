import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeWorld } from './fake-world.ts';

const world = fakeWorld();
afterAll(() => world.remove());
const write = (name: string, text: string): void => writeFileSync(join(world.root, name), text);

describe('POL-101 policies that extend files', () => {
  it('are shown and validated with what they extend, relative to their own place', async () => {
    mkdirSync(join(world.root, 'team'));
    write('team/base.yaml', 'extends: strict\nattenuate_only: true\n');
    write('team/own.yaml', 'name: own\nextends: ./base.yaml\nguards: {egress_allowlist: {block: [bad.example]}}\n');
    const { exitCode, answer } = await world.ask(['policy', 'show', 'team/own.yaml', '--resolved']);
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({ resolved: { name: 'own', guards: { egress_allowlist: { block: ['bad.example'] } } } });
    write('team/wide.yaml', 'extends: ./base.yaml\nguards:\n  shell_command:\n    unparsed: warn\n');
    const wide = await world.run(['policy', 'validate', 'team/wide.yaml']);
    expect(wide.exitCode).toBe(3);
    expect(wide.stderr).toContain('guards.shell_command.unparsed');
  });
  it('an address of a host that nobody named is refused with what to do', async () => {
    write('far.yaml', `extends: "https://policies.example/p.yaml#sha256=${'0'.repeat(64)}"\n`);
    const { exitCode, stderr } = await world.run(['policy', 'validate', 'far.yaml']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('countersign hosts set policy-sources');
  });
});

describe('POL-120 policy bundle', () => {
  it('builds with a key as openssl writes it, and verifies with its public half only', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    write('key.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    write('key.pub', publicKey.export({ format: 'pem', type: 'spki' }).toString());
    write('other.hex', 'ab'.repeat(32));
    write('own.yaml', 'name: own\nextends: strict\n');
    const built = await world.ask(['policy', 'bundle', 'build', 'own.yaml', '--key', 'key.pem']);
    expect(built.exitCode).toBe(0);
    const { answer, exitCode } = await world.ask(['policy', 'bundle', 'verify', 'policy.bundle.json', '--pin', 'key.pub']);
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({
      verified: true,
      name: 'own',
      hash: built.answer['hash'],
      signedBy: built.answer['publicKey'],
      sources: ['own.yaml', 'strict.yaml'],
    });
    for (const pin of [[], ['--pin', 'other.hex']])
      expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json', ...pin])).exitCode).toBe(3);
    expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json', '--pin', 'key.pem'])).exitCode).toBe(3);
    write('changed.json', readFileSync(join(world.root, 'policy.bundle.json'), 'utf8').replace('"own"', '"owm"'));
    expect((await world.run(['policy', 'bundle', 'verify', 'changed.json', '--pin', 'key.pub'])).stderr).toContain(
      'policy_bundle_signature',
    );
  });
  it('POL-122 signers are pinned by name in the user-level configuration, and count where no pin is named', async () => {
    expect((await world.run(['policy', 'signer', 'list'])).stdout).toContain('nobody may sign policies');
    expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json'])).stderr).toContain('policy_bundle_no_trust');
    expect(await world.ask(['policy', 'signer', 'pin', 'release', 'key.pub'])).toMatchObject({
      exitCode: 0,
      answer: { command: 'policy signer pin', signers: { release: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
    expect(statSync(join(world.home, '.config', 'countersign', 'policy-signers.json')).mode & 0o077).toBe(0);
    expect((await world.run(['policy', 'signer', 'list'])).stdout).toContain('release');
    expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json'])).exitCode).toBe(0);
    // A key that is named counts alone.
    expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json', '--pin', 'other.hex'])).exitCode).toBe(3);
    expect((await world.run(['policy', 'signer', 'pin', 'Release', 'key.pub'])).stderr).toContain('policy_signers_invalid');
    expect((await world.run(['policy', 'signer', 'pin', 'release', 'key.pem'])).stderr).toContain('key_file_invalid');
    expect((await world.run(['policy', 'signer', 'drop', 'other'])).stderr).toContain('signer_unknown');
    expect((await world.run(['policy', 'signer', 'drop', 'release'])).exitCode).toBe(0);
    expect((await world.run(['policy', 'bundle', 'verify', 'policy.bundle.json'])).exitCode).toBe(3);
  });
  it('without a key, or with none, builds nothing', async () => {
    expect((await world.run(['policy', 'bundle', 'build', 'strict'])).exitCode).toBe(5);
    write('bad.pem', 'no key');
    expect((await world.run(['policy', 'bundle', 'build', 'strict', '--key', 'bad.pem'])).stderr).toContain('key_file_invalid');
  });
});
