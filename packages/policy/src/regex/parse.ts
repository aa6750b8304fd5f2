/**
 * @module Reads the regular expressions that policy documents use: the syntax of Rust's `regex` crate as far as it is
 * ASCII (classes, groups, counts, `(?i)`, `(?s)`, `(?m)`, anchors, `\b`). What cannot be matched in linear time
 * (look-around, back-references) and what is not offered (`\p{..}`, `(?x)`, class arithmetic) is refused with its place.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { POLICY_LIMITS } from '../limits.ts';
import { ANY, ANY_BUT_NEWLINE, complement, DIGITS, foldSet, normalizeSet, POSIX_CLASSES, SPACES, WORDS, type CharSet } from './char-set.ts';

export type Assertion = 'line-start' | 'line-end' | 'text-start' | 'text-end' | 'word' | 'not-word';

export type RegexNode =
  | { readonly is: 'set'; readonly set: CharSet }
  | { readonly is: 'assert'; readonly what: Assertion }
  | { readonly is: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly is: 'choice'; readonly items: readonly RegexNode[] }
  /** `max` -1: no end. */
  | { readonly is: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number };

export interface RegexProblem {
  readonly message: string;
  /** Offset in the expression. */
  readonly at: number;
}

interface Flags {
  ignoreCase: boolean;
  dotAll: boolean;
  multiLine: boolean;
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
  flags: Flags;
}

// Thrown and caught inside this file only: a recursive reader with one way out.
class Refusal extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const CLASS_ESCAPES: ReadonlyMap<string, CharSet> = new Map<string, CharSet>([
  ['d', DIGITS],
  ['D', complement(DIGITS)],
  ['w', WORDS],
  ['W', complement(WORDS)],
  ['s', SPACES],
  ['S', complement(SPACES)],
]);
const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['f', 0x0c],
  ['v', 0x0b],
  ['a', 0x07],
]);
const ASSERT_ESCAPES: ReadonlyMap<string, Assertion> = new Map<string, Assertion>([
  ['b', 'word'],
  ['B', 'not-word'],
  ['A', 'text-start'],
  ['z', 'text-end'],
]);

function single(reader: Reader, unit: number): RegexNode {
  const set: CharSet = [unit, unit];
  return { is: 'set', set: reader.flags.ignoreCase ? foldSet(set) : set };
}

function readHex(reader: Reader, escape: string): number {
  const braced = /^\{([0-9a-fA-F]{1,6})\}/.exec(reader.text.slice(reader.at, reader.at + 8));
  const length = escape === 'x' ? 2 : 4;
  const plain = reader.text.slice(reader.at, reader.at + length);
  if (braced === null && !(plain.length === length && /^[0-9a-fA-F]+$/.test(plain)))
    throw new Refusal(`\`\\${escape}\` needs hexadecimal digits`, reader.at - 2);
  const unit = Number.parseInt(braced?.[1] ?? plain, 16);
  if (unit > 0xffff) throw new Refusal('a character beyond U+FFFF is written as itself', reader.at - 2);
  reader.at += braced === null ? length : braced[0].length;
  return unit;
}

/** After the backslash: a code unit, a class, or an assertion. */
function readEscape(reader: Reader): number | CharSet | Assertion {
  const at = reader.at - 1;
  const char = reader.text[reader.at] ?? '';
  if (char === '') throw new Refusal('a backslash at the end escapes nothing', at);
  reader.at += 1;
  const known = CLASS_ESCAPES.get(char) ?? CONTROL_ESCAPES.get(char) ?? ASSERT_ESCAPES.get(char);
  if (known !== undefined) return known;
  if (char === 'x' || char === 'u') return readHex(reader, char);
  if (/[0-9]/.test(char)) throw new Refusal('back-references cannot be matched in linear time', at);
  if (/[A-Za-z]/.test(char)) throw new Refusal(`\`\\${char}\` is not supported`, at);
  return char.charCodeAt(0);
}

function readPosix(reader: Reader): CharSet | undefined {
  if (!reader.text.startsWith('[:', reader.at)) return undefined;
  const match = /^\[:(\^?)([a-z]{1,8}):\]/.exec(reader.text.slice(reader.at, reader.at + 14));
  const set = POSIX_CLASSES.get(match?.[2] ?? '');
  if (match === null || set === undefined) throw new Refusal('unknown class name', reader.at);
  reader.at += match[0].length;
  return match[1] === '^' ? complement(set) : set;
}

/** One member of a class: a unit that may begin a range, or a whole class. */
function readMember(reader: Reader): number | CharSet {
  const posix = readPosix(reader);
  if (posix !== undefined) return posix;
  const at = reader.at;
  const char = reader.text[at] ?? '';
  if (char === '[') throw new Refusal('classes inside classes are not supported; write `\\[`', at);
  if (/^(?:&&|--|~~)/.test(reader.text.slice(at, at + 2)) && reader.text[at + 2] !== ']')
    throw new Refusal('class arithmetic is not supported', at);
  const unit = reader.text.charCodeAt(at);
  if (unit >= 0xd800 && unit <= 0xdfff) throw new Refusal('a character beyond U+FFFF cannot stand in a class', at);
  reader.at += 1;
  if (char !== '\\') return unit;
  if (reader.text[reader.at] === 'b') throw new Refusal('`\\b` cannot stand in a class', at);
  const escaped = readEscape(reader);
  if (typeof escaped === 'string') throw new Refusal('an assertion cannot stand in a class', at);
  return escaped;
}

/** One member or range, as pairs. */
function readRange(reader: Reader): CharSet {
  const at = reader.at;
  const low = readMember(reader);
  if (typeof low !== 'number') return low;
  const ranged = reader.text[reader.at] === '-' && reader.text[reader.at + 1] !== ']' && reader.at + 1 < reader.text.length;
  if (!ranged) return [low, low];
  reader.at += 1;
  const high = readMember(reader);
  if (typeof high !== 'number' || high < low) throw new Refusal('a range runs backwards or ends in a class', at);
  return [low, high];
}

function readClass(reader: Reader): RegexNode {
  const open = reader.at;
  reader.at += 1;
  const negated = reader.text[reader.at] === '^';
  if (negated) reader.at += 1;
  const ranges: number[] = [];
  for (let first = true; reader.text[reader.at] !== ']' || first; first = false) {
    if (reader.at >= reader.text.length) throw new Refusal('`[` is not closed', open);
    ranges.push(...readRange(reader));
  }
  reader.at += 1;
  const base = normalizeSet(ranges);
  const set = reader.flags.ignoreCase ? foldSet(base) : base;
  return { is: 'set', set: negated ? complement(set) : set };
}

const FLAG_NAMES: ReadonlyMap<string, keyof Flags> = new Map<string, keyof Flags>([
  ['i', 'ignoreCase'],
  ['s', 'dotAll'],
  ['m', 'multiLine'],
]);

function applyFlags(flags: Flags, letters: string, at: number): Flags {
  const next = { ...flags };
  let on = true;
  for (const letter of letters) {
    const name = FLAG_NAMES.get(letter);
    if (letter === '-') on = false;
    else if (name === undefined) throw new Refusal(`the flag \`${letter}\` is not supported`, at);
    else next[name] = on;
  }
  return next;
}

/** Reads what follows `(`; undefined for a group that only sets flags. */
function readGroup(reader: Reader): RegexNode | undefined {
  const open = reader.at;
  const saved = reader.flags;
  reader.at += 1;
  reader.depth += 1;
  if (reader.depth > POLICY_LIMITS.regexDepthMax)
    throw new Refusal(`groups are nested more than ${String(POLICY_LIMITS.regexDepthMax)} deep`, open);
  const rest = reader.text.slice(reader.at, reader.at + 72);
  if (/^\?<?[=!]/.test(rest)) throw new Refusal('look-around cannot be matched in linear time', open);
  const head = /^\?(?:P?<[A-Za-z_][A-Za-z0-9_]{0,62}>|([a-zA-Z-]*)([:)]))/.exec(rest);
  if (rest.startsWith('?') && head === null) throw new Refusal('unknown kind of group', open);
  if (head !== null) {
    reader.at += head[0].length;
    reader.flags = applyFlags(saved, head[1] ?? '', open);
    if (head[2] === ')') {
      reader.depth -= 1;
      return undefined;
    }
  }
  const node = readChoice(reader);
  if (reader.text[reader.at] !== ')') throw new Refusal('`(` is not closed', open);
  reader.at += 1;
  reader.depth -= 1;
  reader.flags = saved;
  return node;
}

/** `.`, `^`, `$`; undefined for anything else. */
function readSymbol(reader: Reader, char: string): RegexNode | undefined {
  const { dotAll, multiLine } = reader.flags;
  if (char === '.') return { is: 'set', set: dotAll ? ANY : ANY_BUT_NEWLINE };
  if (char === '^') return { is: 'assert', what: multiLine ? 'line-start' : 'text-start' };
  if (char === '$') return { is: 'assert', what: multiLine ? 'line-end' : 'text-end' };
  return undefined;
}

function readAtom(reader: Reader): RegexNode | undefined {
  const char = reader.text[reader.at] ?? '';
  const at = reader.at;
  if (char === '(') return readGroup(reader);
  if (char === '[') return readClass(reader);
  if ('*+?'.includes(char) || /^\{\d/.test(reader.text.slice(at, at + 2))) throw new Refusal('a count follows nothing', at);
  reader.at += 1;
  const symbol = readSymbol(reader, char);
  if (symbol !== undefined) return symbol;
  const escaped = char === '\\' ? readEscape(reader) : char.charCodeAt(0);
  if (typeof escaped === 'number') return single(reader, escaped);
  return typeof escaped === 'string' ? { is: 'assert', what: escaped } : { is: 'set', set: escaped };
}

function readCount(reader: Reader): { min: number; max: number } | undefined {
  const rest = reader.text.slice(reader.at, reader.at + 16);
  const at = reader.at;
  const simple =
    rest[0] === '*' ? { min: 0, max: -1 } : rest[0] === '+' ? { min: 1, max: -1 } : rest[0] === '?' ? { min: 0, max: 1 } : undefined;
  if (simple !== undefined) {
    reader.at += 1;
    return simple;
  }
  const match = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(rest);
  if (match === null) return undefined;
  reader.at += match[0].length;
  const min = Number(match[1]);
  const max = match[2] === undefined ? min : match[3] === undefined ? -1 : Number(match[3]);
  if (Math.max(min, max) > POLICY_LIMITS.regexRepeatMax)
    throw new Refusal(`a count is larger than ${String(POLICY_LIMITS.regexRepeatMax)}`, at);
  if (max !== -1 && max < min) throw new Refusal('a count runs backwards', at);
  return { min, max };
}

function readRepeats(reader: Reader, atom: RegexNode): RegexNode {
  let item = atom;
  for (let count = readCount(reader); count !== undefined; count = readCount(reader)) {
    if (reader.text[reader.at] === '?') reader.at += 1;
    item = { is: 'repeat', item, min: count.min, max: count.max };
  }
  return item;
}

function readSequence(reader: Reader): RegexNode {
  const items: RegexNode[] = [];
  while (reader.at < reader.text.length && reader.text[reader.at] !== '|' && reader.text[reader.at] !== ')') {
    const atom = readAtom(reader);
    if (atom !== undefined) items.push(readRepeats(reader, atom));
  }
  return items.length === 1 && items[0] !== undefined ? items[0] : { is: 'sequence', items };
}

function readChoice(reader: Reader): RegexNode {
  const items = [readSequence(reader)];
  while (reader.text[reader.at] === '|') {
    reader.at += 1;
    items.push(readSequence(reader));
  }
  return items.length === 1 && items[0] !== undefined ? items[0] : { is: 'choice', items };
}

/** The tree of one expression. */
export function parseRegex(text: string): Result<RegexNode, RegexProblem> {
  if (text === '') return err({ message: 'an empty expression matches everything', at: 0 });
  if (text.length > POLICY_LIMITS.regexCharsMax)
    return err({ message: `longer than ${String(POLICY_LIMITS.regexCharsMax)} characters`, at: POLICY_LIMITS.regexCharsMax });
  const reader: Reader = { text, at: 0, depth: 0, flags: { ignoreCase: false, dotAll: false, multiLine: true } };
  try {
    const node = readChoice(reader);
    if (reader.at < text.length) return err({ message: '`)` closes nothing', at: reader.at });
    return ok(node);
  } catch (thrown) {
    if (thrown instanceof Refusal) return err({ message: thrown.message, at: thrown.at });
    throw thrown;
  }
}
