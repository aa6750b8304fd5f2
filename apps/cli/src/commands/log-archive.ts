/** @module `log archive`, `log restore`: old segments of the journal, moved elsewhere and back. What is published stays. */
import { resolve } from 'node:path';
import type { MovedSegments } from '@countersign/pipeline';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { LOG_NAME_OPTION, namedLog } from '../log-directory.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { withOperator } from './agents.ts';

const INDEX = /^(?:0|[1-9][0-9]{0,15})$/;
const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$/;

/** A place in the log, or a time as entries have it. */
function readBefore(text: string): number | string {
  if (INDEX.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  const time = DAY.test(text) ? `${text}T00:00:00.000Z` : text;
  if (TIME.test(time) && Number.isFinite(Date.parse(time)))
    return time.replace(/([0-9]{2})Z$/, (_, end: string) => (time.includes('.') ? `${end}Z` : `${end}.000Z`));
  throw usageError(
    '--before must be a place in the log, a day or a time in UTC',
    '--before 100000, --before 2026-01-31 or --before 2026-01-31T12:00:00Z',
  );
}

function outcomeOf(moved: MovedSegments, directory: string, done: string): Outcome {
  const { segments, records, bytes, firstPresent } = moved;
  const what = `${segments} ${segments === 1 ? 'segment' : 'segments'} with ${records} entries, ${bytes} bytes, ${done} ${directory}`;
  const text =
    segments === 0
      ? `nothing to move: only whole, closed segments are; the first entry here is ${firstPresent}`
      : `${what}; the first entry here is ${firstPresent}`;
  return { exitCode: EXIT.ok, json: { moved: { segments, records, bytes, firstPresent }, directory }, text };
}

async function archive(input: Input, context: Context): Promise<Outcome> {
  const [before, to] = [textOption(input, 'before'), textOption(input, 'to')];
  if (before === undefined || to === undefined)
    throw usageError('say what goes, and where to', 'countersign log archive --before 2026-01-31 --to DIR');
  const directory = resolve(context.world.cwd, to);
  const request = { before: readBefore(before), directory };
  const moved = await withOperator(context, false, (operator) =>
    context.progress('copying segments', () => operator.archive(request, namedLog(input, context))),
  );
  return outcomeOf(moved, directory, 'moved to');
}

async function restore(input: Input, context: Context): Promise<Outcome> {
  const from = textOption(input, 'from');
  if (from === undefined) throw usageError('say where the archive is', 'countersign log restore --from DIR');
  const directory = resolve(context.world.cwd, from);
  const moved = await withOperator(context, false, (operator) =>
    context.progress('copying segments', () => operator.restore(directory, namedLog(input, context))),
  );
  return outcomeOf(moved, directory, 'brought back from');
}

export const logArchiveCommands: readonly Command[] = [
  {
    path: 'log archive',
    summary: 'move old journal segments to another directory; entries and proofs stay, what was sealed with them goes',
    options: [
      { flags: '--before <place>', summary: 'whole segments below this place in the log, or older than this day or time' },
      { flags: '--to <dir>', summary: 'where to; the same directory each time. Of a running gateway: on its machine' },
      LOG_NAME_OPTION,
    ],
    examples: [
      'countersign log archive --before 2026-01-31 --to /srv/archive',
      'countersign log archive --before 100000 --to /srv/archive',
    ],
    run: archive,
  },
  {
    path: 'log restore',
    summary: 'bring archived segments back, every one or none: bytes that are not those that went are refused',
    options: [{ flags: '--from <dir>', summary: 'the directory that `log archive` wrote' }, LOG_NAME_OPTION],
    examples: ['countersign log restore --from /srv/archive'],
    run: restore,
  },
];
