/**
 * @module What a patch adds and takes away. Lines are read by the counts of their hunk, so an added line whose text begins
 * with `++` is an added line and not a header. Linear in the text.
 */

/** One line of text that the patch brings in. */
export interface AddedLine {
  /** One-based line of the patch. */
  readonly line: number;
  /** Offsets of the text without its `+`. */
  readonly start: number;
  readonly end: number;
}

export interface DiffReading {
  /** False for text that is not a diff: then every line counts as brought in. */
  readonly isDiff: boolean;
  readonly additions: number;
  readonly deletions: number;
  readonly added: readonly AddedLine[];
}

const HUNK = /^@@+ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@/;
const MARKER = /^(?:@@|diff |Index: |\*\*\* (?:Begin Patch|Update File|Add File|Delete File))/;
const HEADER =
  /^(?:diff |index [0-9a-f]|Index: |=====|old mode |new mode |new file mode |deleted file mode |similarity index |dissimilarity index |rename (?:from|to) |copy (?:from|to) |Binary files |GIT binary patch|\\ No newline|\*\*\* (?:Begin Patch|End Patch|Update File|Add File|Delete File|Move to|End of File)|@@)/;

interface Cursor {
  additions: number;
  deletions: number;
  /** Lines the hunk still owes, old and new side. */
  oldLeft: number;
  newLeft: number;
}

interface Line {
  readonly text: string;
  readonly start: number;
}

function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  while (start <= text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    if (end > start || newline !== -1) lines.push({ text: text.slice(start, end), start });
    start = end + 1;
  }
  return lines;
}

/** `---` and `+++` are headers only between hunks, as a pair, and before a hunk. */
function isFileHeader(lines: readonly Line[], i: number): boolean {
  const at = (offset: number): string => lines[i + offset]?.text ?? '';
  if (at(0).startsWith('--- ')) return at(1).startsWith('+++ ') && at(2).startsWith('@@');
  return at(0).startsWith('+++ ') && at(-1).startsWith('--- ') && at(1).startsWith('@@');
}

function openHunk(cursor: Cursor, text: string): boolean {
  const hunk = HUNK.exec(text);
  if (hunk === null) return false;
  cursor.oldLeft = Number(hunk[1] ?? 1);
  cursor.newLeft = Number(hunk[2] ?? 1);
  return true;
}

function count(cursor: Cursor, mark: string): void {
  if (mark === '+') cursor.additions += 1;
  else cursor.oldLeft = Math.max(0, cursor.oldLeft - 1);
  if (mark === '-') cursor.deletions += 1;
  else cursor.newLeft = Math.max(0, cursor.newLeft - 1);
}

/** Does this line bring its text in? */
function readLine(cursor: Cursor, lines: readonly Line[], i: number): 'added' | 'kept' | 'stray' {
  const text = lines[i]?.text ?? '';
  const inside = cursor.oldLeft > 0 || cursor.newLeft > 0;
  if (!inside && (isFileHeader(lines, i) || openHunk(cursor, text) || HEADER.test(text))) return 'kept';
  const mark = text.charAt(0);
  if (mark === '\\') return 'kept';
  count(cursor, mark);
  if (mark === '+') return 'added';
  return inside || '- '.includes(mark) ? 'kept' : 'stray';
}

/** Reads a patch. A line outside every hunk that is no known header is brought in too: nobody can say what reads it. */
export function readDiff(text: string): DiffReading {
  const lines = linesOf(text);
  const isDiff = lines.some((line, i) => MARKER.test(line.text) || isFileHeader(lines, i));
  const cursor: Cursor = { additions: 0, deletions: 0, oldLeft: 0, newLeft: 0 };
  const added: AddedLine[] = [];
  for (const [i, line] of lines.entries()) {
    const role = isDiff ? readLine(cursor, lines, i) : 'stray';
    if (!isDiff) cursor.additions += 1;
    if (role === 'kept') continue;
    const skip = role === 'added' ? 1 : 0;
    added.push({ line: i + 1, start: line.start + skip, end: line.start + line.text.length });
  }
  return { isDiff, additions: cursor.additions, deletions: cursor.deletions, added };
}
