/** @module One bundle, checked and replayed: a row of the answer. */
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { RECEIPT_TYPE } from '@countersign/protocol';
import { type Bundle, readBundle, verifyBundle, type VerifyReport } from '@countersign/receipts';
import type { KeptDecision, Replayed, Replayer } from './replayer.ts';

export interface Row {
  readonly id: string;
  readonly result: Replayed;
}

/** Nobody is believed: the proof of inclusion is `verify`'s business, what counts here is that the inputs are the committed ones. */
const NO_TRUST = { vkeys: [] };
const COMMITTED: readonly string[] = ['bundle-form', 'entry-form', 'commitments'];
const SELF_CONTAINED: readonly string[] = [...COMMITTED, 'inputs'];
const BUNDLE_TYPE: Bundle['type'] = 'countersign.bundle.v1';

function unfit(report: VerifyReport, needed: readonly string[]): string | undefined {
  return report.checks.find((check) => needed.includes(check.name) && check.status !== 'pass')?.sentence;
}

async function checked(bytes: Uint8Array, needed: readonly string[], run: (bundle: Bundle) => Promise<Replayed>): Promise<Row | undefined> {
  const bundle = readBundle(bytes);
  if (!bundle.ok) return { id: '', result: { status: 'refused', sentence: bundle.error.message } };
  const { body } = bundle.value.entry;
  if (body.type !== RECEIPT_TYPE) return undefined;
  const why = unfit(await verifyBundle(bytes, NO_TRUST), needed);
  if (why !== undefined) return { id: body.id, result: { status: 'refused', sentence: why } };
  return { id: body.id, result: await run(bundle.value) };
}

/** Replays one bundle with the documents inside it; undefined where it holds no receipt. */
export function replayBundle(bytes: Uint8Array, replayer: Replayer): Promise<Row | undefined> {
  return checked(bytes, SELF_CONTAINED, (bundle) => replayer.replay(bundle));
}

/** A receipt of the directory's own log with what was sealed with it. */
export interface SealedReceipt {
  readonly index: number;
  /** The leaf of the log, as text. */
  readonly entry: string;
  readonly inputs: object;
}

/**
 * The bundle of a receipt without its documents, which are checked by their hash, and without a proof: opening the log compared it
 * with its checkpoint. The entry goes in as it stands in the log, so that reading the bundle also checks that it is canonical.
 */
function bareBundle({ index, entry, inputs }: SealedReceipt): Uint8Array {
  const sealed = canonicalize(inputs as unknown as JsonValue); // Parsed JSON, which its interfaces do not say.
  return new TextEncoder().encode(
    `{"checkpoint":"","entry":${entry},"index":${index},"inputs":${sealed},"proof":[],"type":"${BUNDLE_TYPE}"}`,
  );
}

/** Replays one receipt of the directory with the documents that are kept there. */
export function replaySealed(receipt: SealedReceipt, decision: KeptDecision, replayer: Replayer): Promise<Row | undefined> {
  return checked(bareBundle(receipt), COMMITTED, (bundle) => replayer.replayKept(bundle, decision));
}
