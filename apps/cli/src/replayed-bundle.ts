/** @module One bundle, checked and replayed: a row of the answer. */
import { RECEIPT_TYPE } from '@countersign/protocol';
import { readBundle, verifyBundle, type VerifyReport } from '@countersign/receipts';
import { isReceiptDisclosure, type Replayed, type Replayer } from './replayer.ts';

export interface Row {
  readonly id: string;
  readonly result: Replayed;
}

/** Nobody is believed: the proof of inclusion is `verify`'s business, what counts here is that the inputs are the committed ones. */
const NO_TRUST = { vkeys: [] };
const SELF_CONTAINED: ReadonlySet<string> = new Set(['bundle-form', 'entry-form', 'commitments', 'inputs']);

function unfit(report: VerifyReport): string | undefined {
  return report.checks.find((check) => SELF_CONTAINED.has(check.name) && check.status !== 'pass')?.sentence;
}

/** Replays one bundle with the documents inside it; undefined where it holds no receipt. */
export async function replayBundle(bytes: Uint8Array, replayer: Replayer): Promise<Row | undefined> {
  const bundle = readBundle(bytes);
  if (!bundle.ok) return { id: '', result: { status: 'refused', sentence: bundle.error.message } };
  const { entry, inputs, documents } = bundle.value;
  const { body } = entry;
  if (body.type !== RECEIPT_TYPE) return undefined;
  const why = unfit(await verifyBundle(bytes, NO_TRUST));
  if (why !== undefined) return { id: body.id, result: { status: 'refused', sentence: why } };
  if (documents === undefined || inputs === undefined || !isReceiptDisclosure(inputs))
    return { id: body.id, result: { status: 'refused', sentence: 'the bundle does not disclose its inputs' } };
  const within = { policy: documents.policy, rules: documents.rules };
  return { id: body.id, result: await replayer.replay({ body, inputs }, { documents: (name) => ({ ok: true, value: within[name] }) }) };
}
