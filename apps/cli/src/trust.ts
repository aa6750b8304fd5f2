/** @module Whom `verify` believes: keys named on the command line or in a file; else the log of the local data directory, and says so. */
import { parseNoteVerifierKey } from '@countersign/crypto';
import type { Trust } from '@countersign/receipts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, type Input, listOption, textOption } from './command.ts';
import { readText } from './documents.ts';
import { configError, usageError } from './outcome.ts';

export interface NamedTrust extends Trust {
  /** Where the keys came from, for people. */
  readonly from: string;
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function check(keys: readonly string[], from: string): readonly string[] {
  for (const key of keys) {
    const parsed = parseNoteVerifierKey(key);
    if (!parsed.ok) throw configError([{ ...parsed.error, path: from }]);
  }
  return keys;
}

/** @throws {CliError} exit 3 for a key that is none, exit 5 where no key is known. */
export async function readTrust(input: Input, context: Context): Promise<NamedTrust> {
  const receiptKeys = listOption(input, 'receiptKey');
  const named = listOption(input, 'key');
  const file = textOption(input, 'keys');
  if (named.length > 0 || file !== undefined) {
    const fromFile = file === undefined ? [] : linesOf(await readText(file, context));
    const from = file ?? 'the command line';
    return { vkeys: check([...named, ...fromFile], from), receiptKeys, from };
  }
  const local = join(context.dataDir, 'log.vkey');
  if (!existsSync(local))
    throw usageError('whose log is to be believed?', 'name its key: --key VKEY (the operator shows it with `countersign log key`)');
  return { vkeys: check(linesOf(await readText(local, context)), local), receiptKeys, from: local };
}
