import { describe, expect, test } from 'vitest';
import { verifyBundle } from '../src/verify.ts';
import { fullBundle, openWorld, outcomeDraft, receiptDraft, trust, uuid } from './fixtures.ts';

async function bundles(signing: 'batch' | 'each'): Promise<{ receipt: Uint8Array; outcome: Uint8Array }> {
  const world = await openWorld(signing);
  for (let n = 1; n <= 5; n += 1) world.recorder.stageReceipt(receiptDraft(n));
  const { body } = world.recorder.stageReceipt(receiptDraft(6));
  const outcome = world.recorder.stageOutcome(outcomeDraft(7, body));
  await outcome.durable;
  const made = { receipt: await fullBundle(world, uuid(6)), outcome: await fullBundle(world, uuid(7)) };
  await world.log.close();
  return made;
}

describe.each(['batch', 'each'] as const)('signing: %s', (signing) => {
  test('a whole bundle verifies, every check by name', async () => {
    const { receipt, outcome } = await bundles(signing);
    const report = await verifyBundle(receipt, trust);
    expect(report.ok).toBe(true);
    expect(report.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'bundle-form pass',
      'entry-form pass',
      `signature ${signing === 'each' ? 'pass' : 'not-checked'}`,
      'inclusion pass',
      'checkpoint pass',
      'cosignatures not-checked',
      'commitments pass',
      'inputs pass',
    ]);
    expect((await verifyBundle(outcome, trust)).ok).toBe(true);
  });

  test('BNDL-001 BNDL-012 changing any one byte of a bundle fails a check by name', async () => {
    const made = await bundles(signing);
    for (const bytes of [made.receipt, made.outcome]) {
      for (let at = 0; at < bytes.length; at += 1) {
        const bit = 1 << (at % 8);
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ bit;
        const report = await verifyBundle(damaged, trust);
        const failures = report.checks.filter((check) => check.status === 'fail');
        if (report.ok || failures.length === 0) throw new Error(`byte ${at} with bit ${bit} flipped still verifies`);
      }
    }
  });
});
