/**
 * @module States of an automaton that is made on the fly, with the moves between them that are known. When too many have been made the table
 * starts over, so memory is bounded.
 */
import { POLICY_LIMITS } from '../limits.ts';

/** What the machine may stand at, and what stands behind it: for `\b` and `^`. */
export interface State {
  readonly kernel: readonly number[];
  readonly behind: number;
}

/** Where a character leads. */
export interface Move {
  /** Ids that match just before it. */
  readonly hits: readonly number[];
  /** Number of the next state; 0 where the text ends. */
  readonly next: number;
}

interface NewMove {
  readonly hits: readonly number[];
  /** Undefined where the text ends. */
  readonly next: State | undefined;
  /** Nothing matches on the way, and nobody has to look: the fast lane. */
  readonly quiet: boolean;
}

const NO_STATE: State = { kernel: [], behind: 0 };
const STATES_AT_FIRST = 32;

/** Filled, so that the engine keeps it dense. */
function noMoves(length: number): (Move | undefined)[] {
  return Array.from({ length }, () => undefined);
}

/** States are numbered from 1, so that 0 says that nothing is known. */
export class StateTable {
  /** Columns: one for each class of characters, and the first for the end of the text. */
  readonly width: number;
  /** Next state by state times `width` plus column, where the move is quiet. */
  quiet: Uint16Array;
  #states: State[] = [NO_STATE];
  #numbers = new Map<string, number>();
  /** The other moves. */
  #moves: (Move | undefined)[];
  /** Numbers of the states in which a search begins, by what stands behind. */
  #firsts: number[] = [];

  constructor(width: number) {
    this.width = width;
    this.quiet = new Uint16Array(STATES_AT_FIRST * width);
    this.#moves = noMoves(STATES_AT_FIRST * width);
  }

  get(state: number): State {
    return this.#states[state] ?? NO_STATE;
  }

  /** The state in which a search begins: at the instruction `start`, or at none. */
  first(behind: number, start: number): number {
    const known = this.#firsts[behind];
    if (known !== undefined) return known;
    const state = this.#numberOf({ kernel: start < 0 ? [] : [start], behind });
    this.#firsts[behind] = state;
    return state;
  }

  moveAt(state: number, column: number): Move | undefined {
    return this.#moves[state * this.width + column];
  }

  /** Takes a move in. The table may start over for its target, and then does not remember it. */
  keep(state: number, column: number, { hits, next, quiet }: NewMove): Move {
    const states = this.#states;
    const move = { hits, next: next === undefined ? 0 : this.#numberOf(next) };
    if (states !== this.#states) return move;
    if (quiet) this.quiet[state * this.width + column] = move.next;
    else this.#moves[state * this.width + column] = move;
    return move;
  }

  #numberOf(state: State): number {
    const key = `${String(state.behind)}:${state.kernel.join(',')}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#states.length > POLICY_LIMITS.regexStatesMax) this.#startOver();
    const number = this.#states.length;
    this.#states.push(state);
    this.#numbers.set(key, number);
    if ((number + 1) * this.width > this.quiet.length) this.#grow();
    return number;
  }

  #grow(): void {
    const larger = new Uint16Array(this.quiet.length * 2);
    larger.set(this.quiet);
    this.quiet = larger;
    this.#moves = this.#moves.concat(noMoves(larger.length - this.#moves.length));
  }

  #startOver(): void {
    this.#states = [NO_STATE];
    this.#numbers = new Map();
    this.#moves = noMoves(STATES_AT_FIRST * this.width);
    this.#firsts = [];
    this.quiet = new Uint16Array(STATES_AT_FIRST * this.width);
  }
}
