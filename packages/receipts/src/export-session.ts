/** @module A session's chain, read from its log: from one entry back to number 0, each by the place that was kept with the one behind it. */
import { sha256Hex } from '@countersign/crypto';
import { err, isJsonObject, ok, parseJson, type Fault, type Result } from '@countersign/kernel';
import type { Log, LogRecord } from '@countersign/log';
import type { EntryBody } from '@countersign/protocol';
import { readBody } from './export-body.ts';
import { jcs } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';
import { readBack } from './vault-record.ts';

function bodyOf(record: LogRecord): Result<EntryBody, Fault> {
  const parsed = parseJson(record.entry);
  const value = parsed.ok ? parsed.value.value : null;
  return readBody(isJsonObject(value) ? (value['body'] ?? null) : null, `/${record.index}/body`);
}

/** True where `before` is what stands in the chain before `body`. */
function follows(body: EntryBody, before: EntryBody): boolean {
  return before.seq === body.seq - 1 && sha256Hex(jcs(before)) === body.prev;
}

function gap(seq: number): Result<never, Fault> {
  return err({ code: 'chain_gap', message: `number ${seq} of the session is not where it should be in the log` });
}

/**
 * The entries of a chain from number 0 to the one at `index`, in order: one read an entry, whatever the size of the log.
 * Faults: `export_too_long`, `entry_malformed`, `chain_gap` where the log does not hold the chain.
 * @throws CodedError what reading the log throws.
 */
export async function readSession(log: Log, index: number): Promise<Result<readonly EntryBody[], Fault>> {
  const { spineEnvelopesMax } = EXPORT_LIMITS;
  const bodies: EntryBody[] = [];
  for (let at: number | null = index; at !== null;) {
    const record: LogRecord = await log.readRecord(at);
    const body = bodyOf(record);
    if (!body.ok) return body;
    const behind = bodies.at(-1);
    if (behind !== undefined && !follows(behind, body.value)) return gap(behind.seq - 1);
    if (body.value.seq >= spineEnvelopesMax)
      return err({
        code: 'export_too_long',
        message: `a session of more than ${spineEnvelopesMax} entries cannot be one Spine file`,
        hint: 'export an earlier entry of it, or its receipts one by one in another format',
      });
    bodies.push(body.value);
    const back = readBack(record.attachments);
    if (back === undefined || (back === null) !== (body.value.seq === 0)) return gap(Math.max(0, body.value.seq - 1));
    at = back;
  }
  return ok(bodies.reverse());
}
