/**
 * @module Resolved policies, rules and engines, kept by the hash that receipts name, so that an old verdict can be re-run after an upgrade.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, codeOf, CodedError, type JsonValue } from '@countersign/kernel';

const HASH = /^[0-9a-f]{64}$/;

export interface DocumentStore {
  /** Keeps a document; durable when it resolves. Gives its hash. */
  keepJson(value: JsonValue): Promise<string>;
  keepEngine(bytes: Uint8Array): Promise<string>;
  /** The document with this hash, checked, or undefined where it is not kept. @throws {CodedError} `document_corrupt`. */
  readJson(hash: string): Promise<JsonValue | undefined>;
  readEngine(hash: string): Promise<Uint8Array | undefined>;
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CodedError({ code: 'document_unreadable', message: 'a kept document cannot be read' }, { cause: error });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes once, under its own hash: temporary file, fsync, rename, fsync of the directory. */
async function keep(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(directory, name);
  if ((await readOptional(path)) !== undefined) return;
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncDirectory(directory);
}

async function readChecked(path: string, hash: string): Promise<Uint8Array | undefined> {
  if (!HASH.test(hash)) return undefined;
  const bytes = await readOptional(path);
  if (bytes !== undefined && sha256Hex(bytes) !== hash)
    throw new CodedError({ code: 'document_corrupt', message: `the kept document ${hash.slice(0, 16)} is not what it was` });
  return bytes;
}

/** Opens the content-addressed store under a data directory. */
export async function openDocuments(dataDir: string): Promise<DocumentStore> {
  const documents = join(dataDir, 'documents');
  const engines = join(dataDir, 'engines');
  await mkdir(documents, { recursive: true, mode: 0o700 });
  await mkdir(engines, { recursive: true, mode: 0o700 });
  return {
    async keepJson(value: JsonValue): Promise<string> {
      const bytes = new TextEncoder().encode(canonicalize(value));
      const hash = sha256Hex(bytes);
      await keep(documents, `${hash}.json`, bytes);
      return hash;
    },
    async keepEngine(bytes: Uint8Array): Promise<string> {
      const hash = sha256Hex(bytes);
      await keep(engines, `${hash}.mjs`, bytes);
      return hash;
    },
    async readJson(hash: string): Promise<JsonValue | undefined> {
      const bytes = await readChecked(join(documents, `${hash}.json`), hash);
      return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as JsonValue);
    },
    readEngine: (hash: string) => readChecked(join(engines, `${hash}.mjs`), hash),
  };
}
