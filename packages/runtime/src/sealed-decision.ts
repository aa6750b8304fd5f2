/** @module What is kept with an entry of the log and is not in it: the sealed inputs, opened, and the change of state. */
import { err, type Fault, getOwn, isJsonObject, type JsonValue, ok, parseJson, type Result } from '@countersign/kernel';
import type { LogRecord } from '@countersign/log';
import { disclose, type Opener, type OutcomeDisclosure, type ReceiptDisclosure } from '@countersign/receipts';

export interface SealedDecision {
  readonly inputs: ReceiptDisclosure | OutcomeDisclosure;
  /** The recorded change of state, as JSON. */
  readonly delta: JsonValue;
}

/** The side note stands in the clear beside what was sealed (`packages/receipts/src/vault-record.ts`). */
function recordedDelta({ attachments }: LogRecord): JsonValue | undefined {
  const parsed = parseJson(attachments[1] ?? new Uint8Array(0));
  const delta = parsed.ok && isJsonObject(parsed.value.value) ? getOwn(parsed.value.value, 'delta') : undefined;
  return isJsonObject(delta) ? delta : undefined;
}

/** Opens what was kept with a record; whoever compares checks it against the commitments. Faults are those of `disclose`. */
export function openSealed(
  record: LogRecord,
  place: { readonly log: string; readonly id: string; readonly opener: Opener },
): Result<SealedDecision, Fault> {
  const inputs = disclose(record, place);
  if (!inputs.ok) return inputs;
  const delta = recordedDelta(record);
  if (delta === undefined)
    return err({ code: 'vault_malformed', message: 'the change of state that was kept with this entry is not readable' });
  return ok({ inputs: inputs.value, delta });
}
