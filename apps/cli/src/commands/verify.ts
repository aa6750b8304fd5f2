/** @module `verify`: is this file what it claims to be? Offline: no network, no database, nothing but the file and a key. */
import type { JsonObject } from '@countersign/kernel';
import { type Check, verifyBundle, verifySession, type VerifyReport } from '@countersign/receipts';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { checkLine } from '../check-line.ts';
import { readBytes } from '../documents.ts';
import { verifyForeign } from '../foreign-receipts.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import type { Paint } from '../render.ts';
import { printable } from '../render.ts';
import { readTrust } from '../trust.ts';
import { writeVerifyPage } from '../verify-page.ts';

function checkJson({ name, status, code, sentence }: Check): JsonObject {
  return { name, status, code, sentence };
}

/** A report for machines. */
export function reportJson(file: string, report: VerifyReport): JsonObject {
  const subject: JsonObject = report.subject === undefined ? {} : { subject: { ...report.subject } };
  return { file, ok: report.ok, checks: report.checks.map(checkJson), ...subject };
}

function reportText(file: string, report: VerifyReport, paint: Paint): string {
  const { subject } = report;
  const named = subject === undefined ? '' : ` ${subject.type} ${subject.id}, entry ${subject.index} of ${subject.log}`;
  const head = `${report.ok ? paint('green', 'VERIFIED') : paint('red', 'NOT VERIFIED')} ${file}${printable(named)}`;
  return [head, ...report.checks.map((check) => checkLine(check, paint))].join('\n');
}

async function verify(input: Input, context: Context): Promise<Outcome> {
  const files = input.rest;
  const page = textOption(input, 'page');
  if (page !== undefined && files.length === 0) return writeVerifyPage(page, context);
  if (page !== undefined) throw usageError('`--page` takes no files to verify', 'countersign verify --page FILE');
  if (files.length === 0) throw usageError('which file is to be verified?', 'countersign verify FILE --key VKEY');
  const bytes: Uint8Array[] = [];
  for (const file of files) bytes.push(await readBytes(file, context));
  const named = bytes.map((content, i) => ({ name: files[i] ?? '', bytes: content }));
  const foreign = await verifyForeign(named, input, context);
  if (foreign !== undefined) return foreign;
  const trust = await readTrust(input, context);
  const believed = `believing the keys of ${trust.from}`;
  if (flag(input, 'session')) {
    const session = await verifySession(bytes, trust);
    const texts = session.bundles.map((report, i) => reportText(files[i] ?? '', report, context.paint));
    const end = session.end === 'closed' ? 'the session is closed' : 'the session is open: nothing says that it has not gone on';
    const json = { ok: session.ok, chain: checkJson(session.chain), end: session.end, trust: trust.from };
    return {
      exitCode: session.ok ? EXIT.ok : EXIT.deny,
      json: { ...json, bundles: session.bundles.map((report, i) => reportJson(files[i] ?? '', report)) },
      text: [...texts, checkLine(session.chain, context.paint), end, believed].join('\n'),
    };
  }
  const reports: VerifyReport[] = [];
  for (const one of bytes) reports.push(await verifyBundle(one, trust));
  const ok = reports.every((report) => report.ok);
  const texts = reports.map((report, i) => reportText(files[i] ?? '', report, context.paint));
  const json = { ok, trust: trust.from, bundles: reports.map((report, i) => reportJson(files[i] ?? '', report)) };
  return { exitCode: ok ? EXIT.ok : EXIT.deny, json, text: [...texts, believed].join('\n') };
}

export const TRUST_OPTIONS = [
  { flags: '--key <vkey...>', summary: 'verifier key of the log (name+hash+base64)' },
  { flags: '--keys <file>', summary: 'file with one verifier key a line' },
  { flags: '--receipt-key <key...>', summary: 'public key of a receipt signer, base64url' },
] as const;

export const verifyCommand: Command = {
  path: 'verify',
  args: '[file...]',
  summary: 'is this receipt what it claims to be, untouched? Bundles, DSSE, SignedReceipt, Spine, tlog-proof. Offline',
  options: [
    ...TRUST_OPTIONS,
    { flags: '--cosigner-key <key...>', summary: 'public key that must have cosigned a Clawdstrike receipt' },
    { flags: '--session', summary: 'the files are one whole session: check its chain too' },
    { flags: '--page <file>', summary: 'write the page that does the same in a browser, and verify nothing now' },
  ],
  examples: [
    'countersign verify receipt.countersign.json --key VKEY',
    'countersign verify *.countersign.json --keys keys.txt --session',
    'countersign verify receipt.dsse.json --receipt-key KEY',
    'countersign verify --page verify.html',
  ],
  run: verify,
};
