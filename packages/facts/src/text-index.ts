/**
 * @module Text index: the one automaton over the words of all readers, so that each text is read once for all of them.
 */
import { compileLiterals, type LiteralHits } from './literals.ts';
import { PII_WORDS } from './pii-words.ts';
import type { ReadText } from './read-text.ts';
import { ROT13_WORDS } from './rot13.ts';
import { SECRET_WORDS } from './secrets.ts';

/** Metadata addresses and names that count wherever they are written. */
const NAMED_HOSTS = [
  '169.254.169.254',
  'metadata.google.internal',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  '169.254.170.2',
] as const;

/** Verbs without which a text of letters alone is no SQL. */
const SQL_VERBS = (
  'select insert update delete drop truncate alter create grant revoke merge exec union waitfor having ' +
  'benchmark sleep attach detach pragma vacuum outfile dumpfile load_file order group information_schema'
).split(' ');

const WORDS: readonly string[] = [...new Set<string>([...SECRET_WORDS, ...PII_WORDS, ...ROT13_WORDS, ...NAMED_HOSTS, ...SQL_VERBS])];

function numbersIn(list: readonly string[]): Int32Array {
  return Int32Array.from(WORDS, (word) => list.indexOf(word));
}

const SECRET = numbersIn(SECRET_WORDS);
const PII = numbersIn(PII_WORDS);
const ROT13 = numbersIn(ROT13_WORDS);
const VERB = numbersIn(SQL_VERBS);
const NAMED = numbersIn(NAMED_HOSTS);
const URL_WORD: number = WORDS.indexOf('://');
const index = compileLiterals(WORDS);

/** Words that reach over the blank between two parts of a joined text. */
const SPACED = ROT13_WORDS.filter((word) => word.includes(' ')).map((word) => ({ word, number: WORDS.indexOf(word) }));

/**
 * The words of a lower-case text joined from parts by one blank, from theirs: those of SQL and of ROT13, which are all that is asked of the
 * joined view. No verb of SQL holds a blank.
 */
export function wordsOfJoined(lower: string, parts: readonly Pick<ReadText, 'fact' | 'hits'>[]): LiteralHits {
  const joined: number[] = [];
  let from = 0;
  for (const { fact, hits } of parts) {
    for (let i = 0; i < hits.length; i += 3) {
      const number = hits[i] ?? -1;
      const meaning = meaningOfWord(number);
      if (meaning.sql || meaning.rot13) joined.push(number, from + (hits[i + 1] ?? 0), from + (hits[i + 2] ?? 0));
    }
    from += fact.text.length + 1;
  }
  for (const { word, number } of SPACED) {
    const at = lower.indexOf(word);
    if (at >= 0) joined.push(number, at, at + word.length);
  }
  return joined;
}

/** All words in a lower-case text. */
export function wordsIn(lower: string): LiteralHits {
  return index.scan(lower);
}

/** What a word of a `LiteralHits` means; each number is -1 where the word is none of that reader's. */
export interface WordMeaning {
  readonly secret: number;
  readonly pii: number;
  readonly rot13: boolean;
  readonly host: boolean;
  readonly url: boolean;
  readonly sql: boolean;
}

const MEANINGS: readonly WordMeaning[] = WORDS.map((_word, number) => ({
  secret: SECRET[number] ?? -1,
  pii: PII[number] ?? -1,
  rot13: (ROT13[number] ?? -1) >= 0,
  host: (NAMED[number] ?? -1) >= 0,
  url: number === URL_WORD,
  sql: (VERB[number] ?? -1) >= 0,
}));
const NOTHING: WordMeaning = { secret: -1, pii: -1, rot13: false, host: false, url: false, sql: false };

/** Meaning of word `number`. */
export function meaningOfWord(number: number): WordMeaning {
  return MEANINGS[number] ?? NOTHING;
}

function isLetterAt(lower: string, at: number): boolean {
  const code = lower.charCodeAt(at);
  return code >= 0x61 && code <= 0x7a;
}

/** True where one of the words of `lower` is a verb of SQL and stands alone. */
export function hasSqlVerb(lower: string, hits: LiteralHits): boolean {
  for (let i = 0; i < hits.length; i += 3) {
    const start = hits[i + 1] ?? 0;
    if (!meaningOfWord(hits[i] ?? -1).sql || isLetterAt(lower, hits[i + 2] ?? 0)) continue;
    if (start === 0 || !isLetterAt(lower, start - 1)) return true;
  }
  return false;
}
