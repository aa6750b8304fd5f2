/**
 * @module Sets of UTF-16 code units as sorted, disjoint, inclusive ranges: what one position of an expression accepts.
 */

/** `[low, high, low, high, ...]`, sorted, disjoint, inclusive. */
export type CharSet = readonly number[];

const UNIT_MAX = 0xffff;

/** Sorts and joins ranges that touch. */
export function normalizeSet(ranges: readonly number[]): CharSet {
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  const joined: number[] = [];
  for (const [low, high] of pairs) {
    const end = joined.at(-1);
    if (end !== undefined && low <= end + 1) joined[joined.length - 1] = Math.max(end, high);
    else joined.push(low, high);
  }
  return joined;
}

/** Everything that is not in the set. */
export function complement(set: CharSet): CharSet {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] ?? 0) > next) out.push(next, (set[i] ?? 0) - 1);
    next = (set[i + 1] ?? 0) + 1;
  }
  if (next <= UNIT_MAX) out.push(next, UNIT_MAX);
  return out;
}

/** Binary search. */
export function setHas(set: CharSet, unit: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (unit < (set[middle * 2] ?? 0)) high = middle - 1;
    else if (unit > (set[middle * 2 + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}

/** Do two sets share a code unit? */
export function setsMeet(a: CharSet, b: CharSet): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if ((a[i + 1] ?? 0) < (b[j] ?? 0)) i += 2;
    else if ((b[j + 1] ?? 0) < (a[i] ?? 0)) j += 2;
    else return true;
  }
  return false;
}

const CASE_GAP = 32;

/** Adds the other case of ASCII letters, and the two characters that fold onto `k` and `s`. */
export function foldSet(set: CharSet): CharSet {
  const ranges = [...set];
  for (let unit = 0x61; unit <= 0x7a; unit += 1) {
    const upper = unit - CASE_GAP;
    if (setHas(set, unit) || setHas(set, upper)) ranges.push(unit, unit, upper, upper);
  }
  if (setHas(set, 0x6b) || setHas(set, 0x4b)) ranges.push(0x212a, 0x212a);
  if (setHas(set, 0x73) || setHas(set, 0x53)) ranges.push(0x17f, 0x17f);
  return normalizeSet(ranges);
}

export const DIGITS: CharSet = [0x30, 0x39];
export const WORDS: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const SPACES: CharSet = normalizeSet([
  0x09, 0x0d, 0x20, 0x20, 0x85, 0x85, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000,
  0x3000,
]);
export const ANY_BUT_NEWLINE: CharSet = [0, 0x09, 0x0b, UNIT_MAX];
export const ANY: CharSet = [0, UNIT_MAX];

/** POSIX classes as they are written inside brackets. */
export const POSIX_CLASSES: ReadonlyMap<string, CharSet> = new Map<string, CharSet>([
  ['alnum', [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ['alpha', [0x41, 0x5a, 0x61, 0x7a]],
  ['ascii', [0, 0x7f]],
  ['blank', [0x09, 0x09, 0x20, 0x20]],
  ['cntrl', [0, 0x1f, 0x7f, 0x7f]],
  ['digit', DIGITS],
  ['graph', [0x21, 0x7e]],
  ['lower', [0x61, 0x7a]],
  ['print', [0x20, 0x7e]],
  ['punct', [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ['space', [0x09, 0x0d, 0x20, 0x20]],
  ['upper', [0x41, 0x5a]],
  ['word', WORDS],
  ['xdigit', [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);
