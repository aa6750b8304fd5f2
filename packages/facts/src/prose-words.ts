/**
 * @module Prose words: a text as the classifier sees it, word by word, each word as three buckets (itself, its beginning, itself behind
 * the word before it). The trainer reads texts through the same reader, so that it learns what the judge will see.
 */

/** Buckets are `2 ** PROSE_BUCKET_BITS`. */
export const PROSE_BUCKET_BITS = 15;

const PRIME = 0x01000193;
const BASIS = 0x811c9dc5 | 0;
/** Keep a word, its beginning and a pair apart in the one table. */
const STEM_SALT = 0x27d4eb2f;
const PAIR_FACTOR = 0x2c1b3c6d;
const STEM_CHARS = 5;
/** Code units of a word that count; a longer run is no word, and what stands behind is passed over. */
const WORD_CHARS = 24;
/** From here on (CJK, kana, hangul) every code unit is a word: nothing stands between words there. */
const IDEOGRAPHS = 0x2e80;
const NUMBER = 0x30;

/** Kinds of code units: 0 separates, 1 belongs to a word, 2 is a digit. */
const KINDS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 0x30 && code <= 0x39) return 2;
  return code >= 0x61 && code <= 0x7a ? 1 : 0;
});

/** Spreads a hash over its bits, and keeps those that number a bucket. */
function bucketOf(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x119de1f3);
  return (mixed ^ (mixed >>> 16)) >>> (32 - PROSE_BUCKET_BITS);
}

function kindOf(code: number): number {
  if (code < 128) return KINDS[code] ?? 0;
  // General punctuation and what looks like a space separate; other letters are letters.
  return code < 0xc0 || (code >= 0x2000 && code < IDEOGRAPHS && code < 0x2c00) || (code >= 0x3000 && code < 0x3040) ? 0 : 1;
}

/** Reads one lower-case text. After `next()` has said true, the fields tell of the word that was read. */
export class ProseWords {
  readonly lower: string;
  /** Half open, in code units. */
  start = 0;
  end = 0;
  word = 0;
  stem = 0;
  pair = 0;
  private before = BASIS;

  constructor(lower: string) {
    this.lower = lower;
  }

  next(): boolean {
    const { lower } = this;
    let at = this.end;
    while (at < lower.length && kindOf(lower.charCodeAt(at)) === 0) at += 1;
    if (at >= lower.length) {
      this.end = at;
      return false;
    }
    this.start = at;
    this.end = this.read(at);
    return true;
  }

  /** Reads the word that begins at `from`; its end. */
  private read(from: number): number {
    const { lower } = this;
    let hash = BASIS;
    let stem = BASIS;
    let letters = false;
    let at = from;
    for (; at < lower.length; at += 1) {
      const code = lower.charCodeAt(at);
      const kind = kindOf(code);
      if (kind === 0 || (code >= IDEOGRAPHS && at > from)) break;
      if (kind === 1) letters = true;
      if (at - from >= WORD_CHARS) continue;
      hash = Math.imul(hash ^ code, PRIME);
      if (at - from < STEM_CHARS) stem = hash;
      if (code >= IDEOGRAPHS) {
        at += 1;
        break;
      }
    }
    // Numbers differ where the sentence is the same.
    this.tell(letters ? hash : Math.imul(BASIS ^ NUMBER, PRIME), stem);
    return at;
  }

  private tell(hash: number, stem: number): void {
    this.word = bucketOf(hash);
    this.stem = bucketOf(stem ^ STEM_SALT);
    this.pair = bucketOf(Math.imul(this.before, PAIR_FACTOR) ^ hash);
    this.before = hash;
  }
}
