/**
 * @module Is an expression exponential? It is when one word can lead from a position back to itself in two ways
 * (Weber and Seidl 1991, "EDA"). Our matcher is linear all the same; other readers of the document may not be, so such
 * expressions are refused where they are written.
 */
import { POLICY_LIMITS } from '../limits.ts';
import { setsMeet, type CharSet } from './char-set.ts';
import type { Program } from './program.ts';

export type Ambiguity = 'none' | 'exponential' | 'too-complex';

interface Positions {
  /** Instruction index of each char position. */
  readonly at: readonly number[];
  /** Followers of each position, once each. */
  readonly follow: readonly (readonly number[])[];
  /** Followers that are reached in more than one way. */
  readonly doubled: readonly ReadonlySet<number>[];
}

/** Char positions reachable from `entry` without reading, and those reachable in two ways. */
function closure(program: Program, entry: number): { once: Set<number>; twice: Set<number> } {
  const once = new Set<number>();
  const twice = new Set<number>();
  const visits = new Uint8Array(program.code.length);
  const pending = [entry];
  while (pending.length > 0) {
    const index = pending.pop() ?? 0;
    const instruction = program.code[index];
    const seen = visits[index] ?? 0;
    if (instruction === undefined || seen > 1) continue;
    visits[index] = seen + 1;
    if (instruction.op === 'char') (seen === 0 ? once : twice).add(index);
    else if (instruction.op === 'assert') pending.push(instruction.next);
    else if (instruction.op === 'split') pending.push(instruction.a, instruction.b);
  }
  return { once, twice };
}

function positionsOf(program: Program): Positions {
  const at: number[] = [];
  const numbers = new Map<number, number>();
  for (const [index, instruction] of program.code.entries()) {
    if (instruction.op !== 'char') continue;
    numbers.set(index, at.length);
    at.push(index);
  }
  const follow: number[][] = [];
  const doubled: Set<number>[] = [];
  const toNumbers = (indexes: ReadonlySet<number>): number[] => [...indexes].map((index) => numbers.get(index) ?? 0);
  for (const index of at) {
    const instruction = program.code[index];
    const next = closure(program, instruction?.op === 'char' ? instruction.next : 0);
    follow.push(toNumbers(next.once));
    doubled.push(new Set(toNumbers(next.twice)));
  }
  return { at, follow, doubled };
}

type Follow = (node: number) => readonly number[];

/** Nodes in the order in which a depth-first walk leaves them, and the edges turned round. */
function finishOrder(size: number, follow: Follow): { readonly order: readonly number[]; readonly back: readonly (readonly number[])[] } {
  const order: number[] = [];
  const back: number[][] = Array.from({ length: size }, () => []);
  // 0: not seen, 1: below the walk, 2: left.
  const marks = new Uint8Array(size);
  const stack = Array.from({ length: size }, (_, i) => size - 1 - i);
  while (stack.length > 0) {
    const node = stack.at(-1) ?? 0;
    if (marks[node] !== 0) {
      stack.pop();
      if (marks[node] === 1) order.push(node);
      marks[node] = 2;
      continue;
    }
    marks[node] = 1;
    for (const next of follow(node)) {
      back[next]?.push(node);
      if (marks[next] === 0) stack.push(next);
    }
  }
  return { order, back };
}

/** Strongly connected components by Kosaraju's two passes, without recursion. */
export function components(size: number, follow: Follow): Int32Array {
  const { order, back } = finishOrder(size, follow);
  const component = new Int32Array(size).fill(-1);
  for (const root of order.toReversed()) {
    const stack = component[root] === -1 ? [root] : [];
    while (stack.length > 0) {
      const node = stack.pop() ?? 0;
      if (component[node] !== -1) continue;
      component[node] = root;
      for (const next of back[node] ?? []) stack.push(next);
    }
  }
  return component;
}

function setAt(program: Program, positions: Positions, number: number): CharSet {
  const instruction = program.code[positions.at[number] ?? 0];
  return instruction?.op === 'char' ? instruction.set : [];
}

/** The pairs of looping positions that one word can be in at once; a loop through an unequal pair is a second way. */
function pairedLoop(program: Program, positions: Positions, loop: readonly number[]): Ambiguity {
  const rank = new Map(loop.map((number, i) => [number, i]));
  const size = loop.length;
  const inside = loop.map((number) => (positions.follow[number] ?? []).flatMap((next) => rank.get(next) ?? []));
  let edges = 0;
  const sets = loop.map((number) => setAt(program, positions, number));
  const follow = (pair: number): readonly number[] => {
    const out: number[] = [];
    if (edges > POLICY_LIMITS.regexPairEdgesMax) return out;
    for (const a of inside[Math.floor(pair / size)] ?? []) {
      for (const b of inside[pair % size] ?? []) {
        if (setsMeet(sets[a] ?? [], sets[b] ?? [])) out.push(a * size + b);
      }
    }
    edges += out.length;
    return out;
  };
  const component = components(size * size, follow);
  if (edges > POLICY_LIMITS.regexPairEdgesMax) return 'too-complex';
  const equal = new Set<number>();
  for (let i = 0; i < size; i += 1) equal.add(component[i * size + i] ?? -1);
  for (let pair = 0; pair < size * size; pair += 1) {
    if (Math.floor(pair / size) !== pair % size && equal.has(component[pair] ?? -1)) return 'exponential';
  }
  return 'none';
}

/** A program is built from its end: where every instruction leads to an earlier one, no position leads to itself. */
function hasLoop(program: Program): boolean {
  return program.code.some((instruction, index) => {
    if (instruction.op === 'split') return instruction.a >= index || instruction.b >= index;
    return (instruction.op === 'char' || instruction.op === 'assert') && instruction.next >= index;
  });
}

/** Looks at one expression's machine. */
export function ambiguityOf(program: Program): Ambiguity {
  if (!hasLoop(program)) return 'none';
  const positions = positionsOf(program);
  const component = components(positions.at.length, (node) => positions.follow[node] ?? []);
  const loops = new Map<number, number[]>();
  for (let node = 0; node < positions.at.length; node += 1) {
    const mine = component[node] ?? -1;
    for (const next of positions.doubled[node] ?? []) {
      if (component[next] === mine) return 'exponential';
    }
    const loop = loops.get(mine) ?? [];
    loop.push(node);
    loops.set(mine, loop);
  }
  for (const loop of loops.values()) {
    if (loop.length < 2) continue;
    if (loop.length > POLICY_LIMITS.regexLoopMax) return 'too-complex';
    const found = pairedLoop(program, positions, loop);
    if (found !== 'none') return found;
  }
  return 'none';
}
