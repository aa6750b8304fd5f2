/**
 * @module Shell grammar: commands, pipes, lists, groups, loops, functions, redirections and here-documents (POSIX.1-2024 section 2.10,
 * Bash 5.2). One pass, total: what is not shell still yields the commands that can be told apart, and nothing is ever refused.
 */
import { SHELL_LIMITS } from './shell-limits.ts';
import type { Assignment, GroupNode, Part, Pipeline, Redirection, Scan, Script, ShellNode, SimpleNode, Word } from './shell-syntax.ts';
import { peek, readArithmetic, readHereBody, readWord, take } from './shell-words.ts';

const BLANKS = /(?:[^\S\n]|\\\n)+/y;
const COMMENT = /#[^\n]*/y;
const RESERVED = /(?:if|then|elif|else|fi|for|select|while|until|do|done|case|esac|in|function|coproc|\{|\}|!|\[\[)(?![^\s;&|()<>])/y;
/** What a redirection begins with. */
const REDIRECT_SIGNS = '<>&0123456789';
const REDIRECT = /[0-9]{0,3}(?:<<<|<<-|<<|<>|<&|<(?!\()|&>>|&>|>>|>&|>\||>(?!\())/y;
const ASSIGNED = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]{0,64}\])?(\+?)=/;
const NOTHING: ReadonlySet<string> = new Set();
const CLOSERS: Readonly<Record<string, ReadonlySet<string>>> = {
  if: new Set(['fi']),
  while: new Set(['done']),
  until: new Set(['done']),
  for: new Set(['done', '}']),
  select: new Set(['done', '}']),
  '{': new Set(['}']),
};

interface Closing {
  /** Reserved words that end this list. */
  readonly words: ReadonlySet<string>;
  /** A `)` ends it. */
  readonly paren: boolean;
  /** `;;` ends it. */
  readonly arm: boolean;
}

function readHereLines(scan: Scan): void {
  const { pending } = scan;
  scan.pending = [];
  for (const { redirect, delimiter, expands, tabs } of pending) {
    const start = scan.pos;
    let end = scan.limit;
    while (scan.pos < scan.limit) {
      const newline = scan.text.indexOf('\n', scan.pos);
      const stop = newline === -1 || newline > scan.limit ? scan.limit : newline;
      const line = scan.text.slice(scan.pos, stop);
      const at = scan.pos;
      scan.steps += stop - at + 1;
      scan.pos = Math.min(stop + 1, scan.limit);
      if ((tabs ? line.replace(/^\t+/, '') : line) !== delimiter) continue;
      end = at;
      break;
    }
    if (expands) {
      const after = scan.pos;
      scan.pos = start;
      redirect.body = readHereBody(scan, readBody, end);
      scan.pos = after;
    } else redirect.body = [{ kind: 'text', text: scan.text.slice(start, end), quoted: true }];
  }
}

function skipBlanks(scan: Scan): void {
  take(scan, BLANKS);
  if (peek(scan) === '#') take(scan, COMMENT);
}

function isSeparator(char: string, next: string): boolean {
  return char === '\n' || char === ';' || char === '|' || char === ')' || (char === '&' && next !== '>');
}

function closes(char: string, next: string, closing: Closing): boolean {
  return char === '' || (closing.arm && char === ';' && next === ';') || (closing.paren && char === ')');
}

/** Skips separators; false where the list ends. */
function skipToCommand(scan: Scan, closing: Closing): boolean {
  for (;;) {
    skipBlanks(scan);
    const [char, next] = [peek(scan), peek(scan, 1)];
    if (closes(char, next, closing)) return false;
    if (!isSeparator(char, next)) return true;
    scan.doubt ||= char === ')';
    scan.pos += 1;
    scan.steps += 1;
    if (char === '\n' && scan.pending.length > 0) readHereLines(scan);
  }
}

function peekReserved(scan: Scan): string {
  RESERVED.lastIndex = scan.pos;
  scan.steps += 8;
  return RESERVED.exec(scan.text)?.[0] ?? '';
}

function readRedirect(scan: Scan, redirects: Redirection[]): boolean {
  if (!REDIRECT_SIGNS.includes(peek(scan))) return false;
  const operator = take(scan, REDIRECT).replace(/^[0-9]+/, '');
  if (operator === '') return false;
  skipBlanks(scan);
  const at = scan.pos;
  const target = readWord(scan, readBody) ?? { start: at, end: at, source: '', parts: [], braces: false };
  const redirect: Redirection = { operator, target, body: undefined };
  redirects.push(redirect);
  if (operator === '<<' || operator === '<<-') {
    const quoted = /['"\\]/.test(target.source);
    const delimiter = target.source.replaceAll(/['"\\]/g, '');
    scan.pending.push({ redirect, delimiter, expands: !quoted, tabs: operator === '<<-' });
  }
  return true;
}

function readArray(scan: Scan): readonly Part[] {
  const parts: Part[] = [];
  scan.pos += 1;
  for (;;) {
    take(scan, /[\s;&|<>(]+/y);
    const word = readWord(scan, readBody);
    if (word === undefined) break;
    if (parts.length > 0) parts.push({ kind: 'text', text: ' ', quoted: false });
    parts.push(...word.parts);
  }
  if (peek(scan) === ')') scan.pos += 1;
  return parts;
}

/** A word as an assignment, or undefined when it is none. */
function toAssignment(scan: Scan, word: Word): Assignment | undefined {
  const first = word.parts[0];
  if (first?.kind !== 'text' || first.quoted) return undefined;
  const found = ASSIGNED.exec(first.text);
  if (found === null) return undefined;
  const rest = first.text.slice(found[0].length);
  const value: readonly Part[] = [{ kind: 'text', text: rest, quoted: first.quoted }, ...word.parts.slice(1)];
  const name = found[1] ?? '';
  const append = found[2] === '+';
  const isArray = rest === '' && word.parts.length === 1 && peek(scan) === '(' && scan.depth < SHELL_LIMITS.syntaxDepthMax;
  return { name, append, value: isArray ? readArray(scan) : value };
}

function readFunctionBody(scan: Scan, name: string, closing: Closing): ShellNode {
  take(scan, /\s+/y);
  scan.depth += 1;
  const body = readCommand(scan, closing);
  scan.depth -= 1;
  return { kind: 'function', name, body: [[body]] };
}

function isOpen(char: string, next: string): boolean {
  return char !== '' && !isSeparator(char, next);
}

/** The function this word names, when `()` follows; `` when none does. */
function functionName(scan: Scan, words: readonly Word[]): string {
  if (words.length !== 1 || scan.depth >= SHELL_LIMITS.syntaxDepthMax || take(scan, /\([^\S\n]*\)/y) === '') return '';
  return words[0]?.source ?? '';
}

function readSimple(scan: Scan, closing: Closing): ShellNode {
  const start = scan.pos;
  const assignments: Assignment[] = [];
  const words: Word[] = [];
  const redirects: Redirection[] = [];
  let end = start;
  for (;;) {
    end = scan.pos;
    skipBlanks(scan);
    const char = peek(scan);
    if (!isOpen(char, peek(scan, 1))) break;
    if (readRedirect(scan, redirects)) continue;
    if (char === '(') {
      const name = functionName(scan, words);
      if (name === '') break;
      return readFunctionBody(scan, name, closing);
    }
    const word = readWord(scan, readBody);
    if (word === undefined) break;
    const assignment = words.length === 0 ? toAssignment(scan, word) : undefined;
    if (assignment === undefined) words.push(word);
    else assignments.push(assignment);
  }
  return simple(scan, { start, end, assignments, words, redirects });
}

function simple(scan: Scan, node: Omit<SimpleNode, 'kind'>): SimpleNode {
  scan.nodes += 1;
  if (scan.pos === node.start && scan.pos < scan.limit) {
    scan.pos += 1;
    scan.steps += 1;
  }
  return { kind: 'simple', ...node };
}

function readTest(scan: Scan): SimpleNode {
  const start = scan.pos;
  const words: Word[] = [];
  for (;;) {
    take(scan, /[\s;&|<>()]+/y);
    const word = readWord(scan, readBody);
    if (word === undefined) break;
    if (word.source === ']]') break;
    words.push(word);
  }
  return simple(scan, { start, end: scan.pos, assignments: [], words, redirects: [] });
}

function readGroupEnd(scan: Scan, body: Script, loop: GroupNode['loop']): GroupNode {
  const redirects: Redirection[] = [];
  for (;;) {
    take(scan, BLANKS);
    if (!readRedirect(scan, redirects)) return { kind: 'group', body, redirects, loop };
  }
}

function readBlock(scan: Scan, word: string, closing: Closing): ShellNode {
  scan.pos += word.length;
  const loop = word === 'for' || word === 'select' ? readLoopHead(scan) : undefined;
  const words = CLOSERS[word] ?? NOTHING;
  const body = readList(scan, { words, paren: closing.paren, arm: closing.arm });
  const closer = peekReserved(scan);
  if (words.has(closer)) scan.pos += closer.length;
  else scan.doubt = true;
  return readGroupEnd(scan, body, loop);
}

function readLoopHead(scan: Scan): GroupNode['loop'] {
  take(scan, BLANKS);
  if (peek(scan) === '(' && peek(scan, 1) === '(') {
    if (readArithmetic(scan, readBody) === undefined) scan.pos += 2;
    return undefined;
  }
  const name = take(scan, /[A-Za-z_][A-Za-z0-9_]*/y);
  take(scan, /\s+/y);
  const words: Word[] = [];
  if (take(scan, /in(?=\s)/y) === '') return { name, words };
  for (;;) {
    take(scan, BLANKS);
    const word = readWord(scan, readBody);
    if (word === undefined) break;
    words.push(word);
  }
  return { name, words };
}

function readCase(scan: Scan): ShellNode {
  scan.pos += 4;
  const body: Pipeline[] = [];
  take(scan, /\s+/y);
  readWord(scan, readBody);
  take(scan, /\s+in(?=\s)/y);
  while (scan.pos < scan.limit) {
    take(scan, /[\s;&]+/y);
    if (peekReserved(scan) === 'esac') {
      scan.pos += 4;
      break;
    }
    const before = scan.pos;
    take(scan, /\(/y);
    do take(scan, /[\s|]+/y);
    while (readWord(scan, readBody) !== undefined);
    if (peek(scan) === ')') scan.pos += 1;
    body.push(...readList(scan, { words: new Set(['esac']), paren: false, arm: true }));
    if (scan.pos === before) scan.pos = Math.min(before + 1, scan.limit);
  }
  return readGroupEnd(scan, body, undefined);
}

function readParen(scan: Scan): ShellNode {
  if (peek(scan, 1) === '(') {
    const inner = readArithmetic(scan, readBody);
    const { pos } = scan;
    const word: Word = { start: pos, end: pos, source: '', parts: inner ?? [], braces: false };
    if (inner !== undefined)
      return {
        kind: 'simple',
        start: pos,
        end: pos,
        assignments: [{ name: '', append: false, value: word.parts }],
        words: [],
        redirects: [],
      };
  }
  scan.pos += 1;
  const body = readBody(scan, ')');
  if (peek(scan) === ')') scan.pos += 1;
  else scan.doubt = true;
  return { ...readGroupEnd(scan, body, undefined), subshell: true };
}

function readNamedFunction(scan: Scan, closing: Closing): ShellNode {
  scan.pos += 8;
  take(scan, BLANKS);
  const name = readWord(scan, readBody)?.source ?? '';
  take(scan, /[^\S\n]*\([^\S\n]*\)/y);
  return readFunctionBody(scan, name, closing);
}

function readCommand(scan: Scan, closing: Closing): ShellNode {
  if (scan.depth >= SHELL_LIMITS.syntaxDepthMax) {
    scan.cut ||= peek(scan) === '(';
    take(scan, /[({]+/y);
    return readSimple(scan, closing);
  }
  scan.depth += 1;
  const node = readCompound(scan, closing);
  scan.depth -= 1;
  return node;
}

function readCompound(scan: Scan, closing: Closing): ShellNode {
  for (;;) {
    skipBlanks(scan);
    if (peek(scan) === '(') return readParen(scan);
    const word = peekReserved(scan);
    if (word === '') return readSimple(scan, closing);
    if (CLOSERS[word] !== undefined) return readBlock(scan, word, closing);
    if (word === 'case') return readCase(scan);
    if (word === 'function') return readNamedFunction(scan, closing);
    if (word === '[[') return readTest(scan);
    if (closing.words.has(word)) return { kind: 'group', body: [], redirects: [], loop: undefined };
    // `then`, `do`, `!` and closers without an opener: what follows is the command.
    scan.pos += word.length;
  }
}

function readPipeline(scan: Scan, closing: Closing): Pipeline {
  const nodes: ShellNode[] = [];
  for (;;) {
    nodes.push(readCommand(scan, closing));
    if (scan.nodes >= SHELL_LIMITS.nodesMax) return nodes;
    skipBlanks(scan);
    if (peek(scan) !== '|' || peek(scan, 1) === '|') return nodes;
    scan.pos += peek(scan, 1) === '&' ? 2 : 1;
    scan.steps += 1;
    take(scan, /\s+/y);
    if (!isOpen(peek(scan), peek(scan, 1))) return nodes;
  }
}

function inBackground(scan: Scan): boolean {
  return peek(scan) === '&' && peek(scan, 1) !== '&';
}

function readList(scan: Scan, closing: Closing): Script {
  const script: Pipeline[] = [];
  while (skipToCommand(scan, closing)) {
    if (scan.nodes >= SHELL_LIMITS.nodesMax) {
      scan.cut = true;
      scan.pos = scan.limit;
      break;
    }
    if (closing.words.size > 0 && closing.words.has(peekReserved(scan))) break;
    const pipeline = readPipeline(scan, closing);
    script.push(inBackground(scan) ? [{ kind: 'group', body: [pipeline], redirects: [], loop: undefined, subshell: true }] : pipeline);
  }
  return script;
}

function readBody(scan: Scan, closer: string): Script {
  return readList(scan, { words: NOTHING, paren: closer === ')', arm: false });
}

/** Every command of a text. Total; never more than a constant number of steps for each character. */
export function readScript(scan: Scan): Script {
  return readBody(scan, '');
}
