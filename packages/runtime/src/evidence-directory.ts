/**
 * @module A data directory as evidence: read, never written, whoever has it open. For verification and replay, of one's own
 * installation or of somebody else's. Engines that lie in it are handed out as files; whether they are run is the reader's business.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NoteVerifier, parseNoteVerifierKey } from '@countersign/crypto';
import { codeOf, CodedError, type Fault, type Result } from '@countersign/kernel';
import { type Checkpoint, CHECKPOINT_PATH, type JournalReader, type LogRecord, openCheckpoint, openJournalReader } from '@countersign/log';
import { MAIN_LOG } from '@countersign/pipeline';
import { unseal, type Unsealed } from '@countersign/receipts';
import { type DiskLogReading, openDiskLogReading } from '@countersign/store';
import { openCopies } from './evidence-copies.ts';
import { createEvidenceTree, type EvidenceTree } from './evidence-tree.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { isLogName, type LogPlace, logPlace } from './log-place.ts';

export interface EvidenceOptions {
  readonly dataDir: string;
  /** Which of its logs; `main` where it is not said. */
  readonly log?: string;
  /** Verifier keys that must have signed the checkpoint. Absent: the directory's own word for its keys, `log.vkey`. */
  readonly logKeys?: readonly string[];
  /** Copies of the databases that another reader of the same directory made; it keeps them until this one is closed. */
  readonly copies?: string;
}

export interface EvidenceDirectory extends EvidenceTree {
  /** The newest published checkpoint, signed by one of the keys. */
  readonly checkpoint: Checkpoint;
  /** Origin of the log. */
  readonly origin: string;
  /** Verifier keys of the log. */
  readonly logKeys: readonly string[];
  readonly journal: JournalReader;
  /** Folder with copies of the databases, for other readers in this process. */
  readonly copies: string;
  /** A policy or rule document by its hash, as text: whoever uses it checks it. */
  document(hash: string): string | undefined;
  /** What was kept with a record, whose entry has this id. Faults where it was erased (`vault_erased`) or is damaged. */
  sealed(record: LogRecord, id: string): Result<Unsealed, Fault>;
  close(): Promise<void>;
}

function refused(code: string, message: string, hint: string): CodedError {
  return new CodedError({ code, message, hint });
}

async function readLogKeys({ home }: LogPlace): Promise<readonly string[]> {
  try {
    const text = await readFile(join(home, 'log.vkey'), 'utf8');
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function verifiersOf(logKeys: readonly string[]): readonly NoteVerifier[] {
  if (logKeys.length === 0) throw refused('log_key_missing', 'the directory names no log key', 'name the key of the log: --key VKEY');
  if (logKeys.length > RUNTIME_LIMITS.logKeysActiveMax)
    throw refused('log_key_malformed', `a log has at most ${RUNTIME_LIMITS.logKeysActiveMax} keys`, 'name the key of the log: --key VKEY');
  return logKeys.map((key) => {
    const parsed = parseNoteVerifierKey(key);
    if (!parsed.ok) throw new CodedError(parsed.error);
    return parsed.value;
  });
}

async function readCheckpoint(storage: DiskLogReading, logKeys: readonly string[]): Promise<Checkpoint> {
  const bytes = await storage.readFile(CHECKPOINT_PATH);
  if (bytes === undefined) throw refused('log_unpublished', 'the log has no checkpoint', 'start its gateway once: it publishes one');
  const opened = openCheckpoint(new TextDecoder().decode(bytes), verifiersOf(logKeys));
  if (opened.ok) return opened.value;
  throw new CodedError({ ...opened.error, path: CHECKPOINT_PATH, hint: 'check the directory, or the key that was named' });
}

function checkReaches(journal: JournalReader, checkpoint: Checkpoint): void {
  if (journal.size >= checkpoint.size) return;
  throw new CodedError({
    code: 'log_rolled_back',
    message: `the journal holds ${journal.size} records, but ${checkpoint.size} were published`,
    path: journal.end,
    hint: 'restore the journal from a copy that is at least as new as the checkpoint',
  });
}

/** SECURITY: a name is a part of a path only where it is the name of a log. */
function knownPlace({ dataDir, log = MAIN_LOG }: EvidenceOptions): LogPlace {
  if (log === MAIN_LOG || isLogName(log)) return logPlace(dataDir, log);
  throw refused('log_unknown', 'there is no log of this name here', 'countersign log list');
}

/** Where there is no log, it is none of our directories. */
function openStorage({ directory, name }: LogPlace, dataDir: string): DiskLogReading {
  if (existsSync(join(directory, 'journal'))) return openDiskLogReading(directory);
  if (name !== MAIN_LOG) throw refused('log_unknown', 'there is no log of this name here', 'countersign log list');
  throw new CodedError({
    code: 'no_data_directory',
    message: 'there is no Countersign log here',
    path: dataDir,
    hint: 'name a data directory: the one that holds `log`, `keys`, `state.db` and `vault.db`',
  });
}

async function compose(options: EvidenceOptions, place: LogPlace, storage: DiskLogReading): Promise<EvidenceDirectory> {
  const { dataDir, copies } = options;
  const logKeys = options.logKeys ?? (await readLogKeys(place));
  // First the checkpoint: what it covers was in the journal before it was signed. The databases last: documents and keys of a record are
  // in them before the record is in the journal.
  const checkpoint = await readCheckpoint(storage, logKeys);
  const journal = await openJournalReader(storage);
  checkReaches(journal, checkpoint);
  const held = await openCopies(dataDir, copies);
  return {
    ...createEvidenceTree({ storage, journal, checkpoint }),
    checkpoint,
    origin: checkpoint.origin,
    logKeys,
    journal,
    copies: held.folder,
    document: (hash) => held.document(hash),
    sealed: (record, id) => unseal(record, { log: checkpoint.origin, id, opener: held.opener }),
    close: async () => {
      await storage.close();
      await held.close();
    },
  };
}

/**
 * Opens a data directory for reading, beside whatever else has it open. Nothing in it is changed and no lock is taken.
 * @throws CodedError `no_data_directory`, `log_unknown`, `log_key_missing`, `log_unpublished`, `log_corrupt`, `log_rolled_back`, those of `openCopies`
 * (its master key, state and vault), or `checkpoint_*` and `note_*` where no named key signed.
 */
export async function openEvidenceDirectory(options: EvidenceOptions): Promise<EvidenceDirectory> {
  const place = knownPlace(options);
  const storage = openStorage(place, options.dataDir);
  try {
    return await compose(options, place, storage);
  } catch (error) {
    await storage.close();
    throw error;
  }
}
