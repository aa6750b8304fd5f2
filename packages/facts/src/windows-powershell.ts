/**
 * @module PowerShell at the level of commands and arguments: quotes, backticks, here-strings, variables with literal values, joined
 * literals, pipes, brackets and script blocks (one pass, total). What stands in brackets feeds the command whose argument it is.
 */
import { SHELL_LIMITS } from './shell-limits.ts';
import { createBuilder, endCall, endWord, openCall, put, type OpenCall, type WindowsBuilder } from './windows-words.ts';

interface Reading {
  readonly builder: WindowsBuilder;
  readonly text: string;
  /** Calls around the bracket or block being read. */
  readonly around: { readonly call: OpenCall; readonly block: boolean }[];
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['0', ''],
]);
const ENVIRONMENT: ReadonlyMap<string, string> = new Map([
  ['env:comspec', 'C:\\Windows\\System32\\cmd'],
  ['env:systemroot', 'C:\\Windows'],
  ['env:windir', 'C:\\Windows'],
  ['env:systemdrive', 'C:'],
  ['env:public', 'C:\\Users\\Public'],
  ['env:userprofile', '~'],
  ['home', '~'],
  ['env:appdata', '~\\AppData\\Roaming'],
  ['env:localappdata', '~\\AppData\\Local'],
  ['env:temp', '~\\AppData\\Local\\Temp'],
]);
const VARIABLE = /\$(?:\{([^}\n]{1,64})\}|((?:env:|global:|script:)?[A-Za-z_]\w{0,63}|[?_$^]))/iy;
const JOIN = /\s{0,8}\+\s{0,8}(?=['"])/y;
const ASSIGN = /\s{0,8}[+]?=(?!=)/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A variable with a literal value is its value; at the start of a call an assignment may follow. */
function readVariable({ builder, text }: Reading, at: number, quoted: boolean): number {
  const found = matchAt(VARIABLE, text, at);
  if (found === null) {
    put(builder, '$');
    return at + 1;
  }
  const name = (found[1] ?? found[2] ?? '').toLowerCase();
  const after = at + found[0].length;
  const { open } = builder;
  const assign = !quoted && open.word === undefined && open.fields.length === 0 ? matchAt(ASSIGN, text, after) : null;
  if (assign !== null) {
    open.assignTo = name;
    builder.variables.delete(name);
    return after + assign[0].length;
  }
  const value = builder.variables.get(name) ?? ENVIRONMENT.get(name);
  put(builder, value ?? found[0], { dynamic: value === undefined });
  return after;
}

function readSingle({ builder, text }: Reading, from: number): number {
  let at = from + 1;
  put(builder, '', { quoted: true });
  for (;;) {
    const close = text.indexOf("'", at);
    const end = close === -1 ? text.length : close;
    put(builder, text.slice(at, end));
    if (close === -1 || text[close + 1] !== "'") return end + 1;
    put(builder, "'");
    at = close + 2;
  }
}

function readDouble(reading: Reading, from: number): number {
  const { builder, text } = reading;
  let at = from + 1;
  put(builder, '', { quoted: true });
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char === '"' && text[at + 1] !== '"') break;
    if (char === '$') {
      at = readVariable(reading, at, true);
      continue;
    }
    const escaped = char === '`' || char === '"';
    const next = text[at + 1] ?? '';
    put(builder, escaped ? (char === '`' ? (ESCAPES.get(next) ?? next) : '"') : char);
    at += escaped ? 2 : 1;
  }
  return at + 1;
}

/** `@'` to `'@` at the start of a line. */
function readHereString({ builder, text }: Reading, at: number): number {
  const close = text.indexOf(`\n${text[at + 1] ?? ''}@`, at + 2);
  const end = close === -1 ? text.length : close;
  put(builder, text.slice(at + 2, end).replace(/^[^\S\n]*\n/, ''), { quoted: true });
  return close === -1 ? end : end + 3;
}

function readString(reading: Reading, at: number): number {
  const end = reading.text[at] === "'" ? readSingle(reading, at) : readDouble(reading, at);
  const join = matchAt(JOIN, reading.text, end);
  return join === null ? end : end + join[0].length;
}

/** Ends a call; one that is a literal alone is a value: of the variable before it, or an argument of the call around it. */
function finish({ builder }: Reading, at: number, feeds: boolean): { readonly index: number; readonly literal: string | undefined } {
  const { open } = builder;
  const quoted = open.word?.quoted === true && open.fields.length === 0 && !open.word.dynamic;
  const literal = quoted ? open.word?.text : undefined;
  if (literal === undefined) return { index: endCall(builder, at, feeds), literal: undefined };
  if (open.assignTo !== undefined) builder.variables.set(open.assignTo, literal);
  // A text sent down a pipe is what the next command reads.
  if (feeds) return { index: endCall(builder, at, true), literal: undefined };
  builder.open = openCall(at + 1);
  return { index: -1, literal };
}

function enter({ builder, around, text }: Reading, at: number): void {
  if (around.length >= SHELL_LIMITS.syntaxDepthMax) {
    builder.cut = true;
    return;
  }
  const block = text[at] === '{';
  if (block) endWord(builder);
  around.push({ call: builder.open, block });
  builder.open = openCall(at + 1);
}

function leave(reading: Reading, at: number): void {
  const { builder, around } = reading;
  const { index, literal } = finish(reading, at, false);
  const outer = around.pop();
  if (outer === undefined) return;
  builder.open = outer.call;
  if (literal !== undefined) {
    endWord(builder);
    put(builder, literal);
    endWord(builder);
  } else if (index !== -1 && !outer.block && outer.call.fedBy === -1) builder.open.fedBy = index;
}

const REDIRECT = /[*\d]?(?:>>|>&\d|>)/y;

function readPlain(reading: Reading, at: number): number {
  const { builder, text } = reading;
  const char = text[at] ?? '';
  const { open } = builder;
  if (char === '>' || (/[*\d]/.test(char) && text[at + 1] === '>' && open.word === undefined)) {
    const redirect = matchAt(REDIRECT, text, at)?.[0] ?? char;
    endWord(builder);
    if (!/&\d$/.test(redirect)) open.redirect = redirect.replace(/^[*\d]/, '');
    return at + redirect.length;
  }
  if (/[\s,]/.test(char)) endWord(builder);
  else if (char !== '&' || open.word !== undefined) put(builder, char);
  return at + 1;
}

/** What ends a call, opens one or closes one. */
type Sign = (reading: Reading, at: number, next: string) => void;
const SIGNS: ReadonlyMap<string, Sign> = new Map<string, Sign>([
  [';', (reading, at) => void finish(reading, at, false)],
  ['\n', (reading, at) => void finish(reading, at, false)],
  ['|', (reading, at, next) => void finish(reading, at, next !== '|')],
  ['(', enter],
  ['{', enter],
  [')', leave],
  ['}', leave],
]);

function readSign(reading: Reading, at: number): number {
  const char = reading.text[at] ?? '';
  const next = reading.text[at + 1] ?? '';
  const both = char === '&' && next === '&';
  const sign = both ? SIGNS.get(';') : SIGNS.get(char);
  if (sign === undefined) return readPlain(reading, at);
  sign(reading, at, next);
  return at + (both || (char === '|' && next === '|') ? 2 : 1);
}

/** The end of a comment that starts here, or undefined. */
function commentEnd(text: string, at: number): number | undefined {
  if (text[at] !== '#' && !text.startsWith('<#', at)) return undefined;
  const closer = text[at] === '#' ? '\n' : '#>';
  const close = text.indexOf(closer, at + closer.length);
  return close === -1 ? text.length : close + (closer === '#>' ? 2 : 0);
}

function readDollar(reading: Reading, at: number): number {
  return reading.text[at + 1] === '(' ? at + 1 : readVariable(reading, at, false);
}

function readAt(reading: Reading, at: number): number {
  const next = reading.text[at + 1] ?? '';
  if (next === "'" || next === '"') return readHereString(reading, at);
  return next === '(' || next === '{' ? at + 1 : readSign(reading, at);
}

function readBacktick({ builder, text }: Reading, at: number): number {
  const next = text[at + 1] ?? '';
  if (next !== '\n') put(builder, next);
  return at + 2;
}

const READERS: ReadonlyMap<string, (reading: Reading, at: number) => number> = new Map([
  ['`', readBacktick],
  ["'", readString],
  ['"', readString],
  ['@', readAt],
  ['$', readDollar],
]);

function step(reading: Reading, at: number): number {
  const { builder, text } = reading;
  const reader = READERS.get(text[at] ?? '');
  if (reader !== undefined) return reader(reading, at);
  return (builder.open.word === undefined ? commentEnd(text, at) : undefined) ?? readSign(reading, at);
}

/** Every command of a PowerShell text. */
export function readPowerShell(text: string): WindowsBuilder {
  const builder = createBuilder();
  const reading: Reading = { builder, text, around: [] };
  let at = 0;
  while (at < text.length) {
    const from = at;
    at = step(reading, at);
    builder.steps += at - from;
  }
  while (reading.around.length > 0) leave(reading, text.length);
  finish(reading, text.length, false);
  return builder;
}
