/** @module A log leaf as bytes: `JCS({body, signatures})`, put together from the canonical text of the body, and taken apart again. */
import type { EntrySignature } from '@countersign/protocol';
import { jcs } from './jcs.ts';

const HEAD = '{"body":';
const MIDDLE = ',"signatures":[';

/** Text of an entry. `bodyText` is JCS(body); keys sort as `body`, `signatures`. */
export function entryText(bodyText: string, signatures: readonly EntrySignature[]): string {
  return `${HEAD}${bodyText}${MIDDLE}${signatures.map((signature) => jcs(signature)).join(',')}]}`;
}

/** JCS(body) of an entry that `entryText` wrote. Signatures hold hex and base64url only, so the last `MIDDLE` is the real one. */
export function bodyTextOf(entry: string): string {
  return entry.slice(HEAD.length, entry.lastIndexOf(MIDDLE));
}
