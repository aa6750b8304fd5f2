/** @module What verification says: one check at a time, each with a stable code and one plain sentence. */

export type CheckName =
  | 'bundle-form'
  | 'entry-form'
  | 'signature'
  | 'inclusion'
  | 'checkpoint'
  | 'cosignatures'
  | 'commitments'
  | 'inputs'
  | 'chain'
  | 'outcomes'
  | 'consistency-form'
  | 'consistency';
export type CheckStatus = 'pass' | 'fail' | 'not-checked';

export interface Check {
  readonly name: CheckName;
  readonly status: CheckStatus;
  /** Stable. */
  readonly code: string;
  /** For people. */
  readonly sentence: string;
}

export interface VerifyReport {
  /** True when nothing failed and everything that proves the entry (form, inclusion, checkpoint) passed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** What the bundle says of itself; trust it only when `ok`. */
  readonly subject?: {
    readonly type: string;
    readonly id: string;
    readonly log: string;
    readonly session: string;
    readonly seq: number;
    readonly index: number;
    readonly size: number;
  };
}

/** Without these nothing is proven. */
const REQUIRED: ReadonlySet<CheckName> = new Set([
  'bundle-form',
  'entry-form',
  'inclusion',
  'checkpoint',
  'chain',
  'consistency-form',
  'consistency',
]);

export function passed(name: CheckName, code: string, sentence: string): Check {
  return { name, status: 'pass', code, sentence };
}

export function failed(name: CheckName, code: string, sentence: string): Check {
  return { name, status: 'fail', code, sentence };
}

export function notChecked(name: CheckName, code: string, sentence: string): Check {
  return { name, status: 'not-checked', code, sentence };
}

/** True when no check failed and no required one is missing its pass. */
export function isProven(checks: readonly Check[]): boolean {
  return checks.every((check) => check.status === 'pass' || (check.status === 'not-checked' && !REQUIRED.has(check.name)));
}
