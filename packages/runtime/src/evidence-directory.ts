/**
 * @module A data directory as evidence: read, never written, whoever has it open. For verification and replay, of one's own
 * installation or of somebody else's. Engines that lie in it are handed out as files; whether they are run is the reader's business.
 */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type NoteVerifier, parseNoteVerifierKey } from '@countersign/crypto';
import { codeOf, CodedError, type Fault, type Result } from '@countersign/kernel';
import { type Checkpoint, CHECKPOINT_PATH, type JournalReader, type LogRecord, openCheckpoint, openJournalReader } from '@countersign/log';
import { type Opener, RECEIPT_LIMITS } from '@countersign/receipts';
import { openContent } from './content-opener.ts';
import { copyDatabase } from './database-copy.ts';
import { type EvidenceStorage, openEvidenceStorage } from './evidence-storage.ts';
import { createEvidenceTree, type EvidenceTree } from './evidence-tree.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { openSealed, type SealedDecision } from './sealed-decision.ts';

export interface EvidenceOptions {
  readonly dataDir: string;
  /** Verifier keys that must have signed the checkpoint. Absent: the directory's own word for its keys, `log.vkey`. */
  readonly logKeys?: readonly string[];
  /** A copy of the state that another reader of the same directory made; it keeps it until this one is closed. */
  readonly statePath?: string;
}

export interface EvidenceDirectory extends EvidenceTree {
  /** The newest published checkpoint, signed by one of the keys. */
  readonly checkpoint: Checkpoint;
  /** Origin of the log. */
  readonly origin: string;
  /** Verifier keys of the log. */
  readonly logKeys: readonly string[];
  readonly journal: JournalReader;
  /** Copy of the state, for other readers in this process; undefined where the directory holds none. */
  readonly statePath: string | undefined;
  /** A policy or rule document by its hash, as text: whoever uses it checks it. */
  document(hash: string): string | undefined;
  /** What was kept with a record, whose entry has this id. Faults where it was erased or is damaged. */
  sealed(record: LogRecord, id: string): Result<SealedDecision, Fault>;
  close(): Promise<void>;
}

function refused(code: string, message: string, hint: string): CodedError {
  return new CodedError({ code, message, hint });
}

async function readLogKeys(dataDir: string): Promise<readonly string[]> {
  try {
    const text = await readFile(join(dataDir, 'log.vkey'), 'utf8');
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function verifiersOf(logKeys: readonly string[]): readonly NoteVerifier[] {
  if (logKeys.length === 0) throw refused('log_key_missing', 'the directory names no log key', 'name the key of the log: --key VKEY');
  if (logKeys.length > RUNTIME_LIMITS.logKeysMax)
    throw refused('log_key_malformed', `a log has at most ${RUNTIME_LIMITS.logKeysMax} keys`, 'name the key of the log: --key VKEY');
  return logKeys.map((key) => {
    const parsed = parseNoteVerifierKey(key);
    if (!parsed.ok) throw new CodedError(parsed.error);
    return parsed.value;
  });
}

async function readCheckpoint(storage: EvidenceStorage, logKeys: readonly string[]): Promise<Checkpoint> {
  const bytes = await storage.readFile(CHECKPOINT_PATH);
  if (bytes === undefined) throw refused('log_unpublished', 'the log has no checkpoint', 'start its gateway once: it publishes one');
  const opened = openCheckpoint(new TextDecoder().decode(bytes), verifiersOf(logKeys));
  if (opened.ok) return opened.value;
  throw new CodedError({ ...opened.error, path: CHECKPOINT_PATH, hint: 'check the directory, or the key that was named' });
}

interface State {
  readonly path: string | undefined;
  document(hash: string): string | undefined;
  close(): Promise<void>;
}

/** A copy of somebody else's database: nothing of it is run, and only a table is read as one. */
function openDocuments(path: string): Pick<State, 'document'> & { readonly database: DatabaseSync } {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec('PRAGMA trusted_schema = OFF');
    const kind = database.prepare("SELECT type FROM sqlite_schema WHERE name = 'documents'").get()?.['type'];
    if (kind !== 'table') throw refused('state_unreadable', 'the state holds no table of documents', 'restore it from a backup');
    const select = database.prepare('SELECT text FROM documents WHERE hash = ? AND length(text) <= ?');
    const document = (hash: string): string | undefined => {
      const text = select.get(hash, RECEIPT_LIMITS.bundleBytesMax)?.['text'];
      return typeof text === 'string' ? text : undefined;
    };
    return { database, document };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The state of the directory: the copy that was given, or one of our own, which goes when it is closed. */
async function openState({ dataDir, statePath }: EvidenceOptions): Promise<State> {
  if (statePath !== undefined) {
    const { database, document } = openDocuments(statePath);
    return { path: statePath, document, close: () => Promise.resolve(database.close()) };
  }
  const original = join(dataDir, 'state.db');
  if (!(await exists(original))) return { path: undefined, document: () => undefined, close: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'countersign-evidence-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'state.db');
    await copyDatabase(original, path);
    const { database, document } = openDocuments(path);
    const close = (): Promise<void> => {
      database.close();
      return remove();
    };
    return { path, document, close };
  } catch (error) {
    await remove();
    throw error;
  }
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

interface Parts {
  readonly storage: EvidenceStorage;
  readonly state: State;
  readonly opener: Opener;
}

async function compose(options: EvidenceOptions, { storage, state, opener }: Parts): Promise<EvidenceDirectory> {
  const logKeys = options.logKeys ?? (await readLogKeys(options.dataDir));
  // First the checkpoint: what it covers was in the journal before it was signed.
  const checkpoint = await readCheckpoint(storage, logKeys);
  const journal = await openJournalReader(storage);
  checkReaches(journal, checkpoint);
  return {
    ...createEvidenceTree({ storage, journal, checkpoint }),
    checkpoint,
    origin: checkpoint.origin,
    logKeys,
    journal,
    statePath: state.path,
    document: (hash) => state.document(hash),
    sealed: (record, id) => openSealed(record, { log: checkpoint.origin, id, opener }),
    close: async () => {
      await storage.close();
      await state.close();
    },
  };
}

/**
 * Opens a data directory for reading, beside whatever else has it open. Nothing in it is changed and no lock is taken.
 * @throws CodedError `no_data_directory`, `log_key_missing`, `log_unpublished`, `log_corrupt`, `log_rolled_back`, `state_unreadable`,
 * `state_busy`, those of `openContent` where its master key is not here, or `checkpoint_*` and `note_*` where no named key signed.
 */
export async function openEvidenceDirectory(options: EvidenceOptions): Promise<EvidenceDirectory> {
  const storage = openEvidenceStorage(join(options.dataDir, 'log'));
  let state: State | undefined;
  try {
    // Before the state: a directory that holds no log is none of ours.
    await storage.segments();
    const opener = openContent(options.dataDir);
    state = await openState(options);
    return await compose(options, { storage, state, opener });
  } catch (error) {
    await storage.close();
    await state?.close();
    throw error;
  }
}
