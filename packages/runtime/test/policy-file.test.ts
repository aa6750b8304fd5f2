/** A policy file that is watched, on a real disk and by the real pipeline: in force whole or not at all, and nothing is judged by a mix of two. */
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { POLICY_LIMITS } from '@countersign/policy';
import type { FeedEvent } from '@countersign/pipeline';
import { openPolicyFile, openPolicySources, type PolicyFile, type PolicyFileOptions, type Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, register, unwrap } from './directory.ts';

/** Two policies that differ in one host, so that a verdict says by which of them it was made. */
const POLICY = (host: string, more = ''): string =>
  `version: "1.5.0"\nname: watched\nguards:\n  egress_allowlist:\n    allow: [${host}]\n    default_action: block\nsettings:\n  unregistered_tools: warn\n${more}`;
const [ONE, TWO] = ['one.example', 'two.example'] as const;

interface World {
  readonly runtime: Runtime;
  readonly actor: Actor;
  readonly path: string;
  readonly file: PolicyFile;
  readonly warnings: string[];
  /** Resolves with the next event of the feed about a policy. */
  readonly next: () => Promise<FeedEvent>;
  /** Puts another content in the place of the file, in one step. */
  readonly put: (text: string) => Promise<void>;
  readonly hash: () => string | undefined;
}

/** Where documents come from: files, and repositories of this machine; no host is named. */
function chainIn(directory: string): Pick<PolicyFileOptions, 'sources' | 'hostSets'> {
  const options = {
    cwd: directory,
    hosts: { outside: [], inside: [] },
    cacheDir: join(directory, 'cache'),
    resolveHost: () => Promise.resolve([]),
  };
  return { sources: () => openPolicySources(options), hostSets: () => ({}) };
}

async function world(first = POLICY(ONE)): Promise<World> {
  const directory = await freshDirectory();
  const warnings: string[] = [];
  let heard: (event: FeedEvent) => void = () => undefined;
  const feed = { publish: (event: FeedEvent): void => void (event.type === 'policy' && heard(event)) };
  const runtime = await openIn(directory, { feed, warn: (message) => void warnings.push(message) });
  const actor = register(runtime);
  const path = join(directory, 'policy.yaml');
  await writeFile(path, first);
  const file = unwrap(
    await openPolicyFile({
      ...chainIn(directory),
      path,
      policy: runtime.policy,
      timer: runtime.ports.timer,
      warn: (text) => void warnings.push(text),
    }),
  );
  return {
    runtime,
    actor,
    path,
    file,
    warnings,
    next: () => new Promise((resolve) => (heard = resolve)),
    put: async (text) => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
    hash: () => runtime.policy.engineFor('')?.inputs.policy,
  };
}

const ask = (runtime: Runtime, actor: Actor, host: string): ReturnType<typeof act> =>
  act(runtime, actor, { kind: 'net.egress', params: { host } });

describe('POL-280 a watched policy file', () => {
  it('is in force at once, and after each change without a restart', async () => {
    const { runtime, actor, file, next, put } = await world();
    const host = async (name: string): Promise<string> => (await ask(runtime, actor, name)).verdict.decision;
    expect([await host(ONE), await host(TWO)]).toEqual(['allow', 'deny']);
    const told = next();
    await put(POLICY(TWO));
    expect((await told).data).toMatchObject({ event: 'changed', by: 'file' });
    expect([await host(ONE), await host(TWO)]).toEqual(['deny', 'allow']);
    await file.close();
  });

  it('is followed where a link is pointed at another file', async () => {
    const { path, file, next, hash, put, runtime } = await world();
    await file.close();
    await put(POLICY(ONE));
    await writeFile(`${path}.two`, POLICY(TWO));
    const link = `${path}.link`;
    await symlink(path, link);
    const options = { ...chainIn(dirname(path)), policy: runtime.policy, timer: runtime.ports.timer, warn: (): void => undefined };
    const linked = unwrap(await openPolicyFile({ ...options, path: link }));
    const before = hash();
    const told = next();
    await symlink(`${path}.two`, `${link}.new`);
    await rename(`${link}.new`, link);
    await told;
    expect(hash()).not.toBe(before);
    await linked.close();
  });

  it('POL-281 what is no policy changes nothing, is told of everywhere, and is forgotten with the next that is one', async () => {
    const { runtime, actor, file, path, next, put, hash, warnings } = await world();
    const before = hash();
    const refusals = [
      ['guards: {egres: {}}\n', 'policy_unknown_field'],
      [`# ${'x'.repeat(POLICY_LIMITS.documentBytesMax)}\n`, 'policy_file_unreadable'],
    ] as const;
    for (const [text, code] of refusals) {
      const told = next();
      await put(text);
      expect((await told).data).toMatchObject({ event: 'refused', by: 'file', code, hash: before });
      expect(runtime.policy.refused).toContain(code);
      expect(runtime.policy.problem).toBeUndefined();
    }
    const gone = next();
    await rm(path);
    expect((await gone).data).toMatchObject({ event: 'refused', code: 'policy_file_unreadable', hash: before });
    expect((await ask(runtime, actor, ONE)).verdict.decision).toBe('allow');
    const mended = next();
    await put(POLICY(TWO));
    await mended;
    expect(runtime.policy.refused).toBeUndefined();
    expect(warnings.filter((warning) => warning.includes('stays in force'))).toHaveLength(3);
    expect(hash()).not.toBe(before);
    await file.close();
  });

  it('at the start, what is no policy is a fault, and nothing is watched', async () => {
    const { runtime, file, path } = await world();
    await file.close();
    await writeFile(path, 'guards: 3\n');
    const options = { ...chainIn(dirname(path)), policy: runtime.policy, timer: runtime.ports.timer, warn: (): void => undefined };
    const opened = await openPolicyFile({ ...options, path });
    expect(opened).toMatchObject({ ok: false, error: { code: 'policy_type' } });
    const missing = await openPolicyFile({ ...options, path: `${path}.none` });
    expect(missing).toMatchObject({ ok: false, error: { code: 'policy_file_unreadable' } });
  });
});

describe('POL-283 changes in the log', () => {
  it('each change and each refusal is an entry of its own, that says the hashes', async () => {
    const { runtime, file, next, put, hash } = await world();
    const before = hash();
    const size = runtime.log.durableSize;
    const changed = next();
    await put(POLICY(TWO));
    await changed;
    const refused = next();
    await put('guards: 3\n');
    await refused;
    await file.close();
    const bodies = [];
    for (let i = size; i < runtime.log.durableSize; i += 1)
      bodies.push((JSON.parse(new TextDecoder().decode(await runtime.log.readEntry(i))) as { body: Record<string, unknown> }).body);
    const entry = {
      principal: { org: 'countersign', agent: 'countersign' },
      session: 'countersign.policy',
      action: { kind: 'session.policy' },
      inputs: { policy: hash() },
      verdict: { decision: 'allow' },
    };
    expect(bodies).toMatchObject([entry, entry]);
    expect(before).not.toBe(hash());
  });
});
