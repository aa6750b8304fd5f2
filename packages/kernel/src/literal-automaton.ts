/**
 * @module Many fixed words in one pass: an Aho-Corasick automaton as one table ("Efficient string matching", 1975): every code unit of
 * a text is one step, however many words there are.
 *
 * The table has a column for each ASCII character of the words, and states near the root stand side by side, so that what ordinary text
 * walks through stays in the cache. Other characters have a table of their own, in which most states share one row.
 */

export interface LiteralAutomaton {
  /** Column of each ASCII code unit; 0 for those that are in no literal. */
  readonly columns: Uint16Array;
  readonly width: number;
  /** Next state, by state times `width` plus column. */
  readonly next: Uint16Array | Uint32Array;
  readonly outer: OuterTable;
  /** In this state and those behind it a literal ends. */
  readonly firstEnding: number;
  /** First literal that ends in a state, or -1. By state. */
  readonly ends: Int32Array;
  /** The next shorter state in which a literal ends, or 0. By state. */
  readonly shorter: Uint32Array;
  readonly lengths: Int32Array;
}

/** Where code units outside ASCII lead. Few states tell them apart, so most share the row of the root. */
interface OuterTable {
  /** Column of each code unit; empty where no literal has one outside ASCII. */
  readonly columns: Uint16Array;
  readonly width: number;
  /** Row of each state. */
  readonly rows: Uint32Array;
  /** Next state, by row times `width` plus column. */
  readonly next: Uint32Array;
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

/** Columns of the units that literals have, from one on; those below `to` and from `from` on only. */
function columnsOf(trie: Trie, { from, to }: { readonly from: number; readonly to: number }): { columns: Uint16Array; width: number } {
  const columns = new Uint16Array(to);
  let width = 1;
  for (let state = 1; state < trie.units.length; state += 1) {
    const unit = trie.units[state] ?? 0;
    if (unit < from || unit >= to || columns[unit] !== 0) continue;
    columns[unit] = width;
    width += 1;
  }
  return width === 1 && from > 0 ? { columns: new Uint16Array(0), width } : { columns, width };
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
    ...tablesOf(trie, { byDepth, rank, back: links.back }),
    firstEnding: plain.length,
    ends: Int32Array.from(order, (state) => trie.ends[state] ?? -1),
    shorter: ranked(links.shorter),
    lengths: Int32Array.from(literals, (literal) => literal.length),
  };
}

/** Rows of the second table while they are made. */
class OuterRows {
  readonly columns: Uint16Array;
  readonly width: number;
  readonly #rowOf: Uint32Array;
  readonly #rows: Uint32Array[];
  readonly #owners: number[] = [0];

  constructor(trie: Trie) {
    const { columns, width } = columnsOf(trie, { from: ASCII, to: UNITS });
    this.columns = columns;
    this.width = width;
    this.#rowOf = new Uint32Array(trie.units.length);
    this.#rows = [new Uint32Array(width)];
  }

  /** Lays an edge over the row of a state, which gets one of its own for that. */
  lay(from: number, unit: number, to: number): void {
    let row = this.#rowOf[from] ?? 0;
    if (this.#owners[row] !== from) {
      this.#owners.push(from);
      row = this.#rows.push(Uint32Array.from(this.#rows[row] ?? [])) - 1;
      this.#rowOf[from] = row;
    }
    const cells = this.#rows[row];
    if (cells !== undefined) cells[this.columns[unit] ?? 0] = to;
  }

  /** A state without edges of its own leads where the longest shorter one does. */
  share(state: number, back: number): void {
    this.#rowOf[state] = this.#rowOf[back] ?? 0;
  }

  table(): OuterTable {
    const next = new Uint32Array(this.#rows.length * this.width);
    for (const [row, cells] of this.#rows.entries()) next.set(cells, row * this.width);
    return { columns: this.columns, width: this.width, rows: this.#rowOf, next };
  }
}

/** The rows, depth by depth: a state's row is that of the longest shorter state, with its own edges laid over it. */
function tablesOf(
  trie: Trie,
  { byDepth, rank, back }: { readonly byDepth: readonly number[]; readonly rank: Uint32Array; readonly back: Uint32Array },
): Pick<LiteralAutomaton, 'columns' | 'width' | 'next' | 'outer'> {
  const { columns, width } = columnsOf(trie, { from: 0, to: ASCII });
  const next = rank.length > SMALL_STATES_MAX ? new Uint32Array(rank.length * width) : new Uint16Array(rank.length * width);
  const outer = new OuterRows(trie);
  const rankOf = (state: number | undefined): number => rank[state ?? 0] ?? 0;
  for (let from = 1; from < byDepth.length;) {
    const to = depthEnd(trie, byDepth, from);
    for (const state of byDepth.slice(from, to)) {
      const parent = rankOf(trie.parents[state]);
      const unit = trie.units[state] ?? 0;
      if (unit < ASCII) next[parent * width + (columns[unit] ?? 0)] = rankOf(state);
      else outer.lay(parent, unit, rankOf(state));
    }
    for (const state of byDepth.slice(from, to)) {
      const row = rankOf(back[state]) * width;
      next.copyWithin(rankOf(state) * width, row, row + width);
      outer.share(rankOf(state), rankOf(back[state]));
    }
    from = to;
  }
  return { columns, width, next, outer: outer.table() };
}

/** What is told of an occurrence: the index of the literal, where it starts, where it ends. */
export type OnLiteral = (literal: number, start: number, end: number) => void;

/** Tells of the literals that end in a state, longest first. Returns how many there are. */
function tell(
  { ends, shorter, lengths }: LiteralAutomaton,
  at: { readonly state: number; readonly end: number },
  onLiteral: OnLiteral,
): number {
  let ended = ends[at.state] === -1 ? (shorter[at.state] ?? 0) : at.state;
  let count = 0;
  for (; ended !== 0; ended = shorter[ended] ?? 0) {
    const literal = ends[ended] ?? -1;
    count += 1;
    onLiteral(literal, at.end - (lengths[literal] ?? 0), at.end);
  }
  return count;
}

/** Where a code unit outside ASCII leads. */
function outside({ columns, rows, next, width }: OuterTable, state: number, unit: number): number {
  return width === 1 ? 0 : (next[(rows[state] ?? 0) * width + (columns[unit] ?? 0)] ?? 0);
}

/** Reports every occurrence of every literal, by end, longest first. Returns the steps taken: one for each code unit and one for each occurrence. */
export function scanLiterals(automaton: LiteralAutomaton, text: string, onLiteral: OnLiteral): number {
  const { columns, width, next, outer, firstEnding } = automaton;
  let state = 0;
  let steps = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < ASCII) state = next[state * width + (columns[unit] ?? 0)] ?? 0;
    else state = outside(outer, state, unit);
    if (state >= firstEnding) steps += tell(automaton, { state, end: i + 1 }, onLiteral);
  }
  return steps;
}
