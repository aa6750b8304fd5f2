/**
 * @module What is checked, and in which order: every file by itself, then every session of which two or more entries are there. The
 * checks are those of `@countersign/receipts/verify`, not one more and not one less.
 */
import { readBundle, type Bundle, type Check, verifyBundle, verifyConsistencyFile, verifySession } from '@countersign/receipts/verify';
import type { HeldFile } from './intake.ts';
import type { Questions } from './questions.ts';

export interface CheckedFile {
  readonly name: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** What the file says it is about, member by member. */
  readonly subject?: Readonly<Record<string, string | number>>;
  /** Why it was not even read. */
  readonly refused?: HeldFile['refused'];
  /** The file, read again; undefined where it is not a bundle. */
  readonly bundle: () => Bundle | undefined;
}

export interface CheckedSession {
  readonly log: string;
  readonly session: string;
  readonly ok: boolean;
  /** `closed`, `open` or whatever the report says of its end. */
  readonly end: string;
  readonly checks: readonly Check[];
  readonly entries: number;
}

export interface CheckedList {
  readonly files: readonly CheckedFile[];
  readonly sessions: readonly CheckedSession[];
}

const decoder = new TextDecoder();

/** Tells how far it is, and gives the page time to show it. False: stop, something newer is to be checked. */
export type Progress = (done: number) => Promise<boolean>;

function bundleOf(bytes: Uint8Array | undefined): Bundle | undefined {
  const read = bytes === undefined ? undefined : readBundle(bytes);
  return read?.ok === true ? read.value : undefined;
}

const CONSISTENCY_NAME = '.countersign-consistency.json';
/** How the canonical text of a consistency file ends: `type` is the last of its members. */
const CONSISTENCY_END = '"type":"countersign.consistency.v1"}';

/** By its name or by its end; whatever else a file is, it is held to be a bundle. */
function isConsistencyFile(name: string, bytes: Uint8Array): boolean {
  return name.endsWith(CONSISTENCY_NAME) || decoder.decode(bytes.subarray(-CONSISTENCY_END.length)) === CONSISTENCY_END;
}

async function checkFile({ name, bytes, refused }: HeldFile, { trust, seen }: Questions): Promise<CheckedFile> {
  const bundle = (): Bundle | undefined => bundleOf(bytes);
  if (bytes === undefined) return { name, ok: false, checks: [], bundle, ...(refused === undefined ? {} : { refused }) };
  const isConsistency = isConsistencyFile(name, bytes);
  const { ok, checks, subject } = isConsistency ? await verifyConsistencyFile(bytes, trust, seen) : await verifyBundle(bytes, trust);
  return { name, ok, checks, bundle, ...(subject === undefined ? {} : { subject: { ...subject } }) };
}

function isCheck(value: unknown): value is Check {
  return typeof value === 'object' && value !== null && 'sentence' in value && 'status' in value && 'code' in value && 'name' in value;
}

/** Every check a session's report has besides those of its bundles, whatever its members are called. */
function sessionChecks(report: object): readonly Check[] {
  return Object.values(report).filter((value) => isCheck(value));
}

async function checkSession(
  members: readonly HeldFile[],
  { trust, now }: Questions,
): Promise<Pick<CheckedSession, 'ok' | 'end' | 'checks'>> {
  const files = members.map(({ bytes }) => bytes ?? new Uint8Array(0));
  const report = await verifySession(files, trust, now === undefined ? {} : { now });
  return { ok: report.ok && report.bundles.every(({ ok }) => ok), end: report.end, checks: sessionChecks(report) };
}

/** Checks every file, and every session by what its files say; undefined where the list is stale before it is done. */
export async function checkFiles(held: readonly HeldFile[], questions: Questions, progress: Progress): Promise<CheckedList | undefined> {
  const files: CheckedFile[] = [];
  const groups = new Map<string, HeldFile[]>();
  for (const file of held) {
    const checked = await checkFile(file, questions);
    files.push(checked);
    const { subject } = checked;
    if (subject?.['session'] !== undefined) {
      const key = JSON.stringify([subject['log'], subject['session']]);
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    if (!(await progress(files.length))) return undefined;
  }
  const sessions: CheckedSession[] = [];
  for (const [key, members] of groups) {
    if (members.length < 2) continue;
    const [log = '', session = ''] = JSON.parse(key) as string[];
    sessions.push({ log, session, entries: members.length, ...(await checkSession(members, questions)) });
    if (!(await progress(files.length))) return undefined;
  }
  return { files, sessions };
}
