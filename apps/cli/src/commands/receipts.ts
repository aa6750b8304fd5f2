/** @module `receipt`: one receipt, to read or to hand to somebody who trusts nobody. */
import { isUuid, type JsonValue } from '@countersign/kernel';
import { readBundle } from '@countersign/receipts';
import { EXPORT_FORMATS, type ExportFormat } from '@countersign/receipts/exports';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { CliError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { OUT_OPTIONS, writeOut } from '../write-out.ts';
import { withOperator } from './agents.ts';

function idOf(input: Input): string {
  const id = (input.args[0] ?? '').toLowerCase();
  if (isUuid(id)) return id;
  throw usageError('a receipt is named by its id, a UUID', 'countersign log tail');
}

async function fetchBundle(input: Input, context: Context, inputs: boolean): Promise<{ readonly id: string; readonly bytes: Uint8Array }> {
  const id = idOf(input);
  return { id, bytes: await withOperator(context, false, (operator) => operator.bundle(id, { inputs })) };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const { bytes } = await fetchBundle(input, context, flag(input, 'inputs'));
  const read = readBundle(bytes);
  if (!read.ok) throw new CliError(EXIT.runtime, [read.error]);
  const { entry, index, inputs } = read.value;
  const shown = { index, entry, ...(inputs === undefined ? {} : { inputs }) } as unknown as JsonValue;
  return { exitCode: EXIT.ok, json: { receipt: shown }, text: JSON.stringify(shown, null, 2) };
}

async function bundle(input: Input, context: Context): Promise<Outcome> {
  const { id, bytes } = await fetchBundle(input, context, !flag(input, 'withoutInputs'));
  return writeOut(input, context, { json: { id }, bytes, fileName: `${id}.countersign.json`, property: 'bundle' });
}

const SUFFIXES: Readonly<Record<ExportFormat, string>> = {
  dsse: '.dsse.json',
  'signed-receipt': '.signed-receipt.json',
  spine: '.spine.jsonl',
  'tlog-proof': '.tlog-proof',
};

async function exported(input: Input, context: Context): Promise<Outcome> {
  const named = textOption(input, 'format') ?? 'bundle';
  if (named === 'bundle') return bundle(input, context);
  const format = EXPORT_FORMATS.find((one) => one === named);
  if (format === undefined) throw usageError(`there is no format \`${named}\``, `--format ${['bundle', ...EXPORT_FORMATS].join(', or ')}`);
  const id = idOf(input);
  const bytes = await withOperator(context, false, (operator) => operator.exportReceipt(id, format));
  return writeOut(input, context, { json: { id }, bytes, fileName: `${id}${SUFFIXES[format]}`, property: 'export' });
}

async function key(input: Input, context: Context): Promise<Outcome> {
  const base64url = await withOperator(context, false, (operator) => operator.receiptKey());
  const hex = Buffer.from(base64url, 'base64url').toString('hex');
  return { exitCode: EXIT.ok, json: { key: base64url, hex }, text: flag(input, 'hex') ? hex : base64url };
}

export const receiptCommands: readonly Command[] = [
  {
    path: 'receipt show',
    args: '<id>',
    summary: 'one entry of the log',
    options: [{ flags: '--inputs', summary: 'and what was sealed with it: the action, in clear' }],
    examples: ['countersign receipt show 0193a0b0-0000-7000-8000-000000000001'],
    run: show,
  },
  {
    path: 'receipt bundle',
    args: '<id>',
    summary: 'a file that proves one entry to anybody, offline',
    options: [
      { flags: '--out <file>', summary: '`ID.countersign.json` where it is not said, `-` for standard output' },
      { flags: '--without-inputs', summary: 'prove the entry, disclose nothing: it can be verified, not replayed' },
      ...OUT_OPTIONS,
    ],
    examples: ['countersign receipt bundle 0193a0b0-0000-7000-8000-000000000001 --out receipt.json'],
    run: bundle,
  },
  {
    path: 'receipt export',
    args: '<id>',
    summary: 'the same in a format of others: in-toto in DSSE, Clawdstrike, Spine, C2SP tlog-proof',
    options: [
      { flags: '--format <format>', summary: `bundle where it is not said, ${EXPORT_FORMATS.join(', ')} (spine: the session up to it)` },
      { flags: '--out <file>', summary: 'named after id and format where it is not said, `-` for standard output' },
      { flags: '--without-inputs', summary: 'of a bundle: disclose nothing. The other formats never do' },
      ...OUT_OPTIONS,
    ],
    examples: [
      'countersign receipt export 0193a0b0-0000-7000-8000-000000000001 --format dsse',
      'countersign receipt export 0193a0b0-0000-7000-8000-000000000001 --format signed-receipt --out receipt.json',
    ],
    run: exported,
  },
  {
    path: 'receipt key',
    summary: 'the public key of receipts and exports, which whoever verifies must know',
    options: [{ flags: '--hex', summary: 'as Clawdstrike writes keys' }],
    examples: ['countersign receipt key', 'countersign receipt key --hex > countersign.pub'],
    run: key,
  },
];
