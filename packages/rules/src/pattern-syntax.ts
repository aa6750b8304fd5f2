/**
 * @module Reads the subset of ECMAScript regular expressions that rules may use, so that they can be judged before they run.
 * Refused: back-references, named groups, flags, property escapes, and, unless the expression is `cased`, upper-case letters (input is
 * lower-cased).
 */
import { err, ok, type Result } from '@countersign/kernel';
import { addRange, complement, emptySet, fullSet, namedSet, union, type CharSet } from './char-set.ts';
import { RULE_LIMITS } from './limits.ts';

export type PatternNode =
  /** One code unit; `text` where it is exactly one. */
  | { readonly kind: 'unit'; readonly set: CharSet; readonly text: string | undefined }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly items: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly start: number;
      readonly end: number;
    }
  /** `^`, `$`, `\b`, `\B`. */
  | { readonly kind: 'edge' }
  | { readonly kind: 'look'; readonly item: PatternNode; readonly behind: boolean };

/** Why an expression is refused, and which part of it. */
export interface PatternFault {
  readonly code: 'pattern_syntax' | 'pattern_unsafe' | 'pattern_unsupported' | 'pattern_too_long' | 'pattern_without_literal';
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly hint: string;
}

class Refused extends Error {
  readonly fault: PatternFault;
  constructor(fault: PatternFault) {
    super(fault.message);
    this.fault = fault;
  }
}

const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['t', 9],
  ['r', 13],
  ['f', 12],
  ['v', 11],
  ['0', 0],
]);

class PatternReader {
  readonly source: string;
  /** Upper-case letters mean what they are. */
  readonly cased: boolean;
  at = 0;
  depth = 0;

  constructor(source: string, cased: boolean) {
    this.source = source;
    this.cased = cased;
  }

  /** Of a letter that nothing could match, or whose lower case is not its own matter alone. */
  refuseCase(unit: string, start: number): void {
    if (!this.cased && unit >= 'A' && unit <= 'Z')
      this.refuse(start, 'pattern_syntax', 'upper-case letters never match: the input is lower-cased');
    if (this.cased && unit > '\u007f' && unit.toLowerCase() !== unit)
      this.refuse(start, 'pattern_unsupported', 'a `cased` expression may have upper-case letters of ASCII only');
  }

  refuse(start: number, code: PatternFault['code'], message: string): never {
    const hint =
      code === 'pattern_unsupported' ? 'see the pattern section of spec/rules.md for what is supported' : 'correct the expression';
    throw new Refused({ code, message, start, end: Math.max(this.at, start + 1), hint });
  }

  peek(ahead = 0): string {
    return this.source[this.at + ahead] ?? '';
  }

  take(expected: string): boolean {
    if (!this.source.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  choice(): PatternNode {
    const items = [this.sequence()];
    while (this.take('|')) items.push(this.sequence());
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'choice', items };
  }

  sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') items.push(this.term());
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'sequence', items };
  }

  term(): PatternNode {
    const start = this.at;
    const item = this.atom();
    const bounds = this.quantifier();
    if (bounds === undefined) return item;
    if (item.kind === 'edge' || item.kind === 'look') this.refuse(start, 'pattern_syntax', 'an assertion cannot be repeated');
    this.take('?');
    if (this.quantifier() !== undefined) this.refuse(start, 'pattern_syntax', 'two quantifiers in a row');
    return { kind: 'repeat', item, ...bounds, start, end: this.at };
  }

  quantifier(): { min: number; max: number } | undefined {
    if (this.take('*')) return { min: 0, max: Infinity };
    if (this.take('+')) return { min: 1, max: Infinity };
    if (this.take('?')) return { min: 0, max: 1 };
    return this.peek() === '{' ? this.counted() : undefined;
  }

  counted(): { min: number; max: number } {
    const start = this.at;
    const close = this.source.indexOf('}', this.at);
    const body = close === -1 ? '' : this.source.slice(this.at + 1, close);
    const found = /^(\d{1,4})(,?)(\d{0,4})$/.exec(body);
    if (found === null) this.refuse(start, 'pattern_syntax', 'a `{` must be escaped or begin a repetition such as `{0,40}`');
    this.at = close + 1;
    const [, low = '', comma = '', high = ''] = found;
    const min = Number(low);
    const max = comma === '' ? min : high === '' ? Infinity : Number(high);
    if (min > max) this.refuse(start, 'pattern_syntax', 'a repetition must not have its bounds the wrong way round');
    const top = RULE_LIMITS.patternRepeatMax;
    if (Math.max(min, max === Infinity ? 0 : max) > top)
      this.refuse(start, 'pattern_unsafe', `a counted repetition must not exceed ${top}`);
    return { min, max };
  }

  atom(): PatternNode {
    const start = this.at;
    const unit = this.peek();
    this.at += 1;
    if (unit === '(') return this.group(start);
    if (unit === '[') return this.brackets(start);
    if (unit === '.') return { kind: 'unit', set: fullSet(), text: undefined };
    if (unit === '^' || unit === '$') return { kind: 'edge' };
    if (unit === '\\') return this.escape(start);
    if ('*+?{}]'.includes(unit)) this.refuse(start, 'pattern_syntax', `nothing to repeat before \`${unit}\`, or it must be escaped`);
    return this.unit(unit, start);
  }

  unit(text: string, start: number): PatternNode {
    this.refuseCase(text, start);
    const set = emptySet();
    const code = text.charCodeAt(0);
    addRange(set, { from: code, to: code });
    return { kind: 'unit', set, text };
  }

  group(start: number): PatternNode {
    this.depth += 1;
    if (this.depth > RULE_LIMITS.patternDepthMax)
      this.refuse(start, 'pattern_unsafe', `groups are nested deeper than ${RULE_LIMITS.patternDepthMax}`);
    let look: 'ahead' | 'behind' | undefined;
    if (this.take('?')) {
      if (this.take('=') || this.take('!')) look = 'ahead';
      else if (this.take('<=') || this.take('<!')) look = 'behind';
      else if (!this.take(':'))
        this.refuse(start, 'pattern_unsupported', 'only `(?:`, `(?=`, `(?!`, `(?<=` and `(?<!` groups are supported');
    }
    const item = this.choice();
    if (!this.take(')')) this.refuse(start, 'pattern_syntax', 'a group is not closed');
    this.depth -= 1;
    return look === undefined ? item : { kind: 'look', item, behind: look === 'behind' };
  }

  escape(start: number): PatternNode {
    const letter = this.peek();
    this.at += 1;
    if (letter === 'b' || letter === 'B') return { kind: 'edge' };
    const named = this.named(letter);
    if (named !== undefined) return { kind: 'unit', set: named, text: undefined };
    const code = this.codeOfEscape(letter, start);
    return this.unit(String.fromCharCode(code), start);
  }

  named(letter: string): CharSet | undefined {
    if (letter === 'D' || letter === 'W' || letter === 'S') return complement(namedSet(letter.toLowerCase()) ?? emptySet());
    return namedSet(letter);
  }

  codeOfEscape(letter: string, start: number): number {
    if (letter === '') this.refuse(start, 'pattern_syntax', 'a backslash at the end');
    if (/[1-9]/.test(letter))
      this.refuse(start, 'pattern_unsupported', 'back-references are not supported: they cannot be matched in bounded time');
    if (/[kpPc]/.test(letter)) this.refuse(start, 'pattern_unsupported', `\`\\${letter}\` is not supported`);
    if (letter === 'x' || letter === 'u') return this.hexadecimal(letter, start);
    const known = ESCAPES.get(letter);
    if (known !== undefined) return known;
    if (/[a-z0-9]/i.test(letter)) this.refuse(start, 'pattern_syntax', `\`\\${letter}\` means nothing`);
    return letter.charCodeAt(0);
  }

  hexadecimal(letter: 'x' | 'u', start: number): number {
    const width = letter === 'x' ? 2 : 4;
    const digits = this.source.slice(this.at, this.at + width);
    if (digits.length !== width || !/^[0-9a-f]+$/i.test(digits))
      this.refuse(start, 'pattern_syntax', `\`\\${letter}\` needs ${width} hexadecimal digits`);
    this.at += width;
    return Number.parseInt(digits, 16);
  }

  brackets(start: number): PatternNode {
    const negated = this.take('^');
    let set = emptySet();
    let members = 0;
    let last = '';
    while (this.peek() !== ']') {
      if (this.at >= this.source.length) this.refuse(start, 'pattern_syntax', 'a `[` is not closed');
      const from = this.member();
      members += 1;
      if (typeof from !== 'number') {
        set = union(set, from);
        members += 1;
        continue;
      }
      const to = this.rangeEnd(from, start);
      if (to !== from) members += 1;
      addRange(set, { from, to });
      last = String.fromCharCode(from);
    }
    this.at += 1;
    if (members === 0) this.refuse(start, 'pattern_syntax', 'an empty `[]` never matches');
    return { kind: 'unit', set: negated ? complement(set) : set, text: members === 1 && !negated ? last : undefined };
  }

  /** One member of a class: a code unit, or the set of `\d` and kin. */
  member(): number | CharSet {
    const start = this.at;
    const unit = this.peek();
    this.at += 1;
    if (unit !== '\\') {
      this.refuseCase(unit, start);
      return unit.charCodeAt(0);
    }
    const letter = this.peek();
    this.at += 1;
    if (letter === 'b') return 8;
    return this.named(letter) ?? this.codeOfEscape(letter, start);
  }

  rangeEnd(from: number, start: number): number {
    if (this.peek() !== '-' || this.peek(1) === ']' || this.peek(1) === '') return from;
    this.at += 1;
    const to = this.member();
    if (typeof to !== 'number' || to < from)
      this.refuse(start, 'pattern_syntax', 'a range in `[]` is the wrong way round or ends in a class');
    return to;
  }
}

/** Parses one expression. Cost is linear in its length, which is capped. */
export function readPattern(source: string, cased = false): Result<PatternNode, PatternFault> {
  if (source.length === 0 || source.length > RULE_LIMITS.patternCharsMax) {
    const message = `a pattern must have 1 to ${RULE_LIMITS.patternCharsMax} characters`;
    return err({ code: 'pattern_too_long', message, start: 0, end: source.length, hint: 'split it into several patterns' });
  }
  const reader = new PatternReader(source, cased);
  try {
    const node = reader.choice();
    if (reader.at < source.length) reader.refuse(reader.at, 'pattern_syntax', 'a `)` without a group');
    return ok(node);
  } catch (thrown) {
    if (thrown instanceof Refused) return err(thrown.fault);
    throw thrown;
  }
}
