/**
 * @module Secret cursor: what one look at one text has found and where it ended, so that nothing is looked at twice. The readers of secrets share it.
 */
import type { SecretFact, Span } from '@countersign/protocol';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import type { ReadText } from './read-text.ts';
import { ALPHABET } from './secret-formats.ts';

/** Secrets found so far in one action. */
export interface SecretFinder {
  readonly meter: Meter;
  readonly found: SecretFact[];
  /** Values found, so that a layer does not repeat what its leaf said. */
  readonly known: Set<string>;
}

/** Starts a search. */
export function createSecretFinder(meter: Meter): SecretFinder {
  return { meter, found: [], known: new Set() };
}

export interface Hit {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: 'high' | 'low';
}

/** Where runs and keys that were looked at end. */
export interface Cursor {
  readonly read: ReadText;
  readonly finder: SecretFinder;
  /** For each alphabet, the run that was measured last. */
  readonly runs: Map<number, { start: number; end: number }>;
  /** Where the last command that logs in somewhere was named, -1 nowhere. */
  commandAt: number;
  /** Whether the text was gone through as a manifest. */
  manifestRead: boolean;
  /** Where the last unquoted value after a provider's name ends. */
  bareEnd: number;
  keyEnd: number;
  /** Start of the next `-----END`, -1 unknown. */
  pemEnd: number;
  valueEnd: number;
  tokenEnd: number;
  /** Values found by their name: reported at the end, unless a format says more of them. */
  readonly named: Hit[];
  readonly sure: Hit[];
}

/** A look at `read` that has seen nothing yet. */
export function cursorOf(finder: SecretFinder, read: ReadText): Cursor {
  return {
    read,
    finder,
    runs: new Map(),
    commandAt: -1,
    bareEnd: 0,
    manifestRead: false,
    keyEnd: 0,
    pemEnd: -1,
    valueEnd: 0,
    tokenEnd: 0,
    named: [],
    sure: [],
  };
}

function spanOf(read: ReadText, start: number, end: number): Span {
  const { span, layers } = read.fact;
  return layers.length > 0 ? span : { path: span.path, start, end };
}

/** Takes a hit down, once. */
export function report(cursor: Cursor, hit: Hit): void {
  const { finder, read } = cursor;
  const value = read.fact.text.slice(hit.start, Math.min(hit.end, hit.start + FACTS_LIMITS.secretTokenMax));
  if (finder.known.has(value)) return;
  if (finder.found.length >= FACTS_LIMITS.secretsMax) {
    finder.meter.cuts.add('secrets');
    return;
  }
  finder.known.add(value);
  cursor.sure.push(hit);
  finder.found.push({ span: spanOf(read, hit.start, hit.end), type: hit.type, layers: read.fact.layers, confidence: hit.confidence });
}

/** Takes a hit down that a format may still say more of. */
export function reportLater(cursor: Cursor, hit: Hit): void {
  if (cursor.named.length < FACTS_LIMITS.secretsMax) cursor.named.push(hit);
  else cursor.finder.meter.cuts.add('secrets');
}

/** Bits of the character at `at`. */
export function bitsAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (ALPHABET[code] ?? 0) : 0;
}

/** End of the run of `alphabet` that begins at or before `start`; a run is measured once however often it is asked for. */
export function runEnd(cursor: Cursor, start: number, alphabet: number): number {
  const known = cursor.runs.get(alphabet);
  if (known !== undefined && start >= known.start && start < known.end) return known.end;
  const { text } = cursor.read.fact;
  let end = start;
  while (end < text.length && (bitsAt(text, end) & alphabet) !== 0) end += 1;
  cursor.finder.meter.steps += end - start;
  cursor.runs.set(alphabet, { start, end });
  return end;
}

/** Letters and digits. */
export const WORDY: number = (ALPHABET[0x30] ?? 0) | (ALPHABET[0x41] ?? 0) | (ALPHABET[0x61] ?? 0) | (ALPHABET[0x7a] ?? 0);
/** Letters, digits, `-` and `_`. */
export const URL_SAFE: number = WORDY | (ALPHABET[0x2d] ?? 0) | (ALPHABET[0x5f] ?? 0);
/** `.` */
export const DOT: number = ALPHABET[0x2e] ?? 0;
