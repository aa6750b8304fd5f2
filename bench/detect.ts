/**
 * @module `npm run detect`: what the built-in rules find in the labelled corpora, and what they flag that is harmless. Every row is made
 * an action of its kind, understood once by the engine that the server runs, and judged at each of the four paranoia levels. Exits 3 when
 * the corpora are not there, 1 when the engine failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { JudgingEngine } from '@countersign/judge';
import { codeOf } from '@countersign/kernel';
import type { Action, Facts } from '@countersign/protocol';
import { actionOfRow, KNOWN_STATE } from './corpus-action.ts';
import { corporaFolder, type CorpusRow, familyFiles, isApart, isExcluded, readFamily } from './corpora.ts';
import { detectCounts, detectPage, type DetectReport, detectTable } from './detect-report.ts';
import { type FamilyTally, isCaught, type JudgedRow, PARANOIA_LEVELS, type RowVerdict, Tally } from './detect-tally.ts';
import { openMeasuredEngine } from './engine-setup.ts';
import { describeMachine } from './machine.ts';

const HELP = `npm run detect -- [options]
  --corpora DIR    folder of *.jsonl.gz (default: ../shared/corpora, or corpora in COUNTERSIGN_SHARED)
  --ruleset NAME   built-in ruleset (default: default)
  --engine FILE    engine file (default: the built one)
  --json FILE      counts a family at paranoia level 1: {"families": {name: {attack, detected, benign, flagged}}}
  --rows FILE      one JSON line a row: id, decision, risk, codes, decisions a level; never its text
  --no-results     do not write bench/results
`;
const NOW = '2026-01-01T00:00:00.000Z';

interface Engines {
  /** One a level; unknown hosts are reported. */
  readonly measured: readonly JudgingEngine[];
  /** The ruleset with its host allowlist. */
  readonly ruled: JudgingEngine;
}

/** What the pipeline would answer: the judge's verdict, or the deny that stands for a failure. */
function judgeAt(engine: JudgingEngine, action: Action, facts: Facts): RowVerdict {
  try {
    const { verdict } = engine.judge({ now: NOW, action, facts, state: KNOWN_STATE });
    return { decision: verdict.decision, risk: verdict.risk, codes: verdict.reasons.map(({ code }) => code), failed: false };
  } catch (error) {
    return { decision: 'deny', risk: 1000, codes: [codeOf(error)], failed: true };
  }
}

/** Understands a row once and judges it at every level. */
function judgeRow(engines: Engines, row: CorpusRow): JudgedRow | undefined {
  const action = actionOfRow(row);
  const [first] = engines.measured;
  if (action === undefined || first === undefined) return undefined;
  let facts: Facts;
  try {
    facts = first.understand(action, []);
  } catch (error) {
    const failure: RowVerdict = { decision: 'deny', risk: 1000, codes: [codeOf(error)], failed: true };
    return { levels: engines.measured.map(() => failure), listed: false };
  }
  const levels = engines.measured.map((engine) => judgeAt(engine, action, facts));
  const asked = row.label === 'benign' && !isCaught(levels[0]?.decision);
  return { levels, listed: asked && isCaught(judgeAt(engines.ruled, action, facts).decision) };
}

function tallyFamily(engines: Engines, rows: readonly CorpusRow[], note: (line: string) => void): FamilyTally {
  const tally = new Tally(isApart(rows[0]?.family ?? ''));
  for (const row of rows) {
    const judged = isExcluded(row) ? undefined : judgeRow(engines, row);
    if (judged === undefined) {
      tally.leaveOut(isExcluded(row) ? 'excluded' : 'unread');
      continue;
    }
    tally.add(row, judged);
    const [first] = judged.levels;
    const decisions = judged.levels.map(({ decision }) => decision);
    const louder = judged.levels.at(-1)?.codes ?? [];
    const { family, id, label, kind } = row;
    note(JSON.stringify({ family, id, label, kind, caught: isCaught(first?.decision), ...first, decisions, louder }));
  }
  return tally.counted();
}

function writeResults(report: DetectReport): void {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const name = `${folder}detect-${report.machine.date.slice(0, 10)}`;
  writeFileSync(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${name}.md`, detectPage(report));
  process.stderr.write(`written: bench/results/detect-${report.machine.date.slice(0, 10)}.{json,md}\n`);
}

interface Options {
  readonly corpora: string | undefined;
  readonly ruleset: string;
  readonly engine: string | undefined;
  readonly json: string | undefined;
  readonly rows: string | undefined;
  readonly results: boolean;
}

async function detect(options: Options): Promise<number> {
  const folder = corporaFolder(options.corpora);
  if (folder === undefined) {
    process.stderr.write('the corpora are not here: give --corpora DIR, or set COUNTERSIGN_SHARED to the folder that holds corpora/\n');
    return 3;
  }
  const machine = describeMachine();
  const startedAt = performance.now();
  const setup = { ruleset: options.ruleset, engineFile: options.engine };
  const measured: JudgingEngine[] = [];
  for (const paranoiaLevel of PARANOIA_LEVELS) {
    measured.push(await openMeasuredEngine({ ...setup, unknownHosts: 'reported', paranoiaLevel }));
  }
  const engines: Engines = { measured, ruled: await openMeasuredEngine(setup) };
  const families: Record<string, FamilyTally> = {};
  const lines: string[] = [];
  for (const file of familyFiles(folder)) {
    const rows = readFamily(file);
    const name = rows[0]?.family;
    if (name === undefined) continue;
    process.stderr.write(`${name}: ${rows.length} rows\n`);
    families[name] = tallyFamily(engines, rows, (line) => lines.push(line));
  }
  const report: DetectReport = { machine, ruleset: options.ruleset, seconds: (performance.now() - startedAt) / 1000, families };
  process.stdout.write(`${detectTable(report)}\n`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(detectCounts(report))}\n`);
  if (options.rows !== undefined) writeFileSync(options.rows, `${lines.join('\n')}\n`);
  if (options.results) writeResults(report);
  return Object.values(families).some(({ failed }) => failed > 0) ? 1 : 0;
}

/** What went wrong, in a sentence; 1 for the exit code. */
function complain(error: unknown): number {
  process.stderr.write(`detect: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}

const { values } = parseArgs({
  options: {
    corpora: { type: 'string' },
    ruleset: { type: 'string', default: 'default' },
    engine: { type: 'string' },
    json: { type: 'string' },
    rows: { type: 'string' },
    results: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
if (values.help) process.stdout.write(HELP);
else
  process.exitCode = await detect({
    corpora: values.corpora,
    ruleset: values.ruleset,
    engine: values.engine,
    json: values.json,
    rows: values.rows,
    results: values.results,
  }).catch(complain);
