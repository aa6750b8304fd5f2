import { createMemoryWitnessState } from '@countersign/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWitness, parseAddCheckpoint, WITNESS_BODY_BYTES_MAX, type Witness } from '../src/index.ts';
import { bodyOf, honest, leaves, LOG_VKEY, noteOf, ORIGIN, proofOf, WITNESS } from './witnessed-log.ts';

const clock = { nowMs: (): number => 1_800_000_000_000 };

function newWitness(): Witness {
  const state = createMemoryWitnessState();
  state.addKey(ORIGIN, LOG_VKEY);
  return createWitness({ state, clock, noteSigner: WITNESS });
}

type Leaves = readonly Uint8Array[];

function sameLeaves(a: Leaves, b: Leaves): boolean {
  return Buffer.concat(a).equals(Buffer.concat(b));
}

/** What a request says, before it is encoded. */
interface Claim {
  readonly story: number;
  readonly shared: number;
  readonly size: number;
  /** The old size: what the witness knows, or this. */
  readonly old: number | 'known';
  /** Which proof goes with it. */
  readonly proof: 'honest' | 'of another size' | 'of another story' | 'cut' | 'longer' | 'bit';
  readonly bit: number;
}

const SIZE_MAX = 40;
const claim: fc.Arbitrary<Claim> = fc.record({
  story: fc.constantFrom(0, 0, 0, 1, 2),
  shared: fc.integer({ min: 0, max: SIZE_MAX }),
  size: fc.integer({ min: 0, max: SIZE_MAX }),
  old: fc.oneof({ weight: 4, arbitrary: fc.constant('known' as const) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: SIZE_MAX }) }),
  proof: fc.constantFrom('honest', 'honest', 'honest', 'of another size', 'of another story', 'cut', 'longer', 'bit'),
  bit: fc.nat(),
});

function flip(proof: Leaves, bit: number): Leaves {
  const at = (bit >> 8) % Math.max(1, proof.length);
  return proof.map((hash, i) => (i === at ? hash.map((byte, j) => (j === (bit & 31) ? byte ^ 1 : byte)) : hash));
}

function proofFor({ proof, bit, story, shared }: Claim, hashes: Leaves, old: number): Leaves {
  const right = old > hashes.length ? [] : proofOf(hashes, old);
  if (proof === 'of another size') return proofOf(hashes, Math.min(hashes.length, old + 1));
  if (proof === 'of another story') return old > hashes.length ? [] : proofOf(leaves(hashes.length, story + 1, shared), old);
  if (proof === 'cut') return right.slice(0, -1);
  if (proof === 'longer') return [...right, new Uint8Array(32)];
  return proof === 'bit' ? flip(right, bit) : right;
}

/** The dull witness: it has every leaf, and needs no proof to know who grew out of what. */
function expected(known: Leaves, next: Leaves, request: { readonly old: number; readonly proof: Leaves }): number {
  const { old, proof } = request;
  if (old > next.length) return 400;
  if (old !== known.length) return 409;
  if (old === next.length && !sameLeaves(known, next)) return 409;
  if (!sameLeaves(known, next.slice(0, known.length))) return 422;
  return sameLeaves(proof, proofOf(next, old)) ? 200 : 422;
}

describe('LOG-050 a witness against one that has every leaf', () => {
  test('they agree on every answer of every history, honest, forked or rolled back', () => {
    const statuses = new Map<number, number>();
    fc.assert(
      fc.property(fc.array(claim, { minLength: 1, maxLength: 25 }), (claims) => {
        const witness = newWitness();
        let known: Leaves = [];
        for (const one of claims) {
          const next = leaves(one.size, one.story, one.shared);
          const old = one.old === 'known' ? known.length : one.old;
          const proof = proofFor(one, next, old);
          const answer = witness.addCheckpoint(bodyOf({ old, proof, note: noteOf(next) }));
          expect(answer.status).toBe(expected(known, next, { old, proof }));
          if (answer.status === 409) expect(answer.body).toBe(`${known.length}\n`);
          if (answer.status === 200) known = next;
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        }
      }),
      { seed: 50, numRuns: 250 },
    );
    // The histories reach every answer, often.
    for (const status of [200, 400, 409, 422]) expect(statuses.get(status), `${status}`).toBeGreaterThan(50);
  });

  test('a log that only grows is cosigned at every step, from every size to every size', () => {
    for (let from = 0; from <= 20; from += 1) {
      for (let to = from; to <= 20; to += 1) {
        const witness = newWitness();
        expect(witness.addCheckpoint(honest(leaves(from), 0)).status).toBe(200);
        expect(witness.addCheckpoint(honest(leaves(to), from)).status).toBe(200);
      }
    }
  });
});

describe('reading a request is total', () => {
  test('whatever the bytes: never an exception, and never 200 for what no log has signed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(newWitness().addCheckpoint(bytes).status).not.toBe(200);
      }),
      { seed: 51, numRuns: 500 },
    );
  });

  test('every byte of an honest request counts', () => {
    const body = honest(leaves(9), 0);
    for (let at = 0; at < body.length; at += 1) {
      for (const bit of [1, 2, 64, 128]) {
        const changed = body.map((byte, i) => (i === at ? byte ^ bit : byte));
        expect(newWitness().addCheckpoint(changed).status, `byte ${at} bit ${bit}`).not.toBe(200);
      }
    }
  });

  test('what was read says what was sent', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 }), (oldSize, proof) => {
        const note = noteOf(leaves(2));
        expect(parseAddCheckpoint(bodyOf({ old: oldSize, proof, note }))).toEqual({
          ok: true,
          value: { oldSize, proof, origin: ORIGIN, note },
        });
      }),
      { seed: 52, numRuns: 200 },
    );
  });

  test('proof lines are counted before any is decoded', () => {
    // Not one of them is base64 of a hash: a reader that decoded first would say so.
    const lines = `old 0\n${'A\n'.repeat(WITNESS_BODY_BYTES_MAX / 2 - 10)}\n`;
    const parsed = parseAddCheckpoint(new TextEncoder().encode(`${lines}x`));
    expect(parsed).toMatchObject({ ok: false, error: { message: expect.stringContaining('63 proof lines') } });
  });
});
