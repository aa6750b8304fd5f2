/** @module What every test was answered with the last time somebody looked: kept beside the suite, compared on request. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { canonicalize, codeOf, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { CliError, configError } from './outcome.ts';
import type { TestResult } from './policy-test-run.ts';

/** Beside the suite. */
export function snapshotPath(suite: string): string {
  return `${suite}.snapshots.json`;
}

function nameOf({ test }: TestResult): string {
  return `${test.suite} / ${test.name}`;
}

function snapshotOf({ decided }: TestResult): JsonObject {
  const { outcome, guard, severity, reasonCode, judgement } = decided;
  const reasons: readonly JsonValue[] = judgement?.verdict.reasons.map(({ code }) => code) ?? [];
  return { outcome, guard, severity, reason_code: reasonCode, reasons };
}

/** Writes what was answered now. */
export async function writeSnapshots(suite: string, results: readonly TestResult[], context: Context): Promise<void> {
  const entries = results.map((result) => [nameOf(result), snapshotOf(result)] as const);
  const text = `${JSON.stringify({ version: 1, tests: Object.fromEntries(entries) }, null, 2)}\n`;
  const path = snapshotPath(suite);
  await writeFile(resolve(context.world.cwd, path), text).catch((error: unknown) => {
    throw configError([{ code: 'file_unwritable', message: `the snapshots cannot be written (${codeOf(error)})`, path }]);
  });
}

async function readSnapshots(suite: string, context: Context): Promise<JsonObject> {
  const path = snapshotPath(suite);
  const hint = `make them with countersign policy test ${suite} --update-snapshots`;
  const text = await readText(path, context).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    throw configError(error.faults.map((fault) => Object.assign({}, fault, { hint })));
  });
  const parsed = parseJson(text, { bytesMax: 64 * 1024 * 1024, depthMax: 16, nodesMax: 1_000_000 });
  const root = parsed.ok && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
  const tests = root === undefined || getOwn(root, 'version') !== 1 ? undefined : getOwn(root, 'tests');
  if (!isJsonObject(tests)) throw configError([{ code: 'snapshots_form', message: 'the file does not hold snapshots', path, hint }]);
  return tests;
}

/** The results, with what differs from the snapshots as further problems. */
export async function compareSnapshots(suite: string, results: readonly TestResult[], context: Context): Promise<readonly TestResult[]> {
  const kept = await readSnapshots(suite, context);
  return results.map((result) => {
    const before = getOwn(kept, nameOf(result));
    const now = snapshotOf(result);
    if (before !== undefined && canonicalize(before) === canonicalize(now)) return result;
    const was = before === undefined ? 'there is none' : JSON.stringify(before);
    return Object.assign({}, result, { problems: [...result.problems, `snapshot: ${was}; now ${JSON.stringify(now)}`] });
  });
}
