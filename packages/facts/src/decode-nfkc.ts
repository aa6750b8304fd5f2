/**
 * @module NFKC (UAX 15) and typographic signs. Runs of combining marks are kept to thirty as in the Stream-Safe Text Process of UAX 15:
 * without that, ordering a long run of them is quadratic in some engines.
 */

const MARKS = /(\p{M}{30})\p{M}+/gu;
/** Two Arabic ligatures that grow to eighteen characters. */
const GROWING = /[\ufdfa\ufdfb]/g;
const TYPOGRAPHIC =
  /[\u2010-\u2015\u2018-\u201f\u2032\u2033\u2212\u2028\u2029\u3000\u00ab\u00bb\u2039\u203a\u2044\u2215\u2216\u29f8\u2236\u2024]/g;

const SIGNS: ReadonlyMap<string, string> = new Map([
  ['\u2018', "'"],
  ['\u2019', "'"],
  ['\u201a', "'"],
  ['\u201b', "'"],
  ['\u2032', "'"],
  ['\u201c', '"'],
  ['\u201d', '"'],
  ['\u201e', '"'],
  ['\u201f', '"'],
  ['\u2033', '"'],
  ['\u00ab', '"'],
  ['\u00bb', '"'],
  ['\u2039', '<'],
  ['\u203a', '>'],
  ['\u2028', '\n'],
  ['\u2029', '\n'],
  ['\u3000', ' '],
  ['\u2044', '/'],
  ['\u2215', '/'],
  ['\u29f8', '/'],
  ['\u2216', '\\'],
  ['\u2236', ':'],
  ['\u2024', '.'],
]);

/** Letters and digits in another dress: full-width, mathematical, circled. Nobody types these for typography. */
const DISGUISED = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2460-\u24ff\u{1d400}-\u{1d7ff}\u{1f110}-\u{1f149}]/u;

/** True for a text with letters in disguise, not merely with typographic quotes, ligatures or blanks. */
export function hasDisguise(text: string): boolean {
  return DISGUISED.test(text);
}

/** Compatibility form with typographic quotes, dashes and slashes as ASCII; undefined where nothing changes. */
export function decodeNfkc(text: string): string | undefined {
  const safe = text.replace(MARKS, '$1').replace(GROWING, ' ');
  const folded = safe.normalize('NFKC').replace(TYPOGRAPHIC, (sign) => SIGNS.get(sign) ?? '-');
  return folded === text ? undefined : folded;
}

/** Marks that stand over, under and through letters; three that compose with nothing are an ornament or a disguise. */
const LOOSE_MARKS = /\u0489|[\u0300-\u036f]|[\u1ab0-\u1aff]|[\u20d0-\u20ff]/g;
const LOOSE_MARKS_MIN = 3;

/** `text` without the marks that are no part of a letter; undefined where there are none. For texts that are composed already (NFKC). */
export function stripMarks(text: string): string | undefined {
  const count = text.match(LOOSE_MARKS)?.length ?? 0;
  return count < LOOSE_MARKS_MIN ? undefined : text.replace(LOOSE_MARKS, '');
}
