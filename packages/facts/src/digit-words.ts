/** @module Digit words: the runs of letters and digits of a text that hold a digit, also where somebody put a space between the digits. */

/** A maximal run of ASCII letters and digits. */
export interface DigitWord {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly digits: boolean;
}

const WORD_CHARS_MAX = 40;

function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isLetterCode(code: number): boolean {
  const low = code | 0x20;
  return low >= 0x61 && low <= 0x7a;
}

/** Adds a word; a digit by itself goes on with the digits before it where they were spaced out too (`5 5 5-1 2 3`). */
function put(text: string, words: DigitWord[], word: DigitWord): void {
  const last = words.at(-1);
  const alone = word.digits && word.text.length === 1;
  if (alone && last !== undefined && isSpacedOut(last) && last.end + 1 === word.start && text.charAt(last.end) === ' ') {
    words[words.length - 1] = { start: last.start, end: word.end, text: last.text + word.text, digits: true };
  } else words.push(word);
}

/** Digits one space apart, or one digit. */
function isSpacedOut(word: DigitWord): boolean {
  return word.digits && word.end - word.start === word.text.length * 2 - 1 && word.text.length < WORD_CHARS_MAX;
}

/** Words that hold a digit, in order. Longer ones than any identifier are left out. */
export function digitWords(text: string): DigitWord[] {
  const words: DigitWord[] = [];
  let start = -1;
  let digits = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    const digit = isDigitCode(code);
    if (digit || isLetterCode(code)) {
      if (start < 0) start = i;
      if (digit) digits += 1;
      continue;
    }
    if (start >= 0 && digits > 0 && i - start <= WORD_CHARS_MAX) {
      put(text, words, { start, end: i, text: text.slice(start, i), digits: digits === i - start });
    }
    start = -1;
    digits = 0;
  }
  return words;
}

/** A text without the spaces inside spaced-out digits, and where its places are in the text that was given. */
export interface UnspacedText {
  readonly text: string;
  readonly placeOf: (at: number) => number;
}

const SPACED = /\d \d \d/;

/** Closes up digits that stand one by one; reads a bounded window. */
export function unspaced(window: string): UnspacedText {
  if (!SPACED.test(window)) return { text: window, placeOf: (at) => at };
  const places: number[] = [];
  let text = '';
  for (let i = 0; i < window.length; i += 1) {
    const code = window.charCodeAt(i);
    if (code === 0x20 && isAlone(window, i - 1) && isAlone(window, i + 1)) continue;
    text += window.charAt(i);
    places.push(i);
  }
  // The end of a value is one behind its last character.
  return { text, placeOf: (at) => (at === 0 ? 0 : (places[at - 1] ?? window.length - 1) + 1) };
}

/** A digit that no other digit touches. */
function isAlone(text: string, at: number): boolean {
  return isDigitCode(text.charCodeAt(at)) && !isDigitCode(text.charCodeAt(at - 1)) && !isDigitCode(text.charCodeAt(at + 1));
}
