/** Changes of posture in a SignedReceipt, and the shapes that the original gives them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JsonObject } from '@countersign/kernel';
import type { ReceiptBody, Verdict } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { exportSignedReceipt, verifySignedReceipt } from '../src/exports.ts';
import { receiptBody, signer, trust, verdicts } from './export-fixtures.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');

function bodyWith(...changes: readonly string[]): ReceiptBody {
  const reasons = changes.map((text) => ({ code: 'posture.transition', text, severity: 'info' as const, score: 0, evidence: [] }));
  const verdict: Verdict = { ...verdicts.deny, reasons: [...verdicts.deny.reasons, ...reasons] };
  return receiptBody({ seq: 0, prev: null }, verdict);
}

function exported(body: ReceiptBody): { readonly bytes: Uint8Array; readonly posture: JsonObject | undefined } {
  const made = exportSignedReceipt(body, signer);
  if (!made.ok) throw new Error(made.error.code);
  const file = JSON.parse(new TextDecoder().decode(made.value)) as { receipt: { metadata: { clawdstrike?: { posture: JsonObject } } } };
  return { bytes: made.value, posture: file.receipt.metadata.clawdstrike?.posture };
}

describe('EXP-024 changes of posture', () => {
  test('are in the metadata, the first state and the last change, and the file verifies', async () => {
    const body = bodyWith('high -> middle on timeout', 'middle -> low on any_violation');
    const { bytes, posture } = exported(body);
    expect(posture).toEqual({
      state_before: 'high',
      state_after: 'low',
      transition: { from: 'middle', to: 'low', trigger: 'any_violation', at: body.time },
    });
    expect((await verifySignedReceipt(bytes, trust)).ok).toBe(true);
  });

  test.each([[[]], [['no change']], [['a -> b on ']], [['a b -> c on timeout']]])('%j say nothing', async (changes) => {
    const { bytes, posture } = exported(bodyWith(...changes));
    expect([posture, (await verifySignedReceipt(bytes, trust)).ok]).toEqual([undefined, true]);
  });

  test.skipIf(!existsSync(archive))(
    'have the shape of the original, but for budgets, which are sealed (needs the conformance fixtures)',
    () => {
      for (const name of ['posture_transition', 'posture_deny_budget']) {
        const path = `./fixtures/receipts/${name}.json`;
        const theirs = JSON.parse(execFileSync('tar', ['xzOf', archive, path], { encoding: 'utf8' })) as {
          metadata: { clawdstrike: { posture: Record<string, unknown> & { transition: Record<string, string> } } };
        };
        const { state_before, state_after, transition } = theirs.metadata.clawdstrike.posture;
        const body = bodyWith(`${transition['from'] ?? ''} -> ${transition['to'] ?? ''} on ${transition['trigger'] ?? ''}`);
        expect(exported(body).posture).toEqual({ state_before, state_after, transition: { ...transition, at: body.time } });
      }
    },
  );
});
