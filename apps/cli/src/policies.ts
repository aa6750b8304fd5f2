/** @module A policy by the name of a ruleset or by file: read, resolved with the operator's host sets, compiled, or every fault at once. */
import { realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { environmentSecrets } from '@countersign/intel';
import {
  BUILTIN_RULESETS,
  flattenPolicy,
  loadAncestors,
  parsePolicy,
  type PolicyDocument,
  policyHash,
  readReference,
  resolvePolicy,
  type ResolvedPolicy,
} from '@countersign/policy';
import {
  hostSetsPath,
  loadRuleset,
  openPolicySources,
  patternFilesIn,
  policyHosts,
  readHostSets,
  readRuleset,
  resolveHost,
} from '@countersign/runtime';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

export interface PolicyText {
  /** Name of a ruleset or path of a file: what faults call it. */
  readonly source: string;
  readonly yaml: string;
  /** Real path of the file it is; where it is none, relative paths begin at the working directory. */
  readonly file?: string | undefined;
}

export interface NamedPolicy extends PolicyText {
  readonly document: PolicyDocument;
  readonly resolved: ResolvedPolicy;
  readonly hash: string;
  /** Names of the documents that it was made of, nearest first. */
  readonly sources: readonly string[];
}

/**
 * Parses and resolves a text with all that it extends.
 * @throws {CliError} exit 3 with every fault.
 */
export async function resolveText({ source, yaml, file }: PolicyText, context: Context): Promise<NamedPolicy> {
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
    files: patternFilesIn(file === undefined ? cwd : dirname(file)),
    named: environmentSecrets(context.world.env),
    nowMs: context.world.clock.nowMs(),
  });
  if (!resolved.ok) throw configError(resolved.error);
  const sources = [source, ...ancestors.value.map((one) => one.source)];
  return { source, yaml, document: parsed.value, resolved: resolved.value, hash: policyHash(resolved.value), sources, file };
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
  const again = await resolveText({ source: policy.source, yaml: flat }, context);
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
  return resolveText({ source: name, yaml: yaml.value }, context);
}

/** The text of a file of the user, `-` for standard input. */
export async function readPolicyFile(path: string, context: Context): Promise<PolicyText> {
  const yaml = await readText(path, context);
  const file = path === '-' ? undefined : await realpath(resolve(context.world.cwd, path));
  return { source: path, yaml, file };
}

/** A file of the user, `-` for standard input. */
export async function resolveFile(path: string, context: Context): Promise<NamedPolicy> {
  return resolveText(await readPolicyFile(path, context), context);
}

/** `--policy FILE` or `--ruleset NAME`; the ruleset `default` where neither is given. */
export async function resolveChosen(
  chosen: { readonly file?: string | undefined; readonly ruleset?: string | undefined },
  context: Context,
): Promise<NamedPolicy> {
  if (chosen.file !== undefined) return resolveFile(chosen.file, context);
  return resolveRuleset(chosen.ruleset ?? 'default', context);
}

/** What `<ruleset-or-file>` names: a built-in ruleset, else a file. */
export async function resolveNamed(name: string, context: Context): Promise<NamedPolicy> {
  return BUILTIN_RULESETS.includes(name) ? resolveRuleset(name, context) : resolveFile(name, context);
}
