/**
 * @module Literals: one automaton over all fixed words this room looks for, so that a text is read once however many words there are. Words
 * and texts are lower case.
 */
import { buildAutomaton, type OnLiteral, scanLiterals } from '@countersign/kernel';

/** Occurrences in order of their end, three numbers each: number of the word, start, end. */
export type LiteralHits = readonly number[];

/** A compiled set of words. */
export interface LiteralIndex {
  /** Every occurrence of every word in `lower`. Looks at each code unit once. */
  scan(lower: string): LiteralHits;
}

const NO_HITS: LiteralHits = [];

/** Compiles distinct, non-empty, lower-case words; a word is known by its index. */
export function compileLiterals(words: readonly string[]): LiteralIndex {
  const automaton = buildAutomaton(words);
  let hits: number[] | undefined;
  const onLiteral: OnLiteral = (word, start, end) => {
    hits ??= [];
    hits.push(word, start, end);
  };
  return {
    scan(lower) {
      hits = undefined;
      scanLiterals(automaton, lower, onLiteral);
      return hits ?? NO_HITS;
    },
  };
}
