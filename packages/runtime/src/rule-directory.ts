/**
 * @module The rules of the operator on disk: `<data>/rules/<pack>.yaml`, one document a file. What looks like a rule document and is not
 * one is a fault, never left aside.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, CodedError, err, type Fault, ok, type Result } from '@countersign/kernel';
import { parseRules, type RuleDocument } from '@countersign/rules';
import { replaceSecretFile } from '@countersign/store';
import { RUNTIME_LIMITS } from './limits.ts';

/** A document with its text. */
export interface WrittenPack {
  readonly document: RuleDocument;
  readonly source: string;
}

const FOLDER = 'rules';
const ENDING = '.yaml';

function unreadable(name: string, message: string, hint: string): Fault {
  return { code: 'rules_file_unreadable', message: `\`${name}\`: ${message}`, path: name, hint };
}

/** Names of files that claim to be rule documents. */
function fileNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && /\.ya?ml$/i.test(name))
      .toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function readSource(path: string, name: string): Result<string, Fault> {
  const { ruleFileBytesMax } = RUNTIME_LIMITS;
  if (statSync(path).size > ruleFileBytesMax)
    return err(unreadable(name, `larger than ${ruleFileBytesMax} bytes`, 'split it into several packs'));
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)));
  } catch (error) {
    if (error instanceof TypeError) return err(unreadable(name, 'not UTF-8 text', 'write it again'));
    throw error;
  }
}

/** A document under the name that its file must have. */
function readPackText(source: string, name: string): Result<WrittenPack, readonly Fault[]> {
  const parsed = parseRules(source, name);
  if (!parsed.ok) return parsed;
  const wanted = `${parsed.value.pack}${ENDING}`;
  if (name !== wanted)
    return err([unreadable(name, `the pack \`${parsed.value.pack}\` stands in \`${wanted}\``, 'rename the file or the pack')]);
  return ok({ document: parsed.value, source });
}

function readPack(folder: string, name: string): Result<WrittenPack, readonly Fault[]> {
  if (!name.endsWith(ENDING)) return err([unreadable(name, 'rule documents are called `<pack>.yaml`', 'rename it')]);
  try {
    const source = readSource(join(folder, name), name);
    return source.ok ? readPackText(source.value, name) : err([source.error]);
  } catch (error) {
    return err([unreadable(name, `cannot be read (${codeOf(error)})`, 'let the gateway read it')]);
  }
}

/**
 * Every document of the directory, by name; or every fault of every file. None where there is no directory. The pack `without` is not
 * looked at.
 */
export function readRuleDirectory(dataDir: string, without?: string): Result<readonly WrittenPack[], readonly Fault[]> {
  const folder = join(dataDir, FOLDER);
  let names: readonly string[];
  try {
    names = fileNames(folder).filter((name) => name !== `${without ?? ''}${ENDING}`);
  } catch (error) {
    return err([unreadable(FOLDER, `the directory cannot be read (${codeOf(error)})`, 'let the gateway read it')]);
  }
  const { rulePacksMax } = RUNTIME_LIMITS;
  if (names.length > rulePacksMax) return err([unreadable(FOLDER, `more than ${rulePacksMax} packs`, 'join some of them')]);
  const read = names.map((name) => readPack(folder, name));
  const faults = read.flatMap((one) => (one.ok ? [] : one.error));
  return faults.length > 0 ? err(faults) : ok(read.flatMap((one) => (one.ok ? [one.value] : [])));
}

function unwritable(error: unknown): CodedError {
  return new CodedError(
    { code: 'rules_unwritable', message: 'the directory of the rules cannot be written; nothing was changed', hint: 'free its disk' },
    { cause: error },
  );
}

/** Puts a document on disk, whole. @throws {CodedError} `rules_unwritable`. */
export function writePack(dataDir: string, { document, source }: WrittenPack): void {
  try {
    mkdirSync(join(dataDir, FOLDER), { recursive: true, mode: 0o700 });
    replaceSecretFile(join(dataDir, FOLDER, `${document.pack}${ENDING}`), source);
  } catch (error) {
    throw unwritable(error);
  }
}

/** True where there was one. `pack` may be anything: only names of packs are names of files. @throws {CodedError} `rules_unwritable`. */
export function removePack(dataDir: string, pack: string): boolean {
  const name = `${pack}${ENDING}`;
  const folder = join(dataDir, FOLDER);
  try {
    if (!fileNames(folder).includes(name)) return false;
    rmSync(join(folder, name));
    return true;
  } catch (error) {
    throw unwritable(error);
  }
}
