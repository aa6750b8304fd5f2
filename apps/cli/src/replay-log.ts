/**
 * @module Every receipt of a log, replayed from its data directory: beside the gateway that has it open, over as many threads as wanted,
 * from where an earlier run was stopped. What is read is held against the signed checkpoint.
 */
import { base64 } from '@countersign/crypto';
import { CodedError } from '@countersign/kernel';
import { createHashRange, type EvidenceDirectory, type HashRange, openEvidenceDirectory } from '@countersign/runtime';
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import { createProgress, type Progress } from './replay-progress.ts';
import type { Range, ReplayedRange } from './replay-range.ts';
import { checkResume, createKeeper, loadResume, type Question, removeResume, type Resume, saveResume } from './replay-resume.ts';
import { createTally, type Tally } from './replay-tally.ts';
import { replayRanges } from './replay-threads.ts';
import type { EngineTrust } from './replay-trust.ts';

/** A place in a log, by number or by time. */
export type Bound = { readonly index: number } | { readonly time: string };

export interface LogQuestion {
  readonly dataDir: string;
  /** Which of its logs; `main` where it is not said. */
  readonly log?: string;
  /** Verifier keys that must have signed; absent: the directory's own word. */
  readonly logKeys?: readonly string[];
  readonly since?: Bound;
  readonly until?: Bound;
  readonly trust: EngineTrust;
  readonly under?: string;
  readonly jobs: number;
  /** Absolute path. */
  readonly resume?: string;
}

export interface ReplayedLog {
  readonly tally: Tally;
  /** False: somebody stopped it. */
  readonly complete: boolean;
  readonly origin: string;
  /** Entries from and to which it went. */
  readonly from: number;
  readonly reached: number;
  /** Size of the signed checkpoint that the entries lead to. */
  readonly checkpoint: number;
}

interface Run {
  readonly context: Context;
  readonly asked: LogQuestion;
  readonly evidence: EvidenceDirectory;
  readonly from: number;
  readonly end: number;
  readonly question: Question;
  readonly tally: Tally;
  /** Hashes of all entries before what was joined last. */
  readonly hashes: HashRange;
  readonly progress: Progress;
}

const indexOf = (bound: Bound | undefined, otherwise: number): number =>
  bound !== undefined && 'index' in bound ? bound.index : otherwise;
const timeOf = (bound: Bound | undefined): string => (bound !== undefined && 'time' in bound ? bound.time : '');

function questionOf(asked: LogQuestion): Question {
  const { since, until, under = '', trust } = asked;
  const text = (bound: Bound | undefined): string => (bound === undefined ? '' : 'time' in bound ? bound.time : String(bound.index));
  return { from: String(indexOf(since, 0)), since: text(since), until: text(until), under, trust: trust.hashes.toSorted().join(' ') };
}

/** Ranges from `from` to `end`: they begin at multiples of their greatest length, and one ends where the checkpoint does. */
function* rangesOf(from: number, end: number, checkpoint: number): Generator<Range, void, undefined> {
  const { replayRangeMax } = CLI_LIMITS;
  for (let at = from; at < end;) {
    const aligned = Math.min(end, at - (at % replayRangeMax) + replayRangeMax);
    const until = at < checkpoint && checkpoint < aligned ? checkpoint : aligned;
    yield { from: at, until };
    at = until;
  }
}

function checkRoot({ evidence, hashes }: Pick<Run, 'evidence' | 'hashes'>): void {
  if (hashes.end !== evidence.checkpoint.size || base64(hashes.root()) === base64(evidence.checkpoint.root)) return;
  throw new CodedError({
    code: 'log_forked',
    message: `the entries do not lead to the signed checkpoint of size ${evidence.checkpoint.size}`,
    hint: 'the journal or the tiles were changed; restore them from one copy',
  });
}

/** Takes in what is not replayed; where it passes the checkpoint, its root is looked at. */
async function extendTo(evidence: EvidenceDirectory, hashes: HashRange, end: number): Promise<void> {
  const { size } = evidence.checkpoint;
  if (hashes.end < size && size <= end) {
    await evidence.extend(hashes, size);
    checkRoot({ evidence, hashes });
  }
  await evidence.extend(hashes, end);
}

function stateOf({ evidence, question, end, hashes, tally }: Run): Resume {
  const root = base64(hashes.root());
  return { origin: evidence.origin, question, end, next: hashes.end, root, tally: tally.part() };
}

function joinRange(run: Run, range: ReplayedRange): void {
  for (const subtree of range.subtrees) run.hashes.push(subtree);
  checkRoot(run);
  run.tally.join(range.tally);
  run.progress.reached(range.until);
}

/** Where it begins: at the start of the range, or where the resume file says. */
async function begin(evidence: EvidenceDirectory, asked: LogQuestion): Promise<{ from: number; end: number; next: number; tally: Tally }> {
  const { size, first } = evidence.journal;
  const from = Math.min(size, indexOf(asked.since, first));
  const end = Math.max(from, Math.min(size, indexOf(asked.until, size)));
  const tally = createTally();
  const known = asked.resume === undefined ? undefined : await loadResume(asked.resume);
  if (known === undefined) return { from, end, next: from, tally };
  const { origin } = evidence;
  await checkResume(known, { origin, size, rootAt: (n) => evidence.rootAt(n) }, questionOf(asked));
  tally.join(known.tally);
  return { from, end: known.end, next: known.next, tally };
}

async function replayAll(run: Run): Promise<void> {
  const { asked, evidence, context, hashes, end } = run;
  const { dataDir, trust, jobs, under } = asked;
  const times = { ...optional('since', timeOf(asked.since)), ...optional('until', timeOf(asked.until)) };
  const setup = {
    dataDir,
    logKeys: evidence.logKeys,
    trust,
    times,
    copies: evidence.copies,
    ...optional('under', under),
    ...optional('log', asked.log),
  };
  const ranges = rangesOf(hashes.end, end, evidence.checkpoint.size);
  const { resume } = asked;
  const keeper = createKeeper({
    from: hashes.end,
    save: (state) => (resume === undefined ? Promise.resolve() : saveResume(resume, state)),
  });
  const join = (range: ReplayedRange): void => {
    joinRange(run, range);
    keeper.reached(range.until, () => stateOf(run));
  };
  try {
    await replayRanges({ setup, jobs, ranges, join, stop: context.world.stop });
  } finally {
    run.progress.end();
    await keeper.saved();
  }
}

/** An option that is only there where it says something. */
function optional<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined || value === '' ? {} : ({ [name]: value } as Partial<Record<Name, string>>);
}

async function replayEvidence(context: Context, asked: LogQuestion, evidence: EvidenceDirectory): Promise<ReplayedLog> {
  const { from, end, next, tally } = await begin(evidence, asked);
  const hashes = createHashRange();
  // What lies before is taken from the tiles: the root at the checkpoint covers it too.
  await extendTo(evidence, hashes, next);
  const progress = createProgress(context.world, { start: next, end });
  const run: Run = { context, asked, evidence, from, end, question: questionOf(asked), tally, hashes, progress };
  await replayAll(run);
  const reached = hashes.end;
  const complete = reached === end;
  if (asked.resume !== undefined && !complete) await saveResume(asked.resume, stateOf(run));
  const { size } = evidence.checkpoint;
  if (reached < size) await extendTo(evidence, hashes, size);
  if (asked.resume !== undefined && complete) await removeResume(asked.resume);
  return { tally, complete, origin: evidence.origin, from, reached, checkpoint: size };
}

/**
 * Replays the receipts of a data directory, oldest first.
 * @throws {CodedError} what the directory, the journal or an engine file say; {CliError} what the resume file says.
 */
export async function replayLog(context: Context, asked: LogQuestion): Promise<ReplayedLog> {
  const { dataDir, logKeys, log } = asked;
  const named = { dataDir, ...optional('log', log) };
  const opening = (): Promise<EvidenceDirectory> => openEvidenceDirectory({ ...named, ...(logKeys === undefined ? {} : { logKeys }) });
  const evidence = await context.progress('opening', opening);
  try {
    return await replayEvidence(context, asked, evidence);
  } finally {
    await evidence.close();
  }
}
