/**
 * @module Literals: one automaton over all fixed words this room looks for (Aho and Corasick, 1975), so that a text is read once
 * however many words there are. Words and texts are lower case; anything that is not ASCII separates.
 */

/** Called for each occurrence in order of its end: number of the word, and where it starts and ends. */
export type LiteralHit = (word: number, start: number, end: number) => void;

/** A compiled set of words. */
export interface LiteralIndex {
  /** Reports every occurrence of every word in `lower`. Looks at each code unit once. */
  scan(lower: string, onHit: LiteralHit): void;
}

interface Trie {
  readonly next: Int32Array;
  readonly width: number;
  readonly classes: Uint8Array;
  /** Word that ends in a state, or -1. */
  readonly word: Int32Array;
  /** Nearest shorter suffix state in which a word ends, or 0. */
  readonly shorter: Int32Array;
}

function classesOf(words: readonly string[]): { classes: Uint8Array; width: number } {
  const classes = new Uint8Array(128);
  let width = 1;
  for (const word of words) {
    for (let i = 0; i < word.length; i += 1) {
      const code = word.charCodeAt(i);
      if (classes[code] === 0) {
        classes[code] = width;
        width += 1;
      }
    }
  }
  return { classes, width };
}

function buildTrie(words: readonly string[]): Trie & { states: number } {
  const { classes, width } = classesOf(words);
  const capacity = words.reduce((sum, word) => sum + word.length, 1);
  const next = new Int32Array(capacity * width);
  const word = new Int32Array(capacity).fill(-1);
  let states = 1;
  for (const [number, text] of words.entries()) {
    let state = 0;
    for (let i = 0; i < text.length; i += 1) {
      const at = state * width + (classes[text.charCodeAt(i)] ?? 0);
      if (next[at] === 0) {
        next[at] = states;
        states += 1;
      }
      state = next[at] ?? 0;
    }
    word[state] = number;
  }
  return { next, width, classes, word, shorter: new Int32Array(capacity), states };
}

/** Turns the trie into a complete automaton, state by state in order of depth. */
function link(trie: Trie & { states: number }): void {
  const { next, width, word, shorter } = trie;
  const fail = new Int32Array(trie.states);
  const queue: number[] = [];
  for (let c = 0; c < width; c += 1) {
    const child = next[c] ?? 0;
    if (child !== 0) queue.push(child);
  }
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] ?? 0;
    const back = fail[state] ?? 0;
    shorter[state] = (word[back] ?? -1) >= 0 ? back : (shorter[back] ?? 0);
    for (let c = 0; c < width; c += 1) {
      const child = next[state * width + c] ?? 0;
      const other = next[back * width + c] ?? 0;
      if (child === 0) next[state * width + c] = other;
      else {
        fail[child] = other;
        queue.push(child);
      }
    }
  }
}

/** Compiles distinct, non-empty, lower-case ASCII words; a word is known by its index. */
export function compileLiterals(words: readonly string[]): LiteralIndex {
  const trie = buildTrie(words);
  link(trie);
  const { next, width, classes, word, shorter } = trie;
  const lengths = Int32Array.from(words, (text) => text.length);
  return {
    scan(lower, onHit) {
      let state = 0;
      for (let i = 0; i < lower.length; i += 1) {
        const code = lower.charCodeAt(i);
        state = code < 128 ? (next[state * width + (classes[code] ?? 0)] ?? 0) : 0;
        let at = (word[state] ?? -1) >= 0 ? state : (shorter[state] ?? 0);
        while (at !== 0) {
          const number = word[at] ?? 0;
          onHit(number, i + 1 - (lengths[number] ?? 0), i + 1);
          at = shorter[at] ?? 0;
        }
      }
    },
  };
}
