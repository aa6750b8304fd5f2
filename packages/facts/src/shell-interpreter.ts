/**
 * @module Inline code of other languages (`python -c`, `perl -e`, `node -e` ...): the literal shell commands it starts. Not a parser of
 * those languages: one pass over the code that looks for calls known to run commands and reads their string literals.
 */
import { decodeAnsi } from './shell-ansi.ts';
import type { Field } from './shell-state.ts';

/** A command started from code: text for a shell, or words. */
export type Started = { readonly text: string } | { readonly words: readonly string[] };

const INTERPRETER =
  /^(?:python[0-9.]*|pypy[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|deno|bun|php[0-9.]*|lua[0-9.]*|luajit|awk|gawk|mawk|nawk|tclsh|osascript)$/;
const CODE_FLAG = /^(?:-[a-zA-Z]{0,6}[cerEB]|--eval|--print|-p|eval)$/;
const CALL =
  /(?:\b(?:system|popen[0-9]?|exec(?:sync|filesync|file|l|le|lp|v|ve|vp|vpe|ute)?|spawn(?:sync|l|lp|v|vp)?|run|call|check_output|check_call|getoutput|getstatusoutput|shell_exec|passthru|proc_open|pcntl_exec|capture2e?|capture3|do shell script)\b\s{0,4}[\s(]\s{0,4}\[?\s{0,4}(?=['"])|`|%x[({[]|\bqx[({[/])/gi;
const STARTS_MAX = 32;

/** Whether a name runs code given on its command line. */
export function isInterpreter(name: string): boolean {
  return INTERPRETER.test(name);
}

/** The code given on the command line, or undefined. */
export function inlineCode(name: string, args: readonly Field[]): string | undefined {
  if (name.endsWith('awk')) return args.find((arg) => !arg.text.startsWith('-'))?.text;
  const at = args.findIndex((arg) => CODE_FLAG.test(arg.text));
  return at === -1 ? undefined : args[at + 1]?.text;
}

/** The string literal at `at` and where it ends, or undefined. */
function readLiteral(code: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const quote = code[at] ?? '';
  if (quote !== '"' && quote !== "'") return undefined;
  const triple = quote.repeat(3);
  if (code.startsWith(triple, at)) {
    const close = code.indexOf(triple, at + 3);
    return close === -1 ? undefined : { text: decodeAnsi(code.slice(at + 3, close)), end: close + 3 };
  }
  let close = at + 1;
  while (close < code.length && code[close] !== quote) close += code[close] === '\\' ? 2 : 1;
  return { text: decodeAnsi(code.slice(at + 1, close)), end: Math.min(close + 1, code.length) };
}

function readLiterals(code: string, from: number): { readonly literals: readonly string[]; readonly end: number } {
  const literals: string[] = [];
  let at = from;
  for (;;) {
    const literal = readLiteral(code, at);
    if (literal === undefined) break;
    literals.push(literal.text);
    at = literal.end;
    const gap = /[\s,[]{0,16}/y;
    gap.lastIndex = at;
    at += gap.exec(code)?.[0].length ?? 0;
  }
  return { literals, end: at };
}

const CLOSE: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']', '/': '/', '`': '`' };

/** Commands the code starts with literal words, in order. */
export function startedCommands(code: string): readonly Started[] {
  const started: Started[] = [];
  CALL.lastIndex = 0;
  for (let found = CALL.exec(code); found !== null && started.length < STARTS_MAX; found = CALL.exec(code)) {
    const opener = found[0].at(-1) ?? '';
    const close = CLOSE[opener];
    if (close !== undefined && /^(?:`|%x|qx)/i.test(found[0])) {
      const end = code.indexOf(close, CALL.lastIndex);
      if (end === -1) break;
      started.push({ text: code.slice(CALL.lastIndex, end) });
      CALL.lastIndex = end + 1;
      continue;
    }
    const { literals, end } = readLiterals(code, CALL.lastIndex);
    CALL.lastIndex = Math.max(end, CALL.lastIndex);
    const [only] = literals;
    if (literals.length === 1 && only !== undefined) started.push({ text: only });
    else if (literals.length > 1) started.push({ words: literals });
  }
  return started;
}
