/** @module `verify --page FILE`: the page that verifies bundles in a browser, as a file that opens from a disk. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { codeOf } from '@countersign/kernel';
import { VERIFY_PAGE } from '@countersign/verifier';
import type { Context } from './command.ts';
import { CliError, configError, EXIT, type Outcome } from './outcome.ts';

async function builtPage(): Promise<Uint8Array> {
  try {
    return await readFile(VERIFY_PAGE);
  } catch (error) {
    const fault = { code: 'page_not_built', message: 'the page was not built', hint: 'run `npm run build`' };
    throw new CliError(EXIT.config, [fault], { cause: error });
  }
}

/**
 * Writes the page. Nothing that is there is replaced.
 * @throws {CliError} exit 3 where the file is there already, cannot be written, or the page was not built.
 */
export async function writeVerifyPage(file: string, context: Context): Promise<Outcome> {
  const page = await builtPage();
  try {
    await writeFile(resolve(context.world.cwd, file), page, { flag: 'wx' });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST')
      throw configError([{ code: 'file_exists', message: 'the file is there already', path: file, hint: 'name another file' }]);
    throw configError([{ code: 'file_unwritable', message: `the file cannot be written (${code})`, path: file }]);
  }
  const sha256 = sha256Hex(page);
  const text = `${file}: ${page.length} bytes, sha256 ${sha256}\nopen it in a browser; it needs no network`;
  return { exitCode: EXIT.ok, json: { file, bytes: page.length, sha256 }, text };
}
