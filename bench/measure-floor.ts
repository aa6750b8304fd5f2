/** @module The floor below everything: what one canonical text, one parse, one hash and one signature cost here. */
import { createSigner, createVerifier, sha256 } from '@countersign/crypto';
import { canonicalize, type JsonValue, parseJson } from '@countersign/kernel';
import { type BenchRow, median, round } from './bench-rows.ts';
import { simpleParams } from './sample-actions.ts';

const BATCHES = 15;

interface Timed {
  readonly name: string;
  readonly target: string;
  readonly maxUs: number | null;
  readonly calls: number;
  readonly work: () => unknown;
}

/** Median CPU microseconds a call; all works take turns, batch by batch. */
function measureInTurn(works: readonly Timed[]): BenchRow[] {
  const samples = works.map((): number[] => []);
  for (let batch = -2; batch < BATCHES; batch += 1) {
    for (const [i, { calls, work }] of works.entries()) {
      const before = process.cpuUsage();
      for (let n = 0; n < calls; n += 1) work();
      const { user, system } = process.cpuUsage(before);
      if (batch >= 0) samples[i]?.push((user + system) / calls);
    }
  }
  return works.map(({ name, target, maxUs }, i) => {
    const us = round(median(samples[i] ?? []));
    return { area: 'floor', name, target, measured: `${us} us CPU`, met: maxUs === null ? null : us <= maxUs, figures: { cpuUs: us } };
  });
}

/** Rows of kernel and crypto. */
export function measureFloor(): BenchRow[] {
  // About 900 bytes, as the object of the study (stack.md section 7).
  const value: JsonValue = {
    action: simpleParams(7),
    principal: { org: 'bench', agent: 'b0000000-0000-4000-8000-000000000001' },
    trace: '4bf92f3577b34da6a3ce929d0e0e4736',
  };
  const text = JSON.stringify(value);
  const bytes = Buffer.from(text, 'utf8');
  const signer = createSigner(new Uint8Array(32).fill(7));
  const verifier = createVerifier(signer.publicKey);
  const signature = signer.sign(bytes);
  const size = `${bytes.length} B`;
  return measureInTurn([
    { name: `canonical JSON of ${size}`, target: '2 to 3 us', maxUs: 3, calls: 5000, work: () => canonicalize(value) },
    {
      name: `strict parse of ${size}`,
      target: '<= 6 us at 600 B',
      maxUs: (6 * bytes.length) / 600,
      calls: 5000,
      work: () => parseJson(bytes),
    },
    {
      name: `JSON.parse of the same, without checks`,
      target: 'for comparison',
      maxUs: null,
      calls: 5000,
      work: () => JSON.parse(text) as unknown,
    },
    { name: `SHA-256 of ${size}`, target: 'for comparison', maxUs: null, calls: 5000, work: () => sha256(bytes) },
    { name: 'Ed25519 signature', target: 'for comparison', maxUs: null, calls: 500, work: () => signer.sign(bytes) },
    { name: 'Ed25519 verification', target: 'for comparison', maxUs: null, calls: 200, work: () => verifier.verify(bytes, signature) },
  ]);
}
