/** @module `verify` for files in formats of others: what a file is, shows its content; whom to believe, only the command line or the local directory. */
import { base64url, fromBase64url } from '@countersign/crypto';
import type { JsonObject } from '@countersign/kernel';
import { type ExportFormat, exportFormatOf, type ExportReport, type ExportTrust, verifyExport } from '@countersign/receipts/exports';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkLine } from './check-line.ts';
import { type Context, type Input, listOption } from './command.ts';
import { readText } from './documents.ts';
import { configError, EXIT, type Outcome, usageError } from './outcome.ts';
import { printable } from './render.ts';
import { readTrust } from './trust.ts';

const RECEIPT_KEY_FILE = 'receipt.pub';
const HEX_KEY = /^(?:0x)?[0-9a-fA-F]{64}$/;
const KEY_BYTES = 32;

interface NamedTrust extends ExportTrust {
  /** Where the keys came from, for people. */
  readonly from: string;
}

interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A public key in base64url, or in hex, as Clawdstrike's `.pub` files have it. */
function publicKey(text: string, from: string): string {
  const bytes = HEX_KEY.test(text) ? new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex')) : fromBase64url(text);
  if (bytes?.length === KEY_BYTES) return base64url(bytes);
  const hint = 'the operator shows it with `countersign receipt key`';
  throw configError([{ code: 'receipt_key_invalid', message: 'a receipt key is 32 bytes in base64url or hex', path: from, hint }]);
}

function keysOf(input: Input, option: string): readonly string[] {
  return listOption(input, option).map((text) => publicKey(text, 'the command line'));
}

/** @throws {CliError} exit 3 for a key that is none, exit 5 where no key is known. */
async function readReceiptTrust(input: Input, context: Context): Promise<NamedTrust> {
  const receiptKeys = keysOf(input, 'receiptKey');
  const cosignerKeys = keysOf(input, 'cosignerKey');
  if (receiptKeys.length > 0) return { receiptKeys, cosignerKeys, from: 'the command line' };
  const local = join(context.dataDir, RECEIPT_KEY_FILE);
  if (!existsSync(local))
    throw usageError(
      'whose receipts are to be believed?',
      'name the key: --receipt-key KEY (the operator shows it with `countersign receipt key`)',
    );
  return { receiptKeys: [publicKey((await readText(local, context)).trim(), local)], cosignerKeys, from: local };
}

/** A tlog-proof is proven by the key of its log, everything else by the key of its signer. */
async function trustFor(formats: readonly ExportFormat[], input: Input, context: Context): Promise<NamedTrust> {
  if (formats.every((format) => format !== 'tlog-proof')) return readReceiptTrust(input, context);
  const logs = await readTrust(input, context);
  const { from } = logs;
  if (formats.every((format) => format === 'tlog-proof')) return { ...logs, receiptKeys: keysOf(input, 'receiptKey') };
  const receipts = await readReceiptTrust(input, context);
  return { ...logs, ...receipts, from: from === receipts.from ? from : `${from} and ${receipts.from}` };
}

function reportJson(file: string, report: ExportReport): JsonObject {
  const checks = report.checks.map(({ name, status, code, sentence, path }) => ({
    name,
    status,
    code,
    sentence,
    ...(path === undefined ? {} : { path }),
  }));
  return { file, format: report.format, ok: report.ok, checks, ...(report.subject === undefined ? {} : { subject: report.subject }) };
}

function reportText(file: string, report: ExportReport, context: Context): string {
  const { paint } = context;
  const named = report.subject === undefined ? '' : `, ${report.subject}`;
  const head = `${report.ok ? paint('green', 'VERIFIED') : paint('red', 'NOT VERIFIED')} ${file} ${printable(`${report.format}${named}`)}`;
  return [head, ...report.checks.map((check) => checkLine(check, paint))].join('\n');
}

/**
 * The outcome of `verify` where the files are in formats of others; undefined where none is.
 * @throws {CliError} exit 5 where only some are, exit 3 and 5 as for keys.
 */
export async function verifyForeign(files: readonly NamedFile[], input: Input, context: Context): Promise<Outcome | undefined> {
  const formats = files.map(({ bytes }) => exportFormatOf(bytes));
  const known = formats.filter((format) => format !== undefined);
  if (known.length === 0) return undefined;
  if (known.length < files.length)
    throw usageError('some of the files are no bundles', 'verify bundles and other receipts one after the other');
  const trust = await trustFor(known, input, context);
  const reports: ExportReport[] = [];
  for (const [i, { bytes }] of files.entries()) reports.push(await verifyExport(known[i] ?? 'dsse', bytes, trust));
  const ok = reports.every((report) => report.ok);
  const texts = reports.map((report, i) => reportText(files[i]?.name ?? '', report, context));
  return {
    exitCode: ok ? EXIT.ok : EXIT.deny,
    json: { ok, trust: trust.from, receipts: reports.map((report, i) => reportJson(files[i]?.name ?? '', report)) },
    text: [...texts, `believing the keys of ${trust.from}`].join('\n'),
  };
}
