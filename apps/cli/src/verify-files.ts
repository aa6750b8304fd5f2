/** @module `verify` for files of our own: bundles, a whole session of them, and consistency files. */
import { getOwn, isJsonObject, type JsonObject, parseJson } from '@countersign/kernel';
import {
  type Check,
  RECEIPT_LIMITS,
  type Trust,
  verifyBundle,
  verifyConsistencyFile,
  type VerifyReport,
  verifySession,
} from '@countersign/receipts';
import { checkLine } from './check-line.ts';
import { type Paint, printable } from './render.ts';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One part of an answer. */
export interface Verified {
  readonly ok: boolean;
  /** Every check that was made. */
  readonly checks: readonly Check[];
  readonly json: JsonObject;
  readonly text: string;
}

interface Asked {
  readonly trust: Trust;
  readonly paint: Paint;
}

const CONSISTENCY_TYPE = 'countersign.consistency.v1';

function checkJson({ name, status, code, sentence }: Check): JsonObject {
  return { name, status, code, sentence };
}

/** A report for machines. */
export function reportJson(file: string, report: Pick<VerifyReport, 'ok' | 'checks'> & { readonly subject?: JsonObject }): JsonObject {
  const subject: JsonObject = report.subject === undefined ? {} : { subject: report.subject };
  return { file, ok: report.ok, checks: report.checks.map(checkJson), ...subject };
}

function bundleJson(file: string, { ok, checks, subject }: VerifyReport): JsonObject {
  return reportJson(file, { ok, checks, ...(subject === undefined ? {} : { subject: { ...subject } }) });
}

function verdictLine(ok: boolean, paint: Paint): string {
  return ok ? paint('green', 'VERIFIED') : paint('red', 'NOT VERIFIED');
}

function bundleText(file: string, report: VerifyReport, paint: Paint): string {
  const { subject } = report;
  const named = subject === undefined ? '' : ` ${subject.type} ${subject.id}, entry ${subject.index} of ${subject.log}`;
  return [`${verdictLine(report.ok, paint)} ${file}${printable(named)}`, ...report.checks.map((check) => checkLine(check, paint))].join(
    '\n',
  );
}

/** True for a file that says it is a consistency file, whether or not it is a good one. */
export function isConsistencyFile(bytes: Uint8Array): boolean {
  if (bytes.length > RECEIPT_LIMITS.consistencyBytesMax) return false;
  const parsed = parseJson(bytes);
  return parsed.ok && isJsonObject(parsed.value.value) && getOwn(parsed.value.value, 'type') === CONSISTENCY_TYPE;
}

/** Bundles, each for itself. */
export async function verifyBundles(files: readonly NamedFile[], { trust, paint }: Asked): Promise<Verified> {
  const reports: VerifyReport[] = [];
  for (const { bytes } of files) reports.push(await verifyBundle(bytes, trust));
  return {
    ok: reports.every((report) => report.ok),
    checks: reports.flatMap(({ checks }) => checks),
    json: { bundles: reports.map((report, i) => bundleJson(files[i]?.name ?? '', report)) },
    text: reports.map((report, i) => bundleText(files[i]?.name ?? '', report, paint)).join('\n'),
  };
}

/** Bundles as the whole chain of one session. */
export async function verifyWholeSession(files: readonly NamedFile[], asked: Asked & { readonly now: string }): Promise<Verified> {
  const { trust, paint, now } = asked;
  const bytes = files.map((file) => file.bytes);
  const { ok, chain, outcomes, end, bundles } = await verifySession(bytes, trust, { now });
  const said = end === 'closed' ? 'the session is closed' : 'the session is open: nothing says that it has not gone on';
  const texts = bundles.map((report, i) => bundleText(files[i]?.name ?? '', report, paint));
  return {
    ok,
    checks: [...bundles.flatMap(({ checks }) => checks), chain, outcomes],
    json: {
      chain: checkJson(chain),
      outcomes: checkJson(outcomes),
      end,
      bundles: bundles.map((report, i) => bundleJson(files[i]?.name ?? '', report)),
    },
    text: [
      ...texts,
      `${verdictLine(ok, paint)} session of ${files.length} files`,
      checkLine(chain, paint),
      checkLine(outcomes, paint),
      said,
    ].join('\n'),
  };
}

/** Is the newer log the older one, and more? */
export async function verifyGrowth(file: NamedFile, asked: Asked & { readonly seen: string | undefined }): Promise<Verified> {
  const { trust, paint, seen } = asked;
  const { ok, checks, subject } = await verifyConsistencyFile(file.bytes, trust, seen);
  const named = subject === undefined ? '' : ` ${subject.log}, from ${subject.oldSize} entries to ${subject.newSize}`;
  const head = `${verdictLine(ok, paint)} ${file.name}${printable(named)}`;
  const report = { ok, checks, ...(subject === undefined ? {} : { subject: { ...subject } }) };
  return {
    ok,
    checks,
    json: { consistency: reportJson(file.name, report) },
    text: [head, ...checks.map((check) => checkLine(check, paint))].join('\n'),
  };
}
