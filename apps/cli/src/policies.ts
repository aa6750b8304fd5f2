/** @module A policy by the name of a ruleset or by file: read, resolved with the operator's host sets, compiled, or every fault at once. */
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  flattenPolicy,
  loadAncestors,
  parsePolicy,
  policyHash,
  readReference,
  resolvePolicy,
  type ResolvedPolicy,
} from '@countersign/policy';
import { hostSetsPath, loadRuleset, openPolicySources, policyHosts, readHostSets, readRuleset, resolveHost } from '@countersign/runtime';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

export interface NamedPolicy {
  /** Name of a ruleset or path of a file. */
  readonly source: string;
  readonly yaml: string;
  readonly resolved: ResolvedPolicy;
  readonly hash: string;
  /** Names of the documents that it was made of, nearest first. */
  readonly sources: readonly string[];
  /** Real path of the file it is, where it is one. */
  readonly file?: string | undefined;
}

/**
 * Parses and resolves a text that faults call `source`, with all that it extends.
 * @param file Real path of the file it is; undefined where it is none: then relative paths begin at the working directory.
 * @throws {CliError} exit 3 with every fault.
 */
export async function resolveText(source: string, yaml: string, context: Context, file?: string): Promise<NamedPolicy> {
  const parsed = parsePolicy(yaml, source);
  if (!parsed.ok) throw configError(parsed.error);
  const { home, cwd } = context.world;
  const sets = readHostSets(hostSetsPath(home));
  const cacheDir = join(home, '.cache', 'countersign', 'policies');
  const places = openPolicySources({ cwd, hosts: policyHosts(sets), cacheDir, resolveHost });
  const ancestors = await loadAncestors(parsed.value, { ruleset: loadRuleset, sources: places, file });
  if (!ancestors.ok) throw configError(ancestors.error);
  const resolved = resolvePolicy(parsed.value, {
    rulesets: new Map(),
    hostSets: new Map(Object.entries(sets)),
    ancestors: ancestors.value,
  });
  if (!resolved.ok) throw configError(resolved.error);
  const sources = [source, ...ancestors.value.map((one) => one.source)];
  return { source, yaml, resolved: resolved.value, hash: policyHash(resolved.value), sources, file };
}

/**
 * The text that a gateway takes: as written where it extends rulesets alone; otherwise flattened, because a gateway follows no files and
 * asks no host.
 * @throws {CliError} exit 3 where the flat document is not the same policy.
 */
export async function textToApply(policy: NamedPolicy, context: Context): Promise<string> {
  const parsed = parsePolicy(policy.yaml, policy.source);
  if (!parsed.ok) throw configError(parsed.error);
  const { extends: base } = parsed.value.content;
  const reference = base === undefined ? undefined : readReference(base);
  if (reference === undefined || (reference.ok && reference.value.kind === 'ruleset')) return policy.yaml;
  const flat = `# Flattened by countersign: all that the policy extended stands here.\n${JSON.stringify(flattenPolicy(policy.resolved), null, 2)}\n`;
  const again = await resolveText(policy.source, flat, context);
  if (again.hash !== policy.hash)
    throw configError([
      {
        code: 'policy_flatten',
        message: 'the policy cannot be written as one document',
        hint: 'put it in one file that extends a ruleset',
      },
    ]);
  return flat;
}

/** A built-in ruleset. */
export async function resolveRuleset(name: string, context: Context): Promise<NamedPolicy> {
  const yaml = await readRuleset(name);
  if (!yaml.ok) throw configError(yaml.error);
  return resolveText(name, yaml.value, context);
}

/** A file of the user, `-` for standard input. */
export async function resolveFile(path: string, context: Context): Promise<NamedPolicy> {
  const text = await readText(path, context);
  return resolveText(path, text, context, path === '-' ? undefined : await realpath(resolve(context.world.cwd, path)));
}

/** `--policy FILE` or `--ruleset NAME`; the ruleset `default` where neither is given. */
export async function resolveChosen(
  chosen: { readonly file?: string | undefined; readonly ruleset?: string | undefined },
  context: Context,
): Promise<NamedPolicy> {
  if (chosen.file !== undefined) return resolveFile(chosen.file, context);
  return resolveRuleset(chosen.ruleset ?? 'default', context);
}
