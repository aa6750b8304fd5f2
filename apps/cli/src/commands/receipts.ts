/** @module `receipt`: one receipt, to read or to hand to somebody who trusts nobody. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, isUuid, type JsonValue } from '@countersign/kernel';
import { readBundle } from '@countersign/receipts';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { CliError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { withOperator } from './agents.ts';

async function fetchBundle(input: Input, context: Context, inputs: boolean): Promise<{ readonly id: string; readonly bytes: Uint8Array }> {
  const id = (input.args[0] ?? '').toLowerCase();
  if (!isUuid(id)) throw usageError('a receipt is named by its id, a UUID', 'countersign log tail');
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
  const out = textOption(input, 'out') ?? `${id}.countersign.json`;
  if (out === '-')
    return { exitCode: EXIT.ok, json: { id, bundle: new TextDecoder().decode(bytes) }, text: new TextDecoder().decode(bytes) };
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
];
