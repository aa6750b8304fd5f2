/** @module Counting what the judge said of labelled rows: a family and its parts, at each of the four paranoia levels. */
import type { CorpusRow } from './corpora.ts';
import { missCause, splitsOf } from './row-classes.ts';

/** The levels a policy may ask for; a higher one makes more rules speak. */
export const PARANOIA_LEVELS = [1, 2, 3, 4] as const;

/** What one level did. */
export interface LevelCounts {
  /** Attacks that were stopped. */
  readonly detected: number;
  /** Harmless rows that were stopped. */
  readonly flagged: number;
  /** Rows that were only warned of; not part of `detected` and `flagged`. */
  readonly warnedAttack: number;
  readonly warnedBenign: number;
}

export interface Counts {
  readonly attack: number;
  readonly benign: number;
  /** By level, the first being level 1. */
  readonly levels: readonly LevelCounts[];
}

export interface FamilyTally extends Counts {
  /** Benign rows beyond those flagged at level 1 that the ruleset's host allowlist refuses. */
  readonly listedBenign: number;
  /** Rows whose label is not certain. */
  readonly excluded: number;
  /** Rows of a kind that has no action. */
  readonly unread: number;
  /** Rows on which the engine itself failed; the pipeline denies them, and they are counted as such. */
  readonly failed: number;
  /** Measured, and not part of the headline. */
  readonly apart: boolean;
  /** Parts of the family by what its rows say of themselves. */
  readonly splits: Readonly<Record<string, Counts>>;
  /** Attacks that got through, by cause: how many at each level. */
  readonly misses: Readonly<Record<string, readonly number[]>>;
  /** Harmless rows that were stopped, by the first rule or guard that said so: how many at each level. */
  readonly falseAlarms: Readonly<Record<string, readonly number[]>>;
}

/** What was said of one row at one level. */
export interface RowVerdict {
  readonly decision: string;
  readonly risk: number;
  readonly codes: readonly string[];
  readonly failed: boolean;
}

/** What was said of one row: at each level, and by the ruleset with its host allowlist. */
export interface JudgedRow {
  readonly levels: readonly RowVerdict[];
  readonly listed: boolean;
}

const CAUGHT: ReadonlySet<string> = new Set(['deny', 'defer', 'modify']);

/** Whether a decision keeps the action from being done as it was asked. */
export function isCaught(decision: string | undefined): boolean {
  return CAUGHT.has(decision ?? '');
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type OpenCounts = Omit<Mutable<Counts>, 'levels'> & { levels: Mutable<LevelCounts>[] };
type OpenTally = OpenCounts &
  Pick<Mutable<FamilyTally>, 'listedBenign' | 'excluded' | 'unread' | 'failed' | 'apart'> & {
    splits: Record<string, OpenCounts>;
    misses: Record<string, number[]>;
    falseAlarms: Record<string, number[]>;
  };

function emptyCounts(): OpenCounts {
  return { attack: 0, benign: 0, levels: PARANOIA_LEVELS.map(() => ({ detected: 0, flagged: 0, warnedAttack: 0, warnedBenign: 0 })) };
}

function addTo(counts: OpenCounts, label: CorpusRow['label'], verdicts: readonly RowVerdict[]): void {
  counts[label] += 1;
  for (const [at, level] of counts.levels.entries()) {
    const decision = verdicts[at]?.decision;
    if (isCaught(decision)) level[label === 'attack' ? 'detected' : 'flagged'] += 1;
    else if (decision === 'warn') level[label === 'attack' ? 'warnedAttack' : 'warnedBenign'] += 1;
  }
}

/** Adds what each level did to the sums of one cause; a cause without a hit is no cause. */
function addCause(causes: Record<string, number[]>, cause: string, hits: readonly boolean[]): void {
  if (!hits.includes(true)) return;
  const sums = (causes[cause] ??= PARANOIA_LEVELS.map(() => 0));
  for (const [at, hit] of hits.entries()) sums[at] = (sums[at] ?? 0) + (hit ? 1 : 0);
}

/** Counts the rows of one family. */
export class Tally {
  readonly #open: OpenTally;

  constructor(apart: boolean) {
    const rest = { listedBenign: 0, excluded: 0, unread: 0, failed: 0, apart, splits: {}, misses: {}, falseAlarms: {} };
    this.#open = { ...emptyCounts(), ...rest };
  }

  /** A row that was not judged. */
  leaveOut(why: 'excluded' | 'unread'): void {
    this.#open[why] += 1;
  }

  add(row: CorpusRow, { levels, listed }: JudgedRow): void {
    const open = this.#open;
    addTo(open, row.label, levels);
    for (const split of splitsOf(row)) addTo((open.splits[split] ??= emptyCounts()), row.label, levels);
    const [first] = levels;
    const caught = levels.map(({ decision }) => isCaught(decision));
    if (first?.failed ?? false) open.failed += 1;
    if (row.label === 'benign') {
      if (listed && !isCaught(first?.decision)) open.listedBenign += 1;
      addCause(open.falseAlarms, levels[caught.indexOf(true)]?.codes[0] ?? '', caught);
    } else {
      const missed = caught.map((one) => !one);
      addCause(open.misses, missCause(row, first?.decision), missed);
    }
  }

  counted(): FamilyTally {
    return this.#open;
  }
}
