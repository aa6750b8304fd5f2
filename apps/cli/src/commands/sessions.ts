/** @module `session`: which there were lately, ending one, and the bundles of a whole one. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SessionEntry } from '@countersign/pipeline';
import type { JsonObject } from '@countersign/kernel';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { createCounter } from '../counter.ts';
import { orgIdOf } from '../org-option.ts';
import type { Operator } from '../operator.ts';
import { CliError, configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { recentSessions, type SessionRow } from '../recent-sessions.ts';
import { type Colour, type Column, printable, renderTable } from '../render.ts';
import { writeNewFile } from '../write-out.ts';
import { withOperator } from './agents.ts';

const COUNT_DEFAULT = 20;
const COUNT_MAX = 1000;

const COLUMNS: readonly Column<SessionRow>[] = [
  { title: 'session', value: ({ session }) => session },
  { title: 'state', value: ({ state }) => state, colour: ({ state }): Colour => (state === 'open' ? 'green' : 'dim') },
  { title: 'entries', value: ({ entries }) => String(entries) },
  { title: 'newest', value: ({ newest }) => newest },
  { title: 'agent', value: ({ agent }) => agent },
  { title: 'org', value: ({ org }) => org },
  { title: 'log', value: ({ log }) => log },
];

function readCount(text: string | undefined): number {
  const count = text === undefined ? COUNT_DEFAULT : Number(text);
  if (Number.isSafeInteger(count) && count >= 1 && count <= COUNT_MAX) return count;
  throw usageError(`--count must be a whole number from 1 to ${COUNT_MAX}`, 'countersign session list --count 50');
}

/** The org that was named, for a request; nothing where none was. */
export async function orgRequest(input: Input, operator: Operator): Promise<{ readonly org?: string }> {
  const named = textOption(input, 'org');
  return named === undefined ? {} : { org: orgIdOf(await operator.listOrgs(), named) };
}

function rowJson({ session, org, agent, entries, newest, index, log, state }: SessionRow): JsonObject {
  return { session, org, agent, entries, newest, index, log, state };
}

async function list(input: Input, context: Context): Promise<Outcome> {
  const wanted = readCount(textOption(input, 'count'));
  const { rows, looked } = await withOperator(context, false, async (operator) =>
    recentSessions(operator, { wanted, ...(await orgRequest(input, operator)) }),
  );
  const empty = `no session among the newest ${looked} entries of the log`;
  const text = renderTable({ columns: COLUMNS, rows, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { sessions: rows.map(rowJson), looked }, text };
}

async function end(input: Input, context: Context): Promise<Outcome> {
  const [session = ''] = input.args;
  const reason = textOption(input, 'reason');
  if (reason === undefined) throw usageError('say why', 'countersign session end SESSION --reason TEXT');
  const ended = await withOperator(context, false, async (operator) =>
    operator.endSession({ ...(await orgRequest(input, operator)), session, reason }),
  );
  const { id, index, time, entries } = ended;
  const text = printable(
    `session ${session} was ended on ${time} with ${entries} entries; entry ${id} at ${index} of the log says so. Nothing can follow it`,
  );
  return { exitCode: EXIT.ok, json: { ended: { ...ended } }, text };
}

const SEALED_AWAY: ReadonlySet<string> = new Set(['vault_empty', 'vault_erased']);

/** With its inputs where there are any that can be read. */
async function bundleOf(
  operator: Operator,
  id: string,
  wantsInputs: boolean,
): Promise<{ readonly bytes: Uint8Array; readonly erased: boolean }> {
  if (!wantsInputs) return { bytes: await operator.bundle(id, { inputs: false }), erased: false };
  try {
    return { bytes: await operator.bundle(id, { inputs: true }), erased: false };
  } catch (error) {
    const code = error instanceof CliError ? error.faults[0]?.code : undefined;
    if (code === undefined || !SEALED_AWAY.has(code)) throw error;
    return { bytes: await operator.bundle(id, { inputs: false }), erased: code === 'vault_erased' };
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw configError([
      { code: 'file_unwritable', message: 'the directory cannot be made', path: folder, hint: error instanceof Error ? error.message : '' },
    ]);
  }
}

interface WrittenSession {
  readonly entries: readonly SessionEntry[];
  readonly erased: number;
}

async function writeBundles(operator: Operator, input: Input, context: Context): Promise<WrittenSession> {
  const [session = ''] = input.args;
  const folder = resolve(context.world.cwd, textOption(input, 'out') ?? '');
  const entries = await operator.sessionEntries({ ...(await orgRequest(input, operator)), session });
  await makeFolder(folder);
  const counter = createCounter(context.world, 'bundle', entries.length);
  let erasedCount = 0;
  for (const { id, seq } of entries) {
    const { bytes, erased } = await bundleOf(operator, id, !flag(input, 'withoutInputs'));
    if (erased) erasedCount += 1;
    await writeNewFile(join(folder, `${String(seq).padStart(6, '0')}.countersign.json`), bytes, flag(input, 'force'));
    counter.add();
  }
  counter.end();
  return { entries, erased: erasedCount };
}

async function bundle(input: Input, context: Context): Promise<Outcome> {
  const out = textOption(input, 'out');
  if (out === undefined) throw usageError('say where the files go', 'countersign session bundle SESSION --out DIR');
  const { entries, erased } = await withOperator(context, false, (operator) => writeBundles(operator, input, context));
  const gone = erased === 0 ? '' : `; the content of ${erased} was erased, and they prove without it`;
  const text = `${entries.length} bundles in ${out}${gone}; next: countersign verify --session ${out}/*.countersign.json`;
  return { exitCode: EXIT.ok, json: { session: input.args[0] ?? '', directory: out, bundles: entries.length, erased }, text };
}

const ORG = { flags: '--org <org>', summary: 'its id or name, where there are several' } as const;

export const sessionCommands: readonly Command[] = [
  {
    path: 'session list',
    summary: 'the sessions that wrote last',
    options: [
      { flags: '--org <org>', summary: 'only those of this org, by id or name' },
      { flags: '-n, --count <number>', summary: `how many, ${COUNT_DEFAULT} where it is not said` },
    ],
    examples: ['countersign session list', 'countersign session list --org local --count 100 --json'],
    run: list,
  },
  {
    path: 'session end',
    args: '<session>',
    summary: 'close the chain of a session: nothing can follow, every later action of it is refused',
    options: [{ flags: '--reason <text>', summary: 'why; it stands in the log, so name no person' }, ORG],
    examples: ['countersign session end ticket-4711 --reason "ticket closed"'],
    run: end,
  },
  {
    path: 'session bundle',
    args: '<session>',
    summary: 'one file an entry of a session, which together prove that none is missing',
    options: [
      { flags: '--out <dir>', summary: 'where to; made where it is not there' },
      { flags: '--without-inputs', summary: 'prove the entries, disclose nothing' },
      ORG,
      { flags: '--force', summary: 'replace files that are there' },
    ],
    examples: [
      'countersign session bundle ticket-4711 --out ticket-4711',
      'countersign session bundle ticket-4711 --out proofs --without-inputs',
    ],
    run: bundle,
  },
];
