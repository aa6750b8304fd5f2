/** @module Documents -> one rule set that can be hashed. */
import { err, ok, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import { RULE_LIMITS } from './limits.ts';
import type { Rule, RuleDocument, RuleSet } from './rule.ts';

function tooMany(): Fault<'rule_too_many'> {
  return {
    code: 'rule_too_many',
    message: `a rule set may hold at most ${RULE_LIMITS.rulesMax} rules`,
    hint: 'leave some packs out',
  };
}

/** Merges documents in any order to the same set. Two rules with one id, or two packs with one name, are refused. */
export function mergeRuleDocuments(
  documents: readonly RuleDocument[],
): Result<RuleSet, Fault<'rule_duplicate_id' | 'rule_duplicate_pack' | 'rule_too_many'>[]> {
  const faults: Fault<'rule_duplicate_id' | 'rule_duplicate_pack' | 'rule_too_many'>[] = [];
  const owners = new Map<string, string>();
  const packs = new Set<string>();
  const rules: Rule[] = [];
  for (const document of documents) {
    if (packs.has(document.pack))
      faults.push({ code: 'rule_duplicate_pack', message: `pack \`${document.pack}\` is there twice`, hint: 'rename one of them' });
    packs.add(document.pack);
    for (const { rule } of document.rules) {
      const owner = owners.get(rule.id);
      if (owner !== undefined) {
        const message = `rule id \`${rule.id}\` is in pack \`${owner}\` and in pack \`${document.pack}\``;
        faults.push({ code: 'rule_duplicate_id', message, path: `/rules/${rule.id}`, hint: 'rename one of them' });
      }
      owners.set(rule.id, document.pack);
      rules.push(rule);
    }
  }
  if (rules.length > RULE_LIMITS.rulesMax) faults.push(tooMany());
  if (faults.length > 0) return err(faults);
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  return ok({ version: 1, packs: [...packs].sort(), rules });
}

/**
 * A set with further documents: what `mergeRuleDocuments` gives for all of them together. `base` names the set in faults, such as
 * `the built-in rules`.
 */
export function joinRuleDocuments(set: RuleSet, documents: readonly RuleDocument[], base: string): ReturnType<typeof mergeRuleDocuments> {
  const merged = mergeRuleDocuments(documents);
  if (!merged.ok) return merged;
  const ids = new Set(set.rules.map(({ id }) => id));
  const faults: Fault<'rule_duplicate_id' | 'rule_duplicate_pack' | 'rule_too_many'>[] = [];
  for (const pack of merged.value.packs)
    if (set.packs.includes(pack))
      faults.push({ code: 'rule_duplicate_pack', message: `pack \`${pack}\` is one of ${base}`, hint: 'call it otherwise' });
  for (const { pack, rules } of documents)
    for (const { rule } of rules)
      if (ids.has(rule.id)) {
        const message = `rule id \`${rule.id}\` of pack \`${pack}\` is one of ${base}`;
        faults.push({ code: 'rule_duplicate_id', message, path: `/rules/${rule.id}`, hint: 'rename it' });
      }
  const rules = [...set.rules, ...merged.value.rules];
  if (rules.length > RULE_LIMITS.rulesMax) faults.push(tooMany());
  if (faults.length > 0) return err(faults);
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  return ok({ version: 1, packs: [...set.packs, ...merged.value.packs].sort(), rules });
}

/** The set as the JSON value whose JCS text is hashed. */
export function ruleSetJson(ruleSet: RuleSet): JsonValue {
  // A rule set is plain JSON by construction; its interfaces only lack the index signature.
  return ruleSet as unknown as JsonValue;
}
