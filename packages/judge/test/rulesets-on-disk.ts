import { readdirSync, readFileSync } from 'node:fs';
import { type PolicyDocument, parsePolicy, resolvePolicy, type ResolvedPolicy } from '@countersign/policy';

const FOLDER = new URL('../../policy/rulesets/', import.meta.url);

/** A built-in ruleset, read from its file and resolved without host sets. */
export function resolvedRuleset(name: string): ResolvedPolicy {
  const rulesets = new Map<string, PolicyDocument>();
  for (const file of readdirSync(FOLDER).filter((entry) => entry.endsWith('.yaml'))) {
    const parsed = parsePolicy(readFileSync(new URL(file, FOLDER), 'utf8'), file);
    if (parsed.ok) rulesets.set(file.replace('.yaml', ''), parsed.value);
  }
  const document = rulesets.get(name);
  if (document === undefined) throw new Error(`there is no ruleset ${name}`);
  const resolved = resolvePolicy(document, { rulesets, hostSets: new Map() });
  if (!resolved.ok) throw new Error(resolved.error.map(({ message }) => message).join('\n'));
  return resolved.value;
}
