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
  readonly dataDir: string;
  readonly sealer: Sealer;
  readonly random: Random;
  /** False where the first key must be there already: its data directory is not new. */
  readonly create: boolean;
}

/** Name of the list in the data directory. */
export const LOG_KEY_LIST = 'log-keys.json';
const TYPE = 'countersign.log-keys.v1';
const FIRST = 'log.key';
const FILE = /^log(?:-[1-9][0-9]{0,6})?\.key$/;

function malformed(path: string, what: string): CodedError {
  return new CodedError({
    code: 'log_keys_malformed',
    message: `the list of log keys is not readable: ${what}`,
    path,
    hint: 'restore it from a backup',
  });
}

function readKey(value: JsonValue, path: string): LogKeyFile {
  const file = isJsonObject(value) ? getOwn(value, 'file') : undefined;
  const vkey = isJsonObject(value) ? getOwn(value, 'vkey') : undefined;
  if (typeof file !== 'string' || !FILE.test(file)) throw malformed(path, 'a key names no file of its own');
  if (typeof vkey !== 'string' || !parseNoteVerifierKey(vkey).ok) throw malformed(path, 'a key has no verifier key');
  return { file, vkey };
}

function readList(text: Uint8Array, path: string): LogKeyList {
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : null;
  if (!isJsonObject(value) || getOwn(value, 'type') !== TYPE) throw malformed(path, 'it does not have the form of one');
  const [origin, active, former] = [getOwn(value, 'origin'), getOwn(value, 'active'), getOwn(value, 'former')];
  if (typeof origin !== 'string' || origin === '' || !Array.isArray(active) || !Array.isArray(former))
    throw malformed(path, 'a member is missing');
  if (active.length === 0 || active.length > RUNTIME_LIMITS.logKeysActiveMax) throw malformed(path, 'a log has one to four keys');
  const vkeys = (former as readonly JsonValue[]).filter((vkey) => typeof vkey === 'string' && parseNoteVerifierKey(vkey).ok);
  if (vkeys.length !== former.length) throw malformed(path, 'a former key has no verifier key');
  return { origin, active: (active as readonly JsonValue[]).map((one) => readKey(one, path)), former: vkeys as readonly string[] };
}

async function readListFile(path: string): Promise<LogKeyList | undefined> {
  try {
    return readList(await readFile(path), path);
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
 * Reads the keys of the log of a data directory, or makes the first one where `create` allows.
 * @throws CodedError `log_keys_malformed`, `log_key_mismatch` (a seed is not that of its verifier key), what `loadSigningSeed` throws.
 */
export async function openLogKeys({ dataDir, sealer, random, create }: LogKeySource): Promise<LogKeys> {
  const path = join(dataDir, LOG_KEY_LIST);
  const folder = join(dataDir, 'keys');
  const seedOf = (file: string, fresh: boolean): Uint8Array =>
    loadSigningSeed({ path: join(folder, file), purpose: 'log', sealer, random, create: fresh });
  const signerOf = (origin: string, { file, vkey }: LogKeyFile): NoteSigner => {
    const signer = createSigner(seedOf(file, false));
    if (noteVerifierKey(origin, signer.publicKey) !== vkey)
      throw new CodedError({ code: 'log_key_mismatch', message: 'a log key is not the one that is listed', path: join(folder, file) });
    return { name: origin, signer };
  };
  const first = (): LogKeyList => {
    const signer = createSigner(seedOf(FIRST, create));
    const origin = `countersign.local/${signer.keyId}`;
    return { origin, active: [{ file: FIRST, vkey: noteVerifierKey(origin, signer.publicKey) }], former: [] };
  };
  let list = (await readListFile(path)) ?? first();
  if (!existsSync(path)) writeList(path, list);
  let signers = list.active.map((key) => signerOf(list.origin, key));
  return {
    get list() {
      return list;
    },
    signers: () => signers,
    former: () => list.former.map(verifierOfText),
    unlisted: () => {
      const names = readdirSync(folder).filter((name) => FILE.test(name) && !list.active.some(({ file }) => file === name));
      return names.map((file) => ({ file, vkey: noteVerifierKey(list.origin, createSigner(seedOf(file, false)).publicKey) }));
    },
    make: () => {
      const numbers = readdirSync(folder).flatMap((name) => (FILE.test(name) ? Number(/[0-9]+/.exec(name)?.[0] ?? 1) : []));
      const file = `log-${Math.max(1, ...numbers) + 1}.key`;
      return { file, vkey: noteVerifierKey(list.origin, createSigner(seedOf(file, true)).publicKey) };
    },
    replace: (next) => {
      writeList(path, next);
      list = next;
      signers = next.active.map((key) => signerOf(next.origin, key));
      // A key that signs no more must not be able to: its seed goes.
      for (const name of readdirSync(folder)) {
        if (FILE.test(name) && !next.active.some(({ file }) => file === name)) rmSync(join(folder, name));
      }
    },
  };
}
