/** @module A log leaf as bytes: `JCS({body, signatures})`, put together from the canonical text of the body, and taken apart again. */
import type { EntrySignature } from '@countersign/protocol';
import { concat, jcs, utf8 } from './jcs.ts';

const HEAD = '{"body":';
const MIDDLE = ',"signatures":[';
const HEAD_BYTES = utf8(HEAD);
const UNSIGNED_TAIL = `${MIDDLE}]}`;

/** An entry as bytes, and the bytes of its body in it. */
export interface EntryBytes {
  readonly entry: Uint8Array;
  readonly body: Uint8Array;
}

/** Bytes of an entry without signatures. `body` is JCS(body); keys sort as `body`, `signatures`. */
export function unsignedEntry(body: string): EntryBytes {
  const entry = utf8(HEAD + body + UNSIGNED_TAIL);
  return { entry, body: entry.subarray(HEAD.length, entry.length - UNSIGNED_TAIL.length) };
}

/** Bytes of an entry whose body `sign` has signed. */
export function signedEntry(text: string, sign: (body: Uint8Array) => readonly EntrySignature[]): EntryBytes {
  const body = utf8(text);
  const signatures = sign(body).map((signature) => jcs(signature));
  return { entry: concat([HEAD_BYTES, body, utf8(`${MIDDLE}${signatures.join(',')}]}`)]), body };
}

/** JCS(body) of an entry that was written here. Signatures hold hex and base64url only, so the last `MIDDLE` is the real one. */
export function bodyTextOf(entry: string): string {
  return entry.slice(HEAD.length, entry.lastIndexOf(MIDDLE));
}
