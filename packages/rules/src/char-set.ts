/**
 * @module Sets of UTF-16 code units as the pattern analysis sees them: each ASCII unit by itself, white space above ASCII as one group,
 * everything else above ASCII as another.
 */

/** One entry a unit or group: 0 out, 1 in (of a group: some of it), 2 in as a whole. */
export type CharSet = Uint8Array;

const GROUPS_START = 128;
const OTHER_SPACE = 128;
const OTHER = 129;
export const SET_SIZE = 130;
const WHOLE = 2;

export function emptySet(): CharSet {
  return new Uint8Array(SET_SIZE);
}

export function fullSet(): CharSet {
  return new Uint8Array(SET_SIZE).fill(WHOLE);
}

export function addRange(set: CharSet, range: { readonly from: number; readonly to: number }): void {
  for (let code = range.from; code <= Math.min(range.to, GROUPS_START - 1); code += 1) set[code] = WHOLE;
  if (range.to < GROUPS_START) return;
  const single = range.from === range.to;
  const space = single && /\s/.test(String.fromCharCode(range.from));
  if (!single || space) set[OTHER_SPACE] = Math.max(set[OTHER_SPACE] ?? 0, 1);
  if (!space) set[OTHER] = Math.max(set[OTHER] ?? 0, 1);
}

export function union(a: CharSet, b: CharSet): CharSet {
  const set = new Uint8Array(a);
  for (let i = 0; i < SET_SIZE; i += 1) set[i] = Math.max(set[i] ?? 0, b[i] ?? 0);
  return set;
}

export function overlaps(a: CharSet, b: CharSet): boolean {
  for (let i = 0; i < SET_SIZE; i += 1) if ((a[i] ?? 0) > 0 && (b[i] ?? 0) > 0) return true;
  return false;
}

/** The complement. A group that is partly in is partly out. */
export function complement(set: CharSet): CharSet {
  const result = new Uint8Array(SET_SIZE);
  for (let i = 0; i < SET_SIZE; i += 1) result[i] = WHOLE - (set[i] ?? 0);
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
    set[95] = WHOLE;
  } else if (letter === 's') {
    addRange(set, { from: 9, to: 13 });
    set[32] = WHOLE;
    set[OTHER_SPACE] = WHOLE;
  } else return undefined;
  return set;
}

/** The ASCII members, or undefined when there are more than `max` of them or one is above ASCII. */
export function fewMembers(set: CharSet, max: number): readonly string[] | undefined {
  if ((set[OTHER_SPACE] ?? 0) > 0 || (set[OTHER] ?? 0) > 0) return undefined;
  const members: string[] = [];
  for (let i = 0; i < GROUPS_START; i += 1) {
    if ((set[i] ?? 0) === 0) continue;
    if (members.length === max) return undefined;
    members.push(String.fromCharCode(i));
  }
  return members;
}
