/**
 * @module A policy file with all that it extends, as the command line reads it: files, pinned addresses and commits. What comes of it is one text
 * that a gateway can take and keep, and the list of the files that it stands on, also where it is refused (spec/policy.md POL-288).
 */
import { basename, dirname, resolve } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import {
  type DocumentSources,
  flattenPolicy,
  type FoundFile,
  isPolicyBundle,
  loadAncestors,
  parsePolicy,
  POLICY_LIMITS,
  type PolicyDocument,
  policyHash,
  readReference,
  resolvePolicy,
} from '@countersign/policy';
import { loadRuleset } from './builtin.ts';
import type { HostSets } from './host-sets.ts';
import { asOne } from './one-fault.ts';

export interface ChainWorld {
  /** Asked for each reading, so that hosts that the operator names hold for the next. */
  readonly sources: () => DocumentSources;
  readonly hostSets: () => HostSets;
}

/** A file as it was found. */
export interface SeenFile {
  /** Absolute, as it is named. */
  readonly path: string;
  /** With links followed; undefined where there is no file. */
  readonly realPath: string | undefined;
  /** Tells one content, or one reason that there is none, from another. */
  readonly state: string;
}

export interface PolicyChain {
  readonly text: Result<string, Fault>;
  readonly files: readonly SeenFile[];
}

function seen(path: string, found: Result<FoundFile, Fault>): SeenFile {
  if (!found.ok) return { path, realPath: undefined, state: found.error.message };
  const { realPath, bytes } = found.value;
  return { path, realPath, state: sha256Hex(bytes) };
}

/** Sources that remember which files they were asked for. */
function remembering(sources: DocumentSources, files: SeenFile[]): DocumentSources {
  return {
    ...sources,
    file: async (path, from) => {
      const found = await sources.file(path, from);
      files.push(seen(from === undefined ? path : resolve(dirname(from), path), found));
      return found;
    },
  };
}

function unreadable(message: string): Result<never, Fault> {
  return err({ code: 'policy_file_unreadable', message });
}

function textOf({ bytes }: FoundFile): Result<string, Fault> {
  if (bytes.length > POLICY_LIMITS.documentBytesMax)
    return unreadable(`the policy file is larger than ${POLICY_LIMITS.documentBytesMax} bytes`);
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return unreadable('the policy file is not UTF-8 text');
  }
}

function resolved(
  document: PolicyDocument,
  ancestors: readonly PolicyDocument[],
  { hostSets }: ChainWorld,
): ReturnType<typeof resolvePolicy> {
  return resolvePolicy(document, { rulesets: new Map(), hostSets: new Map(Object.entries(hostSets())), ancestors });
}

/** What extends rulesets alone is taken as written; anything else becomes one document that says the same (POL-107). */
async function selfContained(
  text: string,
  file: FoundFile,
  world: ChainWorld & { readonly from: DocumentSources },
): Promise<Result<string, Fault>> {
  const name = basename(file.realPath);
  const parsed = parsePolicy(text, name);
  if (!parsed.ok) return err(asOne(parsed.error));
  const { extends: base } = parsed.value.content;
  const reference = base === undefined ? undefined : readReference(base);
  if (reference === undefined || (reference.ok && reference.value.kind === 'ruleset')) return ok(text);
  const options = { ruleset: loadRuleset, sources: world.from, file: file.realPath };
  const ancestors = await loadAncestors(parsed.value, options);
  const policy = ancestors.ok ? resolved(parsed.value, ancestors.value, world) : ancestors;
  if (!policy.ok) return err(asOne(policy.error));
  const flat = `# All that ${name} extends stands here.\n${JSON.stringify(flattenPolicy(policy.value), null, 2)}\n`;
  const again = parsePolicy(flat, name);
  const same = again.ok ? resolved(again.value, [], world) : again;
  if (same.ok && policyHash(same.value) === policyHash(policy.value)) return ok(flat);
  return err({
    code: 'policy_flatten',
    message: 'the policy cannot be written as one document',
    hint: 'put it in one file that extends a ruleset',
  });
}

/** Reads a file with all that it extends. `path` is absolute. Never fails: what is wrong is in `text`, and `files` says where to look for a change. */
export async function readPolicyChain(path: string, world: ChainWorld): Promise<PolicyChain> {
  const files: SeenFile[] = [];
  try {
    const from = remembering(world.sources(), files);
    const main = await from.file(path, undefined);
    if (!main.ok) return { text: unreadable(`the policy file cannot be read: ${main.error.message}`), files };
    const text = textOf(main.value);
    if (!text.ok || isPolicyBundle(text.value)) return { text, files };
    return { text: await selfContained(text.value, main.value, { ...world, from }), files };
  } catch (error) {
    return {
      text: err({ code: codeOf(error), message: `the policy file cannot be read (${codeOf(error)})` }),
      files: files.length > 0 ? files : [missing(path)],
    };
  }
}

function missing(path: string): SeenFile {
  return { path, realPath: undefined, state: 'never read' };
}

/** Whether the same files hold the same now. Where that cannot be told, they do not. */
export async function isUnchanged(files: readonly SeenFile[], { sources }: ChainWorld): Promise<boolean> {
  try {
    const from = sources();
    const now = await Promise.all(files.map(async ({ path }) => seen(path, await from.file(path, undefined))));
    // Also by where links lead: what a file extends stands beside its real place.
    return now.every(({ state, realPath }, at) => state === files[at]?.state && realPath === files[at].realPath);
  } catch {
    return false;
  }
}
