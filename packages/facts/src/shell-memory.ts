/**
 * @module What builtins leave behind in the shell that is being read: values of `read` and `printf -v`, aliases, and texts that were
 * written to a file and may be run from there. Everything is bounded, and forgetting is safe: what is not known stays unknown.
 */
import { SHELL_LIMITS } from './shell-limits.ts';
import { outputOf } from './shell-output.ts';
import type { Call, Field, Shell } from './shell-state.ts';

const READ_VALUE = /^-[a-zA-Z]*[dnNptui]$/;
const DECLARES: ReadonlySet<string> = new Set(['export', 'declare', 'local', 'readonly', 'typeset']);

/** The one line that `read` would read; undefined where there are more, or none is known. */
function onlyLine(text: string | undefined): string | undefined {
  const line = text?.replace(/\n$/, '');
  return line === undefined || line.includes('\n') ? undefined : line;
}

/** `read a b`: the words of the line, the last name taking the rest. */
function readNames(shell: Shell, args: readonly string[], text: string | undefined): void {
  const names = args.filter((arg, i) => !arg.startsWith('-') && !READ_VALUE.test(args[i - 1] ?? ''));
  const line = onlyLine(text);
  const words = line?.trim().split(/\s+/) ?? [];
  for (const [i, name] of names.entries()) {
    const value = i === names.length - 1 ? words.slice(i).join(' ') : (words[i] ?? '');
    shell.variables.set(name, line === undefined ? undefined : value);
  }
}

function readArray(shell: Shell, args: readonly string[], text: string | undefined): void {
  const name = args.findLast((arg) => !arg.startsWith('-'));
  if (name !== undefined) shell.variables.set(name, text?.trim().replaceAll('\n', ' '));
}

/** What a builtin does to variables. `args` are the words behind its name, `text` its standard input where that is known. */
export function applyBuiltin(
  shell: Shell,
  name: string,
  input: { readonly args: readonly string[]; readonly text: string | undefined },
): void {
  const { args, text } = input;
  if (name === 'read') readNames(shell, args, text);
  else if (name === 'mapfile' || name === 'readarray') readArray(shell, args, text);
  else if (name === 'unset') for (const arg of args) shell.variables.set(arg, '');
  else if (name === 'printf' && args[0] === '-v' && args[1] !== undefined)
    shell.variables.set(args[1], outputOf('printf', args.slice(2), undefined));
}

/** `declare x=1`, `alias x=y`: the values that are known. */
export function declareAll(shell: Shell, name: string, fields: readonly Field[]): void {
  if (name !== 'alias' && !DECLARES.has(name)) return;
  for (const field of fields.slice(1)) {
    const at = field.text.indexOf('=');
    if (at <= 0) continue;
    const [left, right] = [field.text.slice(0, at), field.text.slice(at + 1)];
    if (name !== 'alias') shell.variables.set(left, field.dynamic ? undefined : right);
    else if (!field.dynamic && shell.aliases.size < SHELL_LIMITS.aliasesMax) shell.aliases.set(left, right);
  }
}

/** One spelling of a file's name: `./x` and `x` are the same file. */
function fileKey(name: string): string {
  return name.replace(/^(?:\.\/)+/, '');
}

/** Remembers a text under the name of the file, or of the process substitution, that holds it. */
export function keepFile(shell: Shell, name: string, input: { readonly text: string; readonly append: boolean }): void {
  const key = fileKey(name);
  const before = input.append ? (shell.files.get(key) ?? '') : '';
  if (key === '' || (!shell.files.has(key) && shell.files.size >= SHELL_LIMITS.filesMax)) return;
  if (before.length + input.text.length <= SHELL_LIMITS.fileCharsMax) shell.files.set(key, before + input.text);
  else shell.files.delete(key);
}

/** Remembers what a command writes with `>`, `>>` or `tee`. */
export function keepOutput(shell: Shell, call: Call, output: string | undefined): void {
  if (output === undefined) return;
  shell.steps += output.length;
  for (const { operator, target } of call.redirects)
    if (/^(?:>|>>|>\||&>|1>)$/.test(operator)) keepFile(shell, target, { text: output, append: operator === '>>' });
  if (call.fields[0]?.text === 'tee')
    for (const { text } of call.fields.slice(1))
      if (!text.startsWith('-')) keepFile(shell, text, { text: output, append: call.fields[1]?.text === '-a' });
}

/** The text of a file that was written before, or of a process substitution. */
export function fileText(shell: Shell, name: string | undefined): string | undefined {
  return name === undefined || shell.files.size === 0 ? undefined : shell.files.get(fileKey(name));
}
