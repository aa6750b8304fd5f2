/**
 * @module One file of one commit, by the `git` of this machine: no configuration but its own, no hooks, no prompts, no other protocol, and
 * over https the address that was checked. The commit is a whole id, so it can neither move nor be read as an option.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import { type GitReference, POLICY_LIMITS } from '@countersign/policy';
import { RUNTIME_LIMITS } from './limits.ts';
import { pinAddress, type PolicyHosts, type ResolveHost } from './policy-hosts.ts';

const run = promisify(execFile);

/** Nothing of the caller's environment but where programs are. */
function environment(caFile: string | undefined): Readonly<Record<string, string>> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    ...(caFile !== undefined && { GIT_SSL_CAINFO: caFile }),
  };
}

interface Fetching {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly settings: readonly string[];
}

async function git({ directory, env, settings }: Fetching, args: readonly string[]): Promise<Buffer> {
  const options = settings.flatMap((setting) => ['-c', setting]);
  const { stdout } = await run('git', ['--git-dir', directory, ...options, ...args], {
    env,
    encoding: 'buffer',
    timeout: RUNTIME_LIMITS.policyGitMs,
    killSignal: 'SIGKILL',
    maxBuffer: POLICY_LIMITS.fetchBytesMax + 1,
  });
  return stdout;
}

const SETTINGS = ['protocol.allow=never', 'core.hooksPath=/dev/null', 'http.followRedirects=false', 'gc.auto=0', 'maintenance.auto=false'];

async function settingsFor(reference: GitReference, hosts: PolicyHosts, resolve: ResolveHost): Promise<Result<readonly string[], Fault>> {
  const { host, port = 443 } = reference;
  if (host === undefined) return ok([...SETTINGS, 'protocol.file.allow=always']);
  const pinned = await pinAddress(host, hosts, resolve);
  if (!pinned.ok) return pinned;
  const { address, family } = pinned.value;
  const place = family === 6 ? `[${address}]` : address;
  return ok([...SETTINGS, 'protocol.https.allow=always', 'http.proxy=', `http.curloptResolve=${host}:${String(port)}:${place}`]);
}

async function fetchFile(fetching: Fetching, reference: GitReference): Promise<Result<Uint8Array, Fault>> {
  const { repository, commit, path } = reference;
  const format = commit.length === 64 ? 'sha256' : 'sha1';
  await git(fetching, ['init', '--quiet', '--bare', `--object-format=${format}`]);
  await git(fetching, ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', repository, commit]);
  const object = `${commit}:${path}`;
  const size = Number((await git(fetching, ['cat-file', '-s', object])).toString('latin1').trim());
  if (!(size <= POLICY_LIMITS.fetchBytesMax))
    return err({ code: 'policy_too_large', message: `larger than ${String(POLICY_LIMITS.fetchBytesMax)} bytes` });
  return ok(new Uint8Array(await git(fetching, ['cat-file', 'blob', object])));
}

/** Reads the file that a reference names. */
export async function readCommit(
  reference: GitReference,
  hosts: PolicyHosts,
  world: { readonly resolveHost: ResolveHost; readonly caFile?: string | undefined },
): Promise<Result<Uint8Array, Fault>> {
  const settings = await settingsFor(reference, hosts, world.resolveHost);
  if (!settings.ok) return settings;
  const directory = await mkdtemp(join(tmpdir(), 'countersign-git-'));
  try {
    return await fetchFile({ directory, env: environment(world.caFile), settings: settings.value }, reference);
  } catch {
    return err({
      code: 'policy_source_unreachable',
      message: 'git could not read that file of that commit',
      hint: `try: git fetch --depth=1 ${reference.repository} ${reference.commit}`,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
