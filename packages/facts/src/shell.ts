/**
 * @module Shell text to commands. Total, synchronous, linear: one own pass reads every text; see `shell-fold.ts` for what is folded.
 */
import type { CommandFact, Span } from '@countersign/protocol';
import { foldText, foldWindows } from './shell-fold.ts';
import { SHELL_LIMITS } from './shell-limits.ts';
import { createShell, type Shell } from './shell-state.ts';
import { windowsDialects } from './windows-shell.ts';
import type { ShellParser } from './parsers.ts';

export { looksLikeShell } from './shell-guess.ts';

/** Where a text came from. */
export interface TextSource {
  readonly span: Span;
  /** Decoders applied; empty when the text is the leaf itself, and then offsets map one to one. */
  readonly layers: readonly string[];
}

/** Commands of one text. */
export interface ShellReading {
  readonly commands: readonly CommandFact[];
  /** A bound was met: commands may be missing. */
  readonly cut: boolean;
  readonly steps: number;
}

export interface ShellReader {
  /** Every command of a text. Never throws; never more than a constant number of steps for each character. */
  readShell(text: string, source: TextSource): ShellReading;
}

function spans(text: string, source: TextSource, offset: number): Shell['spanOf'] {
  const { span } = source;
  const maps = source.layers.length === 0 && span.end - span.start === text.length;
  if (!maps) return () => span;
  return (start, end) => ({ path: span.path, start: span.start + offset + start, end: span.start + offset + end });
}

/** Start of the line or list item at or after `from`, so that a tail does not begin in the middle of a word. */
function cleanStart(text: string, from: number): number {
  for (let i = from; i < Math.min(text.length, from + 512); i += 1) if (';\n&|'.includes(text[i] ?? '')) return i + 1;
  return from;
}

function readPart(
  text: string,
  input: { readonly source: TextSource; readonly whole: string; readonly offset: number; readonly commandsMax: number },
): Shell {
  const shell = createShell(spans(input.whole, input.source, input.offset));
  shell.commandsMax = input.commandsMax;
  foldText(shell, text);
  if (windowsDialects(text).length > 0) foldWindows(shell, text, createShell(shell.spanOf));
  return shell;
}

function merge(head: Shell, tail: Shell): ShellReading {
  const base = head.commands.length;
  const moved = tail.commands.map((command) => ({ ...command, pipedFrom: command.pipedFrom === -1 ? -1 : command.pipedFrom + base }));
  return { commands: [...head.commands, ...moved], cut: true, steps: head.steps + tail.steps };
}

const OPERATORS = /[|&;<>(){}'"`$\\#\n]/g;

/** Whether the grammar, quadratic on hostile text, may see this one: short, or sparse in operators. Counted, never timed. */
export function fitsShellGrammar(text: string): boolean {
  if (text.length <= SHELL_LIMITS.grammarDenseCharsMax) return true;
  if (text.length > SHELL_LIMITS.grammarCharsMax) return false;
  return (text.match(OPERATORS)?.length ?? 0) <= SHELL_LIMITS.grammarOperatorsMax;
}

/** Commands the grammar sees where the own reading, doubting, saw none: read on their own and added, never replacing. */
function addSecondOpinion(parser: ShellParser, text: string, input: { readonly head: Shell; readonly source: TextSource }): ShellReading {
  const { head, source } = input;
  const tree = parser.parse(text);
  let steps = head.steps + text.length + tree.nodes;
  const commands: CommandFact[] = [...head.commands];
  for (const { start, end } of tree.commands) {
    if (head.starts.has(start) || commands.length >= SHELL_LIMITS.commandsMax) continue;
    const part = readPart(text.slice(start, end), { source, whole: text, offset: start, commandsMax: SHELL_LIMITS.tailCommandsMax });
    steps += part.steps;
    const base = commands.length;
    for (const command of part.commands) commands.push({ ...command, pipedFrom: command.pipedFrom === -1 ? -1 : command.pipedFrom + base });
  }
  return { commands, cut: head.cut, steps };
}

/** A reader with the Bash grammar of `createParsers` as its second opinion. */
export function createShellReader(parser: ShellParser): ShellReader {
  return {
    readShell(text, source) {
      const long = text.length > SHELL_LIMITS.textCharsMax;
      const { commandsMax, tailCommandsMax } = SHELL_LIMITS;
      const head = readPart(long ? text.slice(0, SHELL_LIMITS.headCharsMax) : text, { source, whole: text, offset: 0, commandsMax });
      if (head.doubt && !head.cut && fitsShellGrammar(text)) return addSecondOpinion(parser, text, { head, source });
      if (!long && (!head.cut || text.length <= SHELL_LIMITS.tailScanChars))
        return { commands: head.commands, cut: head.cut, steps: head.steps };
      const offset = cleanStart(text, text.length - (long ? SHELL_LIMITS.tailCharsMax : SHELL_LIMITS.tailScanChars));
      let tail = readPart(text.slice(offset), { source, whole: text, offset, commandsMax: tailCommandsMax });
      if (tail.cut) {
        // A command takes two characters at least: this end holds no more than the tail may give.
        const last = text.length - tailCommandsMax * 2;
        tail = readPart(text.slice(last), { source, whole: text, offset: last, commandsMax: tailCommandsMax });
      }
      return merge(head, tail);
    },
  };
}
