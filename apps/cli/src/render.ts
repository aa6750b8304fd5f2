/** @module Text for people: tables, colours where they are wanted, faults with their place and the next step. */
import type { Fault } from '@countersign/kernel';
import type { World } from './world.ts';

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, string>> = { red: '31', green: '32', yellow: '33', dim: '2', bold: '1' };

/** Colour on a terminal, unless NO_COLOR is set to anything (no-color.org) or it was switched off. */
export function painter(world: World, enabled: boolean): Paint {
  const noColour = world.env['NO_COLOR'] ?? '';
  if (!enabled || !world.stdout.isTerminal || noColour !== '') return (_colour, text) => text;
  return (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

/** Control characters would let a name or a message rewrite the screen. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** A colour for a cell. */
  readonly colour?: (row: Row) => Colour | undefined;
}

export interface Table<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Said where there are no rows. */
  readonly empty: string;
}

/** A table with aligned columns; the last column is cut at the width of the terminal. */
export function renderTable<Row>(table: Table<Row>, paint: Paint, width: number): string {
  if (table.rows.length === 0) return table.empty;
  const cells = table.rows.map((row) => table.columns.map((column) => printable(column.value(row)).replaceAll('\n', ' ')));
  const widths = table.columns.map((column, i) => Math.max(column.title.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, size) => sum + size + 2, 0);
  const lastMax = Math.max(12, width - before);
  const line = (texts: readonly string[], colours: readonly (Colour | undefined)[]): string =>
    texts
      .map((text, i) => {
        const last = i === texts.length - 1;
        const shown = last && text.length > lastMax ? `${text.slice(0, lastMax - 1)}…` : text;
        const colour = colours[i];
        return (colour === undefined ? shown : paint(colour, shown)) + (last ? '' : ' '.repeat((widths[i] ?? 0) - shown.length + 2));
      })
      .join('')
      .trimEnd();
  const head = line(
    table.columns.map(({ title }) => title.toUpperCase()),
    table.columns.map(() => 'dim' as const),
  );
  const body = table.rows.map((row, i) =>
    line(
      cells[i] ?? [],
      table.columns.map((column) => column.colour?.(row)),
    ),
  );
  return [head, ...body].join('\n');
}

/** Names and values, one to a line. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join('\n');
}

function placeOf(fault: Fault): string {
  const source = 'source' in fault && typeof fault.source === 'string' ? fault.source : undefined;
  const line = 'line' in fault && typeof fault.line === 'number' ? fault.line : undefined;
  const column = 'column' in fault && typeof fault.column === 'number' ? fault.column : undefined;
  const position = line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`;
  const at = source === undefined ? '' : `${source}${position}: `;
  return fault.path === undefined || fault.path === '' ? at : `${at}${fault.path}: `;
}

/** `place: message (code)`. */
export function faultLine(fault: Fault): string {
  return `${printable(`${placeOf(fault)}${fault.message}`)} (${fault.code})`;
}

/** `error: place: message (code)` and the advice below it. */
export function renderFault(fault: Fault, paint: Paint): string {
  const line = `${paint('red', 'error')}: ${faultLine(fault)}`;
  return fault.hint === undefined ? line : `${line}\n  ${paint('dim', 'try')}: ${printable(fault.hint)}`;
}
