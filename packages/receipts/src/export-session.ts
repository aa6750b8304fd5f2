/** @module The entries of one session's chain, read from its log. */
import { err, isJsonObject, ok, parseJson, type Fault, type Result } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import type { EntryBody } from '@countersign/protocol';
import { orgOfBody, readBody } from './export-body.ts';
import { jcs, utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';

/** The body of an entry whose bytes contain `session`, the canonical text of a session's name; undefined for any other entry. */
function bodyWith(entry: Uint8Array, session: string): EntryBody | undefined {
  const text = utf8Text(entry);
  // Most entries are of other sessions, and reading JSON is most of the work.
  if (text?.includes(session) !== true) return undefined;
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : null;
  const body = isJsonObject(value) ? readBody(value['body'] ?? null, '') : undefined;
  return body?.ok === true ? body.value : undefined;
}

/**
 * Every durable entry of the chain that `member` is in, from number 0, in order. One pass over the log.
 * Faults: `export_too_long`, `chain_gap` where the log does not hold the whole chain.
 * @throws CodedError what reading the log throws.
 */
export async function readSession(log: Log, member: EntryBody): Promise<Result<readonly EntryBody[], Fault>> {
  const session = `"session":${jcs([member.session]).slice(1, -1)}`;
  const bodies: EntryBody[] = [];
  for await (const record of log.scan(0)) {
    if (record.index >= log.durableSize) break;
    const body = bodyWith(record.entry, session);
    if (body === undefined || body.session !== member.session || orgOfBody(body) !== orgOfBody(member)) continue;
    if (body.seq !== bodies.length)
      return err({ code: 'chain_gap', message: `number ${bodies.length} of the session is not where it should be in the log` });
    if (bodies.length >= EXPORT_LIMITS.spineEnvelopesMax)
      return err({
        code: 'export_too_long',
        message: `a session of more than ${EXPORT_LIMITS.spineEnvelopesMax} entries cannot be one Spine file`,
        hint: 'export its receipts one by one in another format',
      });
    bodies.push(body);
  }
  return ok(bodies);
}
