/** @module What came of many replays, counted; of the single ones only as many are kept as anybody reads. */
import { CLI_LIMITS } from './limits.ts';
import type { Row } from './replayed-bundle.ts';
import type { Replayed } from './replayer.ts';

export interface Tally {
  readonly counts: Readonly<Record<Replayed['status'], number>>;
  readonly receipts: number;
  /** All rows where they are few, else those that are not equal; the first `CLI_LIMITS.replayRowsMax` of them. */
  readonly shown: readonly Row[];
  /** Rows that are not equal and not shown. */
  readonly cut: number;
  add(row: Row): void;
}

/** Up to this many rows are shown whatever came of them. */
const FEW = 20;

export function createTally(): Tally {
  const counts = { equal: 0, different: 0, refused: 0, 'unknown-engine': 0, erased: 0 };
  const first: Row[] = [];
  const unequal: Row[] = [];
  const total = (): number => counts.equal + counts.different + counts.refused + counts['unknown-engine'] + counts.erased;
  return {
    counts,
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
      counts[row.result.status] += 1;
      if (first.length < FEW) first.push(row);
      if (row.result.status !== 'equal' && unequal.length < CLI_LIMITS.replayRowsMax) unequal.push(row);
    },
  };
}
