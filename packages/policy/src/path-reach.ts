/**
 * @module Where a path of an action may lead: the spellings a pattern must be held against, the working directory that
 * `cd` leaves behind, and shell wildcards that reach a forbidden name without spelling it.
 */
import type { CommandFact, PathFact } from '@countersign/protocol';
import type { StepCounter } from './glob.ts';
import { POLICY_LIMITS } from './limits.ts';

/** Lexical form: `/`-separated, without `.`, `..` and repeated slashes. */
export function normalizePath(path: string): string {
  const text = path.replaceAll('\\', '/');
  const rooted = text.startsWith('/');
  const out: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (part !== '..' || !rooted) out.push(part);
  }
  const joined = out.join('/');
  if (rooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

/** Neither rooted, nor in a home directory, nor on a drive. */
export function isRelative(path: string): boolean {
  return !/^(?:\/|~|[A-Za-z]:)/.test(path);
}

/** `path` as seen from `directory`. */
export function joinPath(directory: string, path: string): string {
  return isRelative(path) ? normalizePath(`${directory}/${path}`) : path;
}

function directoryOf(command: CommandFact): string | undefined {
  if (command.name !== 'cd' && command.name !== 'pushd' && command.name !== 'chdir') return undefined;
  const target = command.args.find((arg) => arg === '-' || !arg.startsWith('-')) ?? '~';
  if (target === '-' || /[`*?[]|\$(?!HOME\b|\{HOME\})/.test(target)) return undefined;
  return normalizePath(target.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, '~'));
}

/** For each command the directory that an earlier `cd` moved to, where one is known. */
export function workingDirectories(commands: readonly CommandFact[]): readonly (string | undefined)[] {
  let current: string | undefined;
  return commands.map((command) => {
    const before = current;
    const moved = directoryOf(command);
    if (moved !== undefined) current = before === undefined ? moved : joinPath(before, moved);
    // Without a bound a chain of relative `cd` would cost the square of its length.
    if (current !== undefined && current.length > POLICY_LIMITS.directoryCharsMax) current = undefined;
    return before;
  });
}

/** What a pattern is held against, apart from the resolved form. */
export function spellings(path: PathFact, directories: readonly (string | undefined)[]): readonly string[] {
  const { normalized } = path;
  const forms = [normalized];
  if (normalized.startsWith('../')) forms.push(`/${normalized.replace(/^(?:\.\.\/)+/, '')}`);
  const directory = directories[path.command];
  if (directory !== undefined && isRelative(normalized)) forms.push(joinPath(directory, normalized));
  return forms;
}

const WILDCARD = /[*?[]/;

function charsMeet(a: string, b: string): boolean {
  if (a === '*' || b === '*') return false;
  return a === '?' || b === '?' || a === b;
}

/** Whether the texts so far can be one, from the three ways to get here: one character back on the left, on the right, on both. */
function meetsHere(a: string, b: string, from: { readonly left: boolean; readonly right: boolean; readonly both: boolean }): boolean {
  const isStar = a === '*' || b === '*';
  // A star stands for nothing or takes in whatever the other side offers: either way one side moves alone.
  return isStar ? from.left || from.right : from.both && charsMeet(a, b);
}

/** Can one name match both a shell wildcard and a pattern component? Classes count as any character. */
export function componentsMeet(left: string, right: string, counter: StepCounter): boolean {
  const a = left.replaceAll(/\[[^\]]+\]/g, '?');
  const b = right.replaceAll(/\[[^\]]+\]/g, '?');
  // above[j]: the characters of `a` so far and the first j of `b` can stand for one text.
  let above: boolean[] = [true];
  for (let j = 1; j <= b.length; j += 1) above.push(above[j - 1] === true && b[j - 1] === '*');
  for (const char of a) {
    const row: boolean[] = [above[0] === true && char === '*'];
    for (let j = 1; j <= b.length; j += 1) {
      counter.steps += 1;
      row.push(meetsHere(char, b.charAt(j - 1), { left: above[j] === true, right: row[j - 1] === true, both: above[j - 1] === true }));
    }
    above = row;
  }
  return above[b.length] === true;
}

/** A forbidden pattern taken apart for wildcards; undefined where it has stars for whole components inside. */
export interface PatternParts {
  readonly rooted: boolean;
  readonly parts: readonly string[];
  /** Ends in `/**`: whatever lies below is meant too. */
  readonly below: boolean;
}

export function patternParts(pattern: string): PatternParts | undefined {
  const lower = pattern.replaceAll('\\', '/').toLowerCase();
  const below = lower.endsWith('/**');
  const open = below ? lower.slice(0, -3) : lower;
  const rooted = open.startsWith('/');
  const parts = open.replace(/^(?:\*\*\/)+|^\//, '').split('/');
  return parts.some((part) => part === '' || part.includes('**')) ? undefined : { rooted, parts, below };
}

function partReached(part: string, wanted: string, reach: { readonly rooted: boolean; readonly counter: StepCounter }): boolean {
  if (!WILDCARD.test(part)) return componentsMeet(part, wanted, reach.counter);
  // `id_rsa*` is held against wildcards as `id_rsa`: two wildcards meet far too easily.
  const name = wanted.replace(/\.?\*$/, '');
  if (WILDCARD.test(name) || (name.startsWith('.') && !part.startsWith('.'))) return false;
  const letters = part.replaceAll(/\[[^\]]*\]?|[*?]/g, '').length;
  const telling = reach.rooted ? letters > 0 : letters * 2 >= name.length;
  return telling && componentsMeet(part, name, reach.counter);
}

function sliceReached(slice: readonly string[], pattern: PatternParts, counter: StepCounter): boolean {
  if (!slice.some((part) => WILDCARD.test(part))) return false;
  return slice.every((part, i) => partReached(part, pattern.parts[i] ?? '', { rooted: pattern.rooted, counter }));
}

/** May the shell expand `path` (lower-case, with wildcards) to a name the pattern forbids? A lone `*` is not held against anyone. */
export function wildcardReaches(path: string, pattern: PatternParts, counter: StepCounter): boolean {
  if (!WILDCARD.test(path) || (pattern.rooted && !path.startsWith('/'))) return false;
  const parts = path.split('/').filter((part) => part !== '');
  const size = pattern.parts.length;
  const last = parts.length - size;
  if (last < 0) return false;
  if (pattern.rooted) return (pattern.below || last === 0) && sliceReached(parts.slice(0, size), pattern, counter);
  for (let from = pattern.below ? 0 : last; from <= last; from += 1) {
    if (sliceReached(parts.slice(from, from + size), pattern, counter)) return true;
  }
  return false;
}
