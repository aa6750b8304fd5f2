/**
 * @module Secrets: tokens by prefix and length, keys by structure, values by name. One automaton finds where to look; each look is bounded
 * and never repeated, so the whole is linear. Placeholders are no secrets.
 */
import type { ReadText } from './read-text.ts';
import { entropyOf, isPlaceholder } from './placeholders.ts';
import { PROVIDER_WORDS } from './provider-keys.ts';
import { readAuthorization, readLogin, readNamed, readProvider } from './secret-assignments.ts';
import { bitsAt, type Cursor, cursorOf, report, runEnd, type SecretFinder, WORDY } from './secret-cursor.ts';
import { SECRET_FORMATS, type SecretFormat } from './secret-formats.ts';
import {
  FOREIGN_KEY_WORDS,
  readForeignKey,
  readJwt,
  readMailchimp,
  readPem,
  readPutty,
  readSas,
  readServiceAccount,
  readUserinfo,
} from './secret-structures.ts';
import { MANIFEST_WORDS, readManifest } from './secret-manifests.ts';
import { SECRET_NAMES } from './secret-values.ts';

/** A look at one text; hits come in order of their place. */
export interface SecretScan {
  /** Word number `word` of `SECRET_WORDS` ends at `end`. */
  hit(word: number, start: number, end: number): void;
  /** All words of the text were given. */
  finish(): void;
}

/** A token begins where no letter or digit stands before it; formats that begin with a sign may follow anything. */
function beginsToken(text: string, format: SecretFormat, start: number): boolean {
  if (start === 0) return true;
  if (format.alone && /[./-]/.test(text.charAt(start - 1))) return false;
  return (bitsAt(text, start - 1) & WORDY) === 0 || (format.lead === undefined && (bitsAt(format.prefix, 0) & WORDY) === 0);
}

/** Where the part before the prefix begins; -1 where it is not as it should be. */
function leadStart(text: string, format: SecretFormat, start: number): number {
  const { lead } = format;
  if (lead === undefined) return start;
  let from = start;
  while (from > 0 && start - from <= lead.lengthMax && (bitsAt(text, from - 1) & lead.alphabet) !== 0) from -= 1;
  return start - from < lead.lengthMin || start - from > lead.lengthMax ? -1 : from;
}

const SHORT_BODY = 20;
const ENTROPY_MIN = { short: 2.2, long: 2.8 } as const;

/** A body that is as random as tokens are, and no placeholder. */
function isRandomBody(format: SecretFormat, body: string): boolean {
  if (format.shape !== undefined && !format.shape.test(body)) return false;
  return entropyOf(body) >= (body.length < SHORT_BODY ? ENTROPY_MIN.short : ENTROPY_MIN.long) && !isPlaceholder(body);
}

function readFormat(cursor: Cursor, format: SecretFormat, start: number): boolean {
  const { text } = cursor.read.fact;
  if (!text.startsWith(format.prefix, start)) return false;
  const begin = leadStart(text, format, start);
  if (begin < 0 || !beginsToken(text, format, begin)) return false;
  const from = start + format.prefix.length;
  const end = trimDots(text, from, runEnd(cursor, from, format.alphabet));
  const length = end - from;
  if (length < format.lengthMin || length > format.lengthMax) return false;
  const body = text.slice(from, end);
  cursor.finder.meter.steps += length;
  if (!isRandomBody(format, body)) return false;
  const proven = format.proof === undefined || format.proof(body);
  report(cursor, { type: format.type, start: begin, end, confidence: proven && !format.test ? 'high' : 'low' });
  if (end > cursor.tokenEnd) cursor.tokenEnd = end;
  return true;
}

function trimDots(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && end > to - 4 && /[.:]/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

type WordReader = (cursor: Cursor, start: number, end: number) => void;

/** What to do at each word; formats that share a prefix are tried in turn. */
function readersByWord(): Map<string, WordReader[]> {
  const readers = new Map<string, WordReader[]>();
  const put = (word: string, reader: WordReader): void => {
    const list = readers.get(word) ?? [];
    list.push(reader);
    readers.set(word, list);
  };
  for (const format of SECRET_FORMATS) put(format.prefix.toLowerCase(), (cursor, start) => readFormat(cursor, format, start));
  for (const name of SECRET_NAMES.keys()) put(name, (cursor, start, end) => readNamed(cursor, name, { start, end }));
  for (const word of PROVIDER_WORDS) put(word, (cursor, _start, end) => readProvider(cursor, word, end));
  put('authorization', readAuthorization);
  put('curl', (cursor, start) => {
    cursor.commandAt = start;
  });
  for (const option of [' -u ', '--user ', '--user=', '--proxy-user ']) put(option, readLogin);
  for (const word of MANIFEST_WORDS) put(word, readManifest);
  put('-----begin', readPem);
  put('putty-user-key-file-', readPutty);
  for (const word of FOREIGN_KEY_WORDS) put(word, (cursor, start, end) => readForeignKey(cursor, word, { start, end }));
  put('&sig=', readSas);
  put('eyj', readJwt);
  put('://', readUserinfo);
  put('-us', readMailchimp);
  put('"service_account"', readServiceAccount);
  return readers;
}

const READERS = readersByWord();
/** Words the automaton must report to a `SecretScan`, by index. */
export const SECRET_WORDS: readonly string[] = [...READERS.keys()];
const READERS_BY_NUMBER: readonly (readonly WordReader[])[] = [...READERS.values()];

/** Begins to look at one text. */
export function scanSecrets(finder: SecretFinder, read: ReadText): SecretScan {
  let cursor: Cursor | undefined;
  return {
    hit(word, start, end) {
      cursor ??= cursorOf(finder, read);
      finder.meter.steps += 1;
      for (const reader of READERS_BY_NUMBER[word] ?? []) reader(cursor, start, end);
    },
    finish() {
      if (cursor === undefined) return;
      const { named, sure } = cursor;
      for (const hit of named) {
        if (!sure.some((other) => other.start < hit.end && hit.start < other.end)) report(cursor, hit);
      }
    },
  };
}
