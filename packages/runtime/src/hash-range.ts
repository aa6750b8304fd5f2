/**
 * @module The hashes of a growing range of a Merkle tree: the roots of the perfect subtrees it falls into, left to right. Threads hash
 * ranges of their own, and whoever puts them together in order gets the root of the log (RFC 6962).
 */
import { emptyRoot, nodeHash } from '@countersign/log';

/** Root of `2 ** height` leaves. */
export interface Subtree {
  readonly height: number;
  readonly hash: Uint8Array;
}

export interface HashRange {
  /** Leaves from 0 to the end of the range. */
  readonly end: number;
  readonly parts: readonly Subtree[];
  /** Adds the subtree behind the range; its leaves begin at a multiple of their number. */
  push(subtree: Subtree): void;
  /** Root over all leaves; only of a range that begins at 0. */
  root(): Uint8Array;
}

/** The largest perfect subtree that begins at `start` and ends at or before `end`: its height. */
export function heightAt(start: number, end: number): number {
  let height = 0;
  for (let width = 2; start % width === 0 && start + width <= end; width *= 2) height += 1;
  return height;
}

/** A range that begins at leaf `start`. */
export function createHashRange(start = 0): HashRange {
  const parts: Subtree[] = [];
  let end = start;
  return {
    parts,
    get end() {
      return end;
    },
    push: (subtree) => {
      let joined = subtree;
      let from = end;
      end += 2 ** subtree.height;
      for (let left = parts.at(-1); left?.height === joined.height; left = parts.at(-1)) {
        const width = 2 ** left.height;
        // Two neighbours are one subtree only where the left one is the left half of it.
        if ((from - width) % (2 * width) !== 0) break;
        joined = { height: left.height + 1, hash: nodeHash(left.hash, joined.hash) };
        from -= width;
        parts.pop();
      }
      parts.push(joined);
    },
    root: () => {
      let root: Uint8Array | undefined;
      for (let i = parts.length - 1; i >= 0; i -= 1) {
        const { hash } = parts[i] ?? { hash: emptyRoot() };
        root = root === undefined ? hash : nodeHash(hash, root);
      }
      return root ?? emptyRoot();
    },
  };
}
