import { sha256 } from '@countersign/crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rootFromInclusion, rootOf, verifyConsistency, verifyInclusion } from '../src/index.ts';
import { consistencyRanges, inclusionRanges } from '../src/proof.ts';
import { findHeader, frameBytes, readBody, readHeader, writeFrame } from '../src/frame.ts';
import { crc32c } from '../src/checksum.ts';
import { parseBundle, createEntryBundles } from '../src/entry-bundles.ts';

/** RFC 6962 section 2.1, word for word. */
function mth(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leaves[0] ?? new Uint8Array(0);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.concat([Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k))]));
}

const leavesOf = (n: number): readonly Uint8Array[] =>
  Array.from({ length: n }, (_, i) => sha256(Buffer.concat([Uint8Array.of(0), Buffer.from(`leaf ${i}`)])));
const LEAVES = leavesOf(300);

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

const place = fc
  .integer({ min: 1, max: 300 })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }) }));

describe('proofs against the definition', () => {
  test('LOG-023 roots agree for every size', () => {
    for (let n = 0; n <= 70; n += 1) expect(rootOf(LEAVES.slice(0, n))).toEqual(mth(LEAVES.slice(0, n)));
  });

  test('LOG-040 inclusion holds for what is there, and for nothing that was changed', () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.nat(), ({ size, index }, which, bit) => {
        const tree = LEAVES.slice(0, size);
        const root = mth(tree);
        const leaf = tree[index] ?? new Uint8Array(0);
        const proof = inclusionRanges(index, size).map(({ start, end }) => mth(tree.slice(start, end)));
        const claim = { index, size, leaf, proof, root };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: flip(leaf, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, root: flip(root, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, leaf] })).toBe(false);
        expect(verifyInclusion({ ...claim, index: (index + 1) % size })).toBe(size === 1);
        if (proof.length === 0) return;
        const at = which % proof.length;
        expect(verifyInclusion({ ...claim, proof: proof.map((hash, i) => (i === at ? flip(hash, bit) : hash)) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
      }),
    );
  });

  test('LOG-040 consistency holds between prefixes, and for nothing that was changed', () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.nat(), ({ size, index }, which, bit) => {
        const oldSize = index;
        const tree = LEAVES.slice(0, size);
        const [oldRoot, newRoot] = [mth(tree.slice(0, oldSize)), mth(tree)];
        const proof = oldSize === 0 ? [] : consistencyRanges(oldSize, size).map(({ start, end }) => mth(tree.slice(start, end)));
        const claim = { oldSize, oldRoot, newSize: size, newRoot, proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, oldRoot: flip(oldRoot, bit) })).toBe(false);
        if (oldSize === 0) return;
        expect(verifyConsistency({ ...claim, newRoot: flip(newRoot, bit) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, newRoot] })).toBe(false);
        const at = which % proof.length;
        expect(verifyConsistency({ ...claim, proof: proof.map((hash, i) => (i === at ? flip(hash, bit) : hash)) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
      }),
    );
  });

  test('LOG-040 from nothing: to nothing only the empty root, to anything every root, and never with a proof', () => {
    const [empty, other] = [mth([]), mth(LEAVES.slice(0, 5))];
    const fromNothing = { oldSize: 0, oldRoot: empty, newSize: 0, newRoot: empty, proof: [] };
    expect(verifyConsistency(fromNothing)).toBe(true);
    expect(verifyConsistency({ ...fromNothing, newRoot: other })).toBe(false);
    expect(verifyConsistency({ ...fromNothing, oldRoot: other, newRoot: other })).toBe(false);
    expect(verifyConsistency({ ...fromNothing, proof: [empty] })).toBe(false);
    expect(verifyConsistency({ ...fromNothing, newSize: 5, newRoot: other })).toBe(true);
    expect(verifyConsistency({ ...fromNothing, newSize: 5, newRoot: other, oldRoot: other })).toBe(false);
    expect(verifyConsistency({ ...fromNothing, newSize: 5, newRoot: other, proof: [other] })).toBe(false);
  });

  test('LOG-040 LOG-042 claims of a wrong form are false, never an exception', () => {
    const hash = new Uint8Array(32);
    const short = new Uint8Array(31);
    for (const [index, size] of [
      [1, 1],
      [-1, 1],
      [0, -1],
      [0.5, 2],
      [0, Number.NaN],
      [0, 2 ** 60],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ] as const) {
      expect(verifyInclusion({ index, size, leaf: hash, proof: [], root: hash })).toBe(false);
      expect(verifyConsistency({ oldSize: size, oldRoot: hash, newSize: index, newRoot: short, proof: [] })).toBe(false);
    }
    expect(verifyInclusion({ index: 0, size: 1, leaf: short, proof: [], root: hash })).toBe(false);
    expect(rootFromInclusion({ index: 0, size: 2, leaf: hash, proof: [short] })).toBeUndefined();
    expect(verifyConsistency({ oldSize: 2, oldRoot: hash, newSize: 2, newRoot: hash, proof: [] })).toBe(true);
    expect(verifyConsistency({ oldSize: 2, oldRoot: hash, newSize: 2, newRoot: hash, proof: [hash] })).toBe(false);
    expect(verifyConsistency({ oldSize: 1, oldRoot: hash, newSize: 2, newRoot: hash, proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 3, oldRoot: hash, newSize: 2, newRoot: hash, proof: [hash] })).toBe(false);
  });

  test('a proof longer than any tree costs no more hashes than the tree is high', () => {
    const proof = Array.from({ length: 100_000 }, () => new Uint8Array(32));
    expect(rootFromInclusion({ index: 5, size: 8, leaf: new Uint8Array(32), proof })).toBeUndefined();
  });
});

describe('frames', () => {
  const record = fc.record({
    entry: fc.uint8Array({ maxLength: 80 }),
    attachments: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
  });

  test('what was written is read back; with any bit changed it is not', () => {
    fc.assert(
      fc.property(record, fc.nat({ max: 2 ** 40 }), fc.nat(), ({ entry, attachments }, index, bit) => {
        const bytes = new Uint8Array(frameBytes(entry, attachments));
        const leaf = writeFrame(bytes, 0, { index, batch: index, entry, attachments });
        expect(Buffer.from(leaf)).toEqual(Buffer.from(sha256(Buffer.concat([Uint8Array.of(0), entry]))));
        const header = readHeader(bytes, 0);
        expect(header).toEqual({ index, batch: index, frameLength: bytes.length });
        if (header === undefined) return;
        const found = readBody(bytes, 0, header);
        expect(found?.entry).toEqual(entry);
        expect(found?.attachments).toEqual(attachments);
        const damaged = flip(bytes, bit);
        const after = readHeader(damaged, 0);
        expect(after === undefined ? undefined : readBody(damaged, 0, after)).toBeUndefined();
      }),
    );
  });

  test('a header is found behind anything, in one pass', () => {
    const bytes = new Uint8Array(frameBytes(new Uint8Array(3), []));
    writeFrame(bytes, 0, { index: 4, batch: 2, entry: new Uint8Array(3), attachments: [] });
    const noise = Buffer.from('CSJ1CSJ1CCSJ1'.repeat(1000));
    const whole = Buffer.concat([noise, bytes]);
    expect(findHeader(whole, 0)).toBe(noise.length);
    expect(findHeader(whole, noise.length + 1)).toBe(-1);
  });

  test('CRC-32C is that of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32), 0, 32)).toBe(0x8a9136aa);
  });
});

test('a bundle gives back its entries, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (entries) => {
      const bundles = createEntryBundles();
      for (const entry of entries) bundles.push(entry);
      const [bundle] = bundles.waiting();
      const bytes = bundle?.bytes ?? new Uint8Array(0);
      expect(parseBundle(bytes, entries.length)).toEqual(entries);
      expect(parseBundle(bytes, entries.length + 1)).toBeUndefined();
      expect(parseBundle(bytes.subarray(0, -1), entries.length)).toBeUndefined();
    }),
  );
});
