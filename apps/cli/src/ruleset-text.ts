/** @module The text of a built-in ruleset; undefined where the name is none. */
import { BUILTIN_RULESETS } from '@countersign/policy';
import { readRuleset } from '@countersign/runtime';

export async function readRulesetText(name: string): Promise<string | undefined> {
  if (!BUILTIN_RULESETS.includes(name)) return undefined;
  const text = await readRuleset(name);
  return text.ok ? text.value : undefined;
}
