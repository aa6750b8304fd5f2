/**
 * @module Where documents that a policy extends come from: files of this machine, https addresses of hosts that the operator named, and
 * commits. What comes over the network is pinned to its bytes and kept by its hash, so it is fetched once.
 */
import { open, readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import { type DocumentSources, type FoundFile, POLICY_LIMITS } from '@countersign/policy';
import { isAllowed, type PolicyHosts, type ResolveHost } from './policy-hosts.ts';
import { readCommit } from './policy-git.ts';
import { fetchPinned } from './policy-https.ts';
import { openPinnedCache } from './pinned-cache.ts';

export interface PolicySourcesOptions {
  /** Where relative paths of a document without a file begin. */
  readonly cwd: string;
  /** Hosts that may be asked; none is asked where the list is empty. */
  readonly hosts: PolicyHosts;
  /** Directory of what was fetched, by hash. */
  readonly cacheDir: string;
  readonly resolveHost: ResolveHost;
  /** File with the certificates (PEM) of the operator's own authority; those of the platform count where undefined. */
  readonly caFile?: string | undefined;
}

const FILE_MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be read',
  EISDIR: 'this is a directory, not a file',
};

/** Reads at most one byte more than a document may have, whatever the file says of its size. */
async function readBounded(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r');
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const buffer = Buffer.alloc(POLICY_LIMITS.documentBytesMax + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) return new Uint8Array(buffer.subarray(0, length));
      length += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function readLocal(path: string): Promise<Result<FoundFile, Fault>> {
  try {
    const realPath = await realpath(path);
    const bytes = await readBounded(realPath);
    return bytes === undefined ? err({ code: 'policy_extends', message: 'this is no regular file' }) : ok({ realPath, bytes });
  } catch (error) {
    const code = codeOf(error);
    return err({ code: 'policy_extends', message: FILE_MESSAGES[code] ?? `the file cannot be read (${code})` });
  }
}

/** The sources of this machine. */
export function openPolicySources(options: PolicySourcesOptions): DocumentSources {
  const cache = openPinnedCache(options.cacheDir);
  const pinned = async (
    reference: { readonly host?: string; readonly sha256: string },
    fetchIt: () => Promise<Result<Uint8Array, Fault>>,
  ): Promise<Result<Uint8Array, Fault>> => {
    // Before the cache: what may no longer be asked for is no longer used either.
    if (reference.host !== undefined && !isAllowed(options.hosts, reference.host)) {
      return err({
        code: 'policy_source_host',
        message: `the host \`${reference.host}\` is not one that policies may come from`,
        hint: 'name it with `countersign hosts set policy-sources HOST...`',
      });
    }
    const kept = await cache.read(reference.sha256);
    if (kept !== undefined) return ok(kept);
    const fetched = await fetchIt();
    if (fetched.ok) await cache.keep(reference.sha256, fetched.value);
    return fetched;
  };
  return {
    file: async (path, from) => readLocal(resolve(from === undefined ? options.cwd : dirname(from), path)),
    https: async (reference) =>
      pinned(reference, async () => {
        const ca = options.caFile === undefined ? undefined : await readFile(options.caFile, 'utf8');
        return fetchPinned(reference, options.hosts, { resolveHost: options.resolveHost, ca });
      }),
    git: async (reference) => pinned(reference, async () => readCommit(reference, options.hosts, options)),
  };
}
