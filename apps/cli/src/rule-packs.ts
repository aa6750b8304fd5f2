/** @module Rules by file, or those of this installation: the built-in ones and the operator's own. Every fault at once. */
import { mergeRuleDocuments, parseRules, type RuleDocument, type RuleSet } from '@countersign/rules';
import { readBuiltinPacks, readRuleDirectory } from '@countersign/runtime';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

/** The documents of the given files. @throws {CliError} exit 3 with the faults. */
async function readFiles(files: readonly string[], context: Context): Promise<readonly RuleDocument[]> {
  const documents: RuleDocument[] = [];
  for (const file of files) {
    const parsed = parseRules(await readText(file, context), file);
    if (!parsed.ok) throw configError(parsed.error);
    documents.push(parsed.value);
  }
  return documents;
}

/**
 * The documents of the given files; where none is given, the built-in ones and those of the data directory.
 * @throws {CliError} exit 3 with the faults.
 */
export async function readPacks(files: readonly string[], context: Context): Promise<readonly RuleDocument[]> {
  if (files.length > 0) return readFiles(files, context);
  const builtin = await readBuiltinPacks();
  if (!builtin.ok) throw configError(builtin.error);
  const own = readRuleDirectory(context.dataDir);
  if (!own.ok) throw configError(own.error);
  return [...builtin.value, ...own.value.map(({ document }) => document)];
}

/** Documents as one set. @throws {CliError} exit 3 where two rules have one id. */
export function mergePacks(documents: readonly RuleDocument[]): RuleSet {
  const merged = mergeRuleDocuments(documents);
  if (!merged.ok) throw configError(merged.error);
  return merged.value;
}
