/**
 * @module Where a path of an action may lead: the spellings a pattern must be held against, the working directory that
 * `cd` leaves behind, and shell wildcards that reach a forbidden name without spelling it.
 */
import type { CommandFact, PathFact } from '@countersign/protocol';
import type { StepCounter } from './glob.ts';

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

/** Can one name match both a shell wildcard and a pattern component? Classes count as any character. */
export function componentsMeet(left: string, right: string, counter: StepCounter): boolean {
  const a = left.replaceAll(/\[[^\]]+\]/g, '?');
  const b = right.replaceAll(/\[[^\]]+\]/g, '?');
  let row: boolean[] = [];
  for (let i = 0; i <= a.length; i += 1) {
    const next: boolean[] = [];
    for (let j = 0; j <= b.length; j += 1) {
      counter.steps += 1;
      if (i === 0 && j === 0) next.push(true);
      else if (i > 0 && a[i - 1] === '*' && row[j] === true) next.push(true);
      else if (j > 0 && b[j - 1] === '*' && next[j - 1] === true) next.push(true);
      else if (i > 0 && a[i - 1] === '*' && j > 0 && next[j - 1] === true) next.push(true);
      else if (j > 0 && b[j - 1] === '*' && i > 0 && row[j] === true) next.push(true);
      else next.push(i > 0 && j > 0 && row[j - 1] === true && charsMeet(a[i - 1] ?? '', b[j - 1] ?? ''));
    }
    row = next;
  }
  return row[b.length] === true;
}

function charsMeet(a: string, b: string): boolean {
  if (a === '*' || b === '*') return false;
  return a === '?' || b === '?' || a === b;
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
  const letters = part.replaceAll(/\[[^\]]*\]?|[*?]/g, '').length;
  if (letters < (reach.rooted ? 1 : 2)) return false;
  if (wanted.startsWith('.') && !part.startsWith('.')) return false;
  return componentsMeet(part, wanted, reach.counter);
}

/** May the shell expand `path` (lower-case, with wildcards) to a name the pattern forbids? A lone `*` is not held against anyone. */
export function wildcardReaches(path: string, pattern: PatternParts, counter: StepCounter): boolean {
  if (!WILDCARD.test(path)) return false;
  const rooted = path.startsWith('/');
  if (pattern.rooted && !rooted) return false;
  const parts = path.split('/').filter((part) => part !== '');
  const { parts: wanted } = pattern;
  const last = parts.length - wanted.length;
  for (let from = pattern.rooted || pattern.below ? 0 : last; from <= (pattern.rooted ? 0 : last) && from >= 0; from += 1) {
    if (!pattern.below && from !== last) continue;
    const slice = parts.slice(from, from + wanted.length);
    if (!slice.some((part) => WILDCARD.test(part))) continue;
    if (slice.every((part, i) => partReached(part, wanted[i] ?? '', { rooted: pattern.rooted, counter }))) return true;
  }
  return false;
}
