/** @module Does a policy load with these rules? Everything that is wrong with it, at once. */
import { compilePolicy } from '@countersign/policy';
import { type RuleSet, steeringFaults } from '@countersign/rules';
import { openJudging } from './judging.ts';
import { configError } from './outcome.ts';
import type { NamedPolicy } from './policies.ts';

/** @throws {CliError} exit 3 with every fault. */
export async function checkPolicy(policy: NamedPolicy, rules: RuleSet): Promise<void> {
  const { resolved } = policy;
  // Cedar and exemptions are read by the engine, which takes a moment to open.
  if (resolved.cedar !== undefined || resolved.exemptions !== undefined) {
    await openJudging(policy, rules);
    return;
  }
  const compiled = compilePolicy(resolved);
  if (!compiled.ok) throw configError(compiled.error);
  const faults = steeringFaults(rules, compiled.value.detection);
  if (faults.length > 0) throw configError(faults);
}
