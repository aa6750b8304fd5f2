/**
 * @module Many fixed words in one pass: an Aho-Corasick automaton as one table ("Efficient string matching", 1975): every code unit of
 * a text is one step, however many words there are.
 *
 * The table has a column for each ASCII character of the words, and states near the root stand side by side, so that what ordinary text
 * walks through stays in the cache. Other characters are looked up as edges.
 */

export interface LiteralAutomaton {
  /** Column of each ASCII code unit; 0 for those that are in no literal. */
  readonly columns: Uint8Array;
  readonly width: number;
  /** Next state, by state times `width` plus column. */
  readonly next: Uint16Array | Uint32Array;
  /** Next state by code units outside ASCII, where a literal goes on with one: see `edgeOf`. */
  readonly edges: ReadonlyMap<number, number>;
  /** The longest shorter state, by state: where to look for an edge that a state lacks. */
  readonly back: Uint32Array;
  /** In this state and those behind it a literal ends. */
  readonly firstEnding: number;
  /** First literal that ends in a state, or -1. By state. */
  readonly ends: Int32Array;
  /** The next shorter state in which a literal ends, or 0. By state. */
  readonly shorter: Uint32Array;
  readonly lengths: Int32Array;
}

const ASCII = 128;
const UNITS = 65_536;

function edgeOf(state: number, unit: number): number {
  return state * UNITS + unit;
}

/** The literals as a tree of states in order of creation; state 0 is its root. */
interface Trie {
  readonly edges: Map<number, number>;
  readonly parents: number[];
  readonly units: number[];
  readonly depths: number[];
  readonly ends: number[];
}

function plant(literals: readonly string[]): Trie {
  const trie: Trie = { edges: new Map(), parents: [0], units: [0], depths: [0], ends: [-1] };
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (let i = 0; i < literal.length; i += 1) {
      const unit = literal.charCodeAt(i);
      const child = trie.edges.get(edgeOf(state, unit));
      state = child ?? sprout(trie, state, unit);
    }
    trie.ends[state] = id;
  }
  return trie;
}

function sprout(trie: Trie, parent: number, unit: number): number {
  const state = trie.parents.length;
  trie.edges.set(edgeOf(parent, unit), state);
  trie.parents.push(parent);
  trie.units.push(unit);
  trie.depths.push((trie.depths[parent] ?? 0) + 1);
  trie.ends.push(-1);
  return state;
}

/** For each state the longest shorter one, and the next shorter one with an end; states are numbered as in the trie. */
function linksOf(trie: Trie, byDepth: readonly number[]): { readonly back: Uint32Array; readonly shorter: Uint32Array } {
  const back = new Uint32Array(byDepth.length);
  const shorter = new Uint32Array(byDepth.length);
  for (const state of byDepth) {
    const parent = trie.parents[state] ?? 0;
    if (parent === 0) continue;
    const to = follow(trie.edges, back, { state: back[parent] ?? 0, unit: trie.units[state] ?? 0 });
    back[state] = to;
    shorter[state] = trie.ends[to] === -1 ? (shorter[to] ?? 0) : to;
  }
  return { back, shorter };
}

/** Where a unit leads from a state that may lack the edge. */
function follow(edges: ReadonlyMap<number, number>, back: Uint32Array, from: { readonly state: number; readonly unit: number }): number {
  for (let { state } = from; ; state = back[state] ?? 0) {
    const to = edges.get(edgeOf(state, from.unit));
    if (to !== undefined) return to;
    if (state === 0) return 0;
  }
}

function columnsOf(trie: Trie): { readonly columns: Uint8Array; readonly width: number } {
  const columns = new Uint8Array(ASCII);
  let width = 1;
  for (let state = 1; state < trie.units.length; state += 1) {
    const unit = trie.units[state] ?? 0;
    if (unit >= ASCII || columns[unit] !== 0) continue;
    columns[unit] = width;
    width += 1;
  }
  return { columns, width };
}

const SMALL_STATES_MAX = 65_535;

/** Where one depth ends in states sorted by depth. */
function depthEnd(trie: Trie, byDepth: readonly number[], from: number): number {
  const depth = trie.depths[byDepth[from] ?? 0];
  let to = from;
  while (to < byDepth.length && trie.depths[byDepth[to] ?? 0] === depth) to += 1;
  return to;
}

/** Builds the table. `literals` are distinct and not empty; a hit reports the index of one. */
export function buildAutomaton(literals: readonly string[]): LiteralAutomaton {
  const trie = plant(literals);
  const states = trie.parents.length;
  const byDepth = Array.from({ length: states }, (_, state) => state).sort((a, b) => (trie.depths[a] ?? 0) - (trie.depths[b] ?? 0));
  const links = linksOf(trie, byDepth);
  const isEnding = (state: number): boolean => trie.ends[state] !== -1 || links.shorter[state] !== 0;
  const plain = byDepth.filter((state) => !isEnding(state));
  const order = [...plain, ...byDepth.filter(isEnding)];
  const rank = new Uint32Array(states);
  for (const [at, state] of order.entries()) rank[state] = at;
  const ranked = (list: Uint32Array): Uint32Array => Uint32Array.from(order, (state) => rank[list[state] ?? 0] ?? 0);
  return {
    ...tableOf(trie, { byDepth, rank, back: links.back }),
    back: ranked(links.back),
    firstEnding: plain.length,
    ends: Int32Array.from(order, (state) => trie.ends[state] ?? -1),
    shorter: ranked(links.shorter),
    lengths: Int32Array.from(literals, (literal) => literal.length),
  };
}

/** The rows, depth by depth: a state's row is that of the longest shorter state, with its own edges laid over it. */
function tableOf(
  trie: Trie,
  { byDepth, rank, back }: { readonly byDepth: readonly number[]; readonly rank: Uint32Array; readonly back: Uint32Array },
): Pick<LiteralAutomaton, 'columns' | 'width' | 'next' | 'edges'> {
  const { columns, width } = columnsOf(trie);
  const next = rank.length > SMALL_STATES_MAX ? new Uint32Array(rank.length * width) : new Uint16Array(rank.length * width);
  const edges = new Map<number, number>();
  for (let from = 1; from < byDepth.length;) {
    const to = depthEnd(trie, byDepth, from);
    for (const state of byDepth.slice(from, to)) {
      const parent = rank[trie.parents[state] ?? 0] ?? 0;
      const unit = trie.units[state] ?? 0;
      if (unit < ASCII) next[parent * width + (columns[unit] ?? 0)] = rank[state] ?? 0;
      else edges.set(edgeOf(parent, unit), rank[state] ?? 0);
    }
    for (const state of byDepth.slice(from, to)) {
      const row = (rank[back[state] ?? 0] ?? 0) * width;
      next.copyWithin((rank[state] ?? 0) * width, row, row + width);
    }
    from = to;
  }
  return { columns, width, next, edges };
}

/** What is told of an occurrence: the index of the literal, where it starts, where it ends. */
export type OnLiteral = (literal: number, start: number, end: number) => void;

/** Reports every occurrence of every literal, by end, longest first. Returns the steps taken: one for each code unit and one for each occurrence. */
export function scanLiterals(automaton: LiteralAutomaton, text: string, onLiteral: OnLiteral): number {
  const { columns, width, next, edges, back, firstEnding, ends, shorter, lengths } = automaton;
  let state = 0;
  let steps = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < ASCII) state = next[state * width + (columns[unit] ?? 0)] ?? 0;
    else {
      // Each step back undoes a step forward: all of them together are fewer than the code units.
      if (state !== 0) steps += 1;
      state = edges.size === 0 ? 0 : follow(edges, back, { state, unit });
    }
    if (state < firstEnding) continue;
    let ended = ends[state] === -1 ? (shorter[state] ?? 0) : state;
    while (ended !== 0) {
      const literal = ends[ended] ?? -1;
      steps += 1;
      onLiteral(literal, i + 1 - (lengths[literal] ?? 0), i + 1);
      ended = shorter[ended] ?? 0;
    }
  }
  return steps;
}
