/**
 * @module The databases of a data directory as copies that nobody else writes, in a private temporary folder: documents from the state,
 * subject keys from the vault. For whoever holds the master key.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '@countersign/kernel';
import { type Opener, RECEIPT_LIMITS } from '@countersign/receipts';
import { createSealer, loadMasterKey, openVaultReader } from '@countersign/store';
import { copyDatabase } from './database-copy.ts';
import { createSystemRandom } from './platform.ts';

export interface EvidenceCopies {
  readonly folder: string;
  readonly opener: Opener;
  /** A policy or rule document by its hash, as text: whoever uses it checks it. */
  document(hash: string): string | undefined;
  /** Removes the folder, where it was made here. */
  close(): Promise<void>;
}

const DATABASES = ['state.db', 'vault.db'] as const;

interface Documents extends Pick<EvidenceCopies, 'document'> {
  close(): void;
}

/** A copy of somebody else's database: nothing of it is run, and only a table is read as one. */
function openDocuments(path: string): Documents {
  if (!existsSync(path)) return { document: () => undefined, close: () => undefined };
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec('PRAGMA trusted_schema = OFF');
    const kind = database.prepare("SELECT type FROM sqlite_schema WHERE name = 'documents'").get()?.['type'];
    if (kind !== 'table')
      throw new CodedError({
        code: 'state_unreadable',
        message: 'the state holds no table of documents',
        hint: 'restore it from a backup',
      });
    const select = database.prepare('SELECT text FROM documents WHERE hash = ? AND length(text) <= ?');
    const document = (hash: string): string | undefined => {
      const text = select.get(hash, RECEIPT_LIMITS.bundleBytesMax)?.['text'];
      return typeof text === 'string' ? text : undefined;
    };
    return { document, close: () => database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

function openFolder(dataDir: string, folder: string): Omit<EvidenceCopies, 'close'> & { close(): void } {
  const random = createSystemRandom();
  const master = createSealer(loadMasterKey({ path: join(dataDir, 'keys', 'master.key'), random, create: false }), random);
  const documents = openDocuments(join(folder, 'state.db'));
  try {
    const vault = openVaultReader(join(folder, 'vault.db'), master);
    const close = (): void => {
      vault.close();
      documents.close();
    };
    return { folder, opener: vault, document: (hash) => documents.document(hash), close };
  } catch (error) {
    documents.close();
    throw error;
  }
}

async function copyAll(dataDir: string, folder: string): Promise<void> {
  for (const name of DATABASES) if (existsSync(join(dataDir, name))) await copyDatabase(join(dataDir, name), join(folder, name));
}

/**
 * Copies and opens what a replay needs; or opens the copies in `known`, which stay.
 * @throws CodedError `key_file_*` where the master key is not here, `state_unreadable`, `state_busy`, `vault_unavailable`.
 */
export async function openCopies(dataDir: string, known?: string): Promise<EvidenceCopies> {
  if (known !== undefined) {
    const opened = openFolder(dataDir, known);
    return { ...opened, close: () => Promise.resolve(opened.close()) };
  }
  const folder = await mkdtemp(join(tmpdir(), 'countersign-evidence-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await copyAll(dataDir, folder);
    const opened = openFolder(dataDir, folder);
    const close = (): Promise<void> => {
      opened.close();
      return remove();
    };
    return { ...opened, close };
  } catch (error) {
    await remove();
    throw error;
  }
}
