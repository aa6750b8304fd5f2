/** @module `verify`: is this file what it claims to be? Offline: no network, no database, nothing but the file and a key. */
import { formatTime } from '@countersign/kernel';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readBytes, readText } from '../documents.ts';
import { verifyForeign } from '../foreign-receipts.ts';
import { type Outcome, usageError } from '../outcome.ts';
import { readTrust, TRUST_OPTIONS, WITNESS_OPTIONS } from '../trust.ts';
import { CHECK_EXITS, exitOfChecks } from '../verify-exit.ts';
import { isConsistencyFile, type NamedFile, verifyBundles, verifyGrowth, verifyWholeSession, type Verified } from '../verify-files.ts';
import { writeVerifyPage } from '../verify-page.ts';

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/** The time by which outcomes that were due must be there. */
function readNow(input: Input, context: Context): string {
  const named = textOption(input, 'now');
  if (named === undefined) return formatTime(context.world.clock.nowMs());
  if (!flag(input, 'session'))
    throw usageError('`--now` says when outcomes of a session were due', 'countersign verify --session --now TIME FILES');
  if (TIME.test(named) && Number.isFinite(Date.parse(named))) return named;
  throw usageError('--now must be a time in UTC with milliseconds', '--now 2026-01-31T12:00:00.000Z');
}

async function readFiles(names: readonly string[], context: Context): Promise<readonly NamedFile[]> {
  const files: NamedFile[] = [];
  for (const name of names) files.push({ name, bytes: await readBytes(name, context) });
  return files;
}

/** Consistency files apart from bundles: by what they say, not by their names. */
function partition(
  files: readonly NamedFile[],
  input: Input,
): { readonly bundles: readonly NamedFile[]; readonly growth: NamedFile | undefined } {
  const [growth, second] = files.filter(({ bytes }) => isConsistencyFile(bytes));
  const bundles = files.filter(({ bytes }) => !isConsistencyFile(bytes));
  if (second !== undefined) throw usageError('there are two consistency files', 'verify one at a time, each against what you kept');
  if (textOption(input, 'seen') !== undefined && growth === undefined)
    throw usageError('`--seen` is compared with a consistency file, and none is among the files', 'countersign log prove consistency OLD');
  if (flag(input, 'session') && bundles.length === 0)
    throw usageError('no file of the session was named', 'countersign verify --session FILES');
  return { bundles, growth };
}

async function verify(input: Input, context: Context): Promise<Outcome> {
  const names = input.rest;
  const page = textOption(input, 'page');
  if (page !== undefined && names.length === 0) return writeVerifyPage(page, context);
  if (page !== undefined) throw usageError('`--page` takes no files to verify', 'countersign verify --page FILE');
  if (names.length === 0) throw usageError('which file is to be verified?', 'countersign verify FILE --key VKEY');
  const now = readNow(input, context);
  const files = await readFiles(names, context);
  const foreign = await verifyForeign(files, input, context);
  if (foreign !== undefined) return foreign;
  const { bundles, growth } = partition(files, input);
  const trust = await readTrust(input, context);
  const parts: Verified[] = [];
  if (flag(input, 'session')) parts.push(await verifyWholeSession(bundles, { trust, now, paint: context.paint }));
  else if (bundles.length > 0) parts.push(await verifyBundles(bundles, { trust, paint: context.paint }));
  if (growth !== undefined) {
    const seenFile = textOption(input, 'seen');
    const seen = seenFile === undefined ? undefined : await readText(seenFile, context);
    parts.push(await verifyGrowth(growth, { trust, seen, paint: context.paint }));
  }
  const ok = parts.every((part) => part.ok);
  return {
    exitCode: exitOfChecks({ ok, checks: parts.flatMap(({ checks }) => checks), isDistinct: flag(input, 'exitCodes') }),
    json: Object.assign({}, ...parts.map(({ json }) => json), { ok, trust: trust.from }),
    text: [...parts.map(({ text }) => text), `believing the keys of ${trust.from}`].join('\n'),
  };
}

export const verifyCommand: Command = {
  path: 'verify',
  args: '[file...]',
  summary: 'is this receipt what it claims to be, untouched? Bundles, consistency files, DSSE, SignedReceipt, Spine, tlog-proof. Offline',
  options: [
    ...TRUST_OPTIONS,
    ...WITNESS_OPTIONS,
    { flags: '--cosigner-key <key...>', summary: 'public key that must have cosigned a Clawdstrike receipt' },
    { flags: '--session', summary: 'the files are one whole session: check its chain and its outcomes too' },
    {
      flags: '--now <time>',
      summary: 'with --session: outcomes that were due before it are missing; the time of now where it is not said',
    },
    { flags: '--seen <file>', summary: 'a checkpoint that you kept: the consistency file must begin with it' },
    {
      flags: '--exit-codes',
      summary: `instead of 2, a code for the first check that failed: ${CHECK_EXITS.map(([name, code]) => `${code} ${name}`).join(', ')}`,
    },
    { flags: '--page <file>', summary: 'write the page that does the same in a browser, and verify nothing now' },
  ],
  examples: [
    'countersign verify receipt.countersign.json --key VKEY',
    'countersign verify receipt.countersign.json --key VKEY --witness-key VKEY VKEY --witnesses 1',
    'countersign verify session/*.countersign.json --keys keys.txt --session',
    'countersign verify grown.countersign-consistency.json --keys keys.txt --seen checkpoint.txt',
    'countersign verify receipt.dsse.json --receipt-key KEY',
    'countersign verify --page verify.html',
  ],
  run: verify,
};
