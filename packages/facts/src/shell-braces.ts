/** @module Brace expansion (Bash 5.2): `{rm,-rf,/}` and `{1..3}`, on the source text of one word, quotes respected. */
import { SHELL_LIMITS } from './shell-limits.ts';

interface Braces {
  readonly open: number;
  readonly close: number;
  readonly commas: readonly number[];
}

const RANGE = /^(-?\d{1,4}|[A-Za-z])\.\.(-?\d{1,4}|[A-Za-z])$/;
const QUOTES: ReadonlySet<string> = new Set(["'", '"']);

/** Offset after the quoted or substituted piece at `at`, or `at` where none starts. */
function skipQuoted(text: string, at: number): number {
  const char = text[at] ?? '';
  if (char === '\\') return at + 2;
  const parameter = char === '$' && text[at + 1] === '{';
  if (!parameter && !QUOTES.has(char)) return at;
  const close = text.indexOf(parameter ? '}' : char, at + 1);
  return close === -1 ? text.length : close + 1;
}

interface OpenGroup {
  readonly at: number;
  readonly commas: number[];
}

/** The group that ends here, where it has a comma or a range at its own level. */
function closed(text: string, group: OpenGroup | undefined, close: number): Braces | undefined {
  if (group === undefined) return undefined;
  const { at, commas } = group;
  return commas.length > 0 || RANGE.test(text.slice(at + 1, close)) ? { open: at, close, commas } : undefined;
}

/** The outermost of the first brace groups that close and expand: inner ones come in a later round. */
function findBraces(text: string): Braces | undefined {
  const open: OpenGroup[] = [];
  let found: Braces | undefined;
  let i = 0;
  while (i < text.length) {
    const next = skipQuoted(text, i);
    if (next > i) {
      i = next;
      continue;
    }
    const char = text[i];
    if (char === '{') open.push({ at: i, commas: [] });
    else if (char === ',') open.at(-1)?.commas.push(i);
    else if (char === '}') {
      found = closed(text, open.pop(), i) ?? found;
      if (found !== undefined && open.length === 0) return found;
    }
    i += 1;
  }
  return found;
}

function range(body: string): readonly string[] {
  const found = RANGE.exec(body);
  if (found === null) return [];
  const [from, to] = [found[1] ?? '', found[2] ?? ''];
  const numeric = /\d/.test(from) && /\d/.test(to);
  const start = numeric ? Number(from) : (from.codePointAt(0) ?? 0);
  const end = numeric ? Number(to) : (to.codePointAt(0) ?? 0);
  const count = Math.min(Math.abs(end - start) + 1, SHELL_LIMITS.braceWordsMax + 1);
  const step = end < start ? -1 : 1;
  return Array.from({ length: count }, (_, i) => (numeric ? String(start + i * step) : String.fromCodePoint(start + i * step)));
}

function alternatives(text: string, braces: Braces): readonly string[] {
  const { open, close, commas } = braces;
  if (commas.length === 0) return range(text.slice(open + 1, close));
  const edges = [open, ...commas, close];
  return edges.slice(1).map((edge, i) => text.slice((edges[i] ?? open) + 1, edge));
}

/** The words a source word stands for; just itself when it has no braces to expand, undefined when there would be too many. */
export function expandBraces(source: string): readonly string[] | undefined {
  let words: readonly string[] = [source];
  for (let round = 0; round < 8; round += 1) {
    let changed = false;
    const next: string[] = [];
    for (const word of words) {
      const braces = findBraces(word);
      const choices = braces === undefined ? [] : alternatives(word, braces);
      next.push(
        ...(braces === undefined || choices.length === 0
          ? [word]
          : choices.map((choice) => word.slice(0, braces.open) + choice + word.slice(braces.close + 1))),
      );
      changed ||= choices.length > 0;
      if (next.length > SHELL_LIMITS.braceWordsMax) return undefined;
    }
    if (!changed) break;
    words = next;
  }
  return words;
}
