/** @module One check of a verification as a line for people. */
import type { CheckStatus } from '@countersign/receipts';
import { type Colour, type Paint, printable } from './render.ts';

const COLOURS: Readonly<Record<CheckStatus, Colour>> = { pass: 'green', fail: 'red', 'not-checked': 'yellow' };
const WORDS: Readonly<Record<CheckStatus, string>> = { pass: 'ok  ', fail: 'FAIL', 'not-checked': 'skip' };

export interface CheckShown {
  readonly name: string;
  readonly status: CheckStatus;
  readonly sentence: string;
}

/** One line a check. */
export function checkLine(check: CheckShown, paint: Paint): string {
  return `  ${paint(COLOURS[check.status], WORDS[check.status])} ${check.name.padEnd(12)} ${printable(check.sentence)}`;
}
