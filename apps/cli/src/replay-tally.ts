/** @module What came of many replays, counted; of the single ones only as many are kept as anybody reads. */
import { CLI_LIMITS } from './limits.ts';
import type { Row } from './replayed-bundle.ts';
import type { Replayed } from './replayer.ts';

export type Counts = Record<Replayed['status'], number>;

/** A tally as plain data: threads send it, a resume file holds it. */
export interface TallyPart {
  readonly counts: Readonly<Counts>;
  /** How often a decision would be another one, by `from->to`. */
  readonly directions: Readonly<Record<string, number>>;
  /** The first rows, whatever came of them. */
  readonly first: readonly Row[];
  /** The first rows that are not equal. */
  readonly unequal: readonly Row[];
}

export interface Tally {
  readonly counts: Readonly<Counts>;
  readonly directions: Readonly<Record<string, number>>;
  readonly receipts: number;
  /** All rows where they are few, else those that are not equal; the first `CLI_LIMITS.replayRowsMax` of them. */
  readonly shown: readonly Row[];
  /** Rows that are not equal and not shown. */
  readonly cut: number;
  add(row: Row): void;
  /** Adds what came next: parts joined in order give what their rows would have given one by one. */
  join(part: TallyPart): void;
  part(): TallyPart;
}

/** Up to this many rows are shown whatever came of them. */
const FEW = 20;

export function noCounts(): Counts {
  return { equal: 0, different: 0, 'de-escalated': 0, refused: 0, 'unknown-engine': 0, erased: 0 };
}

/** Directions in a fixed order, whichever came first. */
function sorted(directions: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...directions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function createTally(): Tally {
  const counts = noCounts();
  const directions = new Map<string, number>();
  const first: Row[] = [];
  const unequal: Row[] = [];
  const total = (): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const keep = (rows: { readonly first: readonly Row[]; readonly unequal: readonly Row[] }): void => {
    first.push(...rows.first.slice(0, Math.max(0, FEW - first.length)));
    unequal.push(...rows.unequal.slice(0, Math.max(0, CLI_LIMITS.replayRowsMax - unequal.length)));
  };
  const turn = (direction: string, times: number): void => void directions.set(direction, (directions.get(direction) ?? 0) + times);
  return {
    counts,
    get directions() {
      return sorted(directions);
    },
    get receipts() {
      return total();
    },
    get shown() {
      return total() <= FEW ? first : unequal;
    },
    get cut() {
      return total() - counts.equal - unequal.length;
    },
    add(row) {
      const { status, direction } = row.result;
      counts[status] += 1;
      if (direction !== undefined) turn(direction, 1);
      keep({ first: [row], unequal: status === 'equal' ? [] : [row] });
    },
    join(part) {
      for (const status of Object.keys(counts) as (keyof Counts)[]) counts[status] += part.counts[status];
      for (const [direction, times] of Object.entries(part.directions)) turn(direction, times);
      keep(part);
    },
    part: () => ({ counts: { ...counts }, directions: sorted(directions), first: [...first], unequal: [...unequal] }),
  };
}
