/**
 * @module Shell words: quotes, escapes, parameters and substitutions of POSIX.1-2024 section 2 and Bash 5.2, read once from left to
 * right. A quote without a partner is passed over, so that text torn out of a larger command still shows its commands.
 */
import { SHELL_LIMITS } from './shell-limits.ts';
import { decodeAnsi } from './shell-ansi.ts';
import type { Part, Scan, Script, Word } from './shell-syntax.ts';

/** Reads commands up to a closer; handed in because words contain commands and commands contain words. */
export type ReadBody = (scan: Scan, closer: string) => Script;

type Mode = 'plain' | 'double' | 'brace' | 'body' | 'arithmetic';

interface Builder {
  readonly scan: Scan;
  readonly readBody: ReadBody;
  readonly mode: Mode;
  readonly quoted: boolean;
  readonly parts: Part[];
  readonly start: number;
  braces: boolean;
  parens: number;
}

const PLAIN_RUN = /[^\s'"\\$`;&|<>(){}]+/y;
const DOUBLE_RUN = /[^"\\$`]+/y;
const BRACE_RUN = /[^}'"\\$`]+/y;
const BODY_RUN = /[^\\$`]+/y;
const ARITHMETIC_RUN = /[^()\\$`]+/y;
const RUNS: Readonly<Record<Mode, RegExp>> = {
  plain: PLAIN_RUN,
  double: DOUBLE_RUN,
  brace: BRACE_RUN,
  body: BODY_RUN,
  arithmetic: ARITHMETIC_RUN,
};
const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]/y;
const BARE_NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]/y;
const OPERATOR = /:?[-=?+]|##?|%%?|\/[/#%]?|:|\^\^?|,,?|@/y;
const SUBSCRIPT = /\[[^\]\s]{0,64}\]/y;
const EXTGLOB = '?*+@!';
const SPACE = ' \t\n\r;&|';

/** Text matched by a sticky pattern at the scanner, which moves past it; `` when it does not match. */
export function take(scan: Scan, pattern: RegExp): string {
  pattern.lastIndex = scan.pos;
  // Sticky patterns leave where the match ended: no list of groups has to be made for it.
  if (!pattern.test(scan.text)) return '';
  const text = scan.text.slice(scan.pos, Math.min(pattern.lastIndex, scan.limit));
  scan.pos += text.length;
  scan.steps += text.length + 1;
  return text;
}

/** Character at the scanner plus `ahead`, or `` at the end. */
export function peek(scan: Scan, ahead = 0): string {
  return scan.pos + ahead < scan.limit ? (scan.text[scan.pos + ahead] ?? '') : '';
}

function find(scan: Scan, needle: string, from: number): number {
  const at = scan.text.indexOf(needle, from);
  const found = at === -1 || at >= scan.limit ? -1 : at;
  scan.steps += (found === -1 ? scan.limit : found) - from + 1;
  return found;
}

function addText(builder: Builder, text: string, quoted: boolean): void {
  const last = builder.parts.at(-1);
  if (last?.kind === 'text' && last.quoted === quoted) {
    builder.parts[builder.parts.length - 1] = { kind: 'text', text: last.text + text, quoted };
    return;
  }
  builder.parts.push({ kind: 'text', text, quoted });
}

function enter<T>(scan: Scan, read: () => T): T {
  scan.depth += 1;
  const value = read();
  scan.depth -= 1;
  return value;
}

function readSingle(builder: Builder): void {
  const { scan } = builder;
  const close = find(scan, "'", scan.pos + 1);
  if (close === -1) {
    scan.doubt = true;
    scan.pos += 1;
    return;
  }
  addText(builder, scan.text.slice(scan.pos + 1, close), true);
  scan.pos = close + 1;
}

function readDouble(builder: Builder): void {
  const { scan } = builder;
  if (find(scan, '"', scan.pos + 1) === -1) {
    scan.doubt = true;
    scan.pos += 1;
    return;
  }
  scan.pos += 1;
  addText(builder, '', true);
  builder.parts.push(...readParts(scan, builder.readBody, 'double').parts);
  if (peek(scan) === '"') scan.pos += 1;
  else scan.doubt = true;
}

function readAnsi(builder: Builder): void {
  const { scan } = builder;
  let close = scan.pos + 2;
  while (close < scan.limit && scan.text[close] !== "'") close += scan.text[close] === '\\' ? 2 : 1;
  scan.steps += close - scan.pos;
  close = Math.min(close, scan.limit);
  addText(builder, decodeAnsi(scan.text.slice(scan.pos + 2, close)), true);
  scan.pos = Math.min(close + 1, scan.limit);
}

function readEscape(builder: Builder): void {
  const { scan, mode } = builder;
  const next = peek(scan, 1);
  scan.steps += 2;
  scan.pos = Math.min(scan.pos + 2, scan.limit);
  if (next === '\n') return;
  // `C:\\dir\\x.exe` is a path of another system, not three escapes.
  const drive = mode === 'plain' && scan.text.startsWith(':\\', builder.start + 1) && /[\w.]/.test(next);
  const kept = drive || ((mode === 'double' || mode === 'body') && !'$`"\\'.includes(next));
  addText(builder, kept || next === '' ? `\\${next}` : next, true);
}

function readBackticks(builder: Builder): void {
  const { scan, readBody } = builder;
  const start = scan.pos;
  let close = start + 1;
  let escapes = false;
  while (close < scan.limit && scan.text[close] !== '`') {
    if (scan.text[close] === '\\') {
      escapes = true;
      close += 1;
    }
    close += 1;
  }
  scan.steps += close - start;
  if (close >= scan.limit || scan.depth >= SHELL_LIMITS.syntaxDepthMax) {
    scan.cut ||= close < scan.limit;
    scan.doubt = true;
    scan.pos += 1;
    return;
  }
  const inner = scan.text.slice(start + 1, close);
  // A prefix keeps the offsets, and keeps patterns from running past the closer.
  const text = escapes ? inner.replaceAll(/\\([\\`$])/g, '$1') : scan.text.slice(0, close);
  const nested: Scan = { ...scan, text, pos: escapes ? 0 : start + 1, limit: text.length, depth: scan.depth + 1, pending: [] };
  const body = readBody(nested, '');
  scan.steps = nested.steps;
  scan.rewinds = nested.rewinds;
  scan.nodes = nested.nodes;
  scan.cut ||= nested.cut;
  scan.pos = close + 1;
  builder.parts.push({ kind: 'substitution', body, source: scan.text.slice(start, scan.pos), quoted: builder.quoted });
}

function readParenthesised(builder: Builder, prefix: number): Script {
  const { scan, readBody } = builder;
  scan.pos += prefix;
  const body = enter(scan, () => readBody(scan, ')'));
  if (peek(scan) === ')') scan.pos += 1;
  else scan.doubt = true;
  return body;
}

/** Reads `((` ... `))` as arithmetic; undefined, with the scanner back where it was, when it does not close that way. */
export function readArithmetic(scan: Scan, readBody: ReadBody): readonly Part[] | undefined {
  if (scan.rewinds >= SHELL_LIMITS.rewindsMax) return undefined;
  const start = scan.pos;
  const { cut } = scan;
  scan.pos += 2;
  const inner = enter(scan, () => readParts(scan, readBody, 'arithmetic')).parts;
  if (peek(scan) === ')' && peek(scan, 1) === ')' && scan.pos - start - 2 <= SHELL_LIMITS.arithmeticCharsMax) {
    scan.pos += 2;
    return inner;
  }
  scan.rewinds += 1;
  scan.pos = start;
  scan.cut = cut;
  return undefined;
}

function readParameter(builder: Builder): void {
  const { scan, readBody, quoted } = builder;
  const start = scan.pos;
  scan.pos += 2;
  const prefix = (peek(scan) === '!' || peek(scan) === '#') && peek(scan, 1) !== '}' ? peek(scan) : '';
  scan.pos += prefix.length;
  const name = take(scan, NAME);
  take(scan, SUBSCRIPT);
  const operator = prefix === '' ? take(scan, OPERATOR) : prefix === '!' ? 'indirect' : 'length';
  const operand = enter(scan, () => readParts(scan, readBody, 'brace')).parts;
  if (peek(scan) === '}') scan.pos += 1;
  else scan.doubt = true;
  builder.parts.push({ kind: 'variable', name, operator, operand, source: scan.text.slice(start, scan.pos), quoted });
}

function readDollarParen(builder: Builder): void {
  const { scan, quoted } = builder;
  const start = scan.pos;
  if (peek(scan, 2) === '(') {
    scan.pos += 1;
    const inner = readArithmetic(scan, builder.readBody);
    if (inner !== undefined) {
      builder.parts.push({ kind: 'arithmetic', inner, source: scan.text.slice(start, scan.pos) });
      return;
    }
    scan.pos = start;
  }
  const body = readParenthesised(builder, 2);
  builder.parts.push({ kind: 'substitution', body, source: scan.text.slice(start, scan.pos), quoted });
}

function readDollar(builder: Builder): void {
  const { scan, mode, quoted } = builder;
  const next = peek(scan, 1);
  const deep = scan.depth >= SHELL_LIMITS.syntaxDepthMax;
  if ((next === '(' || next === '{') && deep) {
    scan.cut = true;
    addText(builder, `$${next}`, true);
    scan.pos += 2;
    return;
  }
  if (next === '(') return readDollarParen(builder);
  if (next === '{') return readParameter(builder);
  if (next === "'" && mode === 'plain') return readAnsi(builder);
  const start = scan.pos;
  scan.pos += 1;
  if (next === '"' && mode === 'plain') return;
  const name = take(scan, BARE_NAME);
  if (name === '') return addText(builder, '$', true);
  builder.parts.push({ kind: 'variable', name, operator: '', operand: [], source: scan.text.slice(start, scan.pos), quoted });
}

/** A group of extended globs, `!(a|b)`; false when it is none. */
function readGlob(builder: Builder): boolean {
  const { scan } = builder;
  const start = scan.pos;
  if (builder.parts.length === 0 || !EXTGLOB.includes(scan.text[start - 1] ?? '')) return false;
  let close = start + 1;
  while (close < scan.limit && close - start < SHELL_LIMITS.globCharsMax && !')\n'.includes(scan.text[close] ?? '')) close += 1;
  scan.steps += close - start;
  if (scan.text[close] !== ')') return false;
  addText(builder, scan.text.slice(start, close + 1), true);
  scan.pos = close + 1;
  return true;
}

/** `<(`, `>(` and extended globs; true when the character belongs to the word. */
function readBracket(builder: Builder, char: string): boolean {
  const { scan } = builder;
  const start = scan.pos;
  if (char === '(') return readGlob(builder);
  if (peek(scan, 1) !== '(' || scan.depth >= SHELL_LIMITS.syntaxDepthMax) return false;
  const body = readParenthesised(builder, 2);
  builder.parts.push({ kind: 'process', body, source: scan.text.slice(start, scan.pos) });
  return true;
}

function readNested(builder: Builder, char: string): boolean {
  const { scan, mode } = builder;
  if (mode === 'arithmetic' && char === '(') builder.parens += 1;
  else if (mode === 'arithmetic' && builder.parens === 0) return false;
  else if (mode === 'arithmetic') builder.parens -= 1;
  addText(builder, char, true);
  scan.pos += 1;
  scan.steps += 1;
  return true;
}

function readPlainChar(builder: Builder, char: string): boolean {
  const { scan } = builder;
  if (char === '{' || char === '}') {
    builder.braces ||= char === '{';
    addText(builder, char, false);
    scan.pos += 1;
    return true;
  }
  if (SPACE.includes(char) || char === ')') return false;
  if ('<>('.includes(char)) return readBracket(builder, char);
  addText(builder, char, false);
  scan.pos += 1;
  return true;
}

const SPECIALS: Readonly<Record<string, (builder: Builder) => void>> = { '\\': readEscape, $: readDollar, '`': readBackticks };
const QUOTES: Readonly<Record<string, (builder: Builder) => void>> = { "'": readSingle, '"': readDouble };

function readChar(builder: Builder, char: string): boolean {
  const { mode } = builder;
  const special = SPECIALS[char];
  if (special !== undefined) {
    special(builder);
    return true;
  }
  if (mode === 'arithmetic') return readNested(builder, char);
  if (mode === 'double' || (mode === 'brace' && char === '}')) return false;
  const quote = QUOTES[char];
  if (quote === undefined) return readPlainChar(builder, char);
  quote(builder);
  return true;
}

/** One step; false where the word ends. */
function readPiece(builder: Builder): boolean {
  const { scan, mode } = builder;
  if (mode === 'arithmetic' && scan.pos - builder.start > SHELL_LIMITS.arithmeticCharsMax) return false;
  const run = take(scan, RUNS[mode]);
  if (run !== '') {
    addText(builder, run, mode !== 'plain' && mode !== 'brace');
    return true;
  }
  const char = peek(scan);
  scan.steps += 1;
  return char !== '' && readChar(builder, char);
}

function readParts(scan: Scan, readBody: ReadBody, mode: Mode): Builder {
  const quoted = mode === 'double' || mode === 'body';
  const builder: Builder = { scan, readBody, mode, quoted, parts: [], start: scan.pos, braces: false, parens: 0 };
  while (scan.pos < scan.limit && readPiece(builder));
  return builder;
}

/** The word at the scanner, or undefined where none starts. */
export function readWord(scan: Scan, readBody: ReadBody): Word | undefined {
  const start = scan.pos;
  const { parts, braces } = readParts(scan, readBody, 'plain');
  if (scan.pos === start) return undefined;
  return { start, end: scan.pos, source: scan.text.slice(start, scan.pos), parts, braces };
}

/** Expandable text between two offsets, as in a here-document. */
export function readHereBody(scan: Scan, readBody: ReadBody, end: number): readonly Part[] {
  const nested: Scan = { ...scan, text: scan.text.slice(0, end), limit: end, depth: scan.depth + 1, pending: [] };
  const { parts } = readParts(nested, readBody, 'body');
  scan.steps = nested.steps;
  scan.rewinds = nested.rewinds;
  scan.nodes = nested.nodes;
  scan.cut ||= nested.cut;
  return parts;
}
