/** @module Reading what the user named on the command line: bounded, and with an error that says what to do. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf } from '@countersign/kernel';
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import { CliError, EXIT } from './outcome.ts';

const MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be read',
  EISDIR: 'this is a directory, not a file',
};

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws {CliError} exit 3 where the file cannot be read or is larger than `fileBytesMax`.
 */
export async function readBytes(path: string, context: Context): Promise<Uint8Array> {
  try {
    if (path === '-') return checkSize(await context.world.stdin(), path);
    const absolute = resolve(context.world.cwd, path);
    const { size } = await stat(absolute);
    if (size > CLI_LIMITS.fileBytesMax) throw tooLarge(path);
    return checkSize(await readFile(absolute), path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const code = codeOf(error);
    throw new CliError(EXIT.config, [{ code: 'file_unreadable', message: MESSAGES[code] ?? `the file cannot be read (${code})`, path }], {
      cause: error,
    });
  }
}

function tooLarge(path: string): CliError {
  return new CliError(EXIT.config, [{ code: 'file_too_large', message: `the file is larger than ${CLI_LIMITS.fileBytesMax} bytes`, path }]);
}

function checkSize(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length > CLI_LIMITS.fileBytesMax) throw tooLarge(path);
  return bytes;
}

/** The same as text; bytes that are not UTF-8 are refused. */
export async function readText(path: string, context: Context): Promise<string> {
  const bytes = await readBytes(path, context);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError(EXIT.config, [{ code: 'file_not_text', message: 'the file is not UTF-8 text', path }]);
  }
}
