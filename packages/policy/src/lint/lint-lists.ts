/** @module Lists in order, each entry once (STY010 to STY040), and entries that contradict each other. */
import { member } from '../document-path.ts';
import type { JsonValue } from '@countersign/kernel';
import type { Position } from '../faults.ts';
import type { LintEdit, LintFix, LintReport } from './lint-report.ts';

const LISTS: readonly (readonly [code: string, path: string])[] = [
  ['STY010', 'guards.egress_allowlist.allow'],
  ['STY011', 'guards.egress_allowlist.block'],
  ['STY020', 'guards.forbidden_path.patterns'],
  ['STY021', 'guards.forbidden_path.exceptions'],
  ['STY030', 'guards.secret_leak.skip_paths'],
  ['STY040', 'guards.patch_integrity.forbidden_patterns'],
];

/** A list of texts as the document writes it. */
export function writtenList(report: LintReport, path: string): readonly string[] {
  let value: JsonValue | undefined = report.input.document.content as unknown as JsonValue;
  for (const key of path.split('.')) value = member(value, key);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function itemPositions(report: LintReport, path: string, count: number): readonly Position[] | undefined {
  const found = Array.from({ length: count }, (_, i) => report.input.document.positions.get(`${path}[${String(i)}]`));
  return found.every((position) => position !== undefined) ? found : undefined;
}

/** The whole line of an entry that has one for itself; undefined in flow style and where something else stands there. */
export function lineOf(report: LintReport, position: Position): LintEdit | undefined {
  const { text } = report.input;
  const start = text.lastIndexOf('\n', position.start - 1) + 1;
  const newline = text.indexOf('\n', position.end);
  const end = newline === -1 ? text.length : newline + 1;
  const alone = /^\s*-\s+$/.test(text.slice(start, position.start)) && text.slice(position.end, end).trim() === '';
  return alone ? { start, end, text: '' } : undefined;
}

/** Takes entries away; undefined where one of them does not stand on a line of its own. */
export function removalOf(report: LintReport, path: string, indexes: readonly number[]): LintFix | undefined {
  const edits = indexes.map((i) => {
    const position = report.input.document.positions.get(`${path}[${String(i)}]`);
    return position === undefined ? undefined : lineOf(report, position);
  });
  if (!edits.every((edit) => edit !== undefined)) return undefined;
  return { description: 'take the entry away', edits };
}

/** Puts each entry where it belongs; not where a comment would then stand beside another entry, nor at aliases. */
function sortingOf(report: LintReport, path: string, items: readonly string[]): LintFix | undefined {
  const positions = itemPositions(report, path, items.length);
  const [first, last] = [positions?.at(0), positions?.at(-1)];
  if (positions === undefined || first === undefined || last === undefined) return undefined;
  const texts = positions.map((position) => report.textAt(position));
  if (report.input.text.slice(first.start, last.end).includes('#') || texts.some((text) => /^[*&|>]|\n/.test(text))) return undefined;
  const sorted = [...items.keys()].toSorted((a, b) => compare(items[a], items[b])).map((i) => texts[i] ?? '');
  const edits = positions.map(({ start, end }, i) => ({ start, end, text: sorted[i] ?? '' }));
  return { description: 'put the entries in order', edits: edits.filter(({ text }, i) => text !== texts[i]) };
}

function compare(a: string = '', b: string = ''): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lintList(report: LintReport, code: string, path: string): void {
  const items = writtenList(report, path);
  const doubles = [...items.keys()].filter((i) => items.indexOf(items[i] ?? '') < i);
  for (const i of doubles) {
    const at = `${path}[${String(i)}]`;
    report.say(code, 'the entry stands here a second time', { path: at, fix: removalOf(report, path, [i]) });
  }
  const late = [...items.keys()].find((i) => i > 0 && compare(items[i - 1], items[i]) > 0);
  if (late === undefined) return;
  report.say(code, 'the entries are not in order from here', { path: `${path}[${String(late)}]`, fix: sortingOf(report, path, items) });
}

export function lintLists(report: LintReport): void {
  for (const [code, path] of LISTS) lintList(report, code, path);
}
