/**
 * @module The logs of an installation, put to work (spec/log.md LOG-080 to LOG-085): which one an org writes to, making another while
 * decisions go on, having an org change. A log that fails, or does not open, stops its orgs and no other.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNoteName } from '@countersign/crypto';
import { CodedError, codeOf, err, type Fault, ok } from '@countersign/kernel';
import {
  type LogDraft,
  type LogsDesk,
  type LogsFaultCode,
  type LogsResult,
  type LogView,
  MAIN_LOG,
  type OrgRecord,
} from '@countersign/pipeline';
import type { ReceiptRecorder } from '@countersign/receipts';
import { nodeDisk } from '@countersign/store';
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';
import { isLogName, isLogThere, logPlace } from './log-place.ts';
import { type LogWorld, type OpenedLog, openOneLog } from './opened-log.ts';
import { routeRecorder } from './route-recorder.ts';
import { type LogCrew, type RunningLog, runLog } from './running-log.ts';

/** A log that takes nothing: it failed, or did not open. */
export interface FailedLog {
  readonly name: string;
  readonly reason: string;
}

export interface Logs extends LogsDesk {
  readonly main: RunningLog;
  /** Into all of them. */
  readonly recorder: ReceiptRecorder;
  /** An open log. */
  of(name: string): RunningLog | undefined;
  /** The log that an org writes to. @throws CodedError `log_failed` where it is not open. */
  ofOrg(org: string): RunningLog;
  /** The log that has the durable entry with this id, and its place there. */
  locate(id: string): Promise<{ readonly log: RunningLog; readonly index: number } | undefined>;
  /** Every change of state of the org so far is in the tables when it returns. @throws CodedError what its logs or the tables say. */
  settleOrg(org: string): Promise<void>;
  failed(): readonly FailedLog[];
  /** True where every log of the installation is open, failed since or not. */
  allOpen(): boolean;
  /** Why no org at all can be served, or undefined. */
  problem(): string | undefined;
  /** Makes everything durable and gives the directories back. */
  close(): Promise<void>;
}

export interface LogsParts {
  readonly main: OpenedLog;
  readonly further: readonly OpenedLog[];
  /** Logs that are there and did not open, by name. */
  readonly unopened: ReadonlyMap<string, CodedError>;
  readonly world: LogWorld;
  readonly crew: LogCrew;
}

interface State {
  readonly parts: LogsParts;
  /** The main one first. */
  readonly running: Map<string, RunningLog>;
  readonly unopened: Map<string, CodedError>;
}

type Refusal = Fault<LogsFaultCode>;

const OWNER_ONLY = 0o700;

/** What a log that did not open says of it. */
export function unopenedBy(name: string, error: unknown): CodedError {
  const what = error instanceof CodedError ? error.message : 'the disk failed';
  return new CodedError(
    { code: 'log_failed', message: `the log \`${name}\` did not open: ${what} (${codeOf(error)})`, hint: 'mend it, and start again' },
    { cause: error },
  );
}

function unavailable(message: string, hint?: string): Refusal {
  return { code: 'log_unavailable', message, ...(hint === undefined ? {} : { hint }) };
}

function failureOf({ running, unopened }: State, name: string): string | undefined {
  return unopened.get(name)?.message ?? running.get(name)?.log.failure?.message;
}

function namesOf({ running, unopened }: State): readonly string[] {
  const further = [...running.keys(), ...unopened.keys()].filter((name) => name !== MAIN_LOG);
  return [MAIN_LOG, ...further.sort()];
}

function viewOf(state: State, name: string): LogView {
  const log = state.running.get(name);
  return {
    name,
    origin: log?.log.origin ?? null,
    keys: log?.keyDesk.view().active ?? [],
    size: log?.log.durableSize ?? null,
    orgs: state.parts.crew.store.orgsOn(name),
    problem: failureOf(state, name) ?? null,
  };
}

/** @throws CodedError `log_failed`. */
function openLogNamed({ running, unopened }: State, name: string): RunningLog {
  const log = running.get(name);
  if (log !== undefined) return log;
  throw unopened.get(name) ?? new CodedError({ code: 'log_failed', message: `there is no log \`${name}\`` });
}

/**
 * SECURITY: an org that left a log which does not open is refused too: what that log holds of it may not be in the tables, so its counts
 * would start lower.
 * @throws CodedError `log_failed`.
 */
function logOfOrg(state: State, org: string): RunningLog {
  const { log, leaving } = state.parts.crew.store.orgLog(org);
  if (leaving !== null) openLogNamed(state, leaving);
  return openLogNamed(state, log);
}

function refusedDraft(state: State, { name, origin }: LogDraft): Refusal | undefined {
  if (!isLogName(name))
    return {
      code: 'invalid_log_name',
      message:
        name === MAIN_LOG
          ? 'the name `main` is that of the first log'
          : `a log has a name of 1 to ${LIMITS.logNameCharsMax} of \`a-z0-9-\``,
      path: '/name',
    };
  const names = namesOf(state);
  if (names.includes(name)) return { code: 'log_exists', message: 'there is a log of this name', path: '/name' };
  if (names.length >= LIMITS.logsMax) return { code: 'logs_full', message: `an installation has at most ${LIMITS.logsMax} logs` };
  if (origin === undefined) return undefined;
  if (origin.length > LIMITS.logOriginCharsMax || !isNoteName(origin))
    return {
      code: 'invalid_origin',
      message: `an origin has 1 to ${LIMITS.logOriginCharsMax} characters, no space and no plus sign`,
      path: '/origin',
      hint: 'name it as a URL without a scheme, e.g. example.org/countersign/team-a',
    };
  const taken = [...state.running.values()].some(({ log }) => log.origin === origin);
  return taken ? { code: 'origin_taken', message: 'another log of this installation has this origin', path: '/origin' } : undefined;
}

/** Folders of a new log, in a way that a power cut does not undo. */
async function makeFolders(dataDir: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: OWNER_ONLY });
  await nodeDisk.syncFolder(dirname(directory));
  await nodeDisk.syncFolder(dataDir);
}

/** First folders and the first key, then the list of keys: from that on the log is there. Each step can be done again. */
async function make(state: State, { name, origin }: LogDraft): Promise<LogsResult<LogView>> {
  const { world, crew } = state.parts;
  const place = logPlace(world.dataDir, name);
  const begun = isLogThere(place);
  await makeFolders(world.dataDir, place.directory);
  const opened = await openOneLog(place, { world, opening: { create: true, origin } });
  try {
    if (begun && origin !== undefined && opened.log.origin !== origin) {
      await opened.log.close();
      const hint = `start again, and it is there as ${opened.log.origin}`;
      return err({ code: 'log_exists', message: 'a log of this name was begun with another origin', path: '/origin', hint });
    }
    state.running.set(name, await runLog(opened, crew));
    return ok(viewOf(state, name));
  } catch (error) {
    await opened.log.close();
    throw error;
  }
}

async function create(state: State, draft: LogDraft): Promise<LogsResult<LogView>> {
  const refusal = refusedDraft(state, draft);
  if (refusal !== undefined) return err(refusal);
  try {
    return await make(state, draft);
  } catch (error) {
    const hint = 'what was begun is no log, or a whole one at the next start; ask again once the disk is well';
    return err(unavailable(`the log could not be made (${codeOf(error)})`, hint));
  }
}

/** Every change of state that a log has of any org so far is in the tables when it returns undefined. */
async function settle(state: State, name: string): Promise<Refusal | undefined> {
  const log = state.running.get(name);
  if (log === undefined) return unavailable(failureOf(state, name) ?? `there is no log \`${name}\``);
  try {
    await state.parts.crew.store.settle(log.position, name);
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'state_unavailable') throw error;
    return unavailable(`what the log \`${name}\` holds cannot be made durable (${codeOf(error)})`, 'mend that log and start again');
  }
}

/**
 * The log that an org leaves is settled twice: before, so that hardly anything is left of it there; and after, for what came in between.
 * Until that is done the org is marked as leaving (`logOfOrg`).
 */
async function move(state: State, org: string, to: string): Promise<LogsResult<OrgRecord>> {
  const { store } = state.parts.crew;
  const record = await store.org(org);
  if (record === undefined) return err({ code: 'not_found', message: 'no such org' });
  const names = namesOf(state);
  if (!names.includes(to))
    return err({ code: 'log_unknown', message: 'there is no log of this name', path: '/log', hint: `there are ${names.join(', ')}` });
  const failure = failureOf(state, to);
  if (failure !== undefined) return err(unavailable(failure));
  const { log: from, leaving } = store.orgLog(org);
  for (const left of leaving === null ? [from] : [leaving, from]) {
    const refusal = from === to && left === from ? undefined : await settle(state, left);
    if (refusal !== undefined) return err(refusal);
  }
  if (from !== to) {
    store.setOrgLog(org, { log: to, leaving: from });
    const refusal = await settle(state, from);
    if (refusal !== undefined)
      return err({
        ...refusal,
        message: `the org writes to \`${to}\` now, but ${refusal.message}`,
        hint: 'its last changes of state are taken up at the next start',
      });
  }
  return ok(store.setOrgLog(org, { log: to, leaving: null }) ?? record);
}

async function settleOrg(state: State, org: string): Promise<void> {
  const { store } = state.parts.crew;
  const { log, leaving } = store.orgLog(org);
  for (const name of new Set([log, ...(leaving === null ? [] : [leaving]), ...store.logsHolding(org)]))
    await store.settle(openLogNamed(state, name).position, name);
}

async function locate({ running }: State, id: string): ReturnType<Logs['locate']> {
  for (const log of running.values()) {
    const index = await log.recorder.placeOf(id);
    if (index !== undefined) return { log, index };
  }
  return undefined;
}

function problemOf(state: State): string | undefined {
  const { store } = state.parts.crew;
  const used = namesOf(state).filter((name) => store.orgsOn(name) > 0);
  const failures = (used.length === 0 ? [MAIN_LOG] : used).map((name) => failureOf(state, name));
  return failures.includes(undefined) ? undefined : failures[0];
}

function failedOf(state: State): readonly FailedLog[] {
  return namesOf(state).flatMap((name) => {
    const reason = failureOf(state, name);
    return reason === undefined ? [] : [{ name, reason }];
  });
}

async function closeAll({ running }: State): Promise<void> {
  const ended = await Promise.allSettled(
    [...running.values()].map(async ({ log, stopWriteBack }) => {
      try {
        await log.close();
      } finally {
        await stopWriteBack();
      }
    }),
  );
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

function recorderOver(state: State): ReceiptRecorder {
  const all = (): readonly RunningLog[] => [...state.running.values()];
  return routeRecorder({
    ofOrg: (org) => logOfOrg(state, org).recorder,
    ofOrigin: (origin) => all().find(({ log }) => log.origin === origin)?.recorder,
    main: () => openLogNamed(state, MAIN_LOG).recorder,
    all: () => all().map(({ recorder }) => recorder),
  });
}

/** Puts the logs beside the main one to work; one that does not go stays behind. */
async function runFurther(state: State): Promise<void> {
  const { further, crew } = state.parts;
  for (const opened of further) {
    const { name } = opened.place;
    try {
      const twin = [...state.running.values()].find(({ log }) => log.origin === opened.log.origin);
      if (twin !== undefined) throw new CodedError({ code: 'origin_taken', message: `the log \`${twin.place.name}\` has the same origin` });
      state.running.set(name, await runLog(opened, crew));
    } catch (error) {
      state.unopened.set(name, unopenedBy(name, error));
      await opened.log.close();
    }
  }
}

/** Logs that somebody wrote to and that are gone; and orgs whose former log has been taken up whole. */
function takeStock(state: State): void {
  const { store, warn } = state.parts.crew;
  for (const name of store.knownLogs()) {
    if (state.running.has(name) || state.unopened.has(name)) continue;
    const gone = new CodedError({ code: 'log_missing', message: 'the state knows it, and it is not there' });
    state.unopened.set(name, unopenedBy(name, gone));
  }
  for (const name of state.running.keys())
    for (const org of store.orgsLeaving(name)) store.setOrgLog(org, { log: store.orgLog(org).log, leaving: null });
  for (const failure of state.unopened.values()) warn(`${failure.message}; its orgs are denied`);
}

/**
 * Puts opened logs to work. @throws CodedError where the main one does not go; the caller closes what it opened.
 */
export async function runLogs(parts: LogsParts): Promise<Logs> {
  const main = await runLog(parts.main, parts.crew);
  const state: State = { parts, running: new Map([[MAIN_LOG, main]]), unopened: new Map(parts.unopened) };
  try {
    await runFurther(state);
    takeStock(state);
  } catch (error) {
    await closeAll(state);
    throw error;
  }
  let turn: Promise<unknown> = Promise.resolve();
  const oneAtATime = <T>(work: () => Promise<T>): Promise<T> => {
    const doing = turn.then(work);
    turn = doing.catch(() => undefined);
    return doing;
  };
  return {
    main,
    recorder: recorderOver(state),
    of: (name) => state.running.get(name),
    ofOrg: (org) => logOfOrg(state, org),
    locate: (id) => locate(state, id),
    settleOrg: (org) => settleOrg(state, org),
    failed: () => failedOf(state),
    allOpen: () => state.unopened.size === 0,
    problem: () => problemOf(state),
    list: () => namesOf(state).map((name) => viewOf(state, name)),
    create: (draft) => oneAtATime(() => create(state, draft)),
    moveOrg: (org, log) => oneAtATime(() => move(state, org, log)),
    close: async () => {
      await turn;
      await closeAll(state);
    },
  };
}
