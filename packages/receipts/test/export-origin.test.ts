/** The profile of an origin in a SignedReceipt. */
import type { ReceiptBody, Verdict } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { exportSignedReceipt, verifySignedReceipt } from '../src/exports.ts';
import { receiptBody, signer, trust, verdicts } from './export-fixtures.ts';

function bodyWith(code: string, text: string): ReceiptBody {
  const reason = { code, text, severity: 'info' as const, score: 0, evidence: [] };
  const verdict: Verdict = { ...verdicts.deny, reasons: [...verdicts.deny.reasons, reason] };
  return receiptBody({ seq: 0, prev: null }, verdict);
}

async function exported(code: string, text: string): Promise<unknown> {
  const made = exportSignedReceipt(bodyWith(code, text), signer);
  if (!made.ok) throw new Error(made.error.code);
  expect((await verifySignedReceipt(made.value, trust)).ok).toBe(true);
  const file = JSON.parse(new TextDecoder().decode(made.value)) as { receipt: { metadata: { clawdstrike?: object } } };
  return file.receipt.metadata.clawdstrike;
}

describe('EXP-024 POL-310 an origin', () => {
  test.each([
    ['origin judged as profile room.1 (space_id), by what the client says', 'room.1', 'space_id'],
    ['origin judged as the minimal profile (default), by what the client says', null, 'default'],
  ])('%s', async (text, profile, path) => {
    expect(await exported('guard.origin.asserted', text)).toEqual({
      enclave: { profile_id: profile, resolution_path: path },
      origin: { provenance: 'asserted' },
    });
  });

  test('says nothing where no profile was found, or another reason speaks so', async () => {
    const text = 'origin judged as profile room (space_id)';
    expect([await exported('guard.origin.tool_blocked', text), await exported('guard.origin.asserted', 'something')]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
