/**
 * @module Inclusion and consistency proofs: RFC 6962 section 2.1, checked as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say. Total: bad
 * input is `false`, never an exception. Indexes and sizes are safe integers, so nothing here uses 32-bit operators.
 */
import { emptyRoot, HASH_BYTES, nodeHash, sameHash, splitPoint } from './merkle.ts';

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function isPlace(index: number, size: number): boolean {
  return isCount(index) && isCount(size) && index < size;
}

/** The root that an inclusion proof leads to, or undefined where the proof has the wrong form for this index and size. */
export function rootFromInclusion(claim: Omit<InclusionClaim, 'root'>): Uint8Array | undefined {
  const { index, size, leaf, proof } = claim;
  if (!isPlace(index, size) || !areHashes([leaf, ...proof])) return undefined;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? hash : undefined;
}

/** True when `leaf` is entry `index` of the tree of `size` entries with this root. */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const root = rootFromInclusion(claim);
  return root !== undefined && sameHash(root, claim.root);
}

function climb(claim: ConsistencyClaim, path: readonly Uint8Array[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let fn = claim.oldSize - 1;
  let sn = claim.newSize - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && sameHash(oldHash, claim.oldRoot) && sameHash(newHash, claim.newRoot);
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest > 1 && rest % 2 === 0) rest /= 2;
  return rest === 1;
}

/** True when the older tree is a prefix of the newer one. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { oldSize, oldRoot, newSize, newRoot, proof } = claim;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || !areHashes([oldRoot, newRoot, ...proof])) return false;
  if (oldSize === 0 && !sameHash(oldRoot, emptyRoot())) return false;
  if (oldSize === newSize) return proof.length === 0 && sameHash(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0;
  if (proof.length === 0) return false;
  return climb(claim, isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof);
}

/** One subtree of a tree: leaves `[start, end)`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The subtrees whose roots are the inclusion proof of `index` in a tree of `size`, in proof order (deepest first). */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** The subtrees whose roots are the consistency proof from `oldSize` to `newSize`, 0 < oldSize < newSize, in proof order. */
export function consistencyRanges(oldSize: number, newSize: number): readonly Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let end = newSize;
  let whole = true;
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      whole = false;
    }
  }
  if (!whole) ranges.push({ start, end });
  return ranges.reverse();
}
