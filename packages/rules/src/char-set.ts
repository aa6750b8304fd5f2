/**
 * @module Sets of UTF-16 code units as the pattern analysis sees them: each ASCII unit by itself, all others as one.
 */

/** 129 flags; the last stands for every code unit above ASCII. */
export type CharSet = Uint8Array;

const SIZE = 129;
export const ABOVE_ASCII = 128;

export function emptySet(): CharSet {
  return new Uint8Array(SIZE);
}

export function fullSet(): CharSet {
  return new Uint8Array(SIZE).fill(1);
}

export function addRange(set: CharSet, range: { readonly from: number; readonly to: number }): void {
  for (let code = range.from; code <= Math.min(range.to, ABOVE_ASCII - 1); code += 1) set[code] = 1;
  if (range.to >= ABOVE_ASCII) set[ABOVE_ASCII] = 1;
}

export function union(a: CharSet, b: CharSet): CharSet {
  const set = new Uint8Array(a);
  for (let i = 0; i < SIZE; i += 1) if (b[i] === 1) set[i] = 1;
  return set;
}

export function overlaps(a: CharSet, b: CharSet): boolean {
  for (let i = 0; i < SIZE; i += 1) if (a[i] === 1 && b[i] === 1) return true;
  return false;
}

/** The complement. Units above ASCII stay in it, for no class here holds all of them. */
export function complement(set: CharSet): CharSet {
  const result = new Uint8Array(SIZE);
  for (let i = 0; i < SIZE; i += 1) result[i] = set[i] === 1 ? 0 : 1;
  result[ABOVE_ASCII] = 1;
  return result;
}

/** The sets of `\d`, `\w` and `\s`; undefined for another letter. */
export function namedSet(letter: string): CharSet | undefined {
  const set = emptySet();
  if (letter === 'd') addRange(set, { from: 48, to: 57 });
  else if (letter === 'w') {
    addRange(set, { from: 48, to: 57 });
    addRange(set, { from: 65, to: 90 });
    addRange(set, { from: 97, to: 122 });
    set[95] = 1;
  } else if (letter === 's') {
    addRange(set, { from: 9, to: 13 });
    set[32] = 1;
    set[ABOVE_ASCII] = 1;
  } else return undefined;
  return set;
}

/** The ASCII members, or undefined when there are more than `max` of them or one is above ASCII. */
export function fewMembers(set: CharSet, max: number): readonly string[] | undefined {
  if (set[ABOVE_ASCII] === 1) return undefined;
  const members: string[] = [];
  for (let i = 0; i < ABOVE_ASCII; i += 1) {
    if (set[i] !== 1) continue;
    if (members.length === max) return undefined;
    members.push(String.fromCharCode(i));
  }
  return members;
}
