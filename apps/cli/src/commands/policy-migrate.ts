/** @module `policy migrate`: a document moved to another version of the format, with every other byte as it was. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf } from '@countersign/kernel';
import { migratePolicy, POLICY_VERSIONS } from '@countersign/policy';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readText } from '../documents.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { writeNewFile } from '../write-out.ts';

const HELP = 'countersign policy migrate --help';

async function write(path: string, text: string, context: Context): Promise<void> {
  await writeFile(resolve(context.world.cwd, path), text).catch((error: unknown) => {
    throw configError([{ code: 'file_unwritable', message: `the file cannot be written (${codeOf(error)})`, path }]);
  });
}

interface Wanted {
  readonly source: string;
  readonly to: string;
  readonly inPlace: boolean;
  readonly out: string | undefined;
  /** The new text goes to standard output. */
  readonly printed: boolean;
}

function wantedOf(input: Input): Wanted {
  const [source] = input.args;
  if (source === undefined) throw usageError('no file is named', HELP);
  const [inPlace, out] = [flag(input, 'inPlace'), textOption(input, 'out')];
  const places = [inPlace, flag(input, 'dryRun'), out !== undefined].filter((one) => one).length;
  if (places > 1) throw usageError('--in-place, --out and --dry-run exclude each other', HELP);
  if (inPlace && source === '-') throw usageError('standard input has no place', HELP);
  return { source, to: textOption(input, 'to') ?? POLICY_VERSIONS.at(-1) ?? '', inPlace, out, printed: places === 0 };
}

async function migrate(input: Input, context: Context): Promise<Outcome> {
  const { source, to, inPlace, out, printed } = wantedOf(input);
  const moved = migratePolicy(await readText(source, context), source, to);
  if (!moved.ok) throw configError(moved.error);
  const { text, changes } = moved.value;
  if (inPlace && changes.length > 0) await write(source, text, context);
  if (out !== undefined) await writeNewFile(resolve(context.world.cwd, out), new TextEncoder().encode(text), flag(input, 'force'));
  const lines = changes.map(({ path, from, to: put }) => `${path}: ${from === '' ? 'absent' : from} -> ${put}`);
  const report = lines.length === 0 ? 'nothing has to change' : lines.join('\n');
  const json = { source, to, changes: changes.map(({ path, from, to: put }) => ({ path, from, to: put })), text };
  return { exitCode: EXIT.ok, json, text: printed ? text.trimEnd() : report };
}

export const policyMigrateCommand: Command = {
  path: 'policy migrate',
  args: '<file>',
  summary: 'move a policy to another version of the format; to standard output where nothing else is said',
  options: [
    { flags: '--to <version>', summary: `one of ${POLICY_VERSIONS.join(', ')}; the newest where it is not said` },
    { flags: '--dry-run', summary: 'only say what would change' },
    { flags: '--in-place', summary: 'write the file itself' },
    { flags: '-o, --out <file>', summary: 'write a new file' },
    { flags: '--force', summary: 'replace a file that is there' },
  ],
  examples: ['countersign policy migrate old.yaml --dry-run', 'countersign policy migrate old.yaml --to 1.2.0 --in-place'],
  run: migrate,
};
