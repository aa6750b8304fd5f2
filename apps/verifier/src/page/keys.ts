/** @module Whom the reader of the page trusts: one key a line, in three boxes. A line that is no key is named, and nothing is verified past it. */
import { fromBase64url, parseNoteVerifierKey } from '@countersign/crypto';
import type { Fault, Result } from '@countersign/kernel';
import { parseCosignerKey } from '@countersign/log';
import { PAGE_LIMITS } from './limits.ts';

export type KeyBox = 'log' | 'receipt' | 'witness';

export interface ReadKeys {
  readonly keys: readonly string[];
  /** What is wrong with the first bad line, for people. */
  readonly complaint?: string;
}

const KEY_BYTES = 32;

function complaintOf(parsed: Result<unknown, Fault>): string | undefined {
  return parsed.ok ? undefined : `${parsed.error.message}; ${parsed.error.hint ?? 'copy it whole'}`;
}

function complaintOfReceiptKey(line: string): string | undefined {
  return fromBase64url(line)?.length === KEY_BYTES ? undefined : 'not a receipt key: 32 bytes in base64url';
}

const COMPLAINTS: Readonly<Record<KeyBox, (line: string) => string | undefined>> = {
  log: (line) => complaintOf(parseNoteVerifierKey(line)),
  receipt: complaintOfReceiptKey,
  witness: (line) => complaintOf(parseCosignerKey(line)),
};

/** The keys in a box: one a line, empty lines and lines that begin with `#` left out, and each key once. */
export function readKeys(box: KeyBox, text: string): ReadKeys {
  if (text.length > PAGE_LIMITS.keysCharsMax) return { keys: [], complaint: `at most ${PAGE_LIMITS.keysCharsMax} characters of keys` };
  const keys = new Set<string>();
  let complaint: string | undefined;
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    keys.add(line);
    const wrong = COMPLAINTS[box](line);
    if (wrong !== undefined) complaint ??= `line ${at + 1}: ${wrong}`;
  }
  return complaint === undefined ? { keys: [...keys] } : { keys: [...keys], complaint };
}
