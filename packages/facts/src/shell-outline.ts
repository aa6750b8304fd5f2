/**
 * @module The words of a shell text and where they stand, for whoever wants to change it: what a command means is `shell.ts`'s matter.
 */
import { readScript } from './shell-grammar.ts';
import { SHELL_LIMITS } from './shell-limits.ts';
import { createScan, type Script, type ShellNode, type Word } from './shell-syntax.ts';

/** A piece of a shell text; offsets are UTF-16 code units, half open. */
export interface OutlinePiece {
  readonly start: number;
  readonly end: number;
}

/** One simple command as it is written. */
export interface OutlineCommand extends OutlinePiece {
  readonly words: readonly OutlinePiece[];
  /** Operator and target together. */
  readonly redirects: readonly OutlinePiece[];
  /** Which list it belongs to: commands of one list follow each other (`;`, `&&`, `|`). Quoted scripts are lists of their own. */
  readonly list: number;
}

const QUOTED_DEPTH_MAX = 3;
/** An operator and the blanks behind it. */
const OPERATOR_REACH = 16;
/** What a quote must hold for its text to be read as a script: a blank, so that a plain quoted word is left whole. */
const SCRIPT_TEXT = /\S\s+\S/;

interface Outline {
  readonly commands: OutlineCommand[];
  lists: number;
}

function nodesOf(script: Script): readonly ShellNode[] {
  return script.flat();
}

function shifted(piece: OutlinePiece, by: number): OutlinePiece {
  return { start: piece.start + by, end: piece.end + by };
}

/** The text between the quotes of a word that is one quoted string. */
function quotedPart(word: Word): OutlinePiece | undefined {
  const quote = word.source[0];
  const inner = word.source.slice(1, -1);
  if ((quote !== '"' && quote !== "'") || !word.source.endsWith(quote) || inner.includes(quote) || !SCRIPT_TEXT.test(inner))
    return undefined;
  return { start: word.start + 1, end: word.end - 1 };
}

function addScript(outline: Outline, text: string, at: { readonly offset: number; readonly depth: number }): void {
  addNodes(outline, nodesOf(readScript(createScan(text))), { ...at, text });
}

function addNodes(
  outline: Outline,
  nodes: readonly ShellNode[],
  at: { readonly offset: number; readonly depth: number; readonly text: string },
): void {
  const list = outline.lists;
  outline.lists += 1;
  for (const node of nodes) {
    if (outline.commands.length >= SHELL_LIMITS.commandsMax) return;
    if (node.kind !== 'simple') {
      addNodes(outline, nodesOf(node.body), at);
      continue;
    }
    const words = node.words.map((word) => shifted(word, at.offset));
    const redirects = node.redirects.map(({ operator, target }) => {
      const before = at.text.slice(Math.max(0, target.start - OPERATOR_REACH), target.start);
      const found = before.lastIndexOf(operator);
      const start = found === -1 ? target.start : target.start - before.length + found;
      return shifted({ start, end: target.end }, at.offset);
    });
    outline.commands.push({ ...shifted(node, at.offset), words, redirects, list });
    if (at.depth >= QUOTED_DEPTH_MAX) continue;
    for (const word of node.words) {
      const inner = quotedPart(word);
      if (inner === undefined) continue;
      addScript(outline, at.text.slice(inner.start, inner.end), { offset: at.offset + inner.start, depth: at.depth + 1 });
    }
  }
}

/** Every simple command of a text up to `SHELL_LIMITS.textCharsMax`, those in quoted scripts too; none of a longer text. Total. */
export function shellOutline(text: string): readonly OutlineCommand[] {
  if (text.length > SHELL_LIMITS.textCharsMax) return [];
  const outline: Outline = { commands: [], lists: 0 };
  addScript(outline, text, { offset: 0, depth: 0 });
  return outline.commands;
}
