/** Every byte of a file that we wrote is covered: changed in any way, the file does not verify. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportDsse, exportSignedReceipt, exportSpine, exportTlogProof, verifyExport, type ExportFormat } from '../src/exports.ts';
import { bundlesOf, entryText, nth, receiptAt, session, signer, trust } from './export-fixtures.ts';

async function fileIn(format: ExportFormat): Promise<Uint8Array> {
  if (format === 'dsse') return exportDsse(receiptAt(3), [signer]);
  if (format === 'tlog-proof') return exportTlogProof(nth(await bundlesOf(session.map((body) => entryText(body))), 3));
  const result = format === 'spine' ? exportSpine(session.slice(0, 2), signer) : exportSignedReceipt(receiptAt(3), signer);
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
}

async function proves(format: ExportFormat, bytes: Uint8Array): Promise<boolean> {
  const report = await verifyExport(format, bytes, trust);
  // A report that proves nothing says why.
  expect(report.ok || report.checks.some(({ status }) => status === 'fail')).toBe(true);
  return report.ok;
}

function spliced(bytes: Uint8Array, at: number, [removed, added]: readonly [number, readonly number[]]): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + removed)]);
}

describe.each(['dsse', 'signed-receipt', 'spine', 'tlog-proof'] as const)('%s', (format) => {
  test('EXP-005 one bit of any one byte', async () => {
    const bytes = await fileIn(format);
    expect(await proves(format, bytes)).toBe(true);
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      if (await proves(format, damaged)) throw new Error(`byte ${at} with bit ${at % 8} flipped still verifies`);
    }
  });

  test('EXP-005 any other byte in the place of one', async () => {
    const bytes = await fileIn(format);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ change;
        expect(await proves(format, damaged)).toBe(false);
      }),
      { numRuns: 300, seed: 20260102 },
    );
  });
});

// White space and order of the envelope are DSSE's to leave free: there, what is proven stays what was signed (below).
describe.each(['signed-receipt', 'spine', 'tlog-proof'] as const)('%s', (format) => {
  test('EXP-005 bytes taken away or put in', async () => {
    const bytes = await fileIn(format);
    const white = fc.constantFrom(0x20, 0x0a, 0x09, 0x0d);
    const added = fc.array(fc.oneof(white, fc.nat({ max: 255 })), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length }), fc.nat({ max: 2 }), added, async (at, removed, more) => {
        const damaged = spliced(bytes, at, [removed, more]);
        fc.pre(Buffer.compare(damaged, bytes) !== 0);
        expect(await proves(format, damaged)).toBe(false);
      }),
      { numRuns: 300, seed: 20260103 },
    );
  });
});

test('EXP-013 an envelope in any spelling proves what was signed, or nothing', async () => {
  const bytes = await fileIn('dsse');
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: bytes.length }), fc.constantFrom(0x20, 0x0a, 0x09, 0x0d), async (at, white) => {
      const report = await verifyExport('dsse', spliced(bytes, at, [0, [white]]), trust);
      if (report.ok) expect(report.content).toEqual(receiptAt(3));
    }),
    { numRuns: 300, seed: 20260104 },
  );
});
