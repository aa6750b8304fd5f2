/** @module An org that was named by its id or its name. */
import type { OrgRecord } from '@countersign/pipeline';
import { usageError } from './outcome.ts';

/** @throws {CliError} exit 5 where there is none of this name, or more than one. */
export function orgIdOf(orgs: readonly OrgRecord[], named: string): string {
  const [only, second] = orgs.filter(({ id, name }) => id === named.toLowerCase() || name === named);
  if (only === undefined || second !== undefined)
    throw usageError(`there is no org \`${named}\`, or more than one`, 'countersign org show');
  return only.id;
}
