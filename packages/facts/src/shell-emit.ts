/** @module Notes a call that the shell reader understood as a command, with what its tool is asked to do. */
import { SHELL_LIMITS } from './shell-limits.ts';
import { commandName, type Call, type Field, type Frame, type Shell } from './shell-state.ts';
import { readToolCall } from './tool-call.ts';

/** Whether there is no room for more; says so in the reading. */
export function spent(shell: Shell): boolean {
  const over = shell.commands.length >= shell.commandsMax || shell.folded > SHELL_LIMITS.foldedCharsMax;
  shell.cut ||= over;
  return over;
}

const PATH_SIGN = /[/\\]/;

/** A name that is a pattern is any of several; a word may depend on what is not known. */
function isDynamic(name: string, fields: readonly Field[]): boolean {
  return /[*?]|\[.+\]/.test(name) || fields.some((field) => field.dynamic);
}

/** Notes one call as a command; its index, or -1 where there is no room. */
export function emit(shell: Shell, call: Call, frame: Frame): number {
  const { fields, span } = call;
  if (spent(shell)) return -1;
  const name = commandName(fields[0]);
  const word = fields[0]?.text ?? '';
  const args = fields.slice(1).map((field) => field.text);
  const read = readToolCall(name, args, call.here ?? call.input?.output);
  const line = [name === '' ? word : name, ...args].join(' ');
  shell.folded += line.length;
  shell.steps += line.length;
  shell.commands.push({
    span: frame.span ?? span,
    name,
    args,
    line,
    wrappers: frame.wrappers,
    redirects: call.redirects,
    pipedFrom: call.input?.index ?? -1,
    via: frame.via,
    dynamic: isDynamic(name, fields),
    program: PATH_SIGN.test(word) ? word : '',
    subshell: frame.subshell,
    ...(read === undefined ? {} : { call: read }),
  });
  return shell.commands.length - 1;
}
