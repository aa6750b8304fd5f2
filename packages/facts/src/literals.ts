/**
 * @module Literals: one automaton over all fixed words this room looks for (Aho and Corasick, 1975), so that a text is read once
 * however many words there are. Words and texts are lower case; anything that is not ASCII separates.
 */

/** Occurrences in order of their end, three numbers each: number of the word, start, end. */
export type LiteralHits = readonly number[];

/** A compiled set of words. */
export interface LiteralIndex {
  /** Every occurrence of every word in `lower`. Looks at each code unit once. */
  scan(lower: string): LiteralHits;
  /** Whether one of the words is in `lower`. Looks at each code unit at most once. */
  isIn(lower: string): boolean;
}

const NO_HITS: LiteralHits = [];

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
  const { next, width } = trie;
  const fail = new Int32Array(trie.states);
  const queue: number[] = [];
  for (let c = 0; c < width; c += 1) {
    const child = next[c] ?? 0;
    if (child !== 0) queue.push(child);
  }
  for (let head = 0; head < queue.length; head += 1) linkState(trie, queue[head] ?? 0, { fail, queue });
}

function linkState(trie: Trie, state: number, links: { readonly fail: Int32Array; readonly queue: number[] }): void {
  const { next, width, word, shorter } = trie;
  const back = links.fail[state] ?? 0;
  shorter[state] = (word[back] ?? -1) >= 0 ? back : (shorter[back] ?? 0);
  for (let c = 0; c < width; c += 1) {
    const child = next[state * width + c] ?? 0;
    const other = next[back * width + c] ?? 0;
    if (child === 0) next[state * width + c] = other;
    else {
      links.fail[child] = other;
      links.queue.push(child);
    }
  }
}

/** States as offsets of their rows, negative where a word ends in the state or in a suffix of it. */
function rowsOf(trie: Trie & { states: number }): Int32Array {
  const { next, width, word, shorter, states } = trie;
  const rows = new Int32Array(states * width);
  for (let i = 0; i < rows.length; i += 1) {
    const state = next[i] ?? 0;
    const ends = (word[state] ?? -1) >= 0 || shorter[state] !== 0;
    rows[i] = ends ? -state * width : state * width;
  }
  return rows;
}

/** Compiles distinct, non-empty, lower-case ASCII words; a word is known by its index. */
export function compileLiterals(words: readonly string[]): LiteralIndex {
  const trie = buildTrie(words);
  link(trie);
  const { width, classes, word, shorter } = trie;
  const rows = rowsOf(trie);
  const lengths = Int32Array.from(words, (text) => text.length);
  const pushWords = (hits: number[], state: number, end: number): void => {
    let at = (word[state] ?? -1) < 0 ? (shorter[state] ?? 0) : state;
    for (; at !== 0; at = shorter[at] ?? 0) {
      const number = word[at] ?? 0;
      hits.push(number, end - (lengths[number] ?? 0), end);
    }
  };
  return {
    scan(lower) {
      let hits: number[] | undefined;
      let row = 0;
      for (let i = 0; i < lower.length; i += 1) {
        const code = lower.charCodeAt(i);
        row = code < 128 ? (rows[row + (classes[code] ?? 0)] ?? 0) : 0;
        if (row >= 0) continue;
        row = -row;
        hits ??= [];
        pushWords(hits, row / width, i + 1);
      }
      return hits ?? NO_HITS;
    },
    isIn(lower) {
      let row = 0;
      for (let i = 0; i < lower.length; i += 1) {
        const code = lower.charCodeAt(i);
        row = code < 128 ? (rows[row + (classes[code] ?? 0)] ?? 0) : 0;
        if (row < 0) return true;
      }
      return false;
    },
  };
}
