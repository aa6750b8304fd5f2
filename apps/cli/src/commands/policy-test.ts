/** @module `policy test`: a suite of events and what is expected of each, run through the built engine. */
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, type JsonObject } from '@countersign/kernel';
import { BUILTIN_RULESETS, parseTestSuite, type TestSuite } from '@countersign/policy';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readText } from '../documents.ts';
import { eventDecisionJson } from '../event-decisions.ts';
import { openInstalledJudging } from '../judging.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { resolveNamed } from '../policies.ts';
import { type Coverage, coverageOf } from '../policy-coverage.ts';
import { compareSnapshots, writeSnapshots } from '../policy-snapshots.ts';
import { testHtml, testJunit, type TestReport, testText } from '../policy-test-report.ts';
import { runTests, type TestResult } from '../policy-test-run.ts';

const FORMATS = ['text', 'json', 'html', 'junit'] as const;
type Format = (typeof FORMATS)[number];

function formatOf(input: Input, context: Context): Format {
  const said = textOption(input, 'format') ?? (context.json ? 'json' : 'text');
  const format = FORMATS.find((one) => one === said);
  if (format === undefined)
    throw usageError(`--format is one of ${FORMATS.join(', ')}`, 'countersign policy test suite.yaml --format junit');
  return format;
}

function minimumOf(input: Input): number | undefined {
  const said = textOption(input, 'minCoverage');
  if (said === undefined) return undefined;
  const percent = /^\d{1,3}$/.test(said) ? Number(said) : Number.NaN;
  if (percent >= 0 && percent <= 100) return percent;
  throw usageError('--min-coverage is a whole number of percent', 'countersign policy test suite.yaml --min-coverage 80');
}

async function readSuite(file: string, context: Context): Promise<TestSuite> {
  const suite = parseTestSuite(await readText(file, context), file);
  if (!suite.ok) throw configError(suite.error);
  return suite.value;
}

/** A ruleset by name, a file relative to the suite. */
function policyOf(suite: TestSuite, file: string): string {
  if (BUILTIN_RULESETS.includes(suite.policy) || file === '-') return suite.policy;
  return join(dirname(file), suite.policy);
}

async function runSuite(file: string, input: Input, context: Context): Promise<TestReport> {
  const suite = await readSuite(file, context);
  const policy = await resolveNamed(policyOf(suite, file), context);
  const judging = await context.progress('loading the engine', () => openInstalledJudging(policy, context));
  const run = runTests({ judging, context, allowUnseen: flag(input, 'allowUnseen') }, suite.tests, policy.resolved.posture);
  if (flag(input, 'updateSnapshots')) await writeSnapshots(file, run, context);
  const results: readonly TestResult[] = flag(input, 'snapshots') ? await compareSnapshots(file, run, context) : run;
  const minimum = minimumOf(input);
  const byGuard = flag(input, 'byGuard');
  const coverage = coverageOf(
    policy.resolved,
    results.map(({ decided }) => decided),
  );
  const short = minimum !== undefined && coverage.percent < minimum;
  const failures = short ? [`coverage is ${String(coverage.percent)} %, wanted are ${String(minimum)} %`] : [];
  const shown = flag(input, 'coverage') || byGuard || minimum !== undefined ? coverage : undefined;
  return { name: suite.name, policy: policy.source, results, coverage: shown, byGuard, failures };
}

function coverageJson({ guards, percent, rules }: Coverage): JsonObject {
  return {
    percent,
    rules,
    guards: guards.map(({ guard, answered, objected, spoke, silent }) => ({ guard, answered, objected, spoke, silent })),
  };
}

function reportJson({ name, policy, results, coverage, failures }: TestReport): JsonObject {
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  return {
    name,
    policy,
    summary: { total: results.length, passed: results.length - failed, failed },
    tests: results.map(({ test, decided, problems }) => ({
      suite: test.suite,
      name: test.name,
      passed: problems.length === 0,
      problems,
      ...eventDecisionJson(decided),
    })),
    ...(coverage === undefined ? {} : { coverage: coverageJson(coverage) }),
    failures,
  };
}

function rendered(format: Format, report: TestReport, context: Context): string {
  if (format === 'html') return testHtml(report);
  if (format === 'junit') return testJunit(report);
  return format === 'json' ? JSON.stringify(reportJson(report), null, 2) : testText(report, context.paint);
}

async function runTest(input: Input, context: Context): Promise<Outcome> {
  const [file] = input.args;
  if (file === undefined) throw usageError('no suite is named', 'countersign policy test --help');
  if (flag(input, 'snapshots') && flag(input, 'updateSnapshots'))
    throw usageError('snapshots are compared or written, not both', 'countersign policy test --help');
  const format = formatOf(input, context);
  const report = await runSuite(file, input, context);
  const failed = report.failures.length > 0 || report.results.some(({ problems }) => problems.length > 0);
  const exitCode = failed ? EXIT.deny : EXIT.ok;
  const out = textOption(input, 'output');
  const text = rendered(format, report, context);
  if (out === undefined) return { exitCode, json: reportJson(report), text };
  await writeFile(resolve(context.world.cwd, out), `${text}\n`).catch((error: unknown) => {
    throw configError([{ code: 'file_unwritable', message: `the report cannot be written (${codeOf(error)})`, path: out }]);
  });
  return { exitCode, json: reportJson(report), text: testText(report, context.paint) };
}

export const policyTestCommand: Command = {
  path: 'policy test',
  args: '<suite>',
  summary: 'run a suite of events and expectations: exit code 2 where one fails',
  options: [
    { flags: '--coverage', summary: 'which guards and rules spoke' },
    { flags: '--by-guard', summary: 'the same, with the entries that no test tried' },
    { flags: '--min-coverage <percent>', summary: 'exit code 2 where fewer of the enabled guards objected to something' },
    { flags: '--format <format>', summary: FORMATS.join(', ') },
    { flags: '--output <file>', summary: 'write the report there, and a summary here' },
    { flags: '--snapshots', summary: 'compare every answer with the one that was kept' },
    { flags: '--update-snapshots', summary: 'keep every answer' },
    { flags: '--allow-unseen', summary: 'do not deny a write or a patch whose content is not in the event' },
  ],
  examples: ['countersign policy test suite.yaml --coverage', 'countersign policy test suite.yaml --format junit --output results.xml'],
  run: runTest,
};
