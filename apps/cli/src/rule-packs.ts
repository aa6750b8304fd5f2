/** @module Rules by file or the built-in ones, with every fault at once. */
import { mergeRuleDocuments, parseRules, type RuleDocument, type RuleSet } from '@countersign/rules';
import { readBuiltinPacks } from '@countersign/runtime';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

/** The documents of the given files, or the built-in ones where none is given. @throws {CliError} exit 3 with the faults. */
export async function readPacks(files: readonly string[], context: Context): Promise<readonly RuleDocument[]> {
  if (files.length === 0) {
    const builtin = await readBuiltinPacks();
    if (!builtin.ok) throw configError(builtin.error);
    return builtin.value;
  }
  const documents: RuleDocument[] = [];
  for (const file of files) {
    const parsed = parseRules(await readText(file, context), file);
    if (!parsed.ok) throw configError(parsed.error);
    documents.push(parsed.value);
  }
  return documents;
}

/** Documents as one set. @throws {CliError} exit 3 where two rules have one id. */
export function mergePacks(documents: readonly RuleDocument[]): RuleSet {
  const merged = mergeRuleDocuments(documents);
  if (!merged.ok) throw configError(merged.error);
  return merged.value;
}
