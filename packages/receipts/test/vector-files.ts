/** What an export vector is, and how its file is written. */
import type { ExportFormat, ExportTrust } from '../src/exports.ts';
import { trust } from './export-fixtures.ts';

export interface ExportVector {
  readonly name: string;
  readonly format: ExportFormat;
  /** The file as text. */
  readonly file: string;
  readonly trust: ExportTrust;
  readonly ok: boolean;
  /** `name status code` of the checks that matter. */
  readonly expect: readonly string[];
}

export interface Vectors {
  readonly valid: readonly ExportVector[];
  readonly invalid: readonly ExportVector[];
}

type Case = readonly [name: string, file: string, expect: readonly string[], trust?: ExportTrust];

/** Vectors of one format. */
export function vectorsOf(format: ExportFormat, valid: readonly Case[], invalid: readonly Case[]): Vectors {
  const made = (ok: boolean, [name, file, expect, own = trust]: Case): ExportVector => ({
    name: `${format}: ${name}`,
    format,
    file,
    trust: own,
    ok,
    expect,
  });
  return { valid: valid.map((one) => made(true, one)), invalid: invalid.map((one) => made(false, one)) };
}

/** JSON over several lines, in the order of the members: what another tool might have written. */
export function pretty(file: string): string {
  return `${JSON.stringify(JSON.parse(file), null, 2)}\n`;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
