/**
 * @module Values of Sigma as patterns of rules: wildcards and their escapes, dashes of Windows, expressions, networks. Sigma ignores case
 * unless `cased` or an expression says otherwise.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { compilePattern } from '../pattern.ts';
import { readPattern } from '../pattern-syntax.ts';
import type { Pattern } from '../rule.ts';
import type { Place, SigmaPattern } from './expression.ts';
import { sampleOf } from './sigma-sample.ts';

/** Literal text, or a wildcard: `*` any text, `?` one character. */
export type Token = { readonly text: string } | '*' | '?';

/** How a value of Sigma is held against a field. */
export interface Manner {
  readonly place: Place;
  readonly cased: boolean;
  /** A dash before a word stands for every dash that Windows takes. */
  readonly windash: boolean;
  /** A separator of a path stands for either. */
  readonly anySlash: boolean;
}

/** Reads wildcards: `\*` and `\?` are the characters, `\\` before anything is one backslash, any other backslash is itself. */
export function readTokens(value: string): readonly Token[] {
  const tokens: Token[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') tokens.push({ text });
    text = '';
  };
  for (let i = 0; i < value.length; i += 1) {
    const unit = value[i] ?? '';
    const next = value[i + 1] ?? '';
    if (unit === '\\' && (next === '\\' || next === '*' || next === '?')) {
      text += next;
      i += 1;
    } else if (unit === '*' || unit === '?') {
      flush();
      tokens.push(unit);
    } else text += unit;
  }
  flush();
  return tokens;
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => (token === '*' ? '' : token === '?' ? 'x' : token.text)).join('');
}

/** Text as an expression that matches it and nothing else; no more escapes than people would write. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** `-` and `/` that begin a word of the line become every dash. */
function dashed(source: string): string {
  return source.replaceAll(/(^|\s|")[-/](?=\w)/g, '$1[\\-\\/\\u2013\\u2014\\u2015]');
}

function sourceOf(tokens: readonly Token[], { windash, anySlash }: Manner): string {
  const source = tokens.map((token) => (token === '*' ? '.*' : token === '?' ? '.' : escaped(token.text))).join('');
  const sourced = anySlash ? source.replaceAll(/\\\\|\//g, '[\\\\/]') : source;
  return windash ? dashed(sourced) : sourced;
}

/** Wildcards at the ends say where the rest stands. */
export function placed(tokens: readonly Token[], place: Place): { readonly tokens: readonly Token[]; readonly place: Place } {
  let [start, end] = [0, tokens.length];
  while (start < end && tokens[start] === '*') start += 1;
  while (end > start && tokens[end - 1] === '*') end -= 1;
  const openStart = place === 'inside' || place === 'end' || start > 0;
  const openEnd = place === 'inside' || place === 'start' || end < tokens.length;
  return { tokens: tokens.slice(start, end), place: openStart ? (openEnd ? 'inside' : 'end') : openEnd ? 'start' : 'whole' };
}

function isPlain(tokens: readonly Token[], text: string): boolean {
  return tokens.every((token) => token !== '*' && token !== '?') && !/[*\sA-Z]/.test(text) && text.length <= 120;
}

/** A plain string where that says the same, for people to read. */
function plainOf(tokens: readonly Token[], place: Place, mode: 'value' | 'phrase'): Pattern | undefined {
  const text = textOf(tokens);
  if (text === '' || !isPlain(tokens, text)) return undefined;
  if (mode === 'phrase') return place === 'inside' ? text : undefined;
  const open = { whole: text, start: `${text}*`, end: `*${text}`, inside: `*${text}*` };
  return open[place];
}

function loweredTokens(tokens: readonly Token[]): readonly Token[] {
  return tokens.map((token) => (typeof token === 'string' ? token : { text: token.text.toLowerCase() }));
}

function anchored(source: string, place: Place): string {
  const start = place === 'whole' || place === 'start' ? '^' : '';
  const end = place === 'whole' || place === 'end' ? '$' : '';
  return `${start}${source}${end}`;
}

/** One value as a pattern. Undefined: it holds for every value. */
export function patternOf(value: readonly Token[], manner: Manner, mode: 'value' | 'phrase'): SigmaPattern | undefined {
  const { tokens: written, place } = placed(value, manner.place);
  if (written.length === 0 && place !== 'whole') return undefined;
  const { cased, windash, anySlash } = manner;
  const tokens = cased ? written : loweredTokens(written);
  const sample = textOf(tokens);
  const isSpecial = cased || windash || (anySlash && /[\\/]/.test(sample));
  const plain = isSpecial ? undefined : plainOf(tokens, place, mode);
  if (plain !== undefined) return { pattern: plain, sample, place };
  const regex = anchored(sourceOf(tokens, manner), place);
  return { pattern: cased ? { regex, cased: true } : { regex }, sample, place };
}

/** Lower case of an expression: its letters, not those of its escapes. Undefined where a range of letters would become another. */
function loweredExpression(source: string): string | undefined {
  if (/[A-Z]-[a-z]/.test(source)) return undefined;
  return source.replaceAll(/\\[^]|[A-Z]+/g, (part) => (part.startsWith('\\') ? part : part.toLowerCase()));
}

/** An expression of Sigma: its case counts unless `ignoreCase` says otherwise. Why it is none of ours, where it is not. */
export function expressionOf(
  source: string,
  how: { readonly ignoreCase: boolean; readonly mode: 'value' | 'phrase' },
): Result<SigmaPattern, string> {
  const flagged = source.startsWith('(?i)');
  const ignoreCase = how.ignoreCase || flagged;
  const body = flagged ? source.slice(4) : source;
  const lowered = ignoreCase || !/[A-Za-z]/.test(body.replaceAll(/\\[a-zA-Z]/g, '')) ? loweredExpression(body) : body;
  if (lowered === undefined) return err('a range from an upper-case to a lower-case letter has no lower case');
  const isCased = lowered === body && !ignoreCase && /[A-Za-z]/.test(body.replaceAll(/\\[a-zA-Z]/g, ''));
  const pattern: Pattern = isCased ? { regex: lowered, cased: true } : { regex: lowered };
  const compiled = compilePattern(pattern, how.mode);
  if (!compiled.ok) return err(`${compiled.error.message}; ${compiled.error.hint}`);
  const read = readPattern(lowered, isCased);
  const sample = read.ok ? sampleOf(read.value) : undefined;
  return ok({ pattern, sample, place: placeOfExpression(lowered) });
}

function placeOfExpression(source: string): Place {
  const [start, end] = [source.startsWith('^'), source.endsWith('$') && !source.endsWith('\\$')];
  return start ? (end ? 'whole' : 'start') : end ? 'end' : 'inside';
}

function octets(from: number, to: number): string {
  const byHead = new Map<string, number[]>();
  for (let value = from; value <= to; value += 1) {
    const digits = String(value);
    const head = digits.slice(0, -1);
    byHead.set(head, [...(byHead.get(head) ?? []), Number(digits.slice(-1))]);
  }
  const parts = [...byHead].map(([head, lasts]) => {
    const [low = 0, high = 0] = [lasts[0], lasts.at(-1)];
    return low === high ? `${head}${low}` : `${head}[${low}-${high}]`;
  });
  return parts.length === 1 ? (parts[0] ?? '') : `(?:${parts.join('|')})`;
}

/** An IPv4 network as an expression over the canonical text of an address. Undefined where it is none. */
export function networkOf(text: string): SigmaPattern | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (found === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 33] = found.slice(1).map(Number);
  const address = [a, b, c, d];
  if (bits > 32 || address.some((octet) => octet > 255)) return undefined;
  const parts = address.map((octet, i) => {
    const fixed = Math.min(8, Math.max(0, bits - i * 8));
    const size = 2 ** (8 - fixed);
    const from = octet - (octet % size);
    return fixed === 0 ? '\\d{1,3}' : octets(from, from + size - 1);
  });
  const first = address.map((octet, i) => {
    const size = 2 ** (8 - Math.min(8, Math.max(0, bits - i * 8)));
    return octet - (octet % size);
  });
  return { pattern: { regex: `^${parts.join('\\.')}$` }, sample: first.join('.'), place: 'whole' };
}
