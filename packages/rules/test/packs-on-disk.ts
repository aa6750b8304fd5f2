import { readdirSync, readFileSync } from 'node:fs';
import { mergeRuleDocuments, parseRules, type RuleDocument, type RuleSet } from '../src/index.ts';

const FOLDER = new URL('../packs/', import.meta.url);

/** Every pack of the folder, read and checked. */
export function readPacks(): readonly RuleDocument[] {
  const documents: RuleDocument[] = [];
  for (const name of readdirSync(FOLDER).sort()) {
    const read = parseRules(readFileSync(new URL(name, FOLDER), 'utf8'), name);
    if (!read.ok)
      throw new Error(
        read.error
          .map((fault) => `${fault.source}:${fault.line}:${fault.column} ${fault.path ?? ''} ${fault.code} ${fault.message}`)
          .join('\n'),
      );
    documents.push(read.value);
  }
  return documents;
}

export function mergedPacks(): RuleSet {
  const merged = mergeRuleDocuments(readPacks());
  if (!merged.ok) throw new Error(merged.error.map((fault) => fault.message).join('\n'));
  return merged.value;
}
