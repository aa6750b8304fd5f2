/** @module A file that a command was asked for: written once, never over one that is there unless that was said. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, type JsonObject } from '@countersign/kernel';
import { type Context, flag, type Input, textOption } from './command.ts';
import { CliError, configError, EXIT, type Outcome } from './outcome.ts';

export interface Written {
  readonly bytes: Uint8Array;
  /** Where nobody named a file with `--out`. */
  readonly fileName: string;
  /** Property of the JSON answer that holds the text where it goes to standard output. */
  readonly property: 'bundle' | 'export' | 'consistency';
  /** Further properties of the JSON answer. */
  readonly json: JsonObject;
  /** Command that reads the file; `countersign verify` where it is not said. */
  readonly next?: string;
}

export const OUT_OPTIONS = [{ flags: '--force', summary: 'replace a file that is there' }] as const;

/** Puts `bytes` into a new file. @throws {CliError} exit 3 where it is there already, or cannot be written. */
export async function writeNewFile(path: string, bytes: Uint8Array, replace: boolean): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EEXIST') throw configError([{ code: 'file_unwritable', message: `the file cannot be written (${code})`, path }]);
    const hint = 'name another with --out, or say --force';
    throw new CliError(EXIT.config, [{ code: 'file_exists', message: 'the file is there already', path, hint }], { cause: error });
  }
}

/** To `--out`, or to a name of its own; `-` is standard output. */
export async function writeOut(
  input: Input,
  context: Context,
  { bytes, fileName, property, json, next = 'countersign verify' }: Written,
): Promise<Outcome> {
  const out = textOption(input, 'out') ?? fileName;
  if (out === '-') {
    const text = new TextDecoder().decode(bytes);
    return { exitCode: EXIT.ok, json: { ...json, [property]: text }, text: text.trimEnd() };
  }
  await writeNewFile(resolve(context.world.cwd, out), bytes, flag(input, 'force'));
  const text = `${out}: ${bytes.length} bytes; next: ${next} ${out}`;
  return { exitCode: EXIT.ok, json: { ...json, file: out, bytes: bytes.length }, text };
}
