/**
 * @module What checking a file in a format of others says: one check at a time, as `report.ts` does for bundles, and what was proven.
 */
import { createVerifier, fromBase64url, keyIdOf, type Verifier } from '@countersign/crypto';
import type { Fault } from '@countersign/kernel';
import type { Trust } from './open-trusted.ts';
import type { CheckStatus } from './report.ts';

/** Formats of others that an entry can be written in, and that can be read back. */
export const EXPORT_FORMATS = ['dsse', 'signed-receipt', 'spine', 'tlog-proof'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export type ExportCheckName =
  | 'form'
  | 'version'
  | 'signature'
  | 'cosignature'
  | 'payload'
  | 'entry-form'
  | 'content'
  | 'chain'
  | 'checkpoint'
  | 'cosignatures'
  | 'inclusion';

export interface ExportCheck {
  readonly name: ExportCheckName;
  readonly status: CheckStatus;
  /** Stable. */
  readonly code: string;
  /** For people. */
  readonly sentence: string;
  /** JSON pointer, or the number of a line, where the fault has a place. */
  readonly path?: string;
}

export interface ExportReport<Content = unknown> {
  readonly format: ExportFormat;
  /** True when no check failed and everything that proves the content passed. */
  readonly ok: boolean;
  readonly checks: readonly ExportCheck[];
  /** What was proven; there only when `ok`. */
  readonly content?: Content;
  /** What the file says it is about, for people; trust it only when `ok`. */
  readonly subject?: string;
}

/** Whom the verifier believes: for tlog-proofs as for bundles, for all else receipt keys. Nothing in a file adds to it. */
export interface ExportTrust extends Partial<Trust> {
  /** Public keys of cosigners of Clawdstrike receipts, base64url of 32 bytes. */
  readonly cosignerKeys?: readonly string[];
}

const PUBLIC_KEY_BYTES = 32;

/** Verifiers of the keys that are keys, one a key. */
export function verifiersOf(keys: readonly string[] = []): readonly Verifier[] {
  const found = new Map<string, Verifier>();
  for (const text of keys) {
    const key = fromBase64url(text);
    if (key?.length === PUBLIC_KEY_BYTES) found.set(keyIdOf(key), createVerifier(key));
  }
  return [...found.values()];
}

export function passedCheck(name: ExportCheckName, code: string, sentence: string): ExportCheck {
  return { name, status: 'pass', code, sentence };
}

export function openCheck(name: ExportCheckName, code: string, sentence: string): ExportCheck {
  return { name, status: 'not-checked', code, sentence };
}

/** A check that failed, from a fault. */
export function failedCheck(name: ExportCheckName, fault: Fault): ExportCheck {
  const { code, message, path, hint } = fault;
  const where = path === undefined || path === '' ? '' : ` at ${path}`;
  const then = hint === undefined ? '' : `; ${hint}`;
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}${where}${then}.`;
  return { name, status: 'fail', code, sentence, ...(path === undefined ? {} : { path }) };
}

/** The report of a file whose checking ended at a fault. */
export function endedReport(format: ExportFormat, checks: readonly ExportCheck[], subject?: string): ExportReport<never> {
  return { format, ok: false, checks, ...(subject === undefined ? {} : { subject }) };
}

/** The report of a file of which every check was made: proven when none failed. */
export function madeReport<Content>(
  format: ExportFormat,
  checks: readonly ExportCheck[],
  proven: { readonly content: Content; readonly subject: string },
): ExportReport<Content> {
  const { content, subject } = proven;
  const ok = checks.every(({ status }) => status !== 'fail');
  return { format, ok, checks, subject, ...(ok ? { content } : {}) };
}
