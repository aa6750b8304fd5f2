/** @module Rows of the bench: what was wanted, what was measured, and whether the one meets the other. */
import type { Machine } from './machine.ts';

/** `met` is null for a figure without a target. */
export interface BenchRow {
  readonly area: 'judge' | 'log' | 'evidence' | 'interop' | 'gateway' | 'floor' | 'policy';
  readonly name: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean | null;
  /** The numbers behind `measured`, units in their names. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A budget that has nothing to measure yet, or could not be measured here. */
export interface MissingRow {
  readonly name: string;
  readonly target: string;
  readonly why: string;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
  readonly missing: readonly MissingRow[];
}

/** The value below which `share` of the samples lie; the samples are sorted in place. */
export function percentile(samples: number[], share: number): number {
  samples.sort((a, b) => a - b);
  return samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? Number.NaN;
}

export function median(samples: number[]): number {
  return percentile(samples, 0.5);
}

/** Three significant digits, without an exponent. */
export function round(value: number): number {
  return value === 0 || !Number.isFinite(value) ? value : Number(value.toPrecision(3));
}

function verdictOf(row: BenchRow): string {
  if (row.met === null) return '';
  return row.met ? 'met' : 'MISSED';
}

/** A table for a terminal. */
export function benchTable(report: BenchReport): string {
  const cells = [['', 'what', 'target', 'measured'], ...report.rows.map((row) => [verdictOf(row), row.name, row.target, row.measured])];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const missing = report.missing.map((row) => `not measured: ${row.name} (${row.target}): ${row.why}`);
  return [...lines, ...missing].join('\n');
}
