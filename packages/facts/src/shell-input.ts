/** @module What commands take from standard input: commands of their own, or further words (`xargs`). */
import { known, type Call, type Field } from './shell-state.ts';
import { isShell } from './shell-wrappers.ts';

/** Read their commands from standard input though they are not shells. */
const SCHEDULERS: ReadonlySet<string> = new Set(['at', 'batch']);

/** Whether a command takes its commands from standard input. */
export function readsInput(name: string, args: readonly Field[]): boolean {
  if (/^\/dev\/(?:stdin|fd\/0)$/.test(args[0]?.text ?? '')) return true;
  if (!isShell(name)) return SCHEDULERS.has(name);
  return args.every((arg) => /^[-+]/.test(arg.text)) || args.some((arg) => /^-[a-z]*s$/.test(arg.text));
}

/** The words of an inner command with those that come on its standard input; without them it is not known whole. */
export function withInput(call: Call, fields: readonly Field[]): readonly Field[] {
  const output = call.here ?? call.input?.output;
  if (output !== undefined) {
    const words = output.split(/\s+/).filter((word) => word !== '');
    const at = fields.findIndex((field) => field.text === '{}');
    if (at !== -1 && words.length > 0) return fields.toSpliced(at, 1, ...words.slice(0, 64).map(known));
    return [...fields, ...words.slice(0, 64).map(known)];
  }
  const [first, ...rest] = fields;
  return first === undefined ? [] : [{ ...first, dynamic: true }, ...rest];
}
