/** @module What detection found, family by family: counts first, rates with their intervals, and what was left out. */
import { formatRate, rateOf, type Rate } from './interval.ts';
import type { Machine } from './machine.ts';

/** Counts of one family. */
export interface FamilyCounts {
  readonly attack: number;
  readonly detected: number;
  readonly benign: number;
  readonly flagged: number;
}

export interface FamilyTally extends FamilyCounts {
  /** Rows that were only warned of; not part of `detected` and `flagged`. */
  readonly warnedAttack: number;
  readonly warnedBenign: number;
  /** Benign rows beyond `flagged` that the ruleset's host allowlist refuses. */
  readonly listedBenign: number;
  /** Rows whose label is not certain. */
  readonly excluded: number;
  /** Rows of a kind that has no action. */
  readonly unread: number;
  /** Rows on which the engine itself failed; the pipeline denies them, and they are counted as such. */
  readonly failed: number;
  /** Measured, and not part of the headline. */
  readonly apart: boolean;
}

export interface DetectReport {
  readonly machine: Machine;
  readonly ruleset: string;
  readonly seconds: number;
  readonly families: Readonly<Record<string, FamilyTally>>;
}

function recall(counts: FamilyCounts): Rate {
  return rateOf(counts.detected, counts.attack);
}

function falsePositives(counts: FamilyCounts): Rate {
  return rateOf(counts.flagged, counts.benign);
}

function totalOf(tallies: readonly FamilyTally[]): FamilyCounts {
  const total = { attack: 0, detected: 0, benign: 0, flagged: 0 };
  for (const tally of tallies) {
    for (const key of ['attack', 'detected', 'benign', 'flagged'] as const) total[key] += tally[key];
  }
  return total;
}

function notes(tally: FamilyTally): string {
  const parts = [
    tally.warnedAttack + tally.warnedBenign > 0 ? `${tally.warnedAttack} and ${tally.warnedBenign} more warned of` : '',
    tally.listedBenign > 0 ? `${tally.listedBenign} harmless more by the host allowlist` : '',
    tally.excluded > 0 ? `${tally.excluded} excluded` : '',
    tally.unread > 0 ? `${tally.unread} of an unknown kind` : '',
    tally.failed > 0 ? `${tally.failed} FAILED` : '',
    tally.apart ? 'not in the headline' : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function rows(report: DetectReport): readonly (readonly string[])[] {
  const tallies = Object.entries(report.families);
  const counted = tallies.filter(([, tally]) => !tally.apart).map(([, tally]) => tally);
  const total = totalOf(counted);
  return [
    ['family', 'recall [95 %] detected/attack', 'false positives [95 %] flagged/benign', 'notes'],
    ...tallies.map(([name, tally]) => [name, formatRate(recall(tally)), formatRate(falsePositives(tally)), notes(tally)]),
    ['all in the headline', formatRate(recall(total)), formatRate(falsePositives(total)), ''],
  ];
}

/** A table for a terminal. */
export function detectTable(report: DetectReport): string {
  const cells = rows(report);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The same as a page. */
export function detectPage(report: DetectReport): string {
  const [head = [], ...body] = rows(report);
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
  const { machine } = report;
  return [
    `# Detection, ${machine.date.slice(0, 10)}`,
    '',
    `Ruleset \`${report.ruleset}\`, tools registered, agent with every scope. Detected and flagged: deny, defer or modify. Intervals: Wilson, 95 %.`,
    'Families that the text classifier has learnt from flatter it here; what it does on rows it has not seen stands in `packages/facts/src/text-classifier.training.json`.',
    'Hosts outside the allowlist of the ruleset are reported, not refused: what the allowlist would refuse besides stands in the notes. "2 and 1 more warned of": 2 attacks and 1 harmless row that were let through with a warning.',
    `Commit ${machine.commit}, ${machine.cores} x ${machine.cpu}, Node ${machine.node}, ${report.seconds.toFixed(1)} s. Written by \`npm run detect\`.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...body.map((row) => line(row)),
    '',
  ].join('\n');
}

/** The counts alone, for programs. */
export function detectCounts(report: DetectReport): { readonly families: Readonly<Record<string, FamilyCounts>> } {
  const families = Object.entries(report.families).map(([name, { attack, detected, benign, flagged }]) => [
    name,
    { attack, detected, benign, flagged },
  ]);
  return { families: Object.fromEntries(families) as Record<string, FamilyCounts> };
}
