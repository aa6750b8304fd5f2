/**
 * @module Digit groups: the numbers that groups of digits one separator apart make together. Only numbers of a size that some kind of number
 * has are put together.
 */
import type { DigitWord } from './digit-words.ts';
import { NATIONAL_GROUPS } from './national-ids.ts';
import { wordSet } from './word-set.ts';

const GROUPS_MAX = 9;
const DIGITS_MAX = 19;
/** The shortest number that is read for its own sake, with an area code or a country code. */
const NUMBER_DIGITS_MIN = 8;
const SPACE = 0x20;
const NO_BREAK_SPACE = 0xa0;

/** Sizes of the groups of payment cards, and of local telephone numbers. */
export const CARD_SIZES: ReadonlySet<string> = wordSet('13 14 15 16 19 4-4-4-4 4-6-5 4-6-4 4-4-4-4-3');
export const LOCAL_SIZES: ReadonlySet<string> = wordSet('3-3-4 3-7 1-3-3-4 1-3-7');
const OTHER_SIZES = ['12', '4-4-4', '3-2-4'];

/** Sizes of groups as one number, five bits each: they are looked up at every group of every text. */
function sizesCode(sizes: readonly number[]): number {
  return sizes.reduce((code, size) => code * 32 + size, 0);
}

const KNOWN_SIZES: ReadonlySet<number> = new Set(
  [...CARD_SIZES, ...LOCAL_SIZES, ...OTHER_SIZES, ...NATIONAL_GROUPS].map((sizes) => sizesCode(sizes.split(/\D/).map(Number))),
);

/** Number groups one separator apart, joined: `4111 1111 1111 1111`. */
export interface DigitGroups {
  readonly digits: string;
  readonly start: number;
  readonly end: number;
  readonly sizes: string;
  readonly separators: string;
}

/** The one separator between two groups, `)` for `) ` around an area code; `` where they do not belong together. */
function separatorBetween(text: string, from: number, to: number): string {
  const code = text.charCodeAt(from);
  if (to - from === 1) {
    if (code === SPACE || code === NO_BREAK_SPACE) return ' ';
    return code === 0x2d ? '-' : code === 0x2e ? '.' : code === 0x29 ? ')' : '';
  }
  if (code !== 0x29 || to - from !== 2) return '';
  const next = text.charCodeAt(from + 1);
  return next === SPACE || next === 0x2d ? ')' : '';
}

const NO_NUMBERS: readonly DigitGroups[] = [];

function joined(
  text: string,
  words: readonly DigitWord[],
  { first, last }: { readonly first: number; readonly last: number },
): DigitGroups {
  const begin = words[first];
  let digits = begin?.text ?? '';
  let sizes = String(digits.length);
  let separators = '';
  let end = begin?.end ?? 0;
  for (let i = first + 1; i <= last; i += 1) {
    const group = words[i];
    if (group === undefined) break;
    separators += separatorBetween(text, end, group.start);
    digits += group.text;
    sizes += `-${group.text.length}`;
    end = group.end;
  }
  return { digits, start: begin?.start ?? 0, end, sizes, separators };
}

/** Digits of the group at `at` where it belongs to the one before it; 0 where it does not. */
function sizeBehind(text: string, words: readonly DigitWord[], at: number): number {
  const word = words[at];
  if (word === undefined || !word.digits) return 0;
  return separatorBetween(text, words[at - 1]?.end ?? 0, word.start) === '' ? 0 : word.text.length;
}

/** Numbers of known sizes that begin with group `first`, the longest first; behind `+` of any size. Steps are groups looked at. */
export function numbersFrom(
  text: string,
  words: readonly DigitWord[],
  first: number,
): { readonly numbers: readonly DigitGroups[]; readonly steps: number } {
  const begin = words[first];
  if (begin === undefined) return { numbers: NO_NUMBERS, steps: 0 };
  const signed = text[begin.start - 1] === '+';
  let numbers: DigitGroups[] | undefined;
  let count = 0;
  let code = 0;
  let i = first;
  for (; i < first + GROUPS_MAX; i += 1) {
    const size = i === first ? begin.text.length : sizeBehind(text, words, i);
    count += size;
    if (size === 0 || count > DIGITS_MAX) break;
    code = code * 32 + size;
    if (count < NUMBER_DIGITS_MIN || !(signed || KNOWN_SIZES.has(code))) continue;
    numbers ??= [];
    numbers.unshift(joined(text, words, { first, last: i }));
  }
  return { numbers: numbers ?? NO_NUMBERS, steps: (i - first + 1) * 4 };
}

export function isUniform(separators: string): boolean {
  for (let i = 1; i < separators.length; i += 1) if (separators[i] !== separators[0]) return false;
  return true;
}

/** Sizes with the separators themselves where they differ or are dots, else `-` for any one separator. */
export function writtenAs(number: DigitGroups): string {
  if (isUniform(number.separators) && !number.separators.includes('.')) return number.sizes;
  let at = 0;
  return number.sizes.replaceAll('-', () => number.separators.charAt(at++));
}
