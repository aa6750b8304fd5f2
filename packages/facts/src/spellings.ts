/**
 * @module Spellings: ways to write a whole text so that neither a filter nor a hurried reader sees what it says, and a model does. Each is
 * tried only where the one automaton over all words finds a word in that spelling, so plain text pays nothing; each is one or two linear passes.
 */
import { decodeMorse, decodeOctets, morseOf } from './decode-codes.ts';
import { foldLeet } from './decode-leet.ts';
import { drawTogether } from './decode-spaced.ts';
import { HIDDEN_BEGINNINGS, HIDDEN_WORDS, LONG_HIDDEN_WORDS } from './hidden-words.ts';
import { atbash, rot13, rotate } from './rot13.ts';

/** One spelling. */
export interface Spelling {
  readonly layer: string;
  /** What betrays it, lower case. */
  readonly words: readonly string[];
  /** Whether such a word must stand by itself. */
  readonly alone: boolean;
  /** What the text may say; empty where it says nothing else. */
  decode(text: string): readonly string[];
}

function reverse(text: string): string {
  let out = '';
  for (let i = text.length - 1; i >= 0; i -= 1) {
    const code = text.charCodeAt(i);
    if (code >= 0xdc00 && code <= 0xdfff && i > 0) {
      out += text.slice(i - 1, i + 1);
      i -= 1;
    } else out += text.charAt(i);
  }
  return out;
}

/** Every word turned round where it stands. */
function reverseWords(text: string): string {
  return text.replace(/\S+/g, reverse);
}

function some(decoded: string | undefined): readonly string[] {
  return decoded === undefined ? [] : [decoded];
}

/** Parts of hidden words in leet; a part that misleads costs a pass and says nothing. */
const LEET_PARTS = (
  '1gn !gn gn0r n0r3 pr3v r3v1 ev10 v10u vi0u iou5 0u5 1nst in5t 1n5t n57r ns7r uct10 cti0n t10n 7i0n 710n sy5t 5yst 5y5t y573 st3m 573m ' +
  'pr0m omp7 0mp7 r3v3 rev3 v3al ve4l 3v34 3v3a v34l p4ss pa5s p455 pas5 p@ss pa$$ sw0r 5w0r w0rd ru13 rul3 ru1e d1sr di5r r3g4 reg4 r3ga ' +
  'g4rd f0rg org3t 0rg3 v3rr 0v3r ov3r rr1d byp4 yp4s 4ll th3 7h3 y0u 4nd s3cr 53cr ecr3 cr37 d3l3 de1e d31e del3'
).split(' ');

function spacedWords(): string[] {
  return [' ', '.', '-', '_', '*', '|'].flatMap((sign) => HIDDEN_BEGINNINGS.map((word) => Array.from(word).join(sign)));
}

function octetWords(): string[] {
  const bases = [
    { radix: 2, width: 8, signs: [' ', ',', ''] },
    { radix: 10, width: 0, signs: [' ', ',', ', '] },
    { radix: 16, width: 2, signs: [' ', ':', ',', ' 0x', ', 0x'] },
  ];
  return bases.flatMap(({ radix, width, signs }) =>
    signs.flatMap((sign) =>
      HIDDEN_BEGINNINGS.map((word) =>
        Array.from(word.slice(0, 4), (letter) => letter.charCodeAt(0).toString(radix).padStart(width, '0')).join(sign),
      ),
    ),
  );
}

const SHIFTS = Array.from({ length: 25 }, (_, i) => i + 1).filter((by) => by !== 13);

/** All spellings; no word betrays two of them. */
export const SPELLINGS: readonly Spelling[] = [
  { layer: 'rot13', words: [...HIDDEN_WORDS, 'the', 'and', 'this', 'with'].map(rot13), alone: true, decode: (text) => [rot13(text)] },
  ...SHIFTS.map((by) => ({
    layer: 'caesar',
    words: LONG_HIDDEN_WORDS.map((word) => rotate(word, by)),
    alone: true,
    decode: (text: string) => [rotate(text, 26 - by)],
  })),
  { layer: 'atbash', words: LONG_HIDDEN_WORDS.map(atbash), alone: true, decode: (text) => [atbash(text)] },
  {
    layer: 'reversed',
    words: HIDDEN_WORDS.filter((word) => word.length > 5).map(reverse),
    alone: true,
    decode: (text) => [reverse(text), reverseWords(text)],
  },
  { layer: 'spaced', words: spacedWords(), alone: true, decode: (text) => some(drawTogether(text)) },
  { layer: 'leet', words: LEET_PARTS, alone: false, decode: (text) => some(foldLeet(text)) },
  { layer: 'octets', words: octetWords(), alone: false, decode: (text) => some(decodeOctets(text)) },
  { layer: 'morse', words: [...HIDDEN_WORDS.slice(0, 6), 'the'].map(morseOf), alone: false, decode: (text) => some(decodeMorse(text)) },
];

/** Number of the spelling that a word betrays. */
const BY_WORD: ReadonlyMap<string, number> = new Map(
  SPELLINGS.flatMap(({ words }, number) => words.map((word) => [word, number] as const)),
);

/** The words to look for in the text as it is. */
export const SPELLED_WORDS: readonly string[] = [...BY_WORD.keys()];

/** Which spelling a word betrays, or -1. */
export function spellingOfWord(word: string): number {
  return BY_WORD.get(word) ?? -1;
}

/** Layers that are read for their words only: numbers, hosts and commands in them are the same as outside, or an accident. */
export const WORDS_ONLY: ReadonlySet<string> = new Set(['rot13', 'caesar', 'atbash', 'reversed', 'spaced', 'leet', 'morse']);
