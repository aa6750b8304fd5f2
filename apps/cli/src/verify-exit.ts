/**
 * @module Exit codes of `verify`. 0: verified. 2: not. Whoever asks for it (`--exit-codes`) gets, instead of 2, one code for each check that
 * can fail: of the first that failed, in this order.
 */
import type { Check, CheckName } from '@countersign/receipts';
import { EXIT } from './outcome.ts';

/** Stable and add-only. */
export const CHECK_EXITS: readonly (readonly [CheckName, number])[] = [
  ['bundle-form', 10],
  ['entry-form', 11],
  ['signature', 12],
  ['inclusion', 13],
  ['checkpoint', 14],
  ['cosignatures', 15],
  ['commitments', 16],
  ['inputs', 17],
  ['chain', 18],
  ['outcomes', 19],
  ['consistency-form', 20],
  ['consistency', 21],
];

interface Judged {
  readonly ok: boolean;
  readonly checks: readonly Pick<Check, 'name' | 'status'>[];
  /** True: `--exit-codes`. */
  readonly isDistinct: boolean;
}

/** What `verify` ends with. */
export function exitOfChecks({ ok, checks, isDistinct }: Judged): number {
  if (ok) return EXIT.ok;
  const failed = new Set(checks.filter(({ status }) => status === 'fail').map(({ name }) => name));
  const first = CHECK_EXITS.find(([name]) => failed.has(name));
  return isDistinct && first !== undefined ? first[1] : EXIT.deny;
}
