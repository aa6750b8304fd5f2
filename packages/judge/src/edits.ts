/**
 * @module Edits: small changes to the texts of an action that a person might make to have it allowed. They are only proposed here;
 * whether one helps, `nearest-change.ts` asks the judge.
 */
import { type OutlineCommand, type OutlinePiece, shellOutline } from '@countersign/facts';
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Action, Facts, Judgement, PathFact, Span, StatementFact } from '@countersign/protocol';
import { EXPLAIN_LIMITS } from './limits.ts';

/** What an edit does, in the order of how little it takes from what was meant. */
export const EDIT_KINDS = [
  'add-word',
  'add-where',
  'add-limit',
  'drop-wrapper',
  'replace-path',
  'replace-secret',
  'drop-redirect',
  'drop-option',
  'drop-statement',
  'drop-command',
  'drop-word',
  'cut-text',
] as const;
export type EditKind = (typeof EDIT_KINDS)[number];

/** One change: `[start, end)` of the string leaf at `path` becomes `text`. */
export interface Edit extends Span {
  readonly kind: EditKind;
  readonly text: string;
  /** What stood there. */
  readonly was: string;
}

/** What is worth trying besides leaving things out. */
export interface EditHints {
  /** Words that the rules name as exceptions, such as `--dry-run`. */
  readonly words: readonly string[];
}

/** An action as it was understood and judged. */
export interface Judged {
  readonly action: Action;
  readonly facts: Facts;
  readonly judgement: Judgement;
}

const SECRET_PLACE = 'REDACTED';
const WHERE = ' WHERE id = 1';
const LIMIT = ' LIMIT 100';
/** A plain word right behind the name of a command says what it is to do: without it, it is another command. */
const VERB = /^[a-z][a-z-]*$/i;
const PIPE = /(?:^|[^|])\|&?(?:[^|]|$)/;
const SENTENCE_END = /[.!?\n]/;

/** The string at a JSON pointer of the action; undefined where there is none. */
export function textAt(action: Action, path: string): string | undefined {
  let here: JsonValue | undefined = action as unknown as JsonValue;
  for (const key of path.split('/').slice(1)) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = here[Number(name)] as JsonValue | undefined;
    else here = isJsonObject(here) ? getOwn(here, name) : undefined;
  }
  return typeof here === 'string' ? here : undefined;
}

function replaced(value: JsonValue | undefined, keys: readonly string[], text: string): JsonValue | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) return text;
  const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
  if (Array.isArray(value)) return value.map((item: JsonValue, i) => (String(i) === name ? (replaced(item, rest, text) ?? null) : item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([own, item]) => [own, own === name ? (replaced(item, rest, text) ?? null) : item]));
}

/** The action with one leaf changed. */
export function applyEdit(action: Action, edit: Edit): Action {
  const before = textAt(action, edit.path);
  if (before === undefined) return action;
  const after = before.slice(0, edit.start) + edit.text + before.slice(edit.end);
  // Only a string leaf became another string: an action stays an action.
  return replaced(action as unknown as JsonValue, edit.path.split('/').slice(1), after) as unknown as Action;
}

/** Places that the reasons name: those of the leaf itself, not of the joined view or a property name. */
function evidenceOf({ judgement, action }: Judged): readonly Span[] {
  const named = [...judgement.verdict.reasons, ...judgement.findings, ...judgement.guards].flatMap(({ evidence }) => evidence);
  return named.filter(({ path, start, end }) => end > start && (textAt(action, path)?.length ?? -1) >= end);
}

function touches(piece: OutlinePiece, spans: readonly Span[]): boolean {
  return spans.some((span) => span.start < piece.end && piece.start < span.end);
}

/** Collects edits of one leaf. */
class LeafEdits {
  readonly edits: Edit[] = [];
  readonly path: string;
  readonly text: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  add(kind: EditKind, piece: OutlinePiece, text: string): void {
    const { start, end } = piece;
    const was = this.text.slice(start, end);
    const after = this.text.slice(0, start) + text + this.text.slice(end);
    if (was === text || after.trim() === '' || this.edits.length >= EXPLAIN_LIMITS.editsPerLeafMax) return;
    this.edits.push({ kind, path: this.path, start, end, text, was });
  }

  /** Leaves a word out together with the blanks before it. */
  drop(kind: EditKind, piece: OutlinePiece): void {
    let { start } = piece;
    while (start > 0 && ' \t'.includes(this.text[start - 1] ?? '')) start -= 1;
    this.add(kind, { start, end: piece.end }, '');
  }
}

/** A place in the working folder for a path that leads elsewhere. */
function nearPath({ normalized }: PathFact): string {
  const name = normalized.split('/').findLast((part) => part !== '' && part !== '~' && !/[*?[\]{}$]/.test(part));
  return `./${name ?? 'build'}`;
}

function dropCommand(leaf: LeafEdits, command: OutlineCommand, list: readonly OutlineCommand[]): void {
  const at = list.indexOf(command);
  const before = list[at - 1];
  const after = list[at + 1];
  if (before !== undefined) leaf.add('drop-command', { start: before.end, end: command.end }, '');
  // Without the head of a pipeline the rest would read something else.
  else if (after !== undefined && !PIPE.test(leaf.text.slice(command.end, after.start)))
    leaf.add('drop-command', { start: command.start, end: after.start }, '');
}

function editWord(
  leaf: LeafEdits,
  word: OutlinePiece,
  at: { readonly index: number; readonly next: OutlinePiece | undefined; readonly wrappers: ReadonlySet<string> },
): void {
  const { index, next, wrappers } = at;
  const text = leaf.text.slice(word.start, word.end);
  const wraps = next !== undefined && wrappers.has(text) && leaf.text[next.start] !== '-';
  if (wraps) leaf.add('drop-wrapper', { start: word.start, end: next.start }, '');
  else if (index > 0 && text.startsWith('-')) leaf.drop('drop-option', word);
  else if (index > 1 || (index === 1 && !VERB.test(text))) leaf.drop('drop-word', word);
}

function movePath(leaf: LeafEdits, word: OutlinePiece, paths: readonly PathFact[]): void {
  const text = leaf.text.slice(word.start, word.end);
  const path = paths.find(({ raw }) => raw !== '' && text.includes(raw));
  if (path === undefined) return;
  const start = word.start + text.indexOf(path.raw);
  leaf.add('replace-path', { start, end: start + path.raw.length }, nearPath(path));
}

function editCommand(leaf: LeafEdits, command: OutlineCommand, given: { readonly judged: Judged; readonly hints: EditHints }): void {
  const { facts } = given.judged;
  const inside = facts.commands.filter(({ span }) => span.path === leaf.path && touches(command, [span]));
  const wrappers = new Set(inside.flatMap((fact) => fact.wrappers));
  const paths = facts.paths.filter((path) => path.span.path === leaf.path && touches(command, [path.span]));
  for (const [index, word] of command.words.entries()) {
    editWord(leaf, word, { index, next: command.words[index + 1], wrappers });
    if (index > 0) movePath(leaf, word, paths);
  }
  for (const redirect of command.redirects) leaf.drop('drop-redirect', redirect);
  const last = command.words.at(-1);
  if (last === undefined || command.words.length === 1) return;
  for (const word of given.hints.words) leaf.add('add-word', { start: last.end, end: last.end }, ` ${word}`);
}

function editShell(leaf: LeafEdits, given: { readonly judged: Judged; readonly hints: EditHints }, spans: readonly Span[]): void {
  const outline = shellOutline(leaf.text);
  const meant = outline.filter((command) => spans.length === 0 || touches(command, spans));
  for (const command of meant.slice(0, EXPLAIN_LIMITS.commandsMax)) {
    const list = outline.filter((other) => other.list === command.list);
    dropCommand(leaf, command, list);
    editCommand(leaf, command, given);
  }
}

function endOfStatement(text: string, { span }: StatementFact): number {
  let { end } = span;
  while (end > span.start && /[\s;]/.test(text[end - 1] ?? '')) end -= 1;
  return end;
}

function editStatements(leaf: LeafEdits, { facts }: Judged): void {
  const statements = facts.statements.filter(({ span, fragment }) => span.path === leaf.path && !fragment);
  for (const statement of statements) {
    const at = endOfStatement(leaf.text, statement);
    const end = { start: at, end: at };
    if ((statement.kind === 'update' || statement.kind === 'delete') && !statement.hasWhere) leaf.add('add-where', end, WHERE);
    if (statement.kind === 'select' && !statement.hasLimit) leaf.add('add-limit', end, LIMIT);
    if (statements.length > 1) leaf.add('drop-statement', statement.span, '');
  }
}

function sentenceAround(text: string, { start, end }: Span): OutlinePiece {
  let from = start;
  while (from > 0 && start - from < EXPLAIN_LIMITS.sentenceReachChars && !SENTENCE_END.test(text[from - 1] ?? '')) from -= 1;
  let to = end;
  while (to < text.length && to - end < EXPLAIN_LIMITS.sentenceReachChars && !SENTENCE_END.test(text[to - 1] ?? '')) to += 1;
  return { start: from, end: to };
}

function editText(leaf: LeafEdits, spans: readonly Span[], { facts }: Judged): void {
  for (const { span } of facts.secrets) if (span.path === leaf.path) leaf.add('replace-secret', span, SECRET_PLACE);
  for (const { span } of facts.pii) if (span.path === leaf.path) leaf.add('replace-secret', span, SECRET_PLACE);
  for (const path of facts.paths)
    if (path.span.path === leaf.path && path.command === -1) leaf.add('replace-path', path.span, nearPath(path));
  for (const span of spans.slice(0, EXPLAIN_LIMITS.spansMax)) {
    leaf.add('cut-text', span, '');
    leaf.add('cut-text', sentenceAround(leaf.text, span), '');
  }
}

/** Edits worth trying, least first; those of equal kind by how much they take. At most `EXPLAIN_LIMITS.editsMax`. Pure and total. */
export function editsOf(judged: Judged, hints: EditHints): readonly Edit[] {
  const evidence = evidenceOf(judged);
  const leaves = new Set([
    ...evidence.map(({ path }) => path),
    ...judged.facts.texts
      .filter(({ role, layers }) => layers.length === 0 && role !== 'key' && role !== 'joined')
      .map(({ span }) => span.path),
  ]);
  const edits: Edit[] = [];
  for (const path of [...leaves].slice(0, EXPLAIN_LIMITS.leavesMax)) {
    const text = textAt(judged.action, path);
    if (text === undefined || text.length > EXPLAIN_LIMITS.leafCharsMax) continue;
    const leaf = new LeafEdits(path, text);
    const spans = evidence.filter((span) => span.path === path);
    const isShell = judged.facts.commands.some(({ span }) => span.path === path);
    if (isShell) editShell(leaf, { judged, hints }, spans);
    editStatements(leaf, judged);
    editText(leaf, isShell ? [] : spans, judged);
    edits.push(...leaf.edits);
  }
  const order = new Map(EDIT_KINDS.map((kind, i) => [kind, i] as const));
  const cost = (edit: Edit): number => (order.get(edit.kind) ?? 0) * EXPLAIN_LIMITS.leafCharsMax + (edit.end - edit.start);
  return edits.toSorted((a, b) => cost(a) - cost(b)).slice(0, EXPLAIN_LIMITS.editsMax);
}
