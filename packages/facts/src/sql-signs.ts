/**
 * @module What a text must hold before it can be a fragment of SQL: signs and words without which no shape of `sql-fragment.ts` fits. Most
 * values of a call hold none of them, and are told apart here for a tenth of what reading them as tokens costs.
 */
import { compileLiterals } from './literals.ts';
import { FEATURE_WORDS } from './sql-features.ts';

/** Calls, statements behind one another, quotes, joined comments, names of the server, and signs that compare. */
const SIGNS = /[;()'"`$=<>!~]|\/\*|@@/;
/** Words that begin, list, ask or compare. Inside a longer word they count too: a token may start where a number ends. */
const WORDS = compileLiterals([
  ...new Set([...FEATURE_WORDS, ...'select update procedure into limit when true false null like sounds regexp'.split(' ')]),
]);
/** The word `is`; before it a number in base 16 may end. */
const IS = /(?:^|[^g-z_])is(?:[^a-z0-9_$]|$)/;

/** `order by`, `group by`. */
function listsColumns(lower: string): boolean {
  return (lower.includes('order') || lower.includes('group')) && lower.includes('by');
}

/** False for a lower-case text that no query could take for a part of itself, wherever it lands. */
export function mayLand(lower: string): boolean {
  return SIGNS.test(lower) || WORDS.scan(lower).length > 0 || IS.test(lower) || listsColumns(lower);
}
