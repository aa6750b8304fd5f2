/** @module `log`: the newest checkpoint, and what was written last. */
import type { JsonObject } from '@countersign/kernel';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { type EntrySummary, saidColour, summarize } from '../entries.ts';
import { CLI_LIMITS } from '../limits.ts';
import { LOG_NAME_OPTION, namedLog } from '../log-directory.ts';
import type { LoggedEntry, Operator } from '../operator.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, printable, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';

const COLUMNS: readonly Column<EntrySummary>[] = [
  { title: 'entry', value: ({ index }) => String(index) },
  { title: 'time', value: ({ time }) => time },
  { title: 'type', value: ({ type }) => type },
  { title: 'said', value: ({ said }) => said, colour: saidColour },
  { title: 'id', value: ({ id }) => id },
  { title: 'of', value: ({ of, why }) => (why === '' ? of : `${of}  ${why}`) },
];

const TAIL_COUNT = 20;
const FOLLOW_MS = 1000;

function readCount(text: string | undefined): number {
  const count = text === undefined ? TAIL_COUNT : Number(text);
  if (Number.isSafeInteger(count) && count >= 1 && count <= CLI_LIMITS.pageMax) return count;
  throw usageError('--count must be a whole number from 1 to 1000', 'countersign log tail --count 50');
}

function pause(context: Context): Promise<void> {
  const { world } = context;
  return new Promise((resolve) => {
    const cancel = world.after(FOLLOW_MS, resolve);
    world.stop.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}

function entryLine(entry: LoggedEntry, context: Context): string {
  if (context.json) return JSON.stringify(entryJson(entry));
  const line = summarize(entry);
  const said = context.paint(saidColour(line), line.said.padEnd(6));
  return (
    printable(`${String(line.index).padStart(8)}  ${line.time}  `) + said + printable(`  ${line.type}  ${line.id}  ${line.of}  ${line.why}`)
  );
}

function entryJson({ index, entry }: LoggedEntry): JsonObject {
  return Object.assign({ index }, entry);
}

/** Prints what comes, until Ctrl-C. */
async function follow(operator: Operator, context: Context, { from, log }: { from: number; log: string | undefined }): Promise<void> {
  let next = from;
  while (!context.world.stop.aborted) {
    const entries = await operator.entries(next, CLI_LIMITS.pageMax, log);
    for (const entry of entries) context.line(entryLine(entry, context));
    next += entries.length;
    if (entries.length === 0) await pause(context);
  }
}

async function tail(input: Input, context: Context): Promise<Outcome> {
  const count = readCount(textOption(input, 'count'));
  const log = namedLog(input, context);
  return withOperator(context, false, async (operator) => {
    const from = Math.max(0, (await operator.size(log)) - count);
    if (flag(input, 'follow')) {
      await follow(operator, context, { from, log });
      return { exitCode: EXIT.ok, json: {}, text: '' };
    }
    const entries = await operator.entries(from, count, log);
    const rows = entries.map(summarize);
    const text = renderTable({ columns: COLUMNS, rows, empty: 'the log is empty' }, context.paint, context.world.stdout.columns);
    return { exitCode: EXIT.ok, json: { entries: entries.map(entryJson) }, text };
  });
}

async function checkpoint(input: Input, context: Context): Promise<Outcome> {
  const log = namedLog(input, context);
  return withOperator(context, false, async (operator) => {
    const note = await operator.checkpoint(log);
    const [origin = '', size = '', root = ''] = note.split('\n');
    const { active: keys } = await operator.logKeys(log);
    return {
      exitCode: EXIT.ok,
      json: { origin, size: Number(size), root, checkpoint: note, key: keys.at(-1) ?? '', keys },
      text: note.trimEnd(),
    };
  });
}

export const logCommands: readonly Command[] = [
  {
    path: 'log checkpoint',
    summary: 'the newest signed checkpoint',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log checkpoint', 'countersign log checkpoint --json'],
    run: checkpoint,
  },
  {
    path: 'log tail',
    summary: 'the newest entries, oldest first',
    options: [
      { flags: '-n, --count <number>', summary: 'how many, 20 where it is not said' },
      { flags: '-f, --follow', summary: 'go on until Ctrl-C; with --json one object a line' },
      LOG_NAME_OPTION,
    ],
    examples: ['countersign log tail', 'countersign log tail --count 100 --json', 'countersign log tail --follow'],
    run: tail,
  },
];
