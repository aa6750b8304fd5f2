import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inflate } from '../src/inflate.ts';

/** Texts that repeat themselves, near and far, and bytes that do not. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(400))
    .map(([part, times]) => new Uint8Array(Buffer.concat(Array.from({ length: times }, () => part)))),
);

describe('inflate', () => {
  it('gives back what zlib compressed, at every level and in every form of block', () => {
    fc.assert(
      fc.property(bytes, fc.nat(9), fc.constantFrom(0, 1, 2, 3, 4), (text, level, strategy) => {
        expect(Buffer.compare(inflate(deflateRawSync(text, { level, strategy }), text.length), text)).toBe(0);
      }),
      { numRuns: 300, seed: 1951 },
    );
  });

  it('refuses what is cut off, longer or shorter than it says, or of no known form', () => {
    const text = Buffer.from('to be or not to be, that is to be '.repeat(50));
    const packed = deflateRawSync(text);
    for (const bad of [
      packed.subarray(0, packed.length - 3),
      packed.subarray(0, 1),
      new Uint8Array([7, 0]),
      new Uint8Array([1, 1, 0, 0, 0]),
    ])
      expect(() => inflate(bad, text.length)).toThrow('not whole');
    expect(() => inflate(packed, text.length - 1)).toThrow('not whole');
    expect(() => inflate(packed, text.length + 1)).toThrow('not whole');
  });
});
