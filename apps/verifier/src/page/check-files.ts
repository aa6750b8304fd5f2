/**
 * @module What is checked, and in which order: every file by itself, then every session of which two or more entries are there. The
 * checks are those of `@countersign/receipts/verify`, not one more and not one less.
 */
import { readBundle, type Bundle, type Check, verifyBundle, verifySession, type VerifyReport } from '@countersign/receipts/verify';
import type { HeldFile } from './intake.ts';
import type { PageTrust } from './keys.ts';

export interface CheckedFile {
  readonly name: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly subject?: VerifyReport['subject'];
  /** What was asked for and is not among the checks, for people. */
  readonly missing?: string;
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

/** Tells how far it is, and gives the page time to show it. False: stop, something newer is to be checked. */
export type Progress = (done: number) => Promise<boolean>;

function bundleOf(bytes: Uint8Array | undefined): Bundle | undefined {
  const read = bytes === undefined ? undefined : readBundle(bytes);
  return read?.ok === true ? read.value : undefined;
}

/** Witnesses that were named must have been asked for: a report that says nothing of them is no proof. */
function isAnswered(report: VerifyReport, trust: PageTrust): boolean {
  const names: readonly string[] = report.checks.map(({ name }) => name);
  return trust.witnessKeys.length === 0 || names.includes('cosignatures');
}

async function checkFile({ name, bytes, refused }: HeldFile, trust: PageTrust): Promise<CheckedFile> {
  const bundle = (): Bundle | undefined => bundleOf(bytes);
  if (bytes === undefined) return { name, ok: false, checks: [], bundle, ...(refused === undefined ? {} : { refused }) };
  const report = await verifyBundle(bytes, trust);
  const { checks, subject } = report;
  const missing = 'Witnesses were named, and no check was made of their cosignatures.';
  const isMissing = report.ok && !isAnswered(report, trust);
  return {
    name,
    ok: report.ok && !isMissing,
    checks,
    bundle,
    ...(isMissing ? { missing } : {}),
    ...(subject === undefined ? {} : { subject }),
  };
}

function isCheck(value: unknown): value is Check {
  return typeof value === 'object' && value !== null && 'sentence' in value && 'status' in value && 'code' in value && 'name' in value;
}

/** Every check a session's report has besides those of its bundles, whatever its members are called. */
function sessionChecks(report: object): readonly Check[] {
  return Object.values(report).filter((value) => isCheck(value));
}

async function checkSession(members: readonly HeldFile[], trust: PageTrust): Promise<Pick<CheckedSession, 'ok' | 'end' | 'checks'>> {
  const files = members.map(({ bytes }) => bytes ?? new Uint8Array(0));
  const report = await verifySession(files, trust);
  const isProven = report.ok && report.bundles.every((bundle) => bundle.ok && isAnswered(bundle, trust));
  return { ok: isProven, end: report.end, checks: sessionChecks(report) };
}

/** Files that say they are of one session of one log, by what they say; undefined where the list is stale before it is done. */
export async function checkFiles(held: readonly HeldFile[], trust: PageTrust, progress: Progress): Promise<CheckedList | undefined> {
  const files: CheckedFile[] = [];
  const groups = new Map<string, HeldFile[]>();
  for (const file of held) {
    const checked = await checkFile(file, trust);
    files.push(checked);
    const { subject } = checked;
    if (subject !== undefined) {
      const key = JSON.stringify([subject.log, subject.session]);
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    if (!(await progress(files.length))) return undefined;
  }
  const sessions: CheckedSession[] = [];
  for (const [key, members] of groups) {
    if (members.length < 2) continue;
    const [log = '', session = ''] = JSON.parse(key) as string[];
    sessions.push({ log, session, entries: members.length, ...(await checkSession(members, trust)) });
    if (!(await progress(files.length))) return undefined;
  }
  return { files, sessions };
}
