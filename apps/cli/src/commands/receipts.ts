/** @module `receipt`: one receipt, to read or to hand to somebody who trusts nobody. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, isUuid, type JsonValue } from '@countersign/kernel';
import { readBundle } from '@countersign/receipts';
import { EXPORT_FORMATS, type ExportFormat } from '@countersign/receipts/exports';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { CliError, EXIT, type Outcome, usageError } from '../outcome.ts';
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

interface Written {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** Where nobody named a file. */
  readonly fileName: string;
  /** Property of the JSON answer that holds the text. */
  readonly property: 'bundle' | 'export';
}

async function write(input: Input, context: Context, { id, bytes, fileName, property }: Written): Promise<Outcome> {
  const out = textOption(input, 'out') ?? fileName;
  if (out === '-') {
    const text = new TextDecoder().decode(bytes);
    return { exitCode: EXIT.ok, json: { id, [property]: text }, text: text.trimEnd() };
  }
  try {
    await writeFile(resolve(context.world.cwd, out), bytes, { flag: flag(input, 'force') ? 'w' : 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new CliError(EXIT.config, [
      { code: 'file_exists', message: 'the file is there already', path: out, hint: 'name another with --out, or say --force' },
    ]);
  }
  const next = `countersign verify ${out}`;
  return { exitCode: EXIT.ok, json: { id, file: out, bytes: bytes.length }, text: `${out}: ${bytes.length} bytes; next: ${next}` };
}

async function bundle(input: Input, context: Context): Promise<Outcome> {
  const { id, bytes } = await fetchBundle(input, context, !flag(input, 'withoutInputs'));
  return write(input, context, { id, bytes, fileName: `${id}.countersign.json`, property: 'bundle' });
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
  return write(input, context, { id, bytes, fileName: `${id}${SUFFIXES[format]}`, property: 'export' });
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
      { flags: '--force', summary: 'replace a file that is there' },
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
      { flags: '--force', summary: 'replace a file that is there' },
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
