/** @module Whom `verify` believes: keys named on the command line or in a file; else the log of the local data directory, and says so. */
import { parseNoteVerifierKey } from '@countersign/crypto';
import { type CosignerKey, parseCosignerKey } from '@countersign/log';
import { MAIN_LOG } from '@countersign/pipeline';
import type { Trust } from '@countersign/receipts';
import { furtherLogs, logPlace } from '@countersign/runtime';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, type Input, listOption, textOption } from './command.ts';
import { readText } from './documents.ts';
import { configError, usageError } from './outcome.ts';

export interface NamedTrust extends Trust {
  /** Where the keys came from, for people. */
  readonly from: string;
}

const LOG_KEY_FILE = 'log.vkey';

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

export const TRUST_OPTIONS = [
  { flags: '--key <vkey...>', summary: 'verifier key of the log (name+hash+base64)' },
  { flags: '--keys <file>', summary: 'file with one verifier key a line' },
  { flags: '--receipt-key <key...>', summary: 'public key of a receipt signer, base64url' },
] as const;

export const WITNESS_OPTIONS = [
  { flags: '--witness-key <vkey...>', summary: 'verifier key of a witness that must have cosigned the checkpoint' },
  { flags: '--witnesses <count>', summary: 'how many of them must have; all where it is not said' },
] as const;

function witnessOf(text: string): CosignerKey {
  const parsed = parseCosignerKey(text);
  if (parsed.ok) return parsed.value;
  throw configError([{ ...parsed.error, path: 'the command line', hint: 'its operator shows it with `countersign witness key`' }]);
}

/** Witnesses that are believed; none where none is named. @throws {CliError} exit 3 for a key that is none, exit 5 for a wrong count. */
function readWitnesses(input: Input): Pick<Trust, 'witnessKeys' | 'quorum'> {
  const witnessKeys = listOption(input, 'witnessKey');
  const names = new Set(witnessKeys.map((text) => witnessOf(text).name));
  const count = textOption(input, 'witnesses');
  if (count === undefined) return witnessKeys.length === 0 ? {} : { witnessKeys };
  const quorum = /^[0-9]{1,3}$/.test(count) ? Number(count) : 0;
  if (quorum >= 1 && quorum <= names.size) return { witnessKeys, quorum };
  throw usageError('--witnesses must be from 1 to the number of witnesses that are named', 'name them: --witness-key VKEY');
}

/** The keys of every log of the data directory: each is believed of its own log only. */
function localKeyFiles(dataDir: string): readonly string[] {
  const homes = [MAIN_LOG, ...furtherLogs(dataDir)].map((name) => logPlace(dataDir, name).home);
  return homes.map((home) => join(home, LOG_KEY_FILE)).filter((file) => existsSync(file));
}

/** @throws {CliError} exit 3 for a key that is none, exit 5 where no key is known. */
export async function readTrust(input: Input, context: Context): Promise<NamedTrust> {
  const receiptKeys = listOption(input, 'receiptKey');
  const witnesses = readWitnesses(input);
  const named = listOption(input, 'key');
  const file = textOption(input, 'keys');
  if (named.length > 0 || file !== undefined) {
    const fromFile = file === undefined ? [] : linesOf(await readText(file, context));
    const from = file ?? 'the command line';
    return { vkeys: check([...named, ...fromFile], from), receiptKeys, ...witnesses, from };
  }
  const local = localKeyFiles(context.dataDir);
  if (local.length === 0)
    throw usageError('whose log is to be believed?', 'name its key: --key VKEY (the operator shows it with `countersign log key`)');
  const vkeys: string[] = [];
  for (const keyFile of local) vkeys.push(...check(linesOf(await readText(keyFile, context)), keyFile));
  return { vkeys, receiptKeys, ...witnesses, from: local.join(' and ') };
}
