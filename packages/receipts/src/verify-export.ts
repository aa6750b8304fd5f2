/** @module Which format of others a file is in, and its verification: one door for whoever holds a file and some keys. */
import { getOwn, isJsonObject, parseJson } from '@countersign/kernel';
import { verifyDsse } from './export-dsse.ts';
import type { ExportFormat, ExportReport, ExportTrust } from './export-report.ts';
import { verifySignedReceipt } from './export-signed-receipt.ts';
import { SPINE_SCHEMA, verifySpine } from './export-spine.ts';
import { verifyTlogProof } from './export-tlog-proof.ts';
import { utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';

const TLOG_PROOF = 'c2sp.org/tlog-proof@';

/**
 * The format that a file seems to be in, by its head or its members; undefined for anything else, a bundle too. Says nothing of whether
 * the file is well-formed. A file that only its damage keeps from being recognised is no file of this format.
 */
export function exportFormatOf(bytes: Uint8Array): ExportFormat | undefined {
  const text = utf8Text(bytes);
  if (text === undefined || bytes.length > EXPORT_LIMITS.spineBytesMax) return undefined;
  if (text.startsWith(TLOG_PROOF)) return 'tlog-proof';
  const { depthMax, nodesMax, fileBytesMax } = EXPORT_LIMITS;
  const limits = { depthMax, nodesMax, bytesMax: fileBytesMax };
  const whole = parseJson(text, limits);
  const parsed = whole.ok ? whole : parseJson(text.slice(0, Math.max(0, text.indexOf('\n'))), limits);
  const value = parsed.ok ? parsed.value.value : undefined;
  if (!isJsonObject(value)) return undefined;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  if (getOwn(value, 'schema') === SPINE_SCHEMA) return 'spine';
  if (has('payload') && has('signatures')) return 'dsse';
  return has('receipt') && has('signatures') ? 'signed-receipt' : undefined;
}

const VERIFIERS: Readonly<Record<ExportFormat, (bytes: Uint8Array, trust: ExportTrust) => Promise<ExportReport>>> = {
  dsse: verifyDsse,
  'signed-receipt': verifySignedReceipt,
  spine: verifySpine,
  'tlog-proof': verifyTlogProof,
};

/** Verifies a file in the format that `exportFormatOf` names. Total; linear in the size of the file. */
export function verifyExport(format: ExportFormat, bytes: Uint8Array, trust: ExportTrust): Promise<ExportReport> {
  return VERIFIERS[format](bytes, trust);
}
