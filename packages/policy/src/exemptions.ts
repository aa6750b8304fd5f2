/**
 * @module Scope exemptions: findings of named rules that do not count for what a scope covers. What a rule finds that is not exemptable is never
 * lifted, and where it is enough to refuse the action, nothing else is lifted either.
 */
import type { Exemption } from './clampd-content.ts';
import type { Finding } from '@countersign/protocol';
import { scopeMatches } from './scopes.ts';

export interface ExemptionQuestion {
  readonly findings: readonly Finding[];
  readonly scope: string;
  /** Texts ask for no scope, so none is exempt. */
  readonly text: boolean;
  /** Thousandths at which the action is refused. */
  readonly block: number;
}

export interface Exempted {
  /** What still counts. */
  readonly kept: readonly Finding[];
  /** Labels that lifted something, each with the rules it lifted; both sorted. */
  readonly lifted: ReadonlyMap<string, readonly string[]>;
  readonly nonExemptableBlock: boolean;
}

/** Pure and total. */
export function exempt(exemptions: readonly Exemption[], { findings, scope, text, block }: ExemptionQuestion): Exempted {
  const nonExemptableBlock = findings.some(({ exemptable, score }) => !exemptable && score >= block);
  const holding = text || nonExemptableBlock ? [] : exemptions.filter((exemption) => scopeMatches(exemption.scope, scope));
  if (holding.length === 0) return { kept: findings, lifted: new Map(), nonExemptableBlock };
  const lifted = new Map<string, readonly string[]>();
  const kept = findings.filter(({ rule, exemptable }) => {
    const by = exemptable ? holding.find(({ rules }) => rules.includes(rule)) : undefined;
    if (by === undefined) return true;
    lifted.set(by.label, [...new Set([...(lifted.get(by.label) ?? []), rule])].toSorted());
    return false;
  });
  return { kept, lifted: new Map([...lifted].toSorted(([a], [b]) => (a < b ? -1 : 1))), nonExemptableBlock };
}
