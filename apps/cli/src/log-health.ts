/** @module How log, witnesses and vault are: from a running gateway where there is one, else from the files, which are only read. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NoteVerifier, parseNoteVerifierKey } from '@countersign/crypto';
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { openCheckpoint, openJournalReader } from '@countersign/log';
import { checkCosignatures, readWitnessConfig } from '@countersign/runtime';
import { openDiskLogReading } from '@countersign/store';
import type { Context } from './command.ts';
import { findGateway } from './operator-gateway.ts';

export interface Diagnosis {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly sentence: string;
  readonly hint?: string;
}

const NO_LOG: Diagnosis = { status: 'warn', sentence: 'there is no log yet', hint: 'countersign up' };

async function readOptional(path: string): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : undefined;
}

function checkpointText({ dataDir }: Context): Promise<string | undefined> {
  return readOptional(join(dataDir, 'log', 'public', 'checkpoint'));
}

/** What is on the disk is more than the checkpoint where a gateway ended in between: that is no fault. */
async function journalSize({ dataDir }: Context): Promise<number> {
  const disk = openDiskLogReading(join(dataDir, 'log'));
  try {
    return (await openJournalReader(disk)).size;
  } finally {
    await disk.close();
  }
}

function text(value: JsonValue | undefined, name: string): string | undefined {
  const found = isJsonObject(value) ? getOwn(value, name) : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** What a running gateway says of a log that has stopped. */
function stopped(status: JsonObject): Diagnosis | undefined {
  const logs = getOwn(status, 'logs');
  for (const log of Array.isArray(logs) ? (logs as readonly JsonValue[]) : []) {
    const failure = text(log, 'problem');
    if (failure === undefined) continue;
    const since = text(log, 'failedSince');
    const sentence = `the log ${text(log, 'name') ?? ''} stopped${since === undefined ? '' : ` on ${since}`}: ${failure}`;
    return { status: 'fail', sentence, hint: 'mend the disk, then start the gateway again: all that was acknowledged is kept' };
  }
  return undefined;
}

/** Size, newest checkpoint and its signature, and whether the log has stopped. */
export async function examineLog(context: Context): Promise<Diagnosis> {
  const gateway = await findGateway(context);
  const failed = gateway === undefined ? undefined : stopped(await gateway.status());
  if (failed !== undefined) return failed;
  const [keys, note] = [await readOptional(join(context.dataDir, 'log.vkey')), await checkpointText(context)];
  if (keys === undefined || note === undefined) return NO_LOG;
  const verifiers: NoteVerifier[] = [];
  for (const line of keys.split('\n').filter((one) => one !== '')) {
    const parsed = parseNoteVerifierKey(line);
    if (!parsed.ok) return { status: 'fail', sentence: `the key of the log is not readable: ${parsed.error.message}` };
    verifiers.push(parsed.value);
  }
  const opened = openCheckpoint(note, verifiers);
  if (!opened.ok)
    return {
      status: 'fail',
      sentence: `the checkpoint is not signed by the key of this log: ${opened.error.message}`,
      hint: 'restore the directory from a backup',
    };
  const { origin, size } = opened.value;
  return { status: 'ok', sentence: `log ${origin} of ${await journalSize(context)} entries, newest checkpoint of ${size}, signed` };
}

/** How many witnesses cosigned the newest checkpoint. */
export async function examineWitnesses(context: Context): Promise<Diagnosis> {
  const note = await checkpointText(context);
  if (note === undefined) return NO_LOG;
  const { quorum, reached, witnesses } = checkCosignatures(note, readWitnessConfig(context.dataDir));
  if (witnesses.length === 0) return { status: 'ok', sentence: 'no witnesses: nobody outside cosigns this log' };
  const cosigned = witnesses.filter(({ seconds }) => seconds !== undefined).length;
  const sentence = `${cosigned} of ${witnesses.length} witnesses cosigned the newest checkpoint, ${quorum} wanted`;
  return reached ? { status: 'ok', sentence } : { status: 'warn', sentence, hint: 'countersign log witnesses' };
}

/** How much the vault holds, where a gateway can say it. */
export async function examineVault(context: Context): Promise<Diagnosis> {
  if (!existsSync(join(context.dataDir, 'vault.db'))) return { status: 'warn', sentence: 'there is no vault yet', hint: 'countersign up' };
  const vault = await (await findGateway(context))?.vault();
  if (vault === undefined) return { status: 'ok', sentence: 'the vault is there; `countersign vault show` counts what it holds' };
  const { subjects, keys, erased } = vault;
  return { status: 'ok', sentence: `vault of ${subjects} subjects with ${keys} keys, ${erased} erased` };
}
