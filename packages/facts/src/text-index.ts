/**
 * @module Text index: the one automaton over the words of all readers, so that each text is read once for all of them.
 */
import { compileLiterals, type LiteralHits } from './literals.ts';
import { PII_WORDS } from './pii-words.ts';
import type { ReadText } from './read-text.ts';
import { SECRET_WORDS } from './secrets.ts';
import { SPELLED_WORDS, spellingOfWord } from './spellings.ts';

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

const WORDS: readonly string[] = [...new Set<string>([...SECRET_WORDS, ...PII_WORDS, ...SPELLED_WORDS, ...NAMED_HOSTS, ...SQL_VERBS])];

function numbersIn(list: readonly string[]): Int32Array {
  return Int32Array.from(WORDS, (word) => list.indexOf(word));
}

const SECRET = numbersIn(SECRET_WORDS);
const PII = numbersIn(PII_WORDS);
const VERB = numbersIn(SQL_VERBS);
const NAMED = numbersIn(NAMED_HOSTS);
const URL_WORD: number = WORDS.indexOf('://');
const index = compileLiterals(WORDS);

/** The longest word that somebody asks the joined view for. */
const REACH = Math.max(...[...SPELLED_WORDS, ...SQL_VERBS].map((word) => word.length));

function isAskedOfJoined(number: number): boolean {
  const meaning = meaningOfWord(number);
  return meaning.sql || meaning.spelling >= 0;
}

/** Words of a text that lie over place `at`, where a blank joins two parts. */
function wordsOver(lower: string, at: number): LiteralHits {
  const from = Math.max(0, at - REACH);
  const over: number[] = [];
  const hits = index.scan(lower.slice(from, at + 1 + REACH));
  for (let i = 0; i < hits.length; i += 3) {
    const [number, start, end] = [hits[i] ?? -1, from + (hits[i + 1] ?? 0), from + (hits[i + 2] ?? 0)];
    if (start < at && end > at && isAskedOfJoined(number)) over.push(number, start, end);
  }
  return over;
}

/**
 * The words of a lower-case text joined from parts by one blank, from theirs and from what lies over the blanks: those of SQL and of hidden
 * spellings, which are all that is asked of the joined view.
 */
export function wordsOfJoined(lower: string, parts: readonly Pick<ReadText, 'fact' | 'hits'>[]): LiteralHits {
  if (parts.length * 2 * REACH > lower.length) return index.scan(lower);
  const joined: number[] = [];
  let from = 0;
  for (const { fact, hits } of parts) {
    for (let i = 0; i < hits.length; i += 3) {
      const number = hits[i] ?? -1;
      if (isAskedOfJoined(number)) joined.push(number, from + (hits[i + 1] ?? 0), from + (hits[i + 2] ?? 0));
    }
    from += fact.text.length + 1;
    if (from < lower.length) for (const value of wordsOver(lower, from - 1)) joined.push(value);
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
  /** Which spelling of hidden text it betrays. */
  readonly spelling: number;
  readonly host: boolean;
  readonly url: boolean;
  readonly sql: boolean;
}

const MEANINGS: readonly WordMeaning[] = WORDS.map((word, number) => ({
  secret: SECRET[number] ?? -1,
  pii: PII[number] ?? -1,
  spelling: spellingOfWord(word),
  host: (NAMED[number] ?? -1) >= 0,
  url: number === URL_WORD,
  sql: (VERB[number] ?? -1) >= 0,
}));
const NOTHING: WordMeaning = { secret: -1, pii: -1, spelling: -1, host: false, url: false, sql: false };

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
