/** @module Documents -> one rule set that can be hashed. */
import { err, ok, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import { RULE_LIMITS } from './limits.ts';
import type { Rule, RuleDocument, RuleSet } from './rule.ts';

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
  if (rules.length > RULE_LIMITS.rulesMax)
    faults.push({
      code: 'rule_too_many',
      message: `a rule set may hold at most ${RULE_LIMITS.rulesMax} rules`,
      hint: 'leave some packs out',
    });
  if (faults.length > 0) return err(faults);
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  return ok({ version: 1, packs: [...packs].sort(), rules });
}

/** The set as the JSON value whose JCS text is hashed. */
export function ruleSetJson(ruleSet: RuleSet): JsonValue {
  // A rule set is plain JSON by construction; its interfaces only lack the index signature.
  return ruleSet as unknown as JsonValue;
}
