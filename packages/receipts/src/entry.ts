/** @module A log leaf as bytes: `JCS({body, signatures})`, put together from the canonical text of the body, and taken apart again. */
import type { EntrySignature } from '@countersign/protocol';
import { concat, jcs, utf8 } from './jcs.ts';

const HEAD = '{"body":';
const MIDDLE = ',"signatures":[';
const HEAD_BYTES = utf8(HEAD);
const UNSIGNED_TAIL = utf8(`${MIDDLE}]}`);

/** Bytes of an entry. `body` is JCS(body); keys sort as `body`, `signatures`. */
export function entryBytes(body: Uint8Array, signatures: readonly EntrySignature[]): Uint8Array {
  if (signatures.length === 0) return concat([HEAD_BYTES, body, UNSIGNED_TAIL]);
  return concat([HEAD_BYTES, body, utf8(`${MIDDLE}${signatures.map((signature) => jcs(signature)).join(',')}]}`)]);
}

/** JCS(body) of an entry that `entryBytes` wrote. Signatures hold hex and base64url only, so the last `MIDDLE` is the real one. */
export function bodyTextOf(entry: string): string {
  return entry.slice(HEAD.length, entry.lastIndexOf(MIDDLE));
}
