/**
 * @module Dictionaries: long lists of whole words and phrases that a rule document brings along. They have an automaton of their own, because its table
 * grows with the letters of all lists, and one that is not there costs nothing. A hit is confirmed by walking to both sides of it.
 */
import {
  buildAutomaton,
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type LiteralAutomaton,
  ok,
  type Result,
  scanLiterals,
} from '@countersign/kernel';
import { RULE_LIMITS } from './limits.ts';
import type { PatternFault } from './pattern-syntax.ts';
import type { Match } from './pattern.ts';
import type { Reading } from './reading.ts';

/** One word or phrase, ready to search. */
export interface DictionaryWord {
  /** Position among the patterns of its text test. */
  readonly position: number;
  /** Its words in order; the one by which it is searched is `tokens[at]`. */
  readonly tokens: readonly string[];
  readonly at: number;
}

/** A literal is selective enough at three code units, or at two where no ASCII is in it. */
export function isSelective(literal: string): boolean {
  return (
    literal.length >= RULE_LIMITS.literalCharsMin ||
    (literal.length === RULE_LIMITS.literalCharsMin - 1 && literal.charCodeAt(0) > 127 && literal.charCodeAt(1) > 127)
  );
}

function faultOf(word: string): Pick<PatternFault, 'code' | 'message' | 'hint'> | undefined {
  const max = RULE_LIMITS.plainCharsMax;
  if (word.length === 0 || word.length > max) {
    const message = `a word of a dictionary must have 1 to ${max} characters`;
    return { code: 'pattern_too_long', message, hint: 'split it into several words' };
  }
  if (word !== lowered(word)) {
    const message = 'a word of a dictionary is in lower case, without leading, trailing or doubled spaces';
    return { code: 'pattern_syntax', message, hint: 'documents are written as one likes; their rules hold the words so' };
  }
  if (word.split(' ').some(isSelective)) return undefined;
  const message = `a word of a dictionary must have a part of at least ${RULE_LIMITS.literalCharsMin} characters`;
  return { code: 'pattern_without_literal', message, hint: 'leave it out, or add a word that stands beside it' };
}

/** As it is held and searched: lower case, one space between words. */
function lowered(word: string): string {
  return word.toLowerCase().trim().replaceAll(/\s+/g, ' ');
}

/** One word of a rule, or why it cannot be searched. */
export function dictionaryWord(word: string, position: number): Result<DictionaryWord, PatternFault> {
  const fault = faultOf(word);
  if (fault !== undefined) return err({ start: 0, end: word.length, ...fault });
  const tokens = word.split(' ');
  const longest = tokens.reduce((best, token, i) => (token.length > (tokens[best] ?? '').length ? i : best), 0);
  return ok({ position, tokens, at: longest });
}

/** A word of some text test. */
interface Entry extends DictionaryWord {
  readonly leaf: number;
}

/** All dictionaries of a rule set. */
export interface CompiledDictionaries {
  readonly automaton: LiteralAutomaton;
  readonly byLiteral: readonly (readonly Entry[])[];
}

/** What the dictionaries of all text tests are searched by; undefined where there is none, a message where they are too large. */
export function compileDictionaries(
  leaves: readonly { readonly leaf: number; readonly words: readonly DictionaryWord[] }[],
): Result<CompiledDictionaries | undefined, string> {
  const lists = new Map<string, Entry[]>();
  let uses = 0;
  for (const { leaf, words } of leaves) {
    uses += words.length;
    if (uses > RULE_LIMITS.dictionaryUsesMax) return err(`the dictionaries of a rule set may bring ${RULE_LIMITS.dictionaryUsesMax} words`);
    for (const word of words) {
      const literal = word.tokens[word.at] ?? '';
      const list = lists.get(literal) ?? [];
      list.push({ ...word, leaf });
      lists.set(literal, list);
    }
  }
  if (uses === 0) return ok(undefined);
  const literals = [...lists.keys()];
  const letters = new Set<string>();
  let chars = 1;
  for (const literal of literals) {
    chars += literal.length;
    for (let i = 0; i < literal.length; i += 1) letters.add(literal.charAt(i));
  }
  if (chars * (letters.size + 1) > RULE_LIMITS.dictionaryCellsMax)
    return err('the dictionaries of a rule set have too many letters together');
  return ok({ automaton: buildAutomaton(literals), byLiteral: [...lists.values()] });
}

const SPACES_MAX = 8;

/** Letters and digits of scripts that put spaces between words join words; those of East Asia do not. */
function joinsWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f;
  return code < 0x2e80 && /[\p{L}\p{N}\p{M}]/u.test(text.charAt(at));
}

function isBlank(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}

/** Where `token` ends that stands one gap behind `end`; -1 where it does not. */
function tokenAfter(text: string, end: number, token: string): number {
  let at = end;
  while (at - end < SPACES_MAX && isBlank(text, at)) at += 1;
  return at > end && text.startsWith(token, at) ? at + token.length : -1;
}

/** Where `token` begins that stands one gap before `start`; -1 where it does not. */
function tokenBefore(text: string, start: number, token: string): number {
  let at = start;
  while (start - at < SPACES_MAX && isBlank(text, at - 1)) at -= 1;
  return at < start && at >= token.length && text.startsWith(token, at - token.length) ? at - token.length : -1;
}

function endsWell(text: string, start: number, end: number): boolean {
  return (start === 0 || !joinsWord(text, start - 1)) && !joinsWord(text, end);
}

/** The whole phrase around its literal at `found`, standing by itself. */
function phraseAt(text: string, { tokens, at }: DictionaryWord, found: number): Match | undefined {
  let start = found;
  let end = found + (tokens[at] ?? '').length;
  for (const token of tokens.slice(0, at).toReversed()) {
    start = tokenBefore(text, start, token);
    if (start < 0) return undefined;
  }
  for (const token of tokens.slice(at + 1)) {
    end = tokenAfter(text, end, token);
    if (end < 0) return undefined;
  }
  return endsWell(text, start, end) ? { start, end } : undefined;
}

/** What a search in one lower-case text tells. */
export interface DictionarySearch {
  readonly looks: (leaf: number) => boolean;
  readonly found: (entry: { readonly leaf: number; readonly position: number }, match: Match) => void;
  /** Counts work; true once there is no more of it. */
  readonly spend: (steps: number) => boolean;
}

/** Finds the words of all dictionaries in one lower-case text, each at most as often as any pattern. */
export function searchDictionaries(dictionaries: CompiledDictionaries, text: string, search: DictionarySearch): void {
  const hits = new Map<Entry, number>();
  const scanned = scanLiterals(dictionaries.automaton, text, (literal, start) => {
    for (const entry of dictionaries.byLiteral[literal] ?? []) {
      if (search.spend(1 + entry.tokens.length)) return;
      const count = hits.get(entry) ?? 0;
      if (count >= RULE_LIMITS.hitsPerTextMax || !search.looks(entry.leaf)) continue;
      const match = phraseAt(text, entry, start);
      if (match === undefined) continue;
      hits.set(entry, count + 1);
      search.found(entry, match);
    }
  });
  search.spend(scanned);
}

/** Reads the dictionaries of a document: name to words, as rules hold them. */
export function readDictionaries(value: JsonValue | undefined, reading: Reading): ReadonlyMap<string, readonly string[]> {
  const dictionaries = new Map<string, readonly string[]>();
  if (value === undefined) return dictionaries;
  const path = ['dictionaries'];
  const written = reading.object(value, path);
  if (written === undefined) return dictionaries;
  const names = Object.keys(written);
  if (names.length > RULE_LIMITS.dictionariesMax) {
    reading.fault('rule_too_many', path, `a document may hold at most ${RULE_LIMITS.dictionariesMax} dictionaries`);
    return dictionaries;
  }
  for (const name of names) {
    if (!/^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/.test(name) || name.length > 64)
      reading.fault('rule_value', [...path, name], 'the name of a dictionary is lower-case words joined by `-`, `_` or `.`');
    dictionaries.set(name, readWords(written[name], [...path, name], reading));
  }
  return dictionaries;
}

function readWords(value: JsonValue | undefined, path: readonly (string | number)[], reading: Reading): readonly string[] {
  const words = new Set<string>();
  for (const [i, item] of reading.list(value, path, { min: 1, max: RULE_LIMITS.dictionaryWordsMax }).entries()) {
    const word = lowered(reading.string(item, [...path, i], RULE_LIMITS.plainCharsMax));
    const fault = word === '' ? undefined : faultOf(word);
    if (fault !== undefined) reading.fault(fault.code, [...path, i], { message: fault.message, hint: fault.hint });
    words.add(word);
  }
  return [...words];
}

/** A checked condition with the words of its dictionaries in place of their names. */
export function withDictionaries(condition: JsonValue, reading: Reading): JsonValue {
  if (Array.isArray(condition)) {
    // Array.isArray of a readonly array type gives any[]; what it holds is JSON.
    return (condition as readonly JsonValue[]).map((item) => withDictionaries(item, reading));
  }
  if (!isJsonObject(condition)) return condition;
  const { text } = condition;
  if (isJsonObject(text) && Array.isArray(text['any'])) return { ...condition, text: { ...text, any: namedWords(text['any'], reading) } };
  return Object.fromEntries(Object.entries(condition).map(([key, item]) => [key, withDictionaries(item, reading)])) satisfies JsonObject;
}

function namedWords(patterns: readonly JsonValue[], reading: Reading): JsonValue[] {
  return patterns.map((item) => {
    const name = isJsonObject(item) ? item['dictionary'] : undefined;
    const words = typeof name === 'string' ? reading.dictionaries.get(name) : undefined;
    if (words === undefined || reading.dictionaryUses > RULE_LIMITS.dictionaryUsesMax) return item;
    reading.dictionaryUses += words.length;
    if (reading.dictionaryUses > RULE_LIMITS.dictionaryUsesMax)
      reading.fault('rule_too_many', ['dictionaries'], {
        message: `the dictionaries of a document may bring ${RULE_LIMITS.dictionaryUsesMax} words in all, counted where they are named`,
        hint: 'name each of them in one rule',
      });
    return { words };
  });
}
