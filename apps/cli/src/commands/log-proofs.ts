/** @module `log prove`: that an entry is in the log, and that the log still begins as it did when somebody last looked. */
import { getOwn, isJsonObject, isUuid } from '@countersign/kernel';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { readText } from '../documents.ts';
import { LOG_NAME_OPTION, namedLog } from '../log-directory.ts';
import { checkpointSize } from '../log-reader.ts';
import type { LoggedEntry, Operator } from '../operator.ts';
import { configError, type Outcome, usageError } from '../outcome.ts';
import { OUT_OPTIONS, writeOut } from '../write-out.ts';
import { withOperator } from './agents.ts';

const INDEX = /^(?:0|[1-9][0-9]{0,15})$/;

function entryId({ entry }: LoggedEntry): string | undefined {
  const body = getOwn(entry, 'body');
  const id = isJsonObject(body) ? getOwn(body, 'id') : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The id of an entry that was named by its id or its place. */
async function idOf(operator: Operator, named: string, log: string | undefined): Promise<string> {
  if (isUuid(named.toLowerCase())) return named.toLowerCase();
  if (!INDEX.test(named)) throw usageError('an entry is named by its id or its place in the log', 'countersign log tail');
  const [entry] = await operator.entries(Number(named), 1, log);
  const id = entry === undefined ? undefined : entryId(entry);
  if (id !== undefined) return id;
  throw configError([{ code: 'entry_not_found', message: `there is no entry ${named} in the log`, hint: 'countersign log tail' }]);
}

async function inclusion(input: Input, context: Context): Promise<Outcome> {
  const [named = ''] = input.args;
  const { id, bytes } = await withOperator(context, false, async (operator) => {
    const found = await idOf(operator, named, namedLog(input, context));
    return { id: found, bytes: await operator.bundle(found, { inputs: false }) };
  });
  return writeOut(input, context, { bytes, fileName: `${id}.countersign.json`, property: 'bundle', json: { id } });
}

async function readCheckpointFile(named: string, context: Context): Promise<string> {
  if (INDEX.test(named)) {
    const advice =
      'a log keeps no older checkpoints: name a file with the one that was kept, as `countersign log checkpoint > FILE` writes it';
    throw usageError('a checkpoint is named by a file, not by a size', advice);
  }
  const note = await readText(named, context);
  // A shell's redirection ends with one newline, as a note does; whatever else was written by hand is refused by its signature.
  return note.endsWith('\n') ? note : `${note}\n`;
}

async function consistency(input: Input, context: Context): Promise<Outcome> {
  const [oldFile = '', newFile] = input.args;
  const old = await readCheckpointFile(oldFile, context);
  const newer = newFile === undefined ? undefined : await readCheckpointFile(newFile, context);
  const bytes = await withOperator(context, false, (operator) =>
    operator.consistency({ old, ...(newer === undefined ? {} : { newer }) }, namedLog(input, context)),
  );
  const oldSize = checkpointSize(old);
  const fileName = `since-${oldSize}.countersign-consistency.json`;
  const written = await writeOut(input, context, { bytes, fileName, property: 'consistency', json: { oldSize } });
  return textOption(input, 'out') === '-' ? written : { ...written, text: `${written.text} --seen ${oldFile}` };
}

const OUT = { flags: '--out <file>', summary: 'named after what it proves where it is not said, `-` for standard output' } as const;

export const logProofCommands: readonly Command[] = [
  {
    path: 'log prove inclusion',
    args: '<entry>',
    summary: 'a bundle that proves one entry, by id or place, and discloses nothing',
    options: [OUT, LOG_NAME_OPTION, ...OUT_OPTIONS],
    examples: [
      'countersign log prove inclusion 0193a0b0-0000-7000-8000-000000000001',
      'countersign log prove inclusion 41 --out entry.json',
    ],
    run: inclusion,
  },
  {
    path: 'log prove consistency',
    args: '<old> [new]',
    summary: 'a file that proves: the log still begins with what an older checkpoint covers. Both are files; the newest where one is named',
    options: [OUT, LOG_NAME_OPTION, ...OUT_OPTIONS],
    examples: [
      'countersign log prove consistency checkpoint.txt',
      'countersign log prove consistency january.txt february.txt --out grown.json',
    ],
    run: consistency,
  },
];
