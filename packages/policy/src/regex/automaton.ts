/**
 * @module A deterministic automaton made on the fly from a program: one step a character, no back-tracking. A state is the
 * set of instructions the machine may stand at; when too many have been made the cache starts over, so memory is bounded
 * and the worst case is `text length x program size`, counted.
 */
import { setHas, SPACES, WORDS } from './char-set.ts';
import type { Assertion } from './parse.ts';
import type { Instruction, Program } from './program.ts';
import { type Move, StateTable } from './state-table.ts';

/** Counts work; a search stops when `steps` passes `limit` and says so in `cut`. */
export interface ScanMeter {
  steps: number;
  readonly limit: number;
  cut: boolean;
}

const EDGE = 0;
const NEWLINE = 1;
const WORD = 2;
const OTHER = 3;
const NO_HITS: readonly number[] = [];

/** Classes of characters that the program cannot tell apart. */
interface Alphabet {
  /** First code unit of each class, ascending. */
  readonly bounds: readonly number[];
  readonly ascii: Uint8Array | Uint16Array;
  /** What kind of neighbour a class is. */
  readonly kinds: readonly number[];
}

function alphabetOf(code: readonly Instruction[]): Alphabet {
  const cuts = new Set<number>([0, 0x0a, 0x0b]);
  const addSet = (set: readonly number[]): void => {
    for (let i = 0; i < set.length; i += 2) cuts.add(set[i] ?? 0).add((set[i + 1] ?? 0) + 1);
  };
  addSet(WORDS);
  addSet(SPACES);
  for (const instruction of code) {
    if (instruction.op === 'char') addSet(instruction.set);
  }
  const bounds = [...cuts].filter((unit) => unit <= 0xffff).sort((a, b) => a - b);
  const kinds = bounds.map((unit) => (unit === 0x0a ? NEWLINE : setHas(WORDS, unit) ? WORD : OTHER));
  const ascii = new Uint16Array(128);
  let index = 0;
  for (let unit = 0; unit < 128; unit += 1) {
    while ((bounds[index + 1] ?? Number.POSITIVE_INFINITY) <= unit) index += 1;
    ascii[unit] = index;
  }
  return { bounds, ascii, kinds };
}

function classOf(alphabet: Alphabet, unit: number): number {
  if (unit < 128) return alphabet.ascii[unit] ?? 0;
  let low = 0;
  let high = alphabet.bounds.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((alphabet.bounds[middle] ?? 0) <= unit) low = middle;
    else high = middle - 1;
  }
  return low;
}

const HOLDS: Readonly<Record<Assertion, (left: number, right: number) => boolean>> = {
  'text-start': (left) => left === EDGE,
  'text-end': (_, right) => right === EDGE,
  'line-start': (left) => left === EDGE || left === NEWLINE,
  'line-end': (_, right) => right === EDGE || right === NEWLINE,
  word: (left, right) => (left === WORD) !== (right === WORD),
  'not-word': (left, right) => (left === WORD) === (right === WORD),
};

interface Sink {
  readonly meter: ScanMeter;
  /** False stops the search. */
  onHit(ids: readonly number[], at: number): boolean;
}

export class Automaton {
  readonly #program: Program;
  readonly #alphabet: Alphabet;
  readonly #marks: Uint32Array;
  readonly #states: StateTable;
  #generation = 0;
  /** The state the search stands in. */
  #lane = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#alphabet = alphabetOf(program.code);
    this.#marks = new Uint32Array(program.code.length);
    this.#states = new StateTable(this.#alphabet.bounds.length + 1);
  }

  /** Follows every way that reads nothing, between `state.behind` and a neighbour of kind `ahead`. */
  #closure(state: number, ahead: number, meter: ScanMeter): { chars: number[]; matches: readonly number[] } {
    this.#generation += 1;
    const { kernel, behind } = this.#states.get(state);
    const chars: number[] = [];
    const matches: number[] = [];
    const pending = this.#program.anchored ? [...kernel] : [...kernel, this.#program.start];
    const [left, right] = this.#program.reverse ? [ahead, behind] : [behind, ahead];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      const instruction = this.#visit(index);
      if (instruction === undefined) continue;
      meter.steps += 1;
      if (instruction.op === 'char') chars.push(index);
      else if (instruction.op === 'split') pending.push(instruction.b, instruction.a);
      else if (instruction.op === 'match') matches.push(instruction.id);
      else if (HOLDS[instruction.what](left, right)) pending.push(instruction.next);
    }
    return { chars, matches: matches.length === 0 ? NO_HITS : matches.sort((a, b) => a - b) };
  }

  /** The instruction, the first time this generation comes by. */
  #visit(index: number): Instruction | undefined {
    if (this.#marks[index] === this.#generation) return undefined;
    this.#marks[index] = this.#generation;
    return this.#program.code[index];
  }

  /** Makes the move of `state` over a class and puts it into the table; class -1 is the end of the text. Gives the move. */
  #move(state: number, cls: number, meter: ScanMeter): Move {
    const ahead = cls === -1 ? EDGE : (this.#alphabet.kinds[cls] ?? OTHER);
    const { chars, matches } = this.#closure(state, ahead, meter);
    if (cls === -1) return this.#states.keep(state, 0, { hits: matches, next: undefined, quiet: false });
    const unit = this.#alphabet.bounds[cls] ?? 0;
    const targets = new Set<number>();
    for (const index of chars) {
      const instruction = this.#program.code[index];
      if (instruction?.op === 'char' && setHas(instruction.set, unit)) targets.add(instruction.next);
    }
    const kernel = [...targets].sort((a, b) => a - b);
    const quiet = matches.length === 0 && !this.#program.anchored && !this.#program.reverse;
    return this.#states.keep(state, cls + 1, { hits: matches, next: { kernel, behind: ahead }, quiet });
  }

  #kindAt(text: string, at: number): number {
    const unit = text.charCodeAt(at);
    return Number.isNaN(unit) ? EDGE : (this.#alphabet.kinds[classOf(this.#alphabet, unit)] ?? OTHER);
  }

  #isDead(state: number): boolean {
    return this.#program.anchored && this.#states.get(state).kernel.length === 0;
  }

  /** Column of a character in a state's tables; 0 is the end of the text. */
  #slotAt(text: string, at: number): number {
    const unit = text.charCodeAt(at);
    return Number.isNaN(unit) ? 0 : classOf(this.#alphabet, unit) + 1;
  }

  /** Takes the moves that are known and match nothing; returns how far it came and leaves the state in `#lane`. */
  #coast(text: string, at: number, to: number): number {
    const { ascii } = this.#alphabet;
    const { quiet, width } = this.#states;
    let state = this.#lane;
    let i = at;
    for (; i < to; i += 1) {
      const unit = text.charCodeAt(i);
      const next = quiet[state * width + (unit < 128 ? (ascii[unit] ?? 0) + 1 : classOf(this.#alphabet, unit) + 1)] ?? 0;
      if (next === 0) break;
      state = next;
    }
    this.#lane = state;
    return i;
  }

  /**
   * Runs from `from` to `to` (backwards for a reversed program) and calls `onHit` where ids end; it stops when `onHit`
   * returns false, when nothing can match any more, or when the meter is spent. Text outside is seen by `\b`, `^`, `$`.
   */
  run(text: string, range: { readonly from: number; readonly to: number }, sink: Sink): void {
    const { reverse, anchored, start } = this.#program;
    const [step, offset] = reverse ? [-1, -1] : [1, 0];
    const { meter } = sink;
    this.#lane = this.#states.first(this.#kindAt(text, range.from - 1 - offset), anchored ? start : -1);
    for (let at = range.from; ; at += step) {
      const coasted = this.#coast(text, at, range.to);
      meter.steps += coasted - at + 1;
      at = coasted;
      const slot = this.#slotAt(text, at + offset);
      const { hits, next } = this.#states.moveAt(this.#lane, slot) ?? this.#move(this.#lane, slot - 1, meter);
      if (hits.length > 0 && !sink.onHit(hits, at)) return;
      if (at === range.to || next === 0 || this.#isDead(next)) return;
      meter.cut ||= meter.steps > meter.limit;
      if (meter.cut) return;
      this.#lane = next;
    }
  }
}
