/**
 * @module Expansions: spellings in a value that mean something to a shell only, such as arithmetic, trimmed variables, process
 * substitution, brackets and braces inside a path. A value has no use for them unless it ends up on a command line.
 */

/** Longest value that is looked at: a longer one is a document. */
export const EXPANSION_CHARS_MAX = 4096;
const MAY = /[$[{<>%]/;
const EXPANSION = new RegExp(
  [
    String.raw`\$\(\((?:\$\(|\d{1,9}\)|\d{1,9}\s?[-+*/%]\s?\d)`,
    String.raw`\$\[\s?\d{1,6}\s?[-+*/]\s?\d`,
    String.raw`\$\{[a-z_]{1,16}(?:##?|%%?|\/\/|\^\^|,,)[^}\s]{0,40}\}`,
    String.raw`(?:^|[\s=;|&])[<>]\([a-z]{2,12}(?:\s[^()]{0,60})?\)`,
    String.raw`^%0[ad]\s?[a-z]{2,12}\s?(?:%0[ad]|$)`,
    String.raw`\/[a-z]{1,6}\[[a-z/!^-]{1,16}\](?:\/|[a-z]|$)`,
    String.raw`\/\[[a-z/!^-]{1,16}\][a-z]{1,8}`,
    String.raw`^[a-z]{0,8}\{[a-z]{0,12}(?:,[-\w/.]{0,24}){1,6}\}[a-z]{1,8}$`,
    String.raw`^\{,[a-z]{2,12}(?:,[-\w/.]{0,24}){1,6}\}$`,
  ].join('|'),
  'i',
);

/** Where a value holds such a spelling, or undefined. Linear: every repetition is bounded. */
export function findExpansion(text: string): { readonly start: number; readonly end: number } | undefined {
  if (text.length > EXPANSION_CHARS_MAX || !MAY.test(text)) return undefined;
  const found = EXPANSION.exec(text);
  return found === null ? undefined : { start: found.index, end: found.index + found[0].length };
}
