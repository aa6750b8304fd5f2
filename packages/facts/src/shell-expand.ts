/**
 * @module Static expansion: what a word becomes when every value in it is known (POSIX.1-2024 section 2.6, Bash 5.2 brace and
 * substring expansion). A piece that is not known keeps its source text, and the field says so.
 */
import { SHELL_LIMITS } from './shell-limits.ts';
import { keepFile } from './shell-memory.ts';
import { known, type Field, type Folder, type Frame, type Shell } from './shell-state.ts';
import type { Part } from './shell-syntax.ts';

type VariablePart = Extract<Part, { kind: 'variable' }>;

/** A value, or undefined when it is not known. */
type Value = string | undefined;

/** Variables whose first character is `/` everywhere: `${PATH:0:1}` is how a slash is smuggled. */
const SLASHED: ReadonlySet<string> = new Set(['PATH', 'HOME', 'PWD', 'SHELL', 'BASH', 'OLDPWD']);
/** Well-known places, kept as written and not counted as unknown. */
const PLACES: ReadonlySet<string> = new Set(['HOME']);
const SPECIAL = /^(?:[0-9]+|[@*])$/;

interface Fields {
  readonly done: Field[];
  text: string;
  unknownEnd: number;
  /** Something, even an empty quoted string, belongs to the open field. */
  open: boolean;
  dynamic: boolean;
}

function positional(frame: Frame, name: string): Value {
  if (frame.positional === undefined) return undefined;
  if (name === '@' || name === '*') return frame.positional.slice(1).join(' ');
  return frame.positional[Number(name)] ?? '';
}

function lookup(shell: Shell, frame: Frame, name: string): Value {
  if (SPECIAL.test(name)) return positional(frame, name);
  if (shell.variables.has(name)) return shell.variables.get(name);
  return name === 'IFS' ? ' \t\n' : undefined;
}

function isSet(shell: Shell, frame: Frame, name: string): boolean {
  return shell.variables.has(name) || name === 'IFS' || (SPECIAL.test(name) && frame.positional !== undefined);
}

function substring(value: string, range: string): Value {
  const found = /^ ?(-?\d{1,6})(?::(-?\d{1,6}))?$/.exec(range);
  if (found === null) return undefined;
  const offset = Number(found[1]);
  const start = offset < 0 ? Math.max(value.length + offset, 0) : offset;
  if (found[2] === undefined) return value.slice(start);
  const length = Number(found[2]);
  return value.slice(start, length < 0 ? value.length + length : start + length);
}

function replace(value: string, operator: string, operand: string): Value {
  const slash = operand.indexOf('/');
  const from = slash === -1 ? operand : operand.slice(0, slash);
  const to = slash === -1 ? '' : operand.slice(slash + 1);
  if (from === '' || /[*?[]/.test(from)) return undefined;
  if (operator === '//') return value.replaceAll(from, () => to);
  return operator === '/' ? value.replace(from, () => to) : undefined;
}

function trim(value: string, operator: string, operand: string): Value {
  if (/[*?[]/.test(operand)) return undefined;
  if (operator.startsWith('#')) return value.startsWith(operand) ? value.slice(operand.length) : value;
  return value.endsWith(operand) && operand !== '' ? value.slice(0, -operand.length) : value;
}

function applyCase(value: string, operator: string): string {
  const first = value.slice(0, 1);
  if (operator === '^^') return value.toUpperCase();
  if (operator === ',,') return value.toLowerCase();
  return (operator === '^' ? first.toUpperCase() : first.toLowerCase()) + value.slice(1);
}

function transform(value: string, operator: string, operand: string): Value {
  switch (operator[0]) {
    case undefined:
      return value;
    case ':':
      return substring(value, operand);
    case '/':
      return replace(value, operator, operand);
    case '#':
    case '%':
      return trim(value, operator, operand);
    case '^':
    case ',':
      return applyCase(value, operator);
    case '?':
      return value;
    default:
      return undefined;
  }
}

/** Value of `${x:-word}` and its kin, where the answer does not depend on the unknown. */
function alternative(shell: Shell, frame: Frame, part: VariablePart & { readonly folded: Field }): Value {
  const { name, operator, folded } = part;
  const kind = operator.at(-1) ?? '';
  const value = lookup(shell, frame, name);
  const unset = !isSet(shell, frame, name) || (operator.startsWith(':') && value === '');
  const word = folded.dynamic ? undefined : folded.text;
  if (kind === '+') return unset ? '' : word;
  if (!unset || kind === '?') return value;
  if (PLACES.has(name)) return undefined;
  if (kind === '=') shell.variables.set(name, word);
  return word;
}

/** Value of `${x<operator>operand}` for operators that change a known value. */
function changed(shell: Shell, part: VariablePart & { readonly folded: Field }, value: Value): Value {
  const { name, operator, folded } = part;
  if (folded.dynamic) return undefined;
  if (value !== undefined) return transform(value, operator, folded.text);
  return operator === ':' && folded.text === '0:1' && SLASHED.has(name) && !shell.variables.has(name) ? '/' : undefined;
}

function fold(folder: Folder, shell: Shell, input: { readonly part: VariablePart; readonly frame: Frame }): Value {
  const { part, frame } = input;
  const value = lookup(shell, frame, part.name);
  if (part.operator === '') return value;
  if (part.operator === 'length') return value?.length.toString();
  if (part.operator === 'indirect') return value === undefined ? undefined : lookup(shell, frame, value);
  const folded = folder.expand(shell, part.operand, frame);
  return /^:?[-=?+]$/.test(part.operator) ? alternative(shell, frame, { ...part, folded }) : changed(shell, { ...part, folded }, value);
}

function put(fields: Fields, text: string, unknown: boolean): void {
  fields.open = true;
  const room = SHELL_LIMITS.wordCharsMax - fields.text.length;
  fields.text += text.slice(0, Math.max(room, 0));
  if (text.length > room) fields.dynamic = true;
  if (!unknown) return;
  fields.dynamic = true;
  fields.unknownEnd = fields.text.length;
}

function close(fields: Fields): void {
  if (fields.open) fields.done.push({ text: fields.text, dynamic: fields.dynamic, unknownEnd: fields.unknownEnd });
  fields.text = '';
  fields.open = false;
  fields.dynamic = false;
  fields.unknownEnd = 0;
}

/** Appends an unquoted value, which the shell splits at the characters of IFS. */
function putSplit(shell: Shell, fields: Fields, value: string): void {
  const separators = shell.variables.get('IFS') ?? ' \t\n';
  let run = 0;
  for (let i = 0; i <= value.length; i += 1) {
    if (i < value.length && !separators.includes(value[i] ?? '')) continue;
    if (i > run) put(fields, value.slice(run, i), false);
    if (i < value.length) close(fields);
    run = i + 1;
  }
}

function putVariable(folder: Folder, shell: Shell, input: { part: VariablePart; frame: Frame; fields: Fields; alone: boolean }): void {
  const { part, frame, fields, alone } = input;
  const value = fold(folder, shell, { part, frame });
  if (value !== undefined) {
    // `"${a[@]}"` is one word for each item, quoted or not; items are kept joined by blanks.
    if (part.quoted && !part.source.endsWith('[@]}')) put(fields, value, false);
    else putSplit(shell, fields, value);
    return;
  }
  // Positional parameters of a top-level text are empty: `r$@m` is `rm`.
  if (SPECIAL.test(part.name) && frame.positional === undefined && frame.via === 'top' && !alone && part.operator === '') return;
  put(fields, part.source, !(PLACES.has(part.name) && part.operator === ''));
}

/** The word stands for a file: what it holds is remembered under it. */
function putProcess(folder: Folder, shell: Shell, input: { part: Extract<Part, { kind: 'process' }>; frame: Frame; fields: Fields }): void {
  const { part, frame, fields } = input;
  const { output } = folder.walk(shell, part.body, { ...frame, via: 'process-substitution', subshell: true });
  if (output !== undefined) keepFile(shell, part.source, { text: output, append: false });
  put(fields, part.source, true);
}

function putPart(folder: Folder, shell: Shell, input: { part: Part; frame: Frame; fields: Fields; alone: boolean }): void {
  const { part, frame, fields } = input;
  switch (part.kind) {
    case 'text':
      if (part.text !== '' || part.quoted) put(fields, part.text, false);
      return;
    case 'variable':
      putVariable(folder, shell, { ...input, part });
      return;
    case 'process':
      putProcess(folder, shell, { part, frame, fields });
      return;
    case 'arithmetic':
      folder.expand(shell, part.inner, frame);
      put(fields, part.source, true);
      return;
    case 'substitution': {
      const { output } = folder.walk(shell, part.body, { ...frame, via: 'substitution', depth: frame.depth + 1, subshell: true });
      if (output === undefined) put(fields, part.source, true);
      else if (part.quoted) put(fields, output.replace(/\n{1,64}$/, ''), false);
      else putSplit(shell, fields, output);
    }
  }
}

function expandInto(folder: Folder, shell: Shell, input: { parts: readonly Part[]; frame: Frame }): Fields {
  const fields: Fields = { done: [], text: '', unknownEnd: 0, open: false, dynamic: false };
  for (const part of input.parts) {
    putPart(folder, shell, { part, frame: input.frame, fields, alone: input.parts.length === 1 });
    shell.steps += 1;
  }
  return fields;
}

/** The fields a word becomes: none, one or many. */
export function expandWord(folder: Folder, shell: Shell, input: { parts: readonly Part[]; frame: Frame }): readonly Field[] {
  const first = input.parts[0];
  if (input.parts.length === 1 && first?.kind === 'text') return [known(first.text.slice(0, SHELL_LIMITS.wordCharsMax))];
  const fields = expandInto(folder, shell, input);
  close(fields);
  return fields.done;
}

/** The value of parts where no splitting happens: assignments, here-documents, quoted operands. */
export function expandValue(folder: Folder, shell: Shell, input: { parts: readonly Part[]; frame: Frame }): Field {
  const parts = input.parts.map((part): Part =>
    part.kind === 'variable' || part.kind === 'substitution' ? { ...part, quoted: true } : part,
  );
  const fields = expandInto(folder, shell, { parts, frame: input.frame });
  return { text: fields.text, dynamic: fields.dynamic, unknownEnd: fields.unknownEnd };
}
