/** @module Whom the reader of the page trusts: one key a line, in three boxes. A line that is no key is named, and nothing is verified past it. */
import { fromBase64, fromBase64url, parseNoteVerifierKey } from '@countersign/crypto';
import type { Trust } from '@countersign/receipts/verify';
import { PAGE_LIMITS } from './limits.ts';

export interface PageTrust extends Trust {
  readonly receiptKeys: readonly string[];
  /** Verifier keys of witnesses (C2SP tlog-cosignature, type 0x04). */
  readonly witnessKeys: readonly string[];
  /** How many of the witnesses must have cosigned; all where it is not said. */
  readonly quorum?: number;
}

export type KeyBox = 'log' | 'receipt' | 'witness';

export interface ReadKeys {
  readonly keys: readonly string[];
  /** What is wrong with the first bad line, for people. */
  readonly complaint?: string;
}

const KEY_BYTES = 32;
const COSIGNATURE_TYPE = 4;

function complaintOfLogKey(line: string): string | undefined {
  const parsed = parseNoteVerifierKey(line);
  return parsed.ok ? undefined : `${parsed.error.message}; ${parsed.error.hint ?? 'copy it whole'}`;
}

function complaintOfReceiptKey(line: string): string | undefined {
  return fromBase64url(line)?.length === KEY_BYTES ? undefined : 'not a receipt key: 32 bytes in base64url';
}

/** Only what shows at a glance; the verifier reads the whole key. */
function complaintOfWitnessKey(line: string): string | undefined {
  const key = fromBase64(line.slice(line.indexOf('+', line.indexOf('+') + 1) + 1));
  const isCosigner = key !== undefined && key[0] === COSIGNATURE_TYPE && key.length === KEY_BYTES + 1;
  return isCosigner ? undefined : 'not a witness key: name+hash+base64 of type 0x04';
}

const COMPLAINTS: Readonly<Record<KeyBox, (line: string) => string | undefined>> = {
  log: complaintOfLogKey,
  receipt: complaintOfReceiptKey,
  witness: complaintOfWitnessKey,
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

export interface ReadQuorum {
  readonly quorum?: number;
  readonly complaint?: string;
}

/** The number of witnesses that must have cosigned. A text that is no such number asks for more than there are, so that it proves nothing. */
export function readQuorum(text: string, witnesses: number): ReadQuorum {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  const quorum = /^[0-9]{1,4}$/.test(trimmed) ? Number(trimmed) : 0;
  if (quorum >= 1 && quorum <= witnesses) return { quorum };
  return { quorum: witnesses + 1, complaint: `a number from 1 to ${witnesses}, the witness keys above` };
}
