/**
 * @module RFC 6962 section 2.1 hashing, and the frontier: the roots of the perfect subtrees that a tree of n leaves falls into.
 */
import { sha256 } from '@countersign/crypto';

export const HASH_BYTES = 32;

/** SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + entry.length);
  prefixed.set(entry, 1);
  return sha256(prefixed);
}

const node = new Uint8Array(1 + 2 * HASH_BYTES);
node[0] = 1;

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

/** True for two equal hashes. Not constant time: everything in a log is public. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== HASH_BYTES || b.length !== HASH_BYTES) return false;
  for (let i = 0; i < HASH_BYTES; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** Root of the empty tree. */
export function emptyRoot(): Uint8Array {
  return sha256('');
}

/** Root over the frontier of a tree, largest subtree first; of the empty list, the root of the empty tree. */
export function foldFrontier(frontier: readonly Uint8Array[]): Uint8Array {
  let root: Uint8Array | undefined;
  for (let i = frontier.length - 1; i >= 0; i -= 1) {
    const part = frontier[i];
    if (part !== undefined) root = root === undefined ? part : nodeHash(part, root);
  }
  return root ?? emptyRoot();
}

/** Largest power of two strictly below `n`, for n >= 2. */
export function splitPoint(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** Root of `hashes` as one tree. */
export function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const frontier = createFrontier();
  for (const hash of hashes) frontier.push(hash, () => undefined);
  return frontier.root();
}

/** Called for each node as it comes into being: its height (0 for a leaf), then its hash. Left nodes first, children first. */
export type NodeSink = (height: number, hash: Uint8Array) => void;

export interface Frontier {
  readonly size: number;
  /** Adds one leaf hash; one node hash amortised. */
  push(leaf: Uint8Array, sink: NodeSink): void;
  root(): Uint8Array;
}

/** An empty frontier, or one that goes on from a tree of `size` leaves whose perfect subtrees have these roots, largest first. */
export function createFrontier(from: { readonly size: number; readonly parts: readonly Uint8Array[] } = { size: 0, parts: [] }): Frontier {
  const parts: Uint8Array[] = [...from.parts];
  let { size } = from;
  return {
    get size() {
      return size;
    },
    push: (leaf, sink) => {
      let hash = leaf;
      let height = 0;
      sink(0, hash);
      for (let n = size; n % 2 === 1; n = (n - 1) / 2) {
        hash = nodeHash(parts.pop() ?? hash, hash);
        height += 1;
        sink(height, hash);
      }
      parts.push(hash);
      size += 1;
    },
    root: () => foldFrontier(parts),
  };
}
