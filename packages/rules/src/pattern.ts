/**
 * @module One pattern of a rule, ready to search: what it is searched by, and the expression that confirms it in a bounded window.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { RULE_LIMITS } from './limits.ts';
import { furtherLiterals, lateLiterals, requiredLiterals } from './pattern-literals.ts';
import { judgePattern } from './pattern-safety.ts';
import { readPattern, type PatternFault } from './pattern-syntax.ts';
import type { Pattern } from './rule.ts';

/** How a plain string is read: as a phrase inside a text, or as the whole of a short value with `*` as wildcard. */
export type PatternMode = 'phrase' | 'value';

export interface CompiledPattern {
  /** One of these is in every match; empty where there is no such set. Lower-case. */
  readonly literals: readonly string[];
  /** Sets of literals of which one is in every match too; texts that lack a set are not searched. Lower-case. */
  readonly further: readonly (readonly string[])[];
  /** Shorter such sets, asked where the expression was searched for in vain. Lower-case. */
  readonly late: readonly (readonly string[])[];
  /** Literals in them. */
  readonly lateCount: number;
  /** Equal to this and nothing else; undefined for all others. */
  readonly equal: string | undefined;
  /** Undefined where a literal hit is already the match. */
  readonly expression: RegExp | undefined;
  /** Searched in the text as it came; by `literals`, which are lower-case, all the same. */
  readonly cased: boolean;
  /** True when a window's edge could be taken for the text's. */
  readonly edged: boolean;
  /** Ways from one place; what a window costs. */
  readonly ways: number;
}

/** Half-open range of a match. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/** Counts work, so that all of it stays linear in the action. */
export interface Meter {
  steps: number;
}

/** Every character that means something in an expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g;

function escapeUnit(text: string): string {
  return text.replaceAll(SPECIAL, '\\$&');
}

/** The expression that a plain string stands for. */
function sourceOf(text: string, mode: PatternMode): string {
  if (mode === 'phrase') return text.split(' ').map(escapeUnit).join('\\s{1,8}');
  const start = text.startsWith('*') ? 1 : 0;
  const end = text.endsWith('*') ? text.length - 1 : text.length;
  const middle = text.slice(start, end).split('*').map(escapeUnit).join('.*');
  return `${start === 0 ? '^' : ''}${middle}${end === text.length ? '$' : ''}`;
}

/** The fault with the part of the expression that it is about. */
function quoted(fault: PatternFault, source: string): PatternFault {
  const part = source.slice(fault.start, Math.min(fault.end, fault.start + 60));
  return part === '' ? fault : { ...fault, message: `${fault.message}: \`${part}\`` };
}

function lowered(literals: readonly string[]): readonly string[] {
  return [...new Set(literals.map((literal) => literal.toLowerCase()))];
}

function compileSource(source: string, cased = false): Result<CompiledPattern, PatternFault> {
  const read = readPattern(source, cased);
  if (!read.ok) return err(quoted(read.error, source));
  const judged = judgePattern(read.value, source);
  if (judged.fault !== undefined) return err(quoted(judged.fault, source));
  const expression = new RegExp(source, 'gs');
  const literals = requiredLiterals(read.value) ?? [];
  const late = lateLiterals(read.value, literals).map(lowered);
  return ok({
    literals: lowered(literals),
    further: furtherLiterals(read.value, literals).map(lowered),
    late,
    lateCount: late.flat().length,
    equal: undefined,
    expression,
    cased,
    edged: /[$^]|\\[bB]|\(\?/.test(source),
    ways: judged.ways,
  });
}

function plainFault(text: string, message: string): PatternFault {
  return {
    code: 'pattern_syntax',
    message,
    start: 0,
    end: text.length,
    hint: 'write it in lower case, without leading, trailing or doubled spaces',
  };
}

/** What is wrong with a plain pattern, if anything. */
function faultOfPlain(text: string, mode: PatternMode): PatternFault | undefined {
  const max = RULE_LIMITS.plainCharsMax;
  if (text.length === 0 || text.length > max) {
    return {
      code: 'pattern_too_long',
      message: `a plain pattern must have 1 to ${max} characters`,
      start: 0,
      end: text.length,
      hint: 'split it into several patterns',
    };
  }
  if (/[A-Z]/.test(text)) return plainFault(text, 'upper-case letters never match: the input is lower-cased');
  if (mode === 'phrase') return text.trim() !== text || text.includes('  ') ? plainFault(text, 'a phrase has stray spaces') : undefined;
  const stars = text.split('*').length - 1;
  if (stars > 2) return plainFault(text, 'a plain pattern may have at most two `*`');
  return stars === text.length ? plainFault(text, 'a pattern of `*` alone says nothing') : undefined;
}

function compilePlain(text: string, mode: PatternMode): Result<CompiledPattern, PatternFault> {
  const fault = faultOfPlain(text, mode);
  if (fault !== undefined) return err(fault);
  const plain = { literals: [text], further: [], late: [], lateCount: 0, expression: undefined, cased: false, edged: false, ways: 1 };
  if (mode === 'value' && !text.includes('*')) return ok({ ...plain, equal: text });
  if (mode === 'phrase' && !text.includes(' ')) return ok({ ...plain, equal: undefined });
  return compileSource(sourceOf(text, mode));
}

/** Compiles one pattern, or says why not. */
export function compilePattern(pattern: Pattern, mode: PatternMode): Result<CompiledPattern, PatternFault> {
  if (typeof pattern === 'string') return compilePlain(pattern, mode);
  if ('word' in pattern) {
    const plain = compilePlain(pattern.word, 'phrase');
    return plain.ok ? compileSource(`(?<!\\w)${sourceOf(pattern.word, 'phrase')}(?!\\w)`) : plain;
  }
  return compileSource(pattern.regex, pattern.cased === true);
}

/** The window around a literal hit. */
export function windowAt(textLength: number, hit: number): Match {
  const start = Math.max(0, hit - RULE_LIMITS.windowReachChars);
  return { start, end: Math.min(textLength, start + RULE_LIMITS.windowChars) };
}

/** An engine seldom walks all ways; the meter charges this many as one more pass over the window. */
const WAYS_PER_PASS = 4096;

function findLiteral(
  pattern: CompiledPattern,
  view: { readonly text: string; readonly window: Match; readonly from: number },
): Match | undefined {
  const [literal = ''] = pattern.literals;
  const base = Math.max(view.from, view.window.start);
  const at = view.text.slice(base, view.window.end).indexOf(literal);
  return at === -1 ? undefined : { start: base + at, end: base + at + literal.length };
}

/** The first match inside the window at or after `from`, or undefined. `text` is lower-case, or of a `cased` pattern as it came. */
export function matchInWindow(
  pattern: CompiledPattern,
  view: { readonly text: string; readonly window: Match; readonly from: number },
  meter: Meter,
): Match | undefined {
  const { expression } = pattern;
  const { text, window } = view;
  meter.steps += (window.end - window.start) * (1 + Math.floor(pattern.ways / WAYS_PER_PASS));
  if (expression === undefined) return findLiteral(pattern, view);
  const slice = window.start === 0 && window.end === text.length ? text : text.slice(window.start, window.end);
  expression.lastIndex = Math.max(0, view.from - window.start);
  let found = expression.exec(slice);
  if (found === null) return undefined;
  if (pattern.edged && found.index === 0 && window.start > 0) {
    expression.lastIndex = 1;
    found = expression.exec(slice);
    if (found === null) return undefined;
  }
  const end = window.start + found.index + found[0].length;
  if (pattern.edged && end === window.end && window.end < text.length) return undefined;
  return { start: window.start + found.index, end };
}

/** The first match in a lower-case value (of a `cased` pattern: a value as it came) of any length: whole where it is short, in overlapping windows where it is not. */
export function searchValue(pattern: CompiledPattern, value: string, meter: Meter): Match | undefined {
  meter.steps += 1;
  if (pattern.equal !== undefined) return value === pattern.equal ? { start: 0, end: value.length } : undefined;
  if (pattern.expression === undefined) {
    meter.steps += value.length;
    const [literal = ''] = pattern.literals;
    const at = value.indexOf(literal);
    return at === -1 ? undefined : { start: at, end: at + literal.length };
  }
  const stride = RULE_LIMITS.windowChars - RULE_LIMITS.windowReachChars;
  for (let start = 0; start === 0 || start < value.length; start += stride) {
    const window = { start, end: Math.min(value.length, start + RULE_LIMITS.windowChars) };
    const match = matchInWindow(pattern, { text: value, window, from: start }, meter);
    if (match !== undefined) return match;
    if (window.end === value.length) return undefined;
  }
  return undefined;
}
