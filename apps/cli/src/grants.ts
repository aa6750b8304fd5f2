/** @module Grants as people give them: scopes as they are, and `db=read_only` for all that a permission level of a category stands for. */
import { PERMISSION_LEVELS, SCOPE_CATEGORIES, scopesOfLevel } from '@countersign/policy';
import { usageError } from './outcome.ts';

function grantsOf(given: string): readonly string[] {
  const [category = '', word] = given.split('=', 2);
  if (word === undefined) return [given];
  const level = PERMISSION_LEVELS.find((one) => one === word);
  const scopes = level === undefined ? undefined : scopesOfLevel(category, level);
  if (scopes === undefined)
    throw usageError(
      `\`${given}\` is no level of a category`,
      `write CATEGORY=LEVEL with one of ${SCOPE_CATEGORIES.join(', ')} and one of ${PERMISSION_LEVELS.join(', ')}`,
    );
  if (scopes.length === 0) throw usageError(`\`${given}\` grants nothing`, `running programs has no halves: write ${category}=full`);
  return scopes;
}

/** Every scope once, in order. @throws {CliError} exit 5 for a level or category that is none. */
export function readGrants(given: readonly string[]): readonly string[] {
  return [...new Set(given.flatMap(grantsOf))];
}
