/** @module What the folder knows while it walks: variables, functions, what was found so far, and how much it may still spend. */
import type { CommandFact, CommandVia, Redirect, Span } from '@countersign/protocol';
import { SHELL_LIMITS } from './shell-limits.ts';
import type { Part, Script } from './shell-syntax.ts';

/** One word after expansion. */
export interface Field {
  readonly text: string;
  /** Depends on something unknown. */
  readonly dynamic: boolean;
  /** Offset in `text` after the last unknown piece; 0 when there is none. */
  readonly unknownEnd: number;
}

/** How the commands being walked are reached. */
export interface Frame {
  readonly via: CommandVia;
  readonly wrappers: readonly string[];
  /** Span of everything in this frame, when offsets of its text do not map to the leaf. */
  readonly span: Span | undefined;
  /** Positional parameters, when known. */
  readonly positional: readonly string[] | undefined;
  readonly depth: number;
  /** Not the shell that was started: its variables and history end with it. */
  readonly subshell: boolean;
}

/** A command found, still open for the index of its pipe. */
export type Found = { -readonly [Key in keyof CommandFact]: CommandFact[Key] };

/** One reading of one text. */
export interface Shell {
  readonly spanOf: (start: number, end: number) => Span;
  /** A known value, or undefined for a variable whose value is not known. */
  readonly variables: Map<string, string | undefined>;
  readonly functions: Map<string, Script>;
  readonly aliases: Map<string, string>;
  /** Texts that were written to files here, and outputs of process substitutions. */
  readonly files: Map<string, string>;
  readonly called: Set<string>;
  readonly calling: Set<string>;
  readonly commands: Found[];
  commandsMax: number;
  folded: number;
  evalChars: number;
  steps: number;
  cut: boolean;
  doubt: boolean;
  /** Where commands of the text itself start. */
  readonly starts: Set<number>;
}

/** What a finished pipeline stage hands on: static output where known, and the index of its last command. */
export interface Stage {
  readonly output: string | undefined;
  readonly index: number;
}

/** A call about to be understood. */
export interface Call {
  readonly fields: readonly Field[];
  readonly redirects: readonly Redirect[];
  readonly input: Stage | undefined;
  /** Text fed by here-document or here-string, when static. */
  readonly here: string | undefined;
  readonly heredoc: boolean;
  readonly span: Span;
}

/** Services the parts of the folder lend each other; breaks their cycle. */
export interface Folder {
  /** Walks a parsed body. */
  readonly walk: (shell: Shell, body: Script, frame: Frame) => Stage;
  readonly expand: (shell: Shell, parts: readonly Part[], frame: Frame) => Field;
}

export function createShell(spanOf: Shell['spanOf']): Shell {
  return {
    spanOf,
    variables: new Map(),
    functions: new Map(),
    aliases: new Map(),
    files: new Map(),
    called: new Set(),
    calling: new Set(),
    commands: [],
    commandsMax: SHELL_LIMITS.commandsMax,
    folded: 0,
    evalChars: 0,
    steps: 0,
    cut: false,
    doubt: false,
    starts: new Set(),
  };
}

/** A field whose text is known. */
export function known(text: string): Field {
  return { text, dynamic: false, unknownEnd: 0 };
}

/** The shell that reads the text, by the names it has for itself. */
const OWN_SHELL = /^\$\{?(?:SHELL|BASH|0)(?:##\*\/)?\}?$/;

/** Lower-case basename, or `` where that part is not known or is a glob. */
export function commandName(field: Field | undefined): string {
  if (field === undefined) return '';
  if (field.unknownEnd > 0 && OWN_SHELL.test(field.text)) return 'sh';
  const text = field.text.length > 1 ? field.text.replace(/\/+$|^=(?=[a-z])/g, '') : field.text;
  const base = Math.max(text.lastIndexOf('/'), text.includes('\\') ? text.lastIndexOf('\\') : -1) + 1;
  return field.unknownEnd > base
    ? ''
    : text
        .slice(base)
        .toLowerCase()
        .replace(/(?<=.)\.exe$/, '');
}

/** Takes in commands of another reading of the same text; those that were found already are not found twice. */
export function addCommands(shell: Shell, commands: readonly Found[]): void {
  const found = new Map(shell.commands.map((command, i) => [command.line, i]));
  const moved: number[] = [];
  for (const command of commands) {
    const same = found.get(command.line);
    const from = command.pipedFrom === -1 ? -1 : (moved[command.pipedFrom] ?? -1);
    if (same !== undefined && from === -1) {
      moved.push(same);
      continue;
    }
    moved.push(shell.commands.length);
    found.set(command.line, shell.commands.length);
    shell.commands.push({ ...command, pipedFrom: from });
  }
}
