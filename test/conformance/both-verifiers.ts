/** @module One question to both verifiers: what is asked, and that both answers are the same, check by check and code by code. */
import { type Check, type Trust, verifyBundle, verifyConsistencyFile, verifySession } from '@countersign/receipts/verify';
import { expect } from 'vitest';
import { askAll } from './python-process.ts';

export type Question =
  | { readonly op: 'bundle'; readonly trust: Trust; readonly file: Uint8Array }
  | { readonly op: 'session'; readonly trust: Trust; readonly files: readonly Uint8Array[]; readonly now?: string }
  | { readonly op: 'consistency'; readonly trust: Trust; readonly file: Uint8Array; readonly seen?: string };

interface Answer {
  readonly ok: boolean;
  /** `name status code` of every check, in order. */
  readonly checks: readonly string[];
  /** What was proven, where `ok`; not of a session. */
  readonly subject?: unknown;
  /** Of a session. */
  readonly end?: string;
  readonly bundles?: readonly (readonly string[])[];
}

/** How often each line, `ok true` and `ok false` were said. */
export type Said = ReadonlyMap<string, number>;

export function lineOf({ name, status, code }: Check): string {
  return `${name} ${status} ${code}`;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function toJson(question: Question): object {
  if (question.op === 'session') return { ...question, files: question.files.map(encode) };
  return { ...question, file: encode(question.file) };
}

/** What the first one says. */
export async function firstSays(question: Question): Promise<Answer> {
  if (question.op === 'session') {
    const { files, trust, now } = question;
    const { ok, chain, outcomes, end, bundles } = await verifySession(files, trust, now === undefined ? {} : { now });
    return { ok, end, checks: [chain, outcomes].map(lineOf), bundles: bundles.map(({ checks }) => checks.map(lineOf)) };
  }
  const { file, trust } = question;
  const report = question.op === 'bundle' ? await verifyBundle(file, trust) : await verifyConsistencyFile(file, trust, question.seen);
  return { ok: report.ok, checks: report.checks.map(lineOf), ...(report.ok ? { subject: report.subject } : {}) };
}

/** The question as a test prints it, to become a vector. */
function shown(question: Question): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  return JSON.stringify(
    question.op === 'session' ? { ...question, files: question.files.map(text) } : { ...question, file: text(question.file) },
  );
}

/** Asks both; fails where they differ in anything. `label` says how to ask again. */
export async function compare(python: string, questions: readonly Question[], label: string): Promise<Said> {
  const answers = await askAll<Answer>(python, questions.map(toJson));
  const said = new Map<string, number>();
  for (const [n, question] of questions.entries()) {
    const first = await firstSays(question);
    expect(answers[n], `${label}, question ${n}: ${shown(question)}`).toEqual(first);
    for (const line of [`ok ${first.ok}`, ...first.checks, ...(first.bundles ?? []).flat()]) said.set(line, (said.get(line) ?? 0) + 1);
  }
  return said;
}
