/**
 * @module How a policy steers a rule set: the paranoia level, rules that are switched off, scores that are tuned. What may not be weakened
 * is refused by name; ids that no rule has are left aside, because packs come and go, and are listed by `unknownRules`.
 */
import { err, ok, type Fault, type Result } from '@countersign/kernel';
import { MATCH_CUT_RULE } from './limits.ts';
import type { Rule, RuleSet } from './rule.ts';

/** The section `detection` of a resolved policy. */
export interface Steering {
  /** Rules above this paranoia level stay silent; 1..4, default 1. */
  readonly level?: number;
  /** Ids of rules that do not speak. */
  readonly disable?: readonly string[];
  /** Thousandths by rule id. */
  readonly scores?: Readonly<Record<string, number>>;
}

export type SteeringFaultCode = 'rule_not_exemptable' | 'rule_not_lowered';

/** A rule of the set, where it stands in it, with the score that it has now. */
export interface SteeredRule {
  readonly rule: Rule;
  readonly index: number;
}

function disableFault(id: string): Fault<SteeringFaultCode> {
  return {
    code: 'rule_not_exemptable',
    message: `rule \`${id}\` cannot be switched off`,
    path: 'detection.disable',
    hint: 'take it out of the list; what it finds is never let through by a policy',
  };
}

function scoreFault(id: string, own: number): Fault<SteeringFaultCode> {
  return {
    code: 'rule_not_lowered',
    message: `the score of rule \`${id}\` can only be raised`,
    path: `detection.scores.${id}`,
    hint: `give it ${(own / 1000).toFixed(2)} or more, or take the line out`,
  };
}

/** What the steering would weaken and may not. The matcher's own finding can be neither switched off nor tuned. */
export function steeringFaults(ruleSet: RuleSet, steering: Steering): Fault<SteeringFaultCode>[] {
  const rules = new Map(ruleSet.rules.map((rule) => [rule.id, rule]));
  const faults: Fault<SteeringFaultCode>[] = [];
  for (const id of steering.disable ?? []) if (id === MATCH_CUT_RULE || rules.get(id)?.exemptable === false) faults.push(disableFault(id));
  for (const [id, score] of Object.entries(steering.scores ?? {})) {
    const rule = rules.get(id);
    if (id === MATCH_CUT_RULE) faults.push(scoreFault(id, 1000));
    else if (rule?.exemptable === false && score < rule.score) faults.push(scoreFault(id, rule.score));
  }
  return faults;
}

/** The rules that speak, with the scores that hold; or everything that the steering may not do. */
export function steer(ruleSet: RuleSet, steering: Steering): Result<readonly SteeredRule[], Fault<SteeringFaultCode>[]> {
  const faults = steeringFaults(ruleSet, steering);
  if (faults.length > 0) return err(faults);
  const level = steering.level ?? 1;
  const disabled = new Set(steering.disable);
  const scores = new Map(Object.entries(steering.scores ?? {}));
  return ok(
    ruleSet.rules.flatMap((rule, index) => {
      if (rule.level > level || disabled.has(rule.id)) return [];
      const score = scores.get(rule.id);
      return [{ rule: score === undefined ? rule : { ...rule, score }, index }];
    }),
  );
}

/** Ids that the steering names and no rule of the set has, sorted: they change nothing. */
export function unknownRules(ruleSet: RuleSet, steering: Steering): readonly string[] {
  const known = new Set(ruleSet.rules.map(({ id }) => id));
  known.add(MATCH_CUT_RULE);
  const named = new Set([...(steering.disable ?? []), ...Object.keys(steering.scores ?? {})]);
  return [...named].filter((id) => !known.has(id)).toSorted();
}
