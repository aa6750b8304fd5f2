/** @module Exemptions that name what no policy lifts: a policy that tries does not load. */
import type { Fault } from '@countersign/kernel';
import type { Exemption } from '@countersign/policy';
import type { RuleSet } from '@countersign/rules';

/** One fault for each rule that an exemption names and that is not exemptable. Ids that no rule has lift nothing. */
export function exemptionFaults(ruleSet: RuleSet, exemptions: readonly Exemption[]): readonly Fault[] {
  const fixed = new Set(ruleSet.rules.filter(({ exemptable }) => !exemptable).map(({ id }) => id));
  return exemptions.flatMap(({ label, rules }, i) =>
    rules
      .filter((id) => fixed.has(id))
      .map((id) => ({
        code: 'rule_not_exemptable',
        message: `rule \`${id}\` cannot be exempted (exemption \`${label}\`)`,
        path: `exemptions[${String(i)}].rules`,
        hint: 'take it out of the list; what it finds is never let through by a policy',
      })),
  );
}
