/**
 * @module An Aho-Corasick automaton as one table: every code unit of the text is one step, however many literals there are.
 *
 * Aho and Corasick, "Efficient string matching", 1975. Code units that are in no literal share one column of the table.
 */

export interface Automaton {
  /** Column of each code unit. */
  readonly columns: Uint16Array;
  readonly width: number;
  /** Next state times `width`, by state times `width` plus column. */
  readonly next: Int32Array;
  /** First literal that ends in a state, or -1. By state. */
  readonly ends: Int32Array;
  /** The next shorter state in which a literal ends, or 0. By state. */
  readonly shorter: Int32Array;
  readonly lengths: Int32Array;
}

function readColumns(literals: readonly string[]): { columns: Uint16Array; width: number } {
  const columns = new Uint16Array(65_536);
  let width = 1;
  for (const literal of literals) {
    for (let i = 0; i < literal.length; i += 1) {
      const code = literal.charCodeAt(i);
      if (columns[code] !== 0) continue;
      columns[code] = width;
      width += 1;
    }
  }
  return { columns, width };
}

function plant(literals: readonly string[], columns: Uint16Array, width: number): { next: Int32Array; ends: Int32Array; states: number } {
  const capacity = literals.reduce((sum, literal) => sum + literal.length, 1);
  const next = new Int32Array(capacity * width);
  const ends = new Int32Array(capacity).fill(-1);
  let states = 1;
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (let i = 0; i < literal.length; i += 1) {
      const cell = state * width + (columns[literal.charCodeAt(i)] ?? 0);
      if (next[cell] === 0) {
        next[cell] = states;
        states += 1;
      }
      state = next[cell] ?? 0;
    }
    ends[state] = id;
  }
  return { next: next.slice(0, states * width), ends: ends.slice(0, states), states };
}

/** Turns the trie into a table: a state's missing edges become those of the longest shorter state. Gives each state the next shorter one with an end. */
function close(trie: { readonly next: Int32Array; readonly ends: Int32Array; readonly states: number }, width: number): Int32Array {
  const { next, ends, states } = trie;
  const fail = new Int32Array(states);
  const shorter = new Int32Array(states);
  const queue: number[] = [0];
  for (const state of queue) {
    const back = (fail[state] ?? 0) * width;
    for (let column = 0; column < width; column += 1) {
      const cell = state * width + column;
      const child = next[cell] ?? 0;
      const viaBack = state === 0 ? 0 : (next[back + column] ?? 0);
      next[cell] = child === 0 ? viaBack : child;
      if (child === 0) continue;
      fail[child] = viaBack;
      shorter[child] = ends[viaBack] === -1 ? (shorter[viaBack] ?? 0) : viaBack;
      queue.push(child);
    }
  }
  return shorter;
}

/** Builds the table. `literals` are distinct and not empty; a hit reports the index of one. */
export function buildAutomaton(literals: readonly string[]): Automaton {
  const { columns, width } = readColumns(literals);
  const trie = plant(literals, columns, width);
  const shorter = close(trie, width);
  const { next, ends } = trie;
  for (let cell = 0; cell < next.length; cell += 1) next[cell] = (next[cell] ?? 0) * width;
  return { columns, width, next, ends, shorter, lengths: Int32Array.from(literals, (literal) => literal.length) };
}

/** Reports every occurrence of every literal, by end, longest first, as (literal, start). Returns the steps taken. */
export function scan(automaton: Automaton, text: string, onHit: (literal: number, start: number) => void): number {
  const { columns, width, next, ends, shorter, lengths } = automaton;
  let row = 0;
  let steps = text.length;
  for (let i = 0; i < text.length; i += 1) {
    row = next[row + (columns[text.charCodeAt(i)] ?? 0)] ?? 0;
    if (row === 0) continue;
    let state = row / width;
    if (ends[state] === -1) state = shorter[state] ?? 0;
    while (state !== 0) {
      const literal = ends[state] ?? -1;
      steps += 1;
      onHit(literal, i + 1 - (lengths[literal] ?? 0));
      state = shorter[state] ?? 0;
    }
  }
  return steps;
}
