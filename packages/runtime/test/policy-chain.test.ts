/** A watched policy file that extends others: every file it stands on is watched, and what is wrong with any of them changes nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createSigner, sha256Hex } from '@countersign/crypto';
import type { FeedEvent } from '@countersign/pipeline';
import { buildPolicyBundle, parsePolicy, resolvePolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import {
  openPolicyFile,
  openPolicySources,
  type PolicyFile,
  type PolicyFileOptions,
  type Runtime,
  type RuntimeOptions,
} from '../src/index.ts';
import { RUNTIME_LIMITS } from '../src/limits.ts';
import { act, type Actor, freshDirectory, openIn, register, unwrap } from './directory.ts';

const BASE = (host: string): string =>
  `version: "1.5.0"\nname: base\nguards:\n  egress_allowlist: {allow: [${host}], default_action: block}\nsettings: {unregistered_tools: warn}\n`;

interface World {
  readonly runtime: Runtime;
  readonly directory: string;
  readonly options: PolicyFileOptions;
  readonly warnings: string[];
  /** Resolves with the next event of the feed about a policy. */
  readonly next: () => Promise<FeedEvent>;
  /** Puts another content in the place of a file, in one step. */
  readonly put: (name: string, text: string) => Promise<void>;
  readonly open: () => Promise<PolicyFile>;
  /** Hosts of a list that an action may reach. */
  readonly reach: (...hosts: readonly string[]) => Promise<readonly string[]>;
}

async function world(
  files: Readonly<Record<string, string>>,
  more: Partial<PolicyFileOptions> = {},
  opening: Partial<RuntimeOptions> = {},
): Promise<World> {
  const directory = join(await freshDirectory(), 'policies');
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  let heard: (event: FeedEvent) => void = () => undefined;
  const feed = { publish: (event: FeedEvent): void => void (event.type === 'policy' && heard(event)) };
  const runtime = await openIn(dirname(directory), { feed, warn, ...opening });
  const actor: Actor = register(runtime);
  const put = async (name: string, text: string): Promise<void> => {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  for (const [name, text] of Object.entries(files)) await put(name, text);
  const places = {
    cwd: directory,
    hosts: { outside: [], inside: [] },
    cacheDir: join(directory, 'cache'),
    resolveHost: () => Promise.resolve([]),
  };
  const options: PolicyFileOptions = {
    path: join(directory, 'policy.yaml'),
    policy: runtime.policy,
    timer: runtime.ports.timer,
    warn,
    sources: () => openPolicySources(places),
    hostSets: () => ({}),
    ...more,
  };
  const allowed = async (host: string): Promise<boolean> =>
    (await act(runtime, actor, { kind: 'net.egress', params: { host } })).verdict.decision !== 'deny';
  return {
    runtime,
    directory,
    options,
    warnings,
    next: () => new Promise((resolve) => (heard = resolve)),
    put,
    open: async () => unwrap(await openPolicyFile(options)),
    reach: async (...hosts) => {
      const found: string[] = [];
      for (const host of hosts) if (await allowed(host)) found.push(host);
      return found;
    },
  };
}

const TEAM = { 'policy.yaml': 'name: own\nextends: ./team/middle.yaml\n', 'team/middle.yaml': 'extends: ../base/base.yaml\n' };
const [ONE, TWO] = ['one.example', 'two.example'] as const;

describe('POL-288 a watched policy file that extends others', () => {
  it('is in force with all that it extends, and again when any of them changes', async () => {
    const { open, next, put, reach, runtime } = await world({ ...TEAM, 'base/base.yaml': BASE(ONE) });
    const file = await open();
    expect(await reach(ONE, TWO)).toEqual([ONE]);
    // What is kept is one document that says the same, so that it can be read back without the files.
    const kept = runtime.store.activePolicy();
    expect(kept?.name).toBe('own');
    expect(unwrap(await runtime.policy.compile(kept?.source ?? '')).hash).toBe(kept?.hash);
    let told = next();
    await put('base/base.yaml', BASE(TWO));
    expect((await told).data).toMatchObject({ event: 'changed', by: 'file' });
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    // A file that joined the chain is watched like the first.
    told = next();
    await put('elsewhere/third.yaml', BASE(ONE));
    await put('policy.yaml', 'name: own\nextends: ./elsewhere/third.yaml\n');
    await told;
    expect(await reach(ONE, TWO)).toEqual([ONE]);
    told = next();
    await put('elsewhere/third.yaml', BASE(TWO));
    await told;
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    await file.close();
  });

  it('keeps the policy before it where a file of the chain is gone, broken, or turns in a circle, and says so', async () => {
    const { open, next, put, reach, runtime, directory, warnings } = await world({ ...TEAM, 'base/base.yaml': BASE(ONE) });
    const file = await open();
    const before = runtime.policy.engineFor('')?.inputs.policy;
    const break_ = async (how: () => Promise<void>, code: string): Promise<void> => {
      const told = next();
      await how();
      expect((await told).data).toMatchObject({ event: 'refused', by: 'file', code, hash: before });
      expect(runtime.policy.refused).toContain(code);
      expect(await reach(ONE, TWO)).toEqual([ONE]);
    };
    await break_(() => rm(join(directory, 'base/base.yaml')), 'policy_extends');
    await break_(() => put('base/base.yaml', 'guards: 3\n'), 'policy_type');
    await break_(() => put('base/base.yaml', 'extends: ../policy.yaml\n'), 'policy_extends_cycle');
    await break_(
      () => put('base/base.yaml', `extends: "https://policies.example/p.yaml#sha256=${'0'.repeat(64)}"\n`),
      'policy_source_host',
    );
    await break_(() => put('base/base.yaml', 'extends: "https://policies.example/p.yaml"\n'), 'policy_extends_pin');
    expect(warnings.filter((warning) => warning.includes('stays in force'))).toHaveLength(5);
    const told = next();
    await put('base/base.yaml', BASE(TWO));
    expect((await told).data).toMatchObject({ event: 'changed' });
    expect(runtime.policy.refused).toBeUndefined();
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    await file.close();
  });

  it('is followed where the directory of all its files is put in place of another by a link', async () => {
    const { open, next, put, reach, directory, runtime } = await world({
      'v1/policy.yaml': 'extends: ./base.yaml\n',
      'v1/base.yaml': BASE(ONE),
    });
    const point = async (version: string): Promise<void> => {
      await symlink(version, join(directory, 'data.new'));
      await rename(join(directory, 'data.new'), join(directory, 'data'));
    };
    await point('v1');
    await symlink('data/policy.yaml', join(directory, 'policy.yaml'));
    const file = await open();
    expect(await reach(ONE, TWO)).toEqual([ONE]);
    // The file itself says the same in both; only what stands beside its real place differs.
    await put('v2/policy.yaml', 'extends: ./base.yaml\n');
    await put('v2/base.yaml', BASE(TWO));
    const told = next();
    await point('v2');
    expect((await told).data).toMatchObject({ event: 'changed' });
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    expect(runtime.policy.refused).toBeUndefined();
    await file.close();
  });

  it('POL-122 may be a bundle: of a pinned signer, or it is refused like any bad file', async () => {
    const signer = createSigner(new Uint8Array(32).fill(7));
    const bundle = (host: string, by = signer): string => {
      const policy = unwrap(resolvePolicy(unwrap(parsePolicy(BASE(host), 'base')), { rulesets: new Map(), hostSets: new Map() }));
      return buildPolicyBundle(
        policy,
        { bundleId: '01890000-0000-7000-8000-000000000001', compiledAt: '2026-01-01T00:00:00Z', sources: [] },
        by,
      );
    };
    const policySigners = (): readonly string[] => [Buffer.from(signer.publicKey).toString('hex')];
    const { open, next, put, reach } = await world({ 'policy.yaml': bundle(ONE) }, {}, { policySigners });
    const file = await open();
    expect(await reach(ONE, TWO)).toEqual([ONE]);
    let told = next();
    await put('policy.yaml', bundle(TWO, createSigner(new Uint8Array(32).fill(8))));
    expect((await told).data).toMatchObject({ event: 'refused', code: 'policy_bundle_signature' });
    expect(await reach(ONE, TWO)).toEqual([ONE]);
    told = next();
    await put('policy.yaml', bundle(TWO));
    await told;
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    await file.close();
  });

  it('does not start where the chain is not whole', async () => {
    const { options, put } = await world(TEAM);
    expect(await openPolicyFile(options)).toMatchObject({ ok: false, error: { code: 'policy_extends' } });
    await put('policy.yaml', `extends: "https://policies.example/p.yaml#sha256=${'0'.repeat(64)}"\n`);
    expect(await openPolicyFile(options)).toMatchObject({ ok: false, error: { code: 'policy_source_host' } });
    // What cannot be said of the hosts is no reason to go on without them.
    const sources = (): never => {
      throw Object.assign(new Error('bad'), { code: 'host_sets_invalid' });
    };
    expect(await openPolicyFile({ ...options, sources })).toMatchObject({ ok: false, error: { code: 'host_sets_invalid' } });
  });

  it('asks again, on a clock, for what a host did not give, and takes it up when it is there', async () => {
    const text = BASE(TWO);
    let answers = false;
    const later: (() => void)[] = [];
    const far = `extends: "https://policies.example/p.yaml#sha256=${sha256Hex(text)}"\n`;
    let asked = 0;
    const { options, next, put, reach, runtime } = await world({ 'policy.yaml': BASE(ONE) });
    const file = unwrap(
      await openPolicyFile({
        ...options,
        // Time passes where the test lets it; what only rests goes on at once.
        timer: {
          after(ms, run) {
            if (ms === RUNTIME_LIMITS.policyPollMs) later.push(run);
            else queueMicrotask(run);
            return () => undefined;
          },
        },
        sources: () => ({
          ...options.sources(),
          https: () => {
            asked += 1;
            const bytes = new TextEncoder().encode(text);
            return Promise.resolve(
              answers ? { ok: true, value: bytes } : { ok: false, error: { code: 'policy_source_unreachable', message: 'no answer' } },
            );
          },
        }),
      }),
    );
    let told = next();
    await put('policy.yaml', far);
    expect((await told).data).toMatchObject({ event: 'refused', code: 'policy_source_unreachable' });
    const before = asked;
    answers = true;
    told = next();
    for (let polls = 0; polls < RUNTIME_LIMITS.policyRetryPolls; polls += 1) later.shift()?.();
    expect((await told).data).toMatchObject({ event: 'changed' });
    expect(asked).toBeGreaterThan(before);
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    expect(runtime.policy.refused).toBeUndefined();
    await file.close();
  });

  const git = spawnSync('git', ['version']).status === 0;
  it.skipIf(!git)(`follows a pinned commit${git ? '' : ' (skipped: there is no git here)'}`, async () => {
    const { open, put, reach, directory } = await world({ 'repository/base.yaml': BASE(TWO) });
    const repository = join(directory, 'repository');
    const run = (...args: readonly string[]): string => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' });
    run('init', '-q');
    run('add', 'base.yaml');
    run('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'one');
    const pin = sha256Hex(await readFile(join(repository, 'base.yaml')));
    await put('policy.yaml', `extends: "git+file://${repository}@${run('rev-parse', 'HEAD').trim()}:base.yaml#sha256=${pin}"\n`);
    const file = await open();
    expect(await reach(ONE, TWO)).toEqual([TWO]);
    await file.close();
  });
});
