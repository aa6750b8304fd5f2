/**
 * @module Where a replay was stopped, and what it had found: one file, replaced whole, that only the same question about the same log can
 * go on from (spec/replay.md, RPLY-040 to RPLY-044).
 */
import { base64 } from '@countersign/crypto';
import { canonicalize, codeOf, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { CLI_LIMITS } from './limits.ts';
import { CliError, configError, EXIT } from './outcome.ts';
import { noCounts, type TallyPart } from './replay-tally.ts';
import type { Row } from './replayed-bundle.ts';
import { type Replayed, STATUSES } from './replayer.ts';

const TYPE = 'countersign.replay-resume.v1';

/** What was asked; texts as they were understood, so that two ways to say the same are the same. */
export type Question = Readonly<Record<'from' | 'since' | 'until' | 'under' | 'trust', string>>;

export interface Resume {
  /** Origin of the log. */
  readonly origin: string;
  readonly question: Question;
  /** End of the range, fixed when the replay began. */
  readonly end: number;
  /** Every entry before it is in the tally. */
  readonly next: number;
  /** Root of the log over the first `next` entries, base64. */
  readonly root: string;
  readonly tally: TallyPart;
}

function malformed(path: string): CliError {
  return configError([
    { code: 'resume_malformed', message: 'this is not a resume file, or it is damaged', path, hint: 'remove it and begin anew' },
  ]);
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readCounts(value: JsonValue | undefined): TallyPart['counts'] | undefined {
  const counts = noCounts();
  if (!isJsonObject(value) || Object.keys(value).length !== STATUSES.length) return undefined;
  for (const status of STATUSES) {
    const count = getOwn(value, status);
    if (!isCount(count)) return undefined;
    counts[status] = count;
  }
  return counts;
}

function readDirections(value: JsonValue | undefined): TallyPart['directions'] | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, number] => isCount(entry[1])) ? Object.fromEntries(entries) : undefined;
}

const ROW_TEXTS = ['sentence', 'path', 'from', 'to', 'direction'] as const;

function readRow(value: JsonValue): Row | undefined {
  const result = isJsonObject(value) ? getOwn(value, 'result') : undefined;
  const id = isJsonObject(value) ? getOwn(value, 'id') : undefined;
  if (typeof id !== 'string' || !isJsonObject(result)) return undefined;
  const status = STATUSES.find((known) => known === getOwn(result, 'status'));
  const texts = ROW_TEXTS.flatMap((name) => {
    const text = getOwn(result, name);
    return typeof text === 'string' ? [[name, text] as const] : [];
  });
  if (status === undefined || Object.keys(result).length !== texts.length + 1) return undefined;
  const { sentence, ...rest } = Object.fromEntries(texts) as Partial<Record<(typeof ROW_TEXTS)[number], string>>;
  return sentence === undefined ? undefined : { id, result: { status, sentence, ...rest } satisfies Replayed };
}

function readRows(value: JsonValue | undefined): readonly Row[] | undefined {
  if (!Array.isArray(value) || value.length > CLI_LIMITS.replayRowsMax) return undefined;
  const rows = (value as readonly JsonValue[]).map(readRow);
  return rows.every((row): row is Row => row !== undefined) ? rows : undefined;
}

function readTally(value: JsonValue | undefined): TallyPart | undefined {
  if (!isJsonObject(value)) return undefined;
  const counts = readCounts(getOwn(value, 'counts'));
  const directions = readDirections(getOwn(value, 'directions'));
  const first = readRows(getOwn(value, 'first'));
  const unequal = readRows(getOwn(value, 'unequal'));
  if (counts === undefined || directions === undefined || first === undefined || unequal === undefined) return undefined;
  return { counts, directions, first, unequal };
}

const QUESTION = ['from', 'since', 'until', 'under', 'trust'] as const;

function readQuestion(value: JsonValue | undefined): Question | undefined {
  if (!isJsonObject(value) || Object.keys(value).length !== QUESTION.length) return undefined;
  const texts = QUESTION.map((name) => [name, getOwn(value, name)] as const);
  return texts.every(([, text]) => typeof text === 'string') ? (Object.fromEntries(texts) as Question) : undefined;
}

function readResume(value: JsonObject): Resume | undefined {
  const [origin, root, end, next] = ['origin', 'root', 'end', 'next'].map((name) => getOwn(value, name));
  const question = readQuestion(getOwn(value, 'question'));
  const tally = readTally(getOwn(value, 'tally'));
  if (getOwn(value, 'type') !== TYPE || typeof origin !== 'string' || typeof root !== 'string') return undefined;
  if (!isCount(end) || !isCount(next) || next > end || question === undefined || tally === undefined) return undefined;
  return { origin, question, end, next, root, tally };
}

/** What the file says, or undefined where there is none. @throws {CliError} exit 3 `resume_malformed`, exit 4 where it cannot be read. */
export async function loadResume(path: string): Promise<Resume | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
  const parsed = parseJson(bytes, { bytesMax: CLI_LIMITS.fileBytesMax });
  const resume = parsed.ok && isJsonObject(parsed.value.value) ? readResume(parsed.value.value) : undefined;
  if (resume === undefined) throw malformed(path);
  return resume;
}

function unusable(path: string, error: unknown): CliError {
  const fault = { code: 'resume_unusable', message: `the resume file cannot be read or written (${codeOf(error)})`, path };
  return new CliError(EXIT.runtime, [fault], { cause: error });
}

/** Puts the file in place: readers, and a crash, see the old one or the new one. */
export async function saveResume(path: string, resume: Resume): Promise<void> {
  const text = canonicalize({ type: TYPE, ...resume } as unknown as JsonObject); // Plain JSON, which its interfaces do not say.
  try {
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Keeps the state now and then while a replay goes on: what a kill leaves. */
export interface Keeper {
  /** `next` entries are done; `state` says what is to be kept, and is asked only when it is. */
  reached(next: number, state: () => Resume): void;
  /** Resolves when nothing is being written. @throws {CliError} exit 4 where something could not be. */
  saved(): Promise<void>;
}

/** Writes one state at a time, in order, each `CLI_LIMITS.replaySavedEvery` entries behind the one before. */
export function createKeeper({ from, save }: { readonly from: number; readonly save: (state: Resume) => Promise<void> }): Keeper {
  let last = from;
  let saving: Promise<void> = Promise.resolve();
  return {
    reached: (next, state) => {
      if (next - last < CLI_LIMITS.replaySavedEvery) return;
      last = next;
      const kept = state();
      saving = saving.then(() => save(kept));
      // Whoever waits at the end is told.
      saving.catch(() => undefined);
    },
    saved: () => saving,
  };
}

/** A replay that came to its end needs no resume file. */
export async function removeResume(path: string): Promise<void> {
  await rm(path, { force: true });
}

function otherFault(code: string, message: string): CliError {
  return configError([{ code, message, hint: 'name another file with --resume, or remove this one to begin anew' }]);
}

/**
 * Is it about this log and this question?
 * @throws {CliError} exit 3: `resume_other_log`, `resume_other_question`.
 */
export async function checkResume(
  resume: Resume,
  log: { readonly origin: string; readonly size: number; rootAt(size: number): Promise<Uint8Array> },
  question: Question,
): Promise<void> {
  if (resume.origin !== log.origin) throw otherFault('resume_other_log', 'the resume file belongs to a log of another origin');
  if (resume.end > log.size) throw otherFault('resume_other_log', 'the log is shorter than when the replay was stopped');
  if (base64(await log.rootAt(resume.next)) !== resume.root)
    throw otherFault('resume_other_log', `the log is another one: its root at ${resume.next} entries is not the one that was replayed`);
  const asked = QUESTION.find((name) => resume.question[name] !== question[name]);
  if (asked !== undefined) throw otherFault('resume_other_question', `the replay that was stopped had another \`${asked}\``);
}
