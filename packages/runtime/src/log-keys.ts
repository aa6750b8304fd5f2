/**
 * @module The keys that sign a log's checkpoints: one for most of its life, two while one is replaced (spec/log.md, LOG-015). Which they are
 * stands in `log-keys.json` beside the sealed seeds; that they changed stands in the log itself, before it holds.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigner, noteVerifierKey, parseNoteVerifierKey, type NoteVerifier } from '@countersign/crypto';
import { codeOf, CodedError, getOwn, isJsonObject, type JsonValue, parseJson, type Random } from '@countersign/kernel';
import type { NoteSigner } from '@countersign/log';
import { MAIN_LOG } from '@countersign/pipeline';
import { loadSigningSeed, replaceSecretFile, type Sealer } from '@countersign/store';
import { RUNTIME_LIMITS } from './limits.ts';

/** One key that signs: its sealed seed, and how it is known. */
export interface LogKeyFile {
  /** Name in the folder of keys. */
  readonly file: string;
  readonly vkey: string;
}

export interface LogKeyList {
  readonly origin: string;
  /** Those that sign, the oldest first; never empty. */
  readonly active: readonly LogKeyFile[];
  /** Verifier keys of those that signed once. */
  readonly former: readonly string[];
}

export interface LogKeys {
  readonly list: LogKeyList;
  signers(): readonly NoteSigner[];
  former(): readonly NoteVerifier[];
  /** Makes and seals another key; it signs nothing until it is in the list. */
  make(): LogKeyFile;
  /** Seeds that are there and in no list: made, and perhaps entered, before a crash. */
  unlisted(): readonly LogKeyFile[];
  /** Puts another list in force; durable on return. Seeds that are no longer in it are removed. */
  replace(list: LogKeyList): void;
}

export interface LogKeySource {
  /** Name of the log. */
  readonly name: string;
  /** Where its list is. */
  readonly home: string;
  /** Folder of the sealed seeds of all logs: whoever changes the master key finds them there. */
  readonly folder: string;
  readonly sealer: Sealer;
  readonly random: Random;
  /** False where the first key must be there already: the log is not new. */
  readonly create: boolean;
  /** Of a new log; made from its key where it is not said. */
  readonly origin?: string;
}

/** The list of a log's keys, in its home. */
export const LOG_KEY_LIST = 'log-keys.json';
const TYPE = 'countersign.log-keys.v1';

/** How the key files of a log are called: `log.key`, `log-2.key`, of others `log.NAME.key`, `log.NAME.2.key`. Names have no dot. */
interface KeyFiles {
  readonly first: string;
  readonly shape: RegExp;
  numbered(n: number): string;
}

const NUMBER = '([1-9][0-9]{0,6})';

function keyFilesOf(name: string): KeyFiles {
  if (name === MAIN_LOG) return { first: 'log.key', shape: new RegExp(`^log(?:-${NUMBER})?\\.key$`), numbered: (n) => `log-${n}.key` };
  const stem = `log.${name}`;
  const shape = new RegExp(`^log\\.${name}(?:\\.${NUMBER})?\\.key$`);
  return { first: `${stem}.key`, shape, numbered: (n) => `${stem}.${n}.key` };
}

function malformed(path: string, what: string): CodedError {
  return new CodedError({
    code: 'log_keys_malformed',
    message: `the list of log keys is not readable: ${what}`,
    path,
    hint: 'restore it from a backup',
  });
}

function readKey(value: JsonValue, path: string, shape: RegExp): LogKeyFile {
  const file = isJsonObject(value) ? getOwn(value, 'file') : undefined;
  const vkey = isJsonObject(value) ? getOwn(value, 'vkey') : undefined;
  if (typeof file !== 'string' || !shape.test(file)) throw malformed(path, 'a key names no file of its own');
  if (typeof vkey !== 'string' || !parseNoteVerifierKey(vkey).ok) throw malformed(path, 'a key has no verifier key');
  return { file, vkey };
}

function readList(text: Uint8Array, path: string, shape: RegExp): LogKeyList {
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : null;
  if (!isJsonObject(value) || getOwn(value, 'type') !== TYPE) throw malformed(path, 'it does not have the form of one');
  const [origin, active, former] = [getOwn(value, 'origin'), getOwn(value, 'active'), getOwn(value, 'former')];
  if (typeof origin !== 'string' || origin === '' || !Array.isArray(active) || !Array.isArray(former))
    throw malformed(path, 'a member is missing');
  if (active.length === 0 || active.length > RUNTIME_LIMITS.logKeysActiveMax) throw malformed(path, 'a log has one to four keys');
  const vkeys = (former as readonly JsonValue[]).filter((vkey) => typeof vkey === 'string' && parseNoteVerifierKey(vkey).ok);
  if (vkeys.length !== former.length) throw malformed(path, 'a former key has no verifier key');
  return { origin, active: (active as readonly JsonValue[]).map((one) => readKey(one, path, shape)), former: vkeys as readonly string[] };
}

async function readListFile(path: string, shape: RegExp): Promise<LogKeyList | undefined> {
  try {
    return readList(await readFile(path), path, shape);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function writeList(path: string, { origin, active, former }: LogKeyList): void {
  replaceSecretFile(path, `${JSON.stringify({ type: TYPE, origin, active, former }, null, 1)}\n`);
}

function verifierOfText(vkey: string): NoteVerifier {
  const parsed = parseNoteVerifierKey(vkey);
  if (!parsed.ok) throw new CodedError(parsed.error);
  return parsed.value;
}

/**
 * Reads the keys of a log, or makes the first one where `create` allows.
 * @throws CodedError `log_keys_malformed`, `log_key_mismatch` (a seed is not that of its verifier key), what `loadSigningSeed` throws.
 */
export async function openLogKeys({ name, home, folder, sealer, random, create, origin: wanted }: LogKeySource): Promise<LogKeys> {
  const path = join(home, LOG_KEY_LIST);
  const files = keyFilesOf(name);
  const ownFiles = (): readonly string[] => readdirSync(folder).filter((file) => files.shape.test(file));
  const seedOf = (file: string, fresh: boolean): Uint8Array =>
    loadSigningSeed({ path: join(folder, file), purpose: 'log', sealer, random, create: fresh });
  const signerOf = (origin: string, { file, vkey }: LogKeyFile): NoteSigner => {
    const signer = createSigner(seedOf(file, false));
    if (noteVerifierKey(origin, signer.publicKey) !== vkey)
      throw new CodedError({ code: 'log_key_mismatch', message: 'a log key is not the one that is listed', path: join(folder, file) });
    return { name: origin, signer };
  };
  const first = (): LogKeyList => {
    const signer = createSigner(seedOf(files.first, create));
    const origin = wanted ?? `countersign.local/${signer.keyId}`;
    return { origin, active: [{ file: files.first, vkey: noteVerifierKey(origin, signer.publicKey) }], former: [] };
  };
  let list = (await readListFile(path, files.shape)) ?? first();
  if (!existsSync(path)) writeList(path, list);
  let signers = list.active.map((key) => signerOf(list.origin, key));
  return {
    get list() {
      return list;
    },
    signers: () => signers,
    former: () => list.former.map(verifierOfText),
    unlisted: () => {
      const unknown = ownFiles().filter((own) => !list.active.some(({ file }) => file === own));
      return unknown.map((file) => ({ file, vkey: noteVerifierKey(list.origin, createSigner(seedOf(file, false)).publicKey) }));
    },
    make: () => {
      const numbers = ownFiles().map((own) => Number(files.shape.exec(own)?.[1] ?? 1));
      const file = files.numbered(Math.max(1, ...numbers) + 1);
      return { file, vkey: noteVerifierKey(list.origin, createSigner(seedOf(file, true)).publicKey) };
    },
    replace: (next) => {
      writeList(path, next);
      list = next;
      signers = next.active.map((key) => signerOf(next.origin, key));
      // A key that signs no more must not be able to: its seed goes.
      for (const own of ownFiles()) if (!next.active.some(({ file }) => file === own)) rmSync(join(folder, own));
    },
  };
}
