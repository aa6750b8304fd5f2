/**
 * @module `witnesses.json` in a data directory: whom the log asks for cosignatures, and how many are wanted. Written by the command line;
 * read at start.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { base64 } from '@countersign/crypto';
import { codeOf, CodedError, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { type CosignerKey, parseCosignerKey } from '@countersign/log';
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';

export interface ConfiguredWitness {
  /** Verifier key of type 4, as it is written. */
  readonly key: string;
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  readonly cosigner: CosignerKey;
}

export interface WitnessConfig {
  /** How many cosignatures a checkpoint should have; 0 asks for none. Decides what is shown, not what is published. */
  readonly quorum: number;
  /** At most 16, each with a name and a key of its own. */
  readonly witnesses: readonly ConfiguredWitness[];
}

const FILE = 'witnesses.json';
const HINT = 'change it with `countersign log witness-add`, `witness-remove` and `witness-quorum`';

function invalid(message: string, path?: string): CodedError {
  return new CodedError({ code: 'witnesses_invalid', message, ...(path === undefined ? {} : { path }), hint: HINT });
}

function onlyMembers(value: JsonValue | undefined, members: readonly string[], path: string): JsonObject {
  if (!isJsonObject(value)) throw invalid('an object is wanted here', path);
  const wrong = Object.keys(value).find((name) => !members.includes(name));
  if (wrong !== undefined) throw invalid(`there is no setting \`${wrong.slice(0, 64)}\``, path);
  return value;
}

/** @throws {CodedError} `witnesses_invalid`. */
function checkUrl(text: JsonValue | undefined, path: string): string {
  if (typeof text !== 'string' || text.length > LIMITS.witnessUrlCharsMax || !URL.canParse(text)) throw invalid('not a URL', path);
  const { protocol, username, password, search, hash, href } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') throw invalid('the URL of a witness begins with http:// or https://', path);
  if (username !== '' || password !== '') throw invalid('the URL of a witness has no user or password in it', path);
  if (search !== '' || hash !== '') throw invalid('the URL of a witness ends before any `?` or `#`', path);
  return href.replace(/\/$/, '');
}

/** @throws {CodedError} `witnesses_invalid`. */
function checkWitness(key: JsonValue | undefined, url: JsonValue | undefined, path: string): ConfiguredWitness {
  if (typeof key !== 'string') throw invalid('the verifier key of a witness is wanted here', `${path}/key`);
  const parsed = parseCosignerKey(key);
  if (!parsed.ok) throw invalid(parsed.error.message, `${path}/key`);
  return { key, url: checkUrl(url, `${path}/url`), cosigner: parsed.value };
}

function readWitness(value: JsonValue, path: string): ConfiguredWitness {
  const { key, url } = onlyMembers(value, ['key', 'url'], path);
  return checkWitness(key, url, path);
}

/** What holds between the parts. */
function checkWhole({ quorum, witnesses }: WitnessConfig): void {
  if (witnesses.length > LIMITS.witnessesMax) throw invalid(`a log asks at most ${LIMITS.witnessesMax} witnesses`, '/witnesses');
  const names = new Set(witnesses.map(({ cosigner }) => cosigner.name));
  if (names.size !== witnesses.length) throw invalid('two witnesses have the same name', '/witnesses');
  // One key under two names would count one witness twice.
  const keys = new Set(witnesses.map(({ cosigner }) => base64(cosigner.publicKey)));
  if (keys.size !== witnesses.length) throw invalid('two witnesses have the same key', '/witnesses');
  if (!Number.isSafeInteger(quorum) || quorum < 0 || quorum > witnesses.length)
    throw invalid(`a quorum is a whole number from 0 to the number of witnesses, ${witnesses.length} here`, '/quorum');
}

/** Reads the text of a configuration. @throws {CodedError} `witnesses_invalid`, with the place in the document. */
export function parseWitnessConfig(input: Uint8Array | string): WitnessConfig {
  const parsed = parseJson(input, { bytesMax: LIMITS.witnessesBytesMax });
  if (!parsed.ok) throw invalid(parsed.error.message, parsed.error.path);
  const { quorum, witnesses } = onlyMembers(parsed.value.value, ['quorum', 'witnesses'], '');
  if (!Array.isArray(witnesses)) throw invalid('a list is wanted here', '/witnesses');
  if (typeof quorum !== 'number') throw invalid('a number is wanted here', '/quorum');
  const config = { quorum, witnesses: witnesses.map((one, i) => readWitness(one, `/witnesses/${i}`)) };
  checkWhole(config);
  return config;
}

/**
 * The witnesses of a data directory; none where there is no file.
 * @throws {CodedError} `witnesses_invalid`, `witnesses_unreadable`.
 */
export function readWitnessConfig(dataDir: string): WitnessConfig {
  const path = join(dataDir, FILE);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { quorum: 0, witnesses: [] };
    throw new CodedError(
      { code: 'witnesses_unreadable', message: `the witnesses cannot be read (${codeOf(error)})`, path },
      { cause: error },
    );
  }
  return parseWitnessConfig(bytes);
}

function write(dataDir: string, config: WitnessConfig): WitnessConfig {
  checkWhole(config);
  const path = join(dataDir, FILE);
  const plain = { quorum: config.quorum, witnesses: config.witnesses.map(({ key, url }) => ({ key, url })) };
  try {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(plain, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw new CodedError(
      { code: 'witnesses_unwritable', message: `the witnesses cannot be written (${codeOf(error)})`, path },
      { cause: error },
    );
  }
  return config;
}

/** Adds a witness; the first one makes a quorum of 1. @throws {CodedError} `witnesses_invalid` and those of the file. */
export function addWitness(dataDir: string, key: string, url: string): WitnessConfig {
  const { quorum, witnesses } = readWitnessConfig(dataDir);
  const added = checkWitness(key, url, '');
  return write(dataDir, { quorum: witnesses.length === 0 ? 1 : quorum, witnesses: [...witnesses, added] });
}

/** Removes a witness by its name. @throws {CodedError} `witness_unknown`, `witnesses_invalid` and those of the file. */
export function removeWitness(dataDir: string, name: string): WitnessConfig {
  const { quorum, witnesses } = readWitnessConfig(dataDir);
  const left = witnesses.filter(({ cosigner }) => cosigner.name !== name);
  if (left.length === witnesses.length)
    throw new CodedError({ code: 'witness_unknown', message: 'this log has no witness of that name', hint: 'countersign log witnesses' });
  if (quorum > left.length) {
    throw new CodedError({
      code: 'witnesses_invalid',
      message: `a quorum of ${quorum} cannot be reached with ${left.length} of the witnesses`,
      hint: `lower it first: countersign log witness-quorum ${left.length}`,
    });
  }
  return write(dataDir, { quorum, witnesses: left });
}

/** Sets how many cosignatures are wanted. @throws {CodedError} `witnesses_invalid` and those of the file. */
export function setWitnessQuorum(dataDir: string, quorum: number): WitnessConfig {
  return write(dataDir, { ...readWitnessConfig(dataDir), quorum });
}
