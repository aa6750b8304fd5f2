/**
 * @module Inline code of other languages (`python -c`, `perl -e`, `node -e` ...): the literal shell commands it starts. Not a parser of
 * those languages: one pass over the code that looks for calls known to run commands and reads their string literals.
 */
import { codeCommands } from './shell-code-calls.ts';
import { foldCode } from './shell-code-folding.ts';
import { readLiterals } from './shell-literals.ts';
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

const CLOSE: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']', '/': '/', '`': '`' };

/** Commands the code starts with literal words, in order; then those that do what it does to files and hosts. */
export function startedCommands(code: string): readonly Started[] {
  const folded = foldCode(code);
  return folded === code ? startedIn(code) : [...startedIn(code), ...startedIn(folded)];
}

function startedIn(code: string): readonly Started[] {
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
  for (const words of codeCommands(code)) started.push({ words });
  return started;
}
