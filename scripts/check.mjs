/**
 * @module The gate: format, lint, types, arrows, dead code, tidy, then every test. Each check is one counted item; the last
 * line is the count. CI runs this and nothing else.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ensureBuilt } from './build.mjs';
import { run } from './child.mjs';
import { environmentFor } from './node-runtime.mjs';
import { EXIT, paint, ScriptError, seconds } from './terminal.mjs';

const BIN = {
  tsc: 'node_modules/@typescript/native/bin/tsc',
  oxfmt: 'node_modules/oxfmt/bin/oxfmt',
  oxlint: 'node_modules/oxlint/bin/oxlint',
  depcruise: 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  knip: 'node_modules/knip/bin/knip.js',
  vitest: 'node_modules/vitest/vitest.mjs',
};
const TIDY = 'test/tidy.test.ts';

/** The closing line. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** What dependency-cruiser says, read strictly: a run that looked at nothing is a failure, not a pass. */
export function readArrows(json) {
  const report = JSON.parse(json);
  const cruised = report.modules.filter((entry) => /^(packages|apps)\//.test(entry.source)).length;
  if (cruised === 0) return 'dependency-cruiser looked at 0 modules: it cannot read the sources';
  const wrong = report.summary.violations.filter((violation) => violation.rule.severity === 'error');
  return wrong.map((violation) => `${violation.rule.name}: ${violation.from} -> ${violation.to}`).join('\n');
}

function toolRunner(root, node) {
  const env = environmentFor(root, node, process.stdout.isTTY ? { FORCE_COLOR: '1' } : {});
  return async (tool, args, extra = {}) =>
    run(node, [BIN[tool], ...args], { cwd: root, env: { ...env, ...extra.env }, capture: extra.capture !== false });
}

async function mustSucceed(promise) {
  const result = await promise;
  if (result.code === 0) return '';
  return `${result.stdout}${result.stderr}`.trim() || `ended with ${result.code ?? result.signal}`;
}

/** Every check before the tests: a name, and a function that gives the complaint or nothing. */
function checks(root, node) {
  const tool = toolRunner(root, node);
  return [
    ['format', () => mustSucceed(tool('oxfmt', ['--check']))],
    // The type-aware lint reads the declarations of other packages: they must be there.
    ['build', () => built(root, node)],
    ['lint', () => mustSucceed(tool('oxlint', ['--type-aware', '--deny-warnings']))],
    ['types', () => mustSucceed(tool('tsc', ['-p', 'tsconfig.test.json']))],
    [
      'arrows',
      async () => arrows(await tool('depcruise', ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'packages', 'apps'])),
    ],
    ['dead code', () => mustSucceed(tool('knip', ['--no-progress']))],
    ['tidy', () => mustSucceed(tool('vitest', ['run', TIDY]))],
  ];
}

async function built(root, node) {
  try {
    await ensureBuilt(root, node);
    return '';
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
}

function arrows(result) {
  try {
    return readArrows(result.stdout);
  } catch {
    return result.stderr.trim() || 'dependency-cruiser gave no report';
  }
}

async function runOne(totals, name, check) {
  const started = Date.now();
  const complaint = await check();
  const took = seconds(Date.now() - started);
  if (complaint === '') {
    totals.passed += 1;
    console.log(`${paint('green', 'ok  ')} ${name} (${took})`);
    return;
  }
  totals.failed += 1;
  console.log(`${paint('red', 'FAIL')} ${name} (${took})\n${complaint}`);
}

/** Runs the suites and adds what they gave to `totals`. Returns the skipped tests with their reasons. */
async function runTests(root, node, { filters, totals }) {
  const file = join(root, '.build', 'totals.json');
  mkdirSync(join(root, '.build'), { recursive: true });
  rmSync(file, { force: true });
  const args = ['run', '--exclude', TIDY, '--reporter=default', '--reporter=./scripts/totals-reporter.mjs', ...filters];
  const tool = toolRunner(root, node);
  const result = await tool('vitest', args, { capture: false, env: { COUNTERSIGN_TOTALS: file } });
  if (!existsSync(file)) {
    totals.failed += 1;
    console.log(`${paint('red', 'FAIL')} tests: vitest ended with ${result.code ?? result.signal} and gave no totals`);
    return [];
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  totals.passed += report.passed;
  totals.skipped += report.skipped;
  totals.failed += report.failed + report.broken.length;
  for (const name of report.broken) console.log(`${paint('red', 'FAIL')} ${name}: did not load, or threw outside a test`);
  const silent = report.failed === 0 && report.broken.length === 0;
  if (silent && (result.code !== 0 || report.passed + report.skipped === 0)) {
    totals.failed += 1;
    console.log(`${paint('red', 'FAIL')} tests: vitest ended with ${result.code ?? result.signal}, ${report.passed} tests ran`);
  }
  return report.skips;
}

function printSkips(skips) {
  const seen = new Map();
  for (const { file, name, reason } of skips) {
    const text = `skip ${file}: ${reason === '' ? name : reason}`;
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  for (const [text, count] of seen) console.log(paint('yellow', count > 1 ? `${text} (${count} tests)` : text));
}

/** Runs the gate; gives the exit code. */
export async function runChecks(root, { node, tests, filters }) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, check] of checks(root, node)) await runOne(totals, name, check);
  if (tests) printSkips(await runTests(root, node, { filters, totals }));
  console.log(`\n${closingLine(totals)}`);
  return totals.failed === 0 ? EXIT.ok : EXIT.failed;
}
