/**
 * @module `replay`: is the verdict what the engine says of these inputs? Facts and verdict are computed again and compared byte for
 * byte; or under another engine, to see what it would decide otherwise. Only engines of your own trust list are run: never code that came
 * with a bundle or lies in somebody else's directory (spec/replay.md).
 */
import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseNoteVerifierKey } from '@countersign/crypto';
import type { JsonObject } from '@countersign/kernel';
import { readEngineFile } from '@countersign/runtime';
import { type Command, type Context, flag, type Input, listOption, textOption } from '../command.ts';
import { readBytes } from '../documents.ts';
import { CLI_LIMITS } from '../limits.ts';
import { LOG_NAME_OPTION } from '../log-directory.ts';
import { configError, EXIT, type ExitCode, type Outcome, usageError } from '../outcome.ts';
import { type Colour, printable } from '../render.ts';
import { readBound } from '../replay-bound.ts';
import { type ReplayedLog, replayLog } from '../replay-log.ts';
import { createTally, type Tally } from '../replay-tally.ts';
import { type EngineTrust, openEngineTrust, ownEngines } from '../replay-trust.ts';
import { replayBundle, type Row } from '../replayed-bundle.ts';
import { createReplayer } from '../replayer.ts';

const HELP = 'countersign replay --help';
const HASH = /^[0-9a-f]{64}$/;

const COLOURS: Readonly<Partial<Record<Row['result']['status'], Colour>>> = {
  equal: 'green',
  'unknown-engine': 'yellow',
  erased: 'yellow',
};

function rowText({ id, result }: Row, context: Context): string {
  const colour = COLOURS[result.status] ?? 'red';
  return `${context.paint(colour, result.status.toUpperCase())} ${id} ${printable(result.sentence)}`;
}

function rowJson({ id, result }: Row): JsonObject {
  return { id, ...result };
}

interface Answer {
  readonly tally: Tally;
  readonly complete: boolean;
  /** The engine that was compared with. */
  readonly under?: string | undefined;
  readonly log?: ReplayedLog;
  /** Where the state was left. */
  readonly resume?: string | undefined;
}

/**
 * What was erased cannot be judged, and is no fault. With another engine: 1 where only reasons or scores differ, 2 where a decision does, or
 * where something else could not be judged.
 */
function exitOf({ tally, complete, under }: Answer): ExitCode {
  const { counts, receipts, directions } = tally;
  const { equal, different, erased } = counts;
  if (!complete || equal + different === 0) return EXIT.deny;
  if (equal + erased === receipts) return EXIT.ok;
  const sameDecisions = equal + different + erased === receipts && Object.keys(directions).length === 0;
  return under !== undefined && sameDecisions ? EXIT.warn : EXIT.deny;
}

function totals({ tally, under }: Answer): string {
  const { counts, receipts, directions } = tally;
  const { equal, different, refused } = counts;
  const lowered = counts['de-escalated'] > 0 ? `, ${counts['de-escalated']} de-escalated` : '';
  const engine = under === undefined ? '' : ` under engine ${under.slice(0, 16)}`;
  const turned = Object.entries(directions).map(([direction, times]) => `${direction} ${times}`);
  const decided = under === undefined || different === 0 ? '' : ` (decisions: ${turned.length === 0 ? 'none' : turned.join(', ')})`;
  const rest = `${refused} refused, ${counts['unknown-engine']} of an unknown engine`;
  const erased = counts.erased > 0 ? `, ${counts.erased} erased` : '';
  return `${receipts} receipts${engine}: ${equal} equal, ${different} different${decided}${lowered}, ${rest}${erased}`;
}

function logText({ origin, from, reached, checkpoint }: ReplayedLog): string {
  const unsigned = reached > checkpoint ? `; the last ${reached - Math.max(from, checkpoint)} are not under a signed checkpoint yet` : '';
  return `entries ${from} to ${reached} of ${origin}; they lead to its signed checkpoint of size ${checkpoint}${unsigned}`;
}

function answerJson(answer: Answer): JsonObject {
  const { tally, complete, under, log } = answer;
  const { counts, receipts, shown, cut, directions } = tally;
  const { equal, different, refused } = counts;
  const place = log === undefined ? {} : { log: log.origin, from: log.from, reached: log.reached, checkpoint: log.checkpoint };
  return {
    receipts,
    equal,
    different,
    de_escalated: counts['de-escalated'],
    refused,
    unknown_engine: counts['unknown-engine'],
    erased: counts.erased,
    complete,
    ...(under === undefined ? {} : { engine: under, directions }),
    ...place,
    results: shown.map(rowJson),
    results_cut: cut,
  };
}

function summary(answer: Answer, context: Context): Outcome {
  const { tally, complete, log, resume } = answer;
  const more = tally.cut > 0 ? [`and ${tally.cut} more that are not equal`] : [];
  const goesOn = resume === undefined ? 'say --resume FILE to be able to go on' : `the same command goes on from ${printable(resume)}`;
  const end = complete ? totals(answer) : `${totals(answer)}; stopped before the end: ${goesOn}`;
  const text = [...tally.shown.map((row) => rowText(row, context)), ...more, ...(log === undefined ? [] : [logText(log)]), end];
  return { exitCode: exitOf(answer), json: answerJson(answer), text: text.join('\n') };
}

function hashOption(text: string, option: string): string {
  if (HASH.test(text)) return text;
  throw usageError(`${option} takes the SHA-256 of an engine, 64 hex digits`, HELP);
}

function sameFolder(a: string, b: string): boolean {
  return existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);
}

/**
 * The data directory is the verifier's own where it was named, or where all of it is replayed. One that merely lies where the command was
 * started may have come with the evidence.
 */
function ownFolders(input: Input, context: Context): readonly string[] {
  const { env } = context.world;
  const named = textOption(input, 'data') ?? env['COUNTERSIGN_DATA'] ?? '';
  return named !== '' || flag(input, 'all') ? ownEngines(context.dataDir).folders : [];
}

function readTrustedEngines(input: Input, context: Context, log: string | undefined): EngineTrust {
  const own = ownFolders(input, context);
  const folders = [...own, ...listOption(input, 'engines').map((folder) => resolve(context.world.cwd, folder))];
  const hashes = listOption(input, 'trustEngine').map((hash) => hashOption(hash, '--trust-engine'));
  const found = log === undefined ? undefined : join(log, 'engines');
  return { folders, hashes, foreign: found === undefined || own.some((folder) => sameFolder(found, folder)) ? [] : [found] };
}

/** The engine to compare with. @throws {CliError} exit 3 `engine_unknown` where it is not trusted or not here. */
async function readUnder(input: Input, trust: EngineTrust): Promise<string | undefined> {
  const named = textOption(input, 'engine');
  if (named === undefined) return undefined;
  if (named === 'built') return (await readEngineFile()).hash;
  const hash = hashOption(named, '--engine');
  const find = await openEngineTrust(trust);
  if ((await find(hash)) !== undefined) return hash;
  const hint = 'name its folder with --engines DIR, or the hash with --trust-engine where it lies in the directory that is replayed';
  throw configError([{ code: 'engine_unknown', message: `engine ${hash.slice(0, 16)} is not one that this machine trusts`, hint }]);
}

function readJobs(input: Input): number {
  const text = textOption(input, 'jobs');
  if (text === undefined) return Math.min(availableParallelism(), CLI_LIMITS.replayJobsMax);
  const jobs = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= CLI_LIMITS.replayJobsMax) return jobs;
  throw usageError(`--jobs takes a number from 1 to ${CLI_LIMITS.replayJobsMax}`, HELP);
}

/** Keys of the log that the verifier named. @throws {CliError} exit 3 for a key that is none. */
function readKeys(input: Input): readonly string[] {
  const keys = listOption(input, 'key');
  for (const key of keys) {
    const parsed = parseNoteVerifierKey(key);
    if (!parsed.ok) throw configError([{ ...parsed.error, path: '--key' }]);
  }
  return keys;
}

const LOG_ONLY = ['since', 'until', 'jobs', 'resume', 'key', 'logName'] as const;

/** How an option is typed. */
function typed(name: (typeof LOG_ONLY)[number]): string {
  return name === 'logName' ? '--log-name' : `--${name}`;
}

function checkDirectory(dataDir: string): void {
  if (existsSync(join(dataDir, 'log', 'journal'))) return;
  const hint = 'start a gateway with `countersign up`, or name another directory with --data DIR or --log DIR';
  throw configError([{ code: 'no_data_directory', message: 'there is no Countersign data directory here', path: dataDir, hint }]);
}

async function replayDirectory(input: Input, context: Context, dataDir: string): Promise<Outcome> {
  checkDirectory(dataDir);
  const trust = readTrustedEngines(input, context, dataDir);
  const under = await readUnder(input, trust);
  const [since, until] = [readBound(textOption(input, 'since'), '--since'), readBound(textOption(input, 'until'), '--until')];
  const resume = textOption(input, 'resume');
  const keys = readKeys(input);
  const name = textOption(input, 'logName');
  const log = await replayLog(context, {
    dataDir,
    ...(name === undefined ? {} : { log: name }),
    trust,
    jobs: readJobs(input),
    ...(keys.length === 0 ? {} : { logKeys: keys }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(under === undefined ? {} : { under }),
    ...(resume === undefined ? {} : { resume: resolve(context.world.cwd, resume) }),
  });
  return summary({ tally: log.tally, complete: log.complete, under, log, resume }, context);
}

async function replayFiles(input: Input, context: Context): Promise<Outcome> {
  const given = LOG_ONLY.find((name) => input.options[name] !== undefined);
  if (given !== undefined) throw usageError(`${typed(given)} goes with --log or --all`, HELP);
  const trust = readTrustedEngines(input, context, undefined);
  const under = await readUnder(input, trust);
  const find = await context.progress('loading the engine', () => openEngineTrust(trust));
  const replayer = createReplayer({ find, ...(under === undefined ? {} : { under }) });
  const tally = createTally();
  for (const file of input.rest) {
    const row = await replayBundle(await readBytes(file, context), replayer);
    if (row !== undefined) tally.add(row);
  }
  return summary({ tally, complete: true, under }, context);
}

function replay(input: Input, context: Context): Promise<Outcome> {
  const log = textOption(input, 'log');
  const asked = [input.rest.length > 0, flag(input, 'all'), log !== undefined].filter(Boolean);
  if (asked.length !== 1) throw usageError('name bundles, or say --all, or name a directory with --log', HELP);
  if (log !== undefined) return replayDirectory(input, context, resolve(context.world.cwd, log));
  return flag(input, 'all') ? replayDirectory(input, context, context.dataDir) : replayFiles(input, context);
}

export const replayCommand: Command = {
  path: 'replay',
  args: '[file...]',
  summary: 'compute verdicts again from what was recorded, and compare',
  options: [
    { flags: '--all', summary: 'every receipt of one log of your own data directory, beside a running gateway' },
    { flags: '--log <dir>', summary: 'every receipt of one log of this data directory, yours or not' },
    LOG_NAME_OPTION,
    { flags: '--since <time|index>', summary: 'from this time or entry on' },
    { flags: '--until <time|index>', summary: 'up to this time or entry, without it' },
    { flags: '--jobs <n>', summary: 'threads; the answer does not depend on it' },
    { flags: '--resume <file>', summary: 'keep the state there, and go on from it' },
    { flags: '--engine <built|hash>', summary: 'judge under this engine instead, and say what it would decide otherwise' },
    { flags: '--engines <dir...>', summary: 'folders of engines that you trust' },
    { flags: '--trust-engine <hash...>', summary: 'hashes of engines that you trust wherever they lie' },
    { flags: '--key <vkey...>', summary: 'verifier key that must have signed the checkpoint of the log' },
  ],
  examples: [
    'countersign replay receipt.countersign.json',
    'countersign replay --all --json',
    'countersign replay --log evidence --since 2026-01-01 --jobs 8 --resume replay.json',
    'countersign replay --all --engine built',
  ],
  run: replay,
};
