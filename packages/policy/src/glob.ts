/**
 * @module Glob patterns for paths and hosts, matched without backtracking over more than the last star:
 * at most `pattern length x text length` counted steps, whatever the text is.
 *
 * Path dialect: `*` and `?` cross a slash, a leading dot needs no literal dot, `**` is a whole component and before a
 * slash stands for any number of directories, `[..]` and `[!..]` are classes, braces are literal; `dir/**` covers `dir` itself.
 * Host dialect: case is ignored, `{a,b}` are alternatives; `*` crosses dots, so `*.example.com` covers `a.b.example.com` and not `example.com`.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { POLICY_LIMITS } from './limits.ts';

type Token =
  | { readonly is: 'char'; readonly code: number }
  | { readonly is: 'any' }
  | { readonly is: 'class'; readonly negated: boolean; readonly ranges: readonly number[] }
  | { readonly is: 'star' }
  | { readonly is: 'directories' }
  | { readonly is: 'tail' };

/** One compiled pattern: holds when any of its branches does. */
export interface Glob {
  readonly pattern: string;
  readonly branches: readonly Branch[];
}

interface Branch {
  readonly tokens: readonly Token[];
  /** Longest literal run: a text without it cannot match. */
  readonly literal: string;
}

/** Counts work; how linearity is proven. */
export interface StepCounter {
  steps: number;
}

/** One token each for what is written again and again: a policy may hold a million of them. */
const ANY: Token = { is: 'any' };
const STAR: Token = { is: 'star' };
const DIRECTORIES: Token = { is: 'directories' };
const TAIL: Token = { is: 'tail' };
const ASCII: readonly Token[] = Array.from({ length: 128 }, (_, code): Token => ({ is: 'char', code }));

function charAt(text: string, i: number): Token {
  const code = text.charCodeAt(i);
  return ASCII[code] ?? { is: 'char', code };
}

function readClass(text: string, open: number): { token: Token; next: number } | undefined {
  let i = open + 1;
  const negated = text[i] === '!' || text[i] === '^';
  if (negated) i += 1;
  const ranges: number[] = [];
  for (let first = true; i < text.length; first = false) {
    if (text[i] === ']' && !first) return { token: { is: 'class', negated, ranges }, next: i + 1 };
    const low = text.charCodeAt(i);
    const isRange = text[i + 1] === '-' && i + 2 < text.length && text[i + 2] !== ']';
    const high = isRange ? text.charCodeAt(i + 2) : low;
    if (high < low) return undefined;
    ranges.push(low, high);
    i += isRange ? 3 : 1;
  }
  return undefined;
}

function starAt(text: string, i: number): { token: Token; next: number } | string {
  let end = i;
  while (text[end] === '*') end += 1;
  if (end - i === 1) return { token: STAR, next: end };
  if (end - i > 2) return '`***` is not a wildcard';
  const opens = i === 0 || text[i - 1] === '/';
  const closes = end === text.length || text[end] === '/';
  if (!opens || !closes) return '`**` must be a whole path component';
  if (end === text.length) return { token: STAR, next: end };
  return { token: DIRECTORIES, next: end + 1 };
}

function tokensOf(source: string): Result<readonly Token[], string> {
  const covered = source.endsWith('/**') && source.length > 3;
  const text = covered ? source.slice(0, -3) : source;
  const tokens: Token[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text[i] ?? '';
    if (char === '*') {
      const star = starAt(text, i);
      if (typeof star === 'string') return err(star);
      tokens.push(star.token);
      i = star.next;
    } else if (char === '[') {
      const set = readClass(text, i);
      if (set === undefined) return err('`[` opens a class that is not closed or runs backwards');
      tokens.push(set.token);
      i = set.next;
    } else {
      tokens.push(char === '?' ? ANY : charAt(text, i));
      i += 1;
    }
  }
  if (covered) tokens.push(TAIL);
  return ok(tokens);
}

function literalOf(tokens: readonly Token[]): string {
  let best = '';
  let run = '';
  for (const token of tokens) {
    run = token.is === 'char' ? run + String.fromCharCode(token.code) : '';
    if (run.length > best.length) best = run;
  }
  return best;
}

function compileBranches(pattern: string, sources: readonly string[]): Result<Glob, string> {
  const branches: Branch[] = [];
  for (const source of sources) {
    const tokens = tokensOf(source);
    if (!tokens.ok) return tokens;
    branches.push({ tokens: tokens.value, literal: literalOf(tokens.value) });
  }
  return ok({ pattern, branches });
}

/**
 * `forbid`: case is ignored and a home directory stands for every spelling of it. `permit`: exactly what is written,
 * because a pattern that lifts a prohibition must not reach further than its author saw.
 */
export type GlobIntent = 'forbid' | 'permit';

/** Home directories as they are spelled where the user is not known. */
const HOMES = ['~/', '/home/*/', '/root/', '/Users/*/', '?:/Users/*/'] as const;
const HOME_PREFIX = /^(?:~|\$HOME|\$\{HOME\}|%USERPROFILE%)(?:\/|$)/i;
const ABSOLUTE_HOME = /^\/(?:root|(?:home|Users)\/[^/]+)\//i;

/** Patterns that stand for one path pattern once home directories are spelled out. */
function homeForms(text: string, intent: GlobIntent): readonly string[] {
  const home = HOME_PREFIX.exec(text);
  if (home !== null) {
    const rest = text.slice(home[0].length);
    if (rest === '') return ['~', '/root'];
    return intent === 'forbid' ? HOMES.map((prefix) => prefix + rest) : [`~/${rest}`];
  }
  const absolute = intent === 'forbid' ? ABSOLUTE_HOME.exec(text) : null;
  return absolute === null ? [text] : [text, `~/${text.slice(absolute[0].length)}`];
}

/** A path pattern. The error is a sentence. */
export function compilePathGlob(pattern: string, intent: GlobIntent): Result<Glob, string> {
  if (pattern === '') return err('an empty pattern matches nothing');
  if (pattern.includes('\0')) return err('a pattern cannot hold a NUL');
  const forms = homeForms(pattern.replaceAll('\\', '/'), intent);
  return compileBranches(pattern, intent === 'forbid' ? forms.map((form) => form.toLowerCase()) : forms);
}

function expandBraces(text: string): readonly string[] | string {
  let forms: readonly string[] = [''];
  let i = 0;
  while (i < text.length) {
    const open = text.indexOf('{', i);
    const plain = text.slice(i, open === -1 ? text.length : open);
    if (plain.includes('}')) return '`}` closes nothing';
    let options: readonly string[] = [''];
    i = text.length;
    if (open !== -1) {
      const close = text.indexOf('}', open);
      if (close === -1) return '`{` is not closed';
      const body = text.slice(open + 1, close);
      if (body.includes('{')) return 'braces cannot be nested';
      options = body.split(',');
      i = close + 1;
    }
    if (forms.length * options.length > POLICY_LIMITS.globBranchesMax)
      return `braces stand for more than ${String(POLICY_LIMITS.globBranchesMax)} hosts`;
    forms = forms.flatMap((form) => options.map((option) => form + plain + option));
  }
  return forms;
}

/** How many hosts a pattern stands for; of one that does not compile, nothing is said. */
export function hostCount(pattern: string): number {
  return [...pattern.matchAll(/\{([^{}]*)\}/g)].reduce((count, [, body = '']) => count * body.split(',').length, 1);
}

const ADDRESS_V6 = /^[0-9a-f:.*?]+$/;

function hostPatternProblem(text: string): string | undefined {
  if (text === '') return 'an empty pattern matches nothing';
  if (text.includes('://')) return 'a host pattern has no scheme';
  if (/[/\s\\@\0]/.test(text)) return 'a host pattern has no path, no user and no spaces';
  const isV6 = text.split(':').length > 2 && ADDRESS_V6.test(text);
  if (text.includes(':') && !isV6) return 'a host pattern has no port';
  if (/[^\u0021-\u007e]/.test(text)) return 'an international host name is written in its `xn--` form';
  return undefined;
}

/** A host pattern; a trailing dot is dropped. The error is a sentence. */
export function compileHostGlob(pattern: string): Result<Glob, string> {
  const lower = pattern.toLowerCase();
  const text = lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const problem = hostPatternProblem(text);
  if (problem !== undefined) return err(problem);
  const forms = expandBraces(text);
  if (typeof forms === 'string') return err(forms);
  if (forms.includes('')) return err('braces with an empty branch stand for an empty host');
  return compileBranches(
    pattern,
    forms.map((form) => form.replaceAll(/\*{2,}/g, '*')),
  );
}

function inRanges(ranges: readonly number[], code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? -1)) return true;
  }
  return false;
}

function matchesOne(token: Token, code: number): boolean {
  if (token.is === 'char') return token.code === code;
  if (token.is === 'any') return true;
  return token.is === 'class' && inRanges(token.ranges, code) !== token.negated;
}

interface Resume {
  token: number;
  at: number;
  directories: boolean;
}

/** Where the last star may try next, or -1. Directories resume only after a slash. */
function nextResume(resume: Resume, text: string, counter: StepCounter): number {
  if (!resume.directories) return resume.at + 1;
  const slash = text.indexOf('/', resume.at);
  counter.steps += slash === -1 ? text.length - resume.at : slash - resume.at;
  return slash === -1 ? text.length + 1 : slash + 1;
}

interface Cursor {
  at: number;
  index: number;
  readonly resume: Resume;
}

/** One move: true when the whole pattern holds, false when the token did, undefined when it did not. */
function moveOn(cursor: Cursor, token: Token | undefined, text: string): boolean | undefined {
  const { at } = cursor;
  if (token === undefined) return at === text.length ? true : undefined;
  if (token.is === 'star' || token.is === 'directories') {
    cursor.resume.token = cursor.index;
    cursor.resume.at = at;
    cursor.resume.directories = token.is === 'directories';
    cursor.index += 1;
    return false;
  }
  if (token.is === 'tail') return at === text.length || text[at] === '/' ? true : undefined;
  if (at === text.length || !matchesOne(token, text.charCodeAt(at))) return undefined;
  cursor.at += 1;
  cursor.index += 1;
  return false;
}

// Forgetting all but the last star is sound: a star may swallow anything from its earliest place on, and a
// `directories` token only ever stands after a slash, so its later places are among those of the earliest one.
function matchBranch(tokens: readonly Token[], text: string, counter: StepCounter): boolean {
  const cursor: Cursor = { at: 0, index: 0, resume: { token: -1, at: 0, directories: false } };
  const { resume } = cursor;
  for (;;) {
    counter.steps += 1;
    const done = moveOn(cursor, tokens[cursor.index], text);
    if (done === true) return true;
    if (done === false) continue;
    if (resume.token === -1) return false;
    resume.at = nextResume(resume, text, counter);
    if (resume.at > text.length) return false;
    cursor.at = resume.at;
    cursor.index = resume.token + 1;
  }
}

/** Does the pattern hold for the whole of `text`? For hosts and forbidden paths `text` is lower-case already. */
export function matchGlob(glob: Glob, text: string, counter: StepCounter): boolean {
  for (const branch of glob.branches) {
    counter.steps += 1;
    if (branch.literal !== '' && !text.includes(branch.literal)) continue;
    if (matchBranch(branch.tokens, text, counter)) return true;
  }
  return false;
}

/** The first pattern that holds, or undefined. */
export function firstMatch(globs: readonly Glob[], text: string, counter: StepCounter): Glob | undefined {
  for (const glob of globs) {
    if (matchGlob(glob, text, counter)) return glob;
  }
  return undefined;
}
