/**
 * @module A deterministic automaton made on the fly from a program: one step a character, no back-tracking. A state is the
 * set of instructions the machine may stand at; when too many have been made the cache starts over, so memory is bounded
 * and the worst case is `text length x program size`, counted.
 */
import { POLICY_LIMITS } from '../limits.ts';
import { setHas, SPACES, WORDS } from './char-set.ts';
import type { Assertion } from './parse.ts';
import type { Instruction, Program } from './program.ts';

/** Counts work; a search stops when `steps` passes `limit` and says so in `cut`. */
export interface ScanMeter {
  steps: number;
  readonly limit: number;
  cut: boolean;
}

interface State {
  readonly kernel: readonly number[];
  /** What stands behind the machine: for `\b` and `^`. */
  readonly behind: number;
  readonly next: (State | undefined)[];
  /** Ids that match just before a character of this class. */
  readonly hits: (readonly number[] | undefined)[];
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

function holds(what: Assertion, left: number, right: number): boolean {
  switch (what) {
    case 'text-start':
      return left === EDGE;
    case 'text-end':
      return right === EDGE;
    case 'line-start':
      return left === EDGE || left === NEWLINE;
    case 'line-end':
      return right === EDGE || right === NEWLINE;
    case 'word':
      return (left === WORD) !== (right === WORD);
    case 'not-word':
      return (left === WORD) === (right === WORD);
  }
}

export class Automaton {
  readonly #program: Program;
  readonly #alphabet: Alphabet;
  readonly #marks: Uint32Array;
  #generation = 0;
  #states = new Map<string, State>();

  constructor(program: Program) {
    this.#program = program;
    this.#alphabet = alphabetOf(program.code);
    this.#marks = new Uint32Array(program.code.length);
  }

  #state(kernel: readonly number[], behind: number): State {
    const key = `${String(behind)}:${kernel.join(',')}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= POLICY_LIMITS.regexStatesMax) this.#states = new Map();
    const state: State = { kernel, behind, next: [], hits: [] };
    this.#states.set(key, state);
    return state;
  }

  /** Follows every way that reads nothing, between `state.behind` and a neighbour of kind `ahead`. */
  #closure(state: State, ahead: number, meter: ScanMeter): { chars: number[]; matches: readonly number[] } {
    this.#generation += 1;
    const chars: number[] = [];
    const matches: number[] = [];
    const pending = this.#program.anchored ? [...state.kernel] : [...state.kernel, this.#program.start];
    const [left, right] = this.#program.reverse ? [ahead, state.behind] : [state.behind, ahead];
    while (pending.length > 0) {
      const index = pending.pop() ?? 0;
      if (this.#marks[index] === this.#generation) continue;
      this.#marks[index] = this.#generation;
      meter.steps += 1;
      const instruction = this.#program.code[index];
      if (instruction?.op === 'char') chars.push(index);
      else if (instruction?.op === 'split') pending.push(instruction.b, instruction.a);
      else if (instruction?.op === 'match') matches.push(instruction.id);
      else if (instruction !== undefined && holds(instruction.what, left, right)) pending.push(instruction.next);
    }
    return { chars, matches: matches.length === 0 ? NO_HITS : matches.sort((a, b) => a - b) };
  }

  /** Makes the move of `state` over a class; class -1 is the end of the text. */
  #move(state: State, cls: number, meter: ScanMeter): void {
    const slot = cls + 1;
    const ahead = cls === -1 ? EDGE : (this.#alphabet.kinds[cls] ?? OTHER);
    const { chars, matches } = this.#closure(state, ahead, meter);
    state.hits[slot] = matches;
    if (cls === -1) return;
    const unit = this.#alphabet.bounds[cls] ?? 0;
    const targets = new Set<number>();
    for (const index of chars) {
      const instruction = this.#program.code[index];
      if (instruction?.op === 'char' && setHas(instruction.set, unit)) targets.add(instruction.next);
    }
    state.next[slot] = this.#state(
      [...targets].sort((a, b) => a - b),
      ahead,
    );
  }

  /**
   * Runs from `from` to `to` (backwards for a reversed program) and calls `onHit` where ids end; it stops when `onHit`
   * returns false, when nothing can match any more, or when the meter is spent. Text outside is seen by `\b`, `^`, `$`.
   */
  run(
    text: string,
    range: { readonly from: number; readonly to: number },
    sink: { readonly meter: ScanMeter; onHit(ids: readonly number[], at: number): boolean },
  ): void {
    const step = this.#program.reverse ? -1 : 1;
    const offset = this.#program.reverse ? -1 : 0;
    const behindUnit = text.charCodeAt(range.from - 1 - offset);
    const behind = Number.isNaN(behindUnit) ? EDGE : (this.#alphabet.kinds[classOf(this.#alphabet, behindUnit)] ?? OTHER);
    const { meter } = sink;
    let state = this.#state(this.#program.anchored ? [this.#program.start] : [], behind);
    for (let at = range.from; ; at += step) {
      const unit = text.charCodeAt(at + offset);
      const cls = Number.isNaN(unit) ? -1 : classOf(this.#alphabet, unit);
      meter.steps += 1;
      if (state.hits[cls + 1] === undefined) this.#move(state, cls, meter);
      const hits = state.hits[cls + 1] ?? NO_HITS;
      if (hits.length > 0 && !sink.onHit(hits, at)) return;
      const next = state.next[cls + 1];
      if (at === range.to || next === undefined || (this.#program.anchored && next.kernel.length === 0)) return;
      if (meter.steps > meter.limit) {
        meter.cut = true;
        return;
      }
      state = next;
    }
  }
}
