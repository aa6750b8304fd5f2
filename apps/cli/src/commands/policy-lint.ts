/** @module `policy lint`: what a policy says without meaning to, perhaps; for people, as JSON, or as SARIF for a code host. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, type JsonObject } from '@countersign/kernel';
import {
  applyEdits,
  findingsOfFaults,
  LINT_CODES,
  lintPolicy,
  type LintEdit,
  type LintFinding,
  type LintLevel,
  parsePolicy,
  type PolicyFault,
  sarifOf,
} from '@countersign/policy';
import { unknownRules } from '@countersign/rules';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { CliError, configError, EXIT, type ExitCode, type Outcome, usageError } from '../outcome.ts';
import { type PolicyText, readPolicyFile, resolveText } from '../policies.ts';
import { type Colour, type Paint, printable } from '../render.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { readRulesetText } from '../ruleset-text.ts';
import { TOOL_VERSION } from '../tool-version.ts';

const COLOURS: Readonly<Record<LintLevel, Colour>> = { error: 'red', warning: 'yellow', note: 'dim' };

interface Linted {
  readonly source: string;
  readonly text: string;
  readonly findings: readonly LintFinding[];
  /** False: the document is not a policy, and the findings are its faults. */
  readonly valid: boolean;
}

async function findingsOf(policy: PolicyText, context: Context): Promise<readonly LintFinding[]> {
  const { document, resolved, yaml: text } = await resolveText(policy, context);
  const { detection } = resolved;
  const rules = detection === undefined ? undefined : mergePacks(await readPacks([], context));
  const unknown = rules === undefined || detection === undefined ? [] : unknownRules(rules, detection);
  return lintPolicy({ document, resolved, text, unknownRules: unknown });
}

async function lintSource(source: string, context: Context): Promise<Linted> {
  const ruleset = await readRulesetText(source);
  const policy = ruleset === undefined ? await readPolicyFile(source, context) : { source, yaml: ruleset };
  const { yaml: text } = policy;
  try {
    return { source, text, findings: await findingsOf(policy, context), valid: true };
  } catch (error) {
    // Faults of the document are findings too; anything else that was thrown is not about the document.
    if (!(error instanceof CliError) || error.faults.some((fault) => !fault.code.startsWith('policy_'))) throw error;
    const parsed = parsePolicy(text, source);
    const faults: readonly PolicyFault[] = parsed.ok ? (error.faults as readonly PolicyFault[]) : parsed.error;
    return { source, text, findings: findingsOfFaults(faults), valid: false };
  }
}

function exitOf({ findings, valid }: Linted, strict: boolean): ExitCode {
  if (!valid) return EXIT.config;
  if (findings.length === 0) return EXIT.ok;
  return strict || findings.some(({ level }) => level === 'error') ? EXIT.deny : EXIT.warn;
}

function findingJson(finding: LintFinding): JsonObject {
  const { code, level, message, path, position, fix } = finding;
  return {
    code,
    level,
    message,
    path,
    ...(position === undefined ? {} : { line: position.line, column: position.column }),
    why: LINT_CODES.get(code)?.why ?? null,
    fix:
      fix === undefined ? null : { description: fix.description, edits: fix.edits.map(({ start, end, text }) => ({ start, end, text })) },
  };
}

function findingText(source: string, finding: LintFinding, paint: Paint): string {
  const { code, level, message, path, position, fix } = finding;
  const place = position === undefined ? '' : `:${String(position.line)}:${String(position.column)}`;
  const known = LINT_CODES.get(code);
  const why = known === undefined ? [] : [`  ${paint('dim', `${known.title}: ${known.why}`)}`];
  const mend = fix === undefined ? [] : [`  ${paint('dim', 'fix')}: ${fix.description} (--fix)`];
  const head = `${printable(source)}${place}: ${paint(COLOURS[level], level)} ${paint('bold', code)} ${printable(`${path === '' ? '' : `${path}: `}${message}`)}`;
  return [head, ...why, ...mend].join('\n');
}

function fixedText({ text, findings }: Linted): { readonly text: string; readonly count: number } {
  const taken: LintEdit[] = [];
  let count = 0;
  for (const { fix } of findings) {
    if (fix === undefined || fix.edits.some((edit) => taken.some((other) => edit.start < other.end && other.start < edit.end))) continue;
    taken.push(...fix.edits);
    count += 1;
  }
  return { text: applyEdits(text, taken), count };
}

/** Writes the document with its fixes; what overlaps waits for the next run. */
async function writeFixed(linted: Linted, context: Context): Promise<Outcome> {
  const fixed = fixedText(linted);
  const path = resolve(context.world.cwd, linted.source);
  if (fixed.count > 0) {
    // A fix that made no policy of a policy would be our own bug; the file then stays as it is.
    const parsed = parsePolicy(fixed.text, linted.source);
    if (!parsed.ok) throw configError(parsed.error);
    await writeFile(path, fixed.text).catch((error: unknown) => {
      throw configError([{ code: 'file_unwritable', message: `the file cannot be written (${codeOf(error)})`, path: linted.source }]);
    });
  }
  const left = await lintSource(linted.source, context);
  const json = { policy: linted.source, valid: left.valid, fixed: fixed.count, findings: left.findings.map(findingJson) };
  const text = `${String(fixed.count)} fixed, ${String(left.findings.length)} left`;
  return { exitCode: exitOf(left, false), json, text };
}

async function lint(input: Input, context: Context): Promise<Outcome> {
  const [source] = input.args;
  if (source === undefined) throw usageError('no policy is named', 'countersign policy lint --help');
  const sarif = flag(input, 'sarif');
  if (sarif && context.json) throw usageError('--json and --sarif are two forms of one answer', 'countersign policy lint --help');
  const linted = await lintSource(source, context);
  if (flag(input, 'fix')) {
    if (source === '-' || (await readRulesetText(source)) !== undefined)
      throw usageError('only a file can be mended', 'name a file of yours');
    if (!linted.valid) throw usageError('a document with faults is not mended', `countersign policy validate ${source}`);
    return writeFixed(linted, context);
  }
  const exitCode = exitOf(linted, flag(input, 'strict'));
  const json = { policy: source, valid: linted.valid, findings: linted.findings.map(findingJson) };
  if (sarif) {
    const uri = encodeURI(source === '-' ? 'stdin' : source);
    return { exitCode, json, text: JSON.stringify(sarifOf(linted.findings, { uri, text: linted.text }, TOOL_VERSION), null, 2) };
  }
  const lines = linted.findings.map((finding) => findingText(source, finding, context.paint));
  return { exitCode, json, text: lines.length === 0 ? `${printable(source)}: nothing to say` : lines.join('\n') };
}

export const policyLintCommand: Command = {
  path: 'policy lint',
  args: '<ruleset-or-file>',
  summary: 'what a policy says without meaning to, perhaps: exit code 1 for findings, 3 where it is no policy',
  options: [
    { flags: '--strict', summary: 'exit code 2 for any finding' },
    { flags: '--sarif', summary: 'SARIF 2.1.0, with regions and fixes, for a code host' },
    { flags: '--fix', summary: 'mend the file where a fix cannot be wrong' },
  ],
  examples: ['countersign policy lint policy.yaml', 'countersign policy lint policy.yaml --sarif > policy.sarif'],
  run: lint,
};
