/** @module What a witness remembers of a log: one size and the root at it. */
import { emptyRoot, sameHash } from './merkle.ts';

export interface WitnessedTree {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** What is known of a log of which nothing was seen: every tree grows from it. */
export const EMPTY_TREE: WitnessedTree = { size: 0, root: emptyRoot() };

/** True for the same size and root. */
export function sameTree(a: WitnessedTree, b: WitnessedTree): boolean {
  return a.size === b.size && sameHash(a.root, b.root);
}
