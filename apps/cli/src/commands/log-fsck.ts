/** @module `log fsck`: reads a whole log and holds every part against every other. Changes nothing, also beside a running gateway. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type NoteVerifier, parseNoteVerifierKey } from '@countersign/crypto';
import type { JsonObject } from '@countersign/kernel';
import { type Checkpoint, fsckLog, type FsckFault, type FsckReport, openCheckpoint, openJournalReader, readAnswer } from '@countersign/log';
import { type DiskLogReading, openDiskLogReading } from '@countersign/store';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { createCounter } from '../counter.ts';
import { LOG_NAME_OPTION, namedLog, placeOfLog } from '../log-directory.ts';
import { configError, EXIT, type Outcome } from '../outcome.ts';
import { type Column, renderTable } from '../render.ts';
import { readTrust } from '../trust.ts';

const COLUMNS: readonly Column<FsckFault>[] = [
  { title: 'fault', value: ({ code }) => code, colour: () => 'red' },
  { title: 'where', value: ({ path }) => path },
  { title: 'what', value: ({ sentence }) => sentence },
];

function logDirectory(input: Input, context: Context): string {
  const named = textOption(input, 'log');
  const path = named === undefined ? placeOfLog(context, namedLog(input, context)).directory : resolve(context.world.cwd, named);
  if (existsSync(join(path, 'journal'))) return path;
  const hint = 'name the data directory with --data DIR, or the log with --log DIR';
  throw configError([{ code: 'no_log', message: 'there is no log with a journal here', path, hint }]);
}

/** The newest checkpoint, or the sentence why it proves nothing. */
async function newestCheckpoint(disk: DiskLogReading, vkeys: readonly string[]): Promise<Checkpoint | string> {
  const bytes = await disk.readFile('checkpoint');
  if (bytes === undefined) return 'The checkpoint is missing.';
  const verifiers = vkeys.flatMap((vkey): readonly NoteVerifier[] => {
    const parsed = parseNoteVerifierKey(vkey);
    return parsed.ok ? [parsed.value] : [];
  });
  const opened = openCheckpoint(new TextDecoder().decode(bytes), verifiers);
  return opened.ok ? opened.value : `The checkpoint is not signed by a key that is believed: ${opened.error.message}.`;
}

/** A gateway that goes on publishing replaces partial tiles by full ones: their beginning is what is looked for. */
function readerOf(disk: DiskLogReading): (path: string) => Promise<Uint8Array | undefined> {
  return async (path) => (await readAnswer({ method: 'GET', path }, (one) => disk.readFile(one))).body;
}

async function examine(disk: DiskLogReading, checkpoint: Checkpoint, context: Context): Promise<FsckReport> {
  const journal = await openJournalReader(disk);
  const counter = createCounter(context.world, 'checking entry', journal.size - journal.first);
  let done = 0;
  const progress = (records: number): void => {
    for (; done < records; done += 1) counter.add();
  };
  try {
    return await fsckLog({ journal, readFile: readerOf(disk), checkpoint, progress });
  } finally {
    counter.end();
  }
}

function outcomeOf(directory: string, report: FsckReport, context: Context): Outcome {
  const { ok, records, firstRecord, files, faults, faultsCut } = report;
  const table = renderTable({ columns: COLUMNS, rows: faults, empty: '' }, context.paint, context.world.stdout.columns);
  const cut = faultsCut > 0 ? [`and ${faultsCut} more`] : [];
  const from = firstRecord > 0 ? ` from ${firstRecord} on (those before are in an archive)` : '';
  const said = `${directory}: ${records} entries${from} and ${files} published files were read: `;
  const verdict = ok ? context.paint('green', 'no fault') : context.paint('red', `${faults.length + faultsCut} faults`);
  const faultsJson = faults.map(({ code, path, sentence }): JsonObject => ({ code, path, sentence }));
  const json: JsonObject = { ok, directory, records, firstRecord, files, faults: faultsJson, faultsCut };
  return { exitCode: ok ? EXIT.ok : EXIT.warn, json, text: [...(ok ? [] : [table, ...cut, '']), said + verdict].join('\n') };
}

async function fsck(input: Input, context: Context): Promise<Outcome> {
  const directory = logDirectory(input, context);
  const trust = await readTrust(input, context);
  const disk = openDiskLogReading(directory);
  try {
    // Before the journal: what it covers is there by then, whatever a gateway goes on to write.
    const checkpoint = await newestCheckpoint(disk, trust.vkeys);
    if (typeof checkpoint !== 'string') return outcomeOf(directory, await examine(disk, checkpoint, context), context);
    const fault = { code: 'checkpoint_bad', path: 'checkpoint', sentence: checkpoint };
    const json: JsonObject = { ok: false, directory, records: 0, firstRecord: 0, files: 0, faults: [fault], faultsCut: 0 };
    return { exitCode: EXIT.warn, json, text: `${checkpoint} Nothing else was checked.` };
  } finally {
    await disk.close();
  }
}

export const logFsckCommand: Command = {
  path: 'log fsck',
  summary: 'read the whole log and hold its parts against each other; exit 1 where one does not fit. Changes nothing',
  options: [
    { flags: '--log <dir>', summary: 'directory of the log; `log` in the data directory where it is not said' },
    LOG_NAME_OPTION,
    { flags: '--key <vkey...>', summary: 'verifier key of the log; those of the data directory where it is not said' },
    { flags: '--keys <file>', summary: 'file with one verifier key a line' },
  ],
  examples: ['countersign log fsck', 'countersign log fsck --log /srv/copy/log --keys keys.txt'],
  run: fsck,
};
