/**
 * @module Files that hold a secret: mode 0600, owned by us, not a link, written once and durably.
 */
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, renameSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { base64url, fromBase64url } from '@countersign/crypto';
import { CodedError, codeOf, type Random } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';

const OTHERS = 0o077;

/** Codes of what can be wrong with a key file. */
export type SecretFileCode = 'key_file_missing' | 'key_file_unsafe' | 'key_file_malformed' | 'key_file_unreadable' | 'key_file_exists';

function fault(code: SecretFileCode, message: string, path: string): CodedError<SecretFileCode> {
  const hints: Readonly<Record<SecretFileCode, string>> = {
    key_file_missing: 'restore the file from a backup; a new key cannot read what the old one sealed',
    key_file_unsafe: 'make the file a plain file of this user that nobody else may read (mode 0600)',
    key_file_malformed: 'restore the file from a backup',
    key_file_unreadable: 'check the rights of the file and its directory',
    key_file_exists: 'it was created meanwhile; start again',
  };
  return new CodedError({ code, message, path, hint: hints[code] });
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') throw fault('key_file_unsafe', 'the key file is a symbolic link', path);
    throw fault('key_file_unreadable', `the key file cannot be opened (${codeOf(error)})`, path);
  }
}

/** The text of a secret file, or undefined when there is none. @throws CodedError `SecretFileCode`. */
export function readSecretFile(path: string): string | undefined {
  const file = openFile(path);
  if (file === undefined) return undefined;
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw fault('key_file_unsafe', 'the key file is not a plain file', path);
    if ((stat.mode & OTHERS) !== 0) throw fault('key_file_unsafe', 'the key file can be read or written by others', path);
    if (process.getuid !== undefined && stat.uid !== process.getuid())
      throw fault('key_file_unsafe', 'the key file belongs to another user', path);
    if (stat.size > STORE_LIMITS.keyFileBytesMax) throw fault('key_file_malformed', 'the key file is too large', path);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Makes a rename or a link beside `path` survive a power cut. */
export function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Writes and syncs a secret file under a temporary name, and gives that name. */
function writeTemporary(path: string, text: string): string {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

/** Writes a secret file that did not exist; on return it is on disk, whole. @throws CodedError `key_file_exists`, `key_file_unreadable`. */
export function createSecretFile(path: string, text: string): void {
  try {
    const temporary = writeTemporary(path, text);
    // A link, unlike a rename, never replaces a key that another process has just made.
    linkSync(temporary, path);
    rmSync(temporary);
    syncDirectory(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw fault('key_file_exists', 'the key file exists already', path);
    throw fault('key_file_unreadable', `the key file cannot be written (${codeOf(error)})`, path);
  }
}

/** Writes a secret file in place of the one that may be there: readers see the old text or the new one. @throws CodedError `key_file_unreadable`. */
export function replaceSecretFile(path: string, text: string): void {
  try {
    renameSync(writeTemporary(path, text), path);
    syncDirectory(path);
  } catch (error) {
    throw fault('key_file_unreadable', `the file cannot be written (${codeOf(error)})`, path);
  }
}

export interface KeyFileRequest {
  readonly path: string;
  /** First line of the file: what the key is for, and its version. */
  readonly heading: string;
  /** Bytes of the key as stored. */
  readonly bytes: { readonly min: number; readonly max: number };
}

/** The bytes of a key file, or undefined when there is none. @throws CodedError `SecretFileCode`. */
export function readKeyFile(request: KeyFileRequest): Uint8Array | undefined {
  const { path, heading, bytes } = request;
  const text = readSecretFile(path);
  if (text === undefined) return undefined;
  const [first, second, last, ...rest] = text.split('\n');
  const key = first === heading && last === '' && rest.length === 0 ? fromBase64url(second ?? '') : undefined;
  if (key === undefined || key.length < bytes.min || key.length > bytes.max)
    throw fault('key_file_malformed', `not a key file \`${heading}\``, path);
  return key;
}

export function writeKeyFile(request: KeyFileRequest, key: Uint8Array): void {
  createSecretFile(request.path, `${request.heading}\n${base64url(key)}\n`);
}

export interface KeySource {
  readonly path: string;
  readonly random: Random;
  /** False where the key must exist already: its data directory is not new. */
  readonly create: boolean;
}

export function missing(path: string): CodedError<SecretFileCode> {
  return fault('key_file_missing', 'the key file is missing', path);
}
