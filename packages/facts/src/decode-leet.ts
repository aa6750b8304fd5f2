/**
 * @module Leet: digits and signs for the letters that they look like. Only a word that mixes them with letters is folded, and a text counts
 * only where two words change, or one that has no business being disguised: `sha256`, `ipv4` and a build number are no disguise.
 */
import { HIDDEN_WORDS } from './hidden-words.ts';

const WORD = /[a-z0-9@$!|]{2,24}/gi;
/** A sign of leet before the last letter. */
const MIXED = /[0134578@$!|](?=[^a-z]{0,24}[a-z])/i;
/** Digits that only follow a word may be its number: they are read along, and prove nothing. */
const NUMBERED = /[a-z][0134578]{1,4}$/i;
const ALL_LEET = /^(?:411|4ll|a11)$/i;
const SIGNS: ReadonlyMap<string, string> = new Map([
  ['0', 'o'],
  ['3', 'e'],
  ['4', 'a'],
  ['5', 's'],
  ['7', 't'],
  ['8', 'b'],
  ['@', 'a'],
  ['$', 's'],
  ['!', 'i'],
  ['|', 'l'],
]);
const VOWELS: ReadonlySet<string> = new Set('aeou');
const HIDDEN: ReadonlySet<string> = new Set(HIDDEN_WORDS);

/** One stands for `l` after a vowel and after another `l`, as in `a11`, `rul3s`, `revea1`; else for `i`. */
function foldWord(word: string): string {
  let out = '';
  for (const sign of word) {
    if (sign === '1') out += VOWELS.has(out.slice(-1).toLowerCase()) || out.endsWith('l') ? 'l' : 'i';
    else out += SIGNS.get(sign) ?? sign;
  }
  return out;
}

/** `text` with its leet words in letters; undefined where they are too few to be meant. */
export function foldLeet(text: string): string | undefined {
  let changed = 0;
  let telling = false;
  const out = text.replace(WORD, (word) => {
    const mixed = ALL_LEET.test(word) || MIXED.test(word);
    if (!mixed && !NUMBERED.test(word)) return word;
    const folded = foldWord(word);
    if (mixed && word.length > 2 && folded !== word) changed += 1;
    if (HIDDEN.has(folded.toLowerCase())) telling = true;
    return folded;
  });
  return telling || changed >= 2 ? out : undefined;
}
