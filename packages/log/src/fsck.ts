/**
 * @module Reading a whole log and holding every part against every other: frames, numbers, the index of each segment, each tile and entry
 * bundle, and the signed checkpoint (spec/log.md, LOG-014). Changes nothing; goes on after a fault, so that one look names them all.
 */
import { CodedError } from '@countersign/kernel';
import type { Checkpoint } from './checkpoint.ts';
import { createEntryBundles } from './entry-bundles.ts';
import type { LogRecord } from './frame.ts';
import { createHashTree, type HashTree } from './hash-tree.ts';
import type { JournalReader } from './journal-reader.ts';
import { HASH_BYTES, leafHash, sameHash } from './merkle.ts';
import { CHECKPOINT_PATH, TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';

export type FsckFaultCode =
  | 'tile_missing' // a tile that the checkpoint needs is not there
  | 'tile_wrong' // a tile says something else than the journal
  | 'bundle_missing'
  | 'bundle_wrong'
  | 'root_wrong' // the journal does not lead to the signed root
  | 'journal_short' // the checkpoint covers more than the journal holds
  | 'journal_damaged'; // a record is not what was written; nothing behind it was looked at

export interface FsckFault {
  readonly code: FsckFaultCode;
  /** A path of the log, or a segment and byte. */
  readonly path: string;
  /** One plain sentence. */
  readonly sentence: string;
}

export interface FsckReport {
  readonly ok: boolean;
  /** Records that were read; the first of them is above 0 where earlier ones are in an archive. */
  readonly records: number;
  readonly firstRecord: number;
  /** Published files that were compared. */
  readonly files: number;
  readonly faults: readonly FsckFault[];
  /** Faults that are not in the list. */
  readonly faultsCut: number;
}

export interface FsckOptions {
  readonly journal: JournalReader;
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
  /** Opened by whoever calls, with the keys that it trusts. */
  readonly checkpoint: Checkpoint;
  /** Told how many records were read. */
  readonly progress?: (records: number) => void;
  readonly faultsMax?: number;
}

const FAULTS_MAX = 1000;

interface State {
  readonly options: FsckOptions;
  readonly tree: HashTree;
  readonly faults: FsckFault[];
  faultsCut: number;
  files: number;
}

function complain(state: State, fault: FsckFault): void {
  if (state.faults.length < (state.options.faultsMax ?? FAULTS_MAX)) state.faults.push(fault);
  else state.faultsCut += 1;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

interface Expected extends TileName {
  readonly bytes: Uint8Array;
}

async function compare(state: State, file: Expected): Promise<void> {
  const path = tilePath(file);
  const kind = file.level === 'entries' ? 'bundle' : 'tile';
  const found = await state.options.readFile(path);
  state.files += 1;
  if (found === undefined) return complain(state, { code: `${kind}_missing`, path, sentence: `The ${kind} \`${path}\` is missing.` });
  if (!sameBytes(found, file.bytes))
    complain(state, { code: `${kind}_wrong`, path, sentence: `The ${kind} \`${path}\` does not say what the journal says.` });
  return undefined;
}

/** Leaves of records that are in an archive, from the tiles that stay. */
async function takeArchived(state: State): Promise<boolean> {
  const { journal, readFile } = state.options;
  for (let index = 0; index * TILE_WIDTH < journal.first; index += 1) {
    const width = TILE_WIDTH;
    const path = tilePath({ level: 0, index, width });
    const tile = await readFile(path);
    if (tile?.length !== width * HASH_BYTES) {
      complain(state, {
        code: 'tile_missing',
        path,
        sentence: `The tile \`${path}\` is missing, and its records are in an archive: nothing behind it was checked.`,
      });
      return false;
    }
    const count = Math.min(width, journal.first - index * TILE_WIDTH);
    for (let i = 0; i < count; i += 1) state.tree.push(tile.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    await settle(state, []);
  }
  return true;
}

/** Compares every full file that is known by now, and forgets it. */
async function settle(state: State, bundles: readonly Expected[]): Promise<void> {
  const full = state.tree.waiting().filter(({ width }) => width === TILE_WIDTH);
  for (const file of [...full, ...bundles]) await compare(state, file);
  for (const { level, index } of full) state.tree.forget(level, index + 1);
}

async function takeRecords(state: State): Promise<number> {
  const { journal, checkpoint, progress } = state.options;
  const bundles = createEntryBundles(Math.ceil(journal.first / TILE_WIDTH));
  const firstWhole = Math.ceil(journal.first / TILE_WIDTH) * TILE_WIDTH;
  let read = 0;
  const take = ({ index, entry }: LogRecord): void => {
    if (index >= checkpoint.size) return;
    state.tree.push(leafHash(entry));
    if (index >= firstWhole) bundles.push(entry);
  };
  for await (const records of journal.records(journal.first, journal.size)) {
    for (const record of records) take(record);
    read += records.length;
    const full = bundles.waiting().filter(({ width }) => width === TILE_WIDTH);
    await settle(state, full);
    const last = full.at(-1);
    if (last !== undefined) bundles.forget(last.index + 1);
    progress?.(read);
  }
  for (const file of [...state.tree.waiting(), ...bundles.waiting()]) await compare(state, file);
  return read;
}

function checkRoot(state: State): void {
  const { checkpoint, journal } = state.options;
  if (journal.size < checkpoint.size) {
    const sentence = `The checkpoint covers ${checkpoint.size} records, and the journal holds ${journal.size}.`;
    return complain(state, { code: 'journal_short', path: CHECKPOINT_PATH, sentence });
  }
  if (state.tree.size === checkpoint.size && !sameHash(state.tree.root(), checkpoint.root))
    complain(state, {
      code: 'root_wrong',
      path: CHECKPOINT_PATH,
      sentence: `The journal does not lead to the signed root of size ${checkpoint.size}.`,
    });
  return undefined;
}

/** Checks a log. Total as far as the log goes: only storage that fails makes it throw. */
export async function fsckLog(options: FsckOptions): Promise<FsckReport> {
  const tree = createHashTree({ readFile: options.readFile, tileCacheMax: 1 });
  const state: State = { options, tree, faults: [], faultsCut: 0, files: 0 };
  let records = 0;
  if (await takeArchived(state)) {
    try {
      records = await takeRecords(state);
      checkRoot(state);
    } catch (error) {
      const fault = damageOf(error);
      if (fault === undefined) throw error;
      complain(state, { code: 'journal_damaged', path: fault.path, sentence: `${fault.sentence}. Nothing behind it was checked.` });
    }
  }
  const { faults, faultsCut, files } = state;
  return { ok: faults.length === 0, records, firstRecord: options.journal.first, files, faults, faultsCut };
}

/** What a reader of the journal said of damage; undefined for anything else. */
function damageOf(error: unknown): { readonly path: string; readonly sentence: string } | undefined {
  if (!(error instanceof CodedError) || error.code !== 'log_corrupt') return undefined;
  const { message, path = '' } = error.fault;
  return { path, sentence: message.charAt(0).toUpperCase() + message.slice(1) };
}
