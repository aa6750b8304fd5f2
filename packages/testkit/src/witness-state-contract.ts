/** @module What every `WitnessState` must keep, as one suite. That a kill loses nothing is for the implementation's own test. */
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { EMPTY_TREE, leafHash, rootOf, type WitnessedTree } from '@countersign/log';
import { describe, expect, test } from 'vitest';
import type { WitnessMemory } from './memory-witness-state.ts';

/** A place that states can be opened over, one after the other. */
export interface WitnessBed {
  open(): WitnessMemory;
  remove(): void;
}

const ORIGIN = 'log.example/one';
const keyOf = (seed: number, name: string = ORIGIN): string => noteVerifierKey(name, createSigner(new Uint8Array(32).fill(seed)).publicKey);

/** A tree of `size` leaves; another `story` is another history. */
function tree(size: number, story: number = 0): WitnessedTree {
  return { size, root: rootOf(Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(story, i)))) };
}

function withBed(makeBed: () => WitnessBed, work: (bed: WitnessBed) => void): void {
  const bed = makeBed();
  try {
    work(bed);
  } finally {
    bed.remove();
  }
}

function known(state: WitnessMemory, origin: string = ORIGIN): WitnessedTree | undefined {
  return state.log(origin)?.tree;
}

/** Declares the suite for one implementation. */
export function witnessStateContract(name: string, makeBed: () => WitnessBed): void {
  describe(`${name}: a witness's memory`, () => {
    test('knows no log before a key of it is trusted, and its empty tree then', () =>
      withBed(makeBed, (bed) => {
        const state = bed.open();
        expect(state.log(ORIGIN)).toBeUndefined();
        expect(state.advance({ origin: ORIGIN, from: EMPTY_TREE, to: tree(1) })).toBe(false);
        expect(state.log(ORIGIN)).toBeUndefined();
        state.addKey(ORIGIN, keyOf(1));
        expect(known(state)).toEqual(EMPTY_TREE);
        expect(state.log(`${ORIGIN}x`)).toBeUndefined();
        state.close();
      }));

    test('moves on from what it knows, and from nothing else', () =>
      withBed(makeBed, (bed) => {
        const state = bed.open();
        state.addKey(ORIGIN, keyOf(1));
        expect(state.advance({ origin: ORIGIN, from: EMPTY_TREE, to: tree(3) })).toBe(true);
        for (const from of [EMPTY_TREE, tree(2), tree(4), tree(3, 1)]) {
          expect(state.advance({ origin: ORIGIN, from, to: tree(5) })).toBe(false);
          expect(state.advance({ origin: ORIGIN, from, to: from })).toBe(false);
          expect(known(state)).toEqual(tree(3));
        }
        expect(state.advance({ origin: ORIGIN, from: tree(3), to: tree(3) })).toBe(true);
        expect(state.advance({ origin: ORIGIN, from: tree(3), to: tree(7) })).toBe(true);
        expect(known(state)).toEqual(tree(7));
        state.close();
      }));

    test('what is known is there after opening it again, the largest size too', () =>
      withBed(makeBed, (bed) => {
        const largest: WitnessedTree = { size: Number.MAX_SAFE_INTEGER, root: tree(9).root };
        const first = bed.open();
        first.addKey(ORIGIN, keyOf(1));
        expect(first.advance({ origin: ORIGIN, from: EMPTY_TREE, to: tree(4) })).toBe(true);
        expect(first.advance({ origin: ORIGIN, from: tree(4), to: largest })).toBe(true);
        first.close();
        const second = bed.open();
        expect(known(second)).toEqual(largest);
        expect(second.log(ORIGIN)?.keys.map((key) => key.name)).toEqual([ORIGIN]);
        second.close();
      }));

    test('logs do not touch one another, and a key that is added leaves the tree as it is', () =>
      withBed(makeBed, (bed) => {
        const state = bed.open();
        const other = 'log.example/two';
        state.addKey(ORIGIN, keyOf(1));
        state.addKey(other, keyOf(2, other));
        expect(state.advance({ origin: ORIGIN, from: EMPTY_TREE, to: tree(3) })).toBe(true);
        expect(known(state, other)).toEqual(EMPTY_TREE);
        state.addKey(ORIGIN, keyOf(3));
        state.addKey(ORIGIN, keyOf(3));
        expect(known(state)).toEqual(tree(3));
        expect(state.log(ORIGIN)?.keys).toHaveLength(2);
        expect(state.log(other)?.keys).toHaveLength(1);
        state.close();
      }));
  });
}
