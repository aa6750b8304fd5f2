/** @module Several faults where there is room for one. */
import type { Fault } from '@countersign/kernel';

/** The first, and how many more there are. */
export function asOne(faults: readonly Fault[]): Fault {
  const [first, ...more] = faults;
  if (first === undefined) return { code: 'policy_invalid', message: 'the policy is refused' };
  return more.length === 0 ? first : { ...first, message: `${first.message} (and ${more.length} more faults)` };
}
