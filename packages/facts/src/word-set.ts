/** @module Word set: a set written as lines of words, so that a long table reads as one. */

/** Every word of the lines, which are separated by one space. */
export function wordSet(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}
