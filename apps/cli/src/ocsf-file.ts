/** @module `--ocsf-out`: decisions as OCSF events, one a line, written as they come. */
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf } from '@countersign/kernel';
import type { Context } from './command.ts';
import type { EventDecision } from './event-decisions.ts';
import { ocsfActivity, ocsfFinding } from './ocsf.ts';
import { configError } from './outcome.ts';
import { TOOL_VERSION } from './tool-version.ts';

export interface OcsfFile {
  /** The finding, then the activity where there is a class for it. */
  write(decided: EventDecision): Promise<void>;
  close(): Promise<void>;
}

async function openNew(path: string, context: Context): Promise<FileHandle> {
  try {
    return await open(resolve(context.world.cwd, path), 'wx');
  } catch (error) {
    const there = codeOf(error) === 'EEXIST';
    const message = there ? 'the file is there already' : `the file cannot be written (${codeOf(error)})`;
    throw configError([{ code: there ? 'file_exists' : 'file_unwritable', message, path }]);
  }
}

/** Undefined where no file is named. @throws {CliError} exit 3 where it is there already. */
export async function openOcsfFile(path: string | undefined, context: Context): Promise<OcsfFile | undefined> {
  if (path === undefined) return undefined;
  const handle = await openNew(path, context);
  const product = { version: TOOL_VERSION };
  return {
    async write(decided) {
      const now = context.world.clock.nowMs();
      const activity = ocsfActivity(decided, product, now);
      const lines = [ocsfFinding(decided, product, now), ...(activity === undefined ? [] : [activity])];
      await handle.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
    close: () => handle.close(),
  };
}
