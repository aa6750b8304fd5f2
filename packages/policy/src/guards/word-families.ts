/**
 * @module Word families: what a text asks for, told by families of words that follow each other at a bounded distance. One pass over the
 * words of a lower-case text; each word costs one look-up and the few steps it is in, whatever the text is.
 */
import type { StepCounter } from '../glob.ts';

/** Signals by id; each is a list of sequences `word|word 4 word|word`: families, and how many words may lie between two of them. */
export type Families = Readonly<Record<string, readonly string[]>>;

interface Step {
  readonly sequence: number;
  readonly step: number;
  /** Most words from the one of the step before to this one. */
  readonly reach: number;
}

export interface WordFamilies {
  /** Steps that a word takes, later steps of a sequence first, so that one word never takes two. */
  readonly steps: ReadonlyMap<string, readonly Step[]>;
  /** By sequence: its signal, and how many steps it has. */
  readonly sequences: readonly { readonly signal: string; readonly length: number }[];
}

/** Where a signal was first seen; half open, in code units. */
export interface FamilyHit {
  readonly signal: string;
  readonly start: number;
  readonly end: number;
}

/** Longer runs are no words of any family. */
const WORD_CHARS_MAX = 24;
/** From here on (CJK, kana, hangul) every code unit is a word. */
const IDEOGRAPHS = 0x2e80;
/** A word of these, at most this many words before a sequence in the same clause, turns it into its opposite. */
const NEGATIONS: ReadonlySet<string> = new Set([
  'not',
  'never',
  'don',
  'dont',
  'cannot',
  'mustn',
  'shouldn',
  'won',
  'nicht',
  'nie',
  'nunca',
  'jamais',
]);
const NEGATION_REACH = 2;

type WrittenStep = readonly [word: string, step: Step];

/** The steps of one line, the last first. */
function stepsOf(line: string, sequence: number): readonly WrittenStep[] {
  const parts = line.split(' ');
  const steps = parts.flatMap((part, i): readonly WrittenStep[] => {
    if (i % 2 === 1) return [];
    const reach = i === 0 ? 0 : Number(parts[i - 1]) + 1;
    return part.split('|').map((word) => [word, { sequence, step: i / 2, reach }]);
  });
  return steps.toReversed();
}

export function wordFamilies(families: Families): WordFamilies {
  const lines = Object.entries(families).flatMap(([signal, written]) => written.map((line) => ({ signal, line })));
  const steps = new Map<string, Step[]>();
  for (const [word, step] of lines.flatMap(({ line }, sequence) => stepsOf(line, sequence))) {
    const known = steps.get(word);
    if (known === undefined) steps.set(word, [step]);
    else known.push(step);
  }
  return { steps, sequences: lines.map(({ signal, line }) => ({ signal, length: (line.split(' ').length + 1) / 2 })) };
}

/** 0 separates, 1 is a letter or digit, 2 is a word by itself. */
function kindOf(code: number): 0 | 1 | 2 {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) ? 1 : 0;
  if (code >= IDEOGRAPHS) return code >= 0xd800 && code < 0xf900 ? 1 : 2;
  return code < 0xc0 || (code >= 0x2000 && code < 0x2c00) ? 0 : 1;
}

/** Reads words one after the other. */
class Words {
  start = 0;
  end = 0;
  /** Only spaces and apostrophes lie between this word and the one before. */
  joined = false;
  readonly lower: string;

  constructor(lower: string) {
    this.lower = lower;
  }

  next(): boolean {
    const { lower } = this;
    let at = this.end;
    this.joined = true;
    for (; at < lower.length; at += 1) {
      const code = lower.charCodeAt(at);
      if (kindOf(code) !== 0) break;
      if (code !== 0x20 && code !== 0x27 && code !== 0x2019) this.joined = false;
    }
    this.start = at;
    if (at >= lower.length) return false;
    this.end = kindOf(lower.charCodeAt(at)) === 2 ? at + 1 : this.#endOfWord(at);
    return true;
  }

  #endOfWord(start: number): number {
    let at = start;
    while (at < this.lower.length && kindOf(this.lower.charCodeAt(at)) === 1) at += 1;
    return at;
  }
}

interface Reached {
  /** Number of the word, and where the sequence began. */
  readonly word: number;
  readonly start: number;
}

class Search {
  readonly hits: FamilyHit[] = [];
  readonly #families: WordFamilies;
  readonly #reached: (Reached | undefined)[][];
  readonly #seen = new Set<string>();
  #negated = -1;

  constructor(families: WordFamilies) {
    this.#families = families;
    this.#reached = families.sequences.map(() => []);
  }

  take(word: string, words: Words, number: number): void {
    if (!words.joined) this.#negated = -1;
    for (const step of this.#families.steps.get(word) ?? []) this.#advance(step, words, number);
    if (NEGATIONS.has(word)) this.#negated = number;
  }

  #advance({ sequence, step, reach }: Step, words: Words, number: number): void {
    const told = this.#families.sequences[sequence];
    const reached = this.#reached[sequence];
    if (told === undefined || reached === undefined || this.#seen.has(told.signal)) return;
    let start = words.start;
    if (step > 0) {
      const before = reached[step - 1];
      if (before === undefined || number - before.word > reach) return;
      ({ start } = before);
    } else if (this.#negated >= 0 && number - this.#negated <= NEGATION_REACH) return;
    reached[step] = { word: number, start };
    if (step + 1 < told.length) return;
    this.#seen.add(told.signal);
    this.hits.push({ signal: told.signal, start, end: words.end });
  }
}

/** The first place of each signal that a lower-case text gives. Counts its code units as steps. */
export function searchFamilies(families: WordFamilies, lower: string, counter: StepCounter): readonly FamilyHit[] {
  counter.steps += lower.length;
  const words = new Words(lower);
  const search = new Search(families);
  for (let number = 0; words.next(); number += 1) {
    const length = words.end - words.start;
    search.take(length > WORD_CHARS_MAX ? '' : lower.slice(words.start, words.end), words, number);
  }
  return search.hits;
}
