/** @module A policy by the name of a ruleset or by file: read, resolved with the operator's host sets, compiled, or every fault at once. */
import { BUILTIN_RULESETS, parsePolicy, type PolicyDocument, policyHash, resolvePolicy, type ResolvedPolicy } from '@countersign/policy';
import { hostSetsPath, readHostSets, readRuleset, readRulesets } from '@countersign/runtime';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

export interface NamedPolicy {
  /** Name of a ruleset or path of a file. */
  readonly source: string;
  readonly yaml: string;
  readonly document: PolicyDocument;
  readonly resolved: ResolvedPolicy;
  readonly hash: string;
}

/** Parses and resolves a text that faults call `source`. @throws {CliError} exit 3 with every fault. */
export async function resolveText(source: string, yaml: string, context: Context): Promise<NamedPolicy> {
  const parsed = parsePolicy(yaml, source);
  if (!parsed.ok) throw configError(parsed.error);
  const rulesets: ReadonlyMap<string, PolicyDocument> = await readRulesets();
  const hostSets = new Map(Object.entries(readHostSets(hostSetsPath(context.world.home))));
  const resolved = resolvePolicy(parsed.value, { rulesets, hostSets });
  if (!resolved.ok) throw configError(resolved.error);
  return { source, yaml, document: parsed.value, resolved: resolved.value, hash: policyHash(resolved.value) };
}

/** A built-in ruleset. */
export async function resolveRuleset(name: string, context: Context): Promise<NamedPolicy> {
  const yaml = await readRuleset(name);
  if (!yaml.ok) throw configError(yaml.error);
  return resolveText(name, yaml.value, context);
}

/** A file of the user, `-` for standard input. */
export async function resolveFile(path: string, context: Context): Promise<NamedPolicy> {
  return resolveText(path, await readText(path, context), context);
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
