/** @module Results of policy tests for people, for a browser, and for a build server (JUnit). */
import type { Coverage } from './policy-coverage.ts';
import type { TestResult } from './policy-test-run.ts';
import { type Paint, printable } from './render.ts';

export interface TestReport {
  readonly name: string;
  readonly policy: string;
  readonly results: readonly TestResult[];
  /** Where it was asked for. */
  readonly coverage: Coverage | undefined;
  /** With the entries of each guard. */
  readonly byGuard: boolean;
  /** What else made the run fail: too little coverage. */
  readonly failures: readonly string[];
}

const ENTRIES_SHOWN = 12;

function coverageLines({ guards, percent, rules }: Coverage, byGuard: boolean): readonly string[] {
  const head = `coverage: ${String(percent)} % of ${String(guards.length)} enabled guards objected to something; rules that spoke: ${rules.length === 0 ? 'none' : rules.join(', ')}`;
  const lines = guards.map(({ guard, answered, objected, spoke, silent }) => {
    const entries =
      spoke.length + silent.length === 0 ? '' : `, ${String(spoke.length)} of ${String(spoke.length + silent.length)} entries`;
    return `  ${guard.padEnd(16)} answered ${String(answered)}, objected ${String(objected)}${entries}`;
  });
  if (!byGuard) return [head, ...lines];
  const silent = guards
    .filter((guard) => guard.silent.length > 0)
    .map((guard) => {
      const more = guard.silent.length - ENTRIES_SHOWN;
      return `  ${guard.guard}, never tried: ${guard.silent.slice(0, ENTRIES_SHOWN).join('  ')}${more > 0 ? `  and ${String(more)} more` : ''}`;
    });
  return [head, ...lines, ...silent];
}

export function testText(report: TestReport, paint: Paint): string {
  const failed = report.results.filter(({ problems }) => problems.length > 0);
  const lines = report.results.map(({ test, problems }) => {
    const head = `${problems.length === 0 ? paint('green', 'ok') : paint('red', 'FAIL')}  ${printable(`${test.suite}: ${test.name}`)}`;
    return [head, ...problems.map((problem) => `      ${printable(problem)}`)].join('\n');
  });
  const coverage = report.coverage === undefined ? [] : coverageLines(report.coverage, report.byGuard);
  const total = `${String(report.results.length - failed.length)} passed, ${String(failed.length)} failed`;
  return [...lines, total, ...coverage, ...report.failures.map((failure) => `${paint('red', 'FAIL')}  ${failure}`)].join('\n');
}

/** Also takes away what XML 1.0 cannot hold, in any escape. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function junitCase({ test, problems }: TestResult): string {
  const open = `    <testcase classname="${escaped(test.suite)}" name="${escaped(test.name)}"`;
  if (problems.length === 0) return `${open}/>`;
  const [first = ''] = problems;
  return `${open}>\n      <failure message="${escaped(first)}">${escaped(problems.join('\n'))}</failure>\n    </testcase>`;
}

export function testJunit({ name, results, failures }: TestReport): string {
  const suites = [...new Set(results.map(({ test }) => test.suite))].map((suite) => {
    const own = results.filter(({ test }) => test.suite === suite);
    const failed = own.filter(({ problems }) => problems.length > 0).length;
    const head = `  <testsuite name="${escaped(suite)}" tests="${String(own.length)}" failures="${String(failed)}" errors="0" skipped="0">`;
    return [head, ...own.map(junitCase), '  </testsuite>'].join('\n');
  });
  const extra = failures.map(
    (failure) =>
      `  <testsuite name="coverage" tests="1" failures="1" errors="0" skipped="0">\n    <testcase classname="coverage" name="minimum"><failure message="${escaped(failure)}"/></testcase>\n  </testsuite>`,
  );
  const failed = results.filter(({ problems }) => problems.length > 0).length + failures.length;
  const head = `<testsuites name="${escaped(name)}" tests="${String(results.length + failures.length)}" failures="${String(failed)}" errors="0">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites, ...extra, '</testsuites>'].join('\n');
}

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}.ok{color:#080}.fail{color:#b00}';

function htmlRow({ test, decided, problems }: TestResult): string {
  const state = problems.length === 0 ? 'ok' : 'fail';
  const cells = [test.suite, test.name, decided.outcome, decided.guard ?? '', problems.join('; ')];
  return `<tr><td class="${state}">${state}</td>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

/** One page that loads nothing. */
export function testHtml(report: TestReport): string {
  const { name, policy, results, coverage, byGuard, failures } = report;
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  const covered = coverage === undefined ? '' : `<h2>Coverage</h2><pre>${escaped(coverageLines(coverage, byGuard).join('\n'))}</pre>`;
  const extra = failures.map((failure) => `<p class="fail">${escaped(failure)}</p>`).join('');
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(name)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escaped(name)}</h1><p>${escaped(policy)}: ${String(results.length - failed)} passed, ${String(failed)} failed</p>${extra}`,
    '<table><thead><tr><th></th><th>suite</th><th>test</th><th>outcome</th><th>guard</th><th>problem</th></tr></thead><tbody>',
    ...results.map(htmlRow),
    `</tbody></table>${covered}</body></html>`,
  ].join('\n');
}
