/** @module The bundle of one entry, from the log that it is in. */
import { err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import { disclose, makeBundle } from '@countersign/receipts';
import type { Store, Vault } from '@countersign/store';

/** No log has an entry with the id that was asked for. */
export const RECEIPT_NOT_FOUND: Fault = {
  code: 'receipt_not_found',
  message: 'there is no receipt with this id',
  hint: 'list some with `countersign log tail`',
};

/** An entry, and what its bundle is made from. */
export interface BundleSource {
  readonly log: Log;
  readonly index: number;
  readonly vault: Vault;
  readonly store: Pick<Store, 'document'>;
}

/** Faults: `log_archived`, and what disclosing says. @throws CodedError what reading the log throws. */
export async function bundleReceipt(
  { log, index, vault, store }: BundleSource,
  request: { readonly id: string; readonly inputs: boolean },
): Promise<Result<Uint8Array, Fault>> {
  if (!request.inputs) return ok(await makeBundle({ log, index }));
  if (index < log.firstPresent)
    return err({
      code: 'log_archived',
      message: 'what was kept with this receipt is in an archive',
      hint: 'bring it back with `countersign log restore`, or ask for the bundle without inputs',
    });
  const record = await log.readRecord(index);
  const inputs = disclose(record, { log: log.origin, id: request.id, opener: vault });
  if (!inputs.ok) return inputs;
  const { body } = JSON.parse(new TextDecoder().decode(record.entry)) as { body: { inputs?: { policy: string; rules: string } } };
  const policy = body.inputs === undefined ? undefined : store.document(body.inputs.policy);
  const rules = body.inputs === undefined ? undefined : store.document(body.inputs.rules);
  const documents =
    policy === undefined || rules === undefined
      ? {}
      : { documents: { policy: JSON.parse(policy) as JsonValue, rules: JSON.parse(rules) as JsonValue } };
  return ok(await makeBundle({ log, index: record.index, inputs: inputs.value, ...documents }));
}
