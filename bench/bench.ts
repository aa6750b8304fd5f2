/**
 * @module `npm run bench`: every budget that can be measured here, with its target, what was measured, and whether it is met. Writes
 * `bench/results/<date>.json`. A missed target is a result, not a failure: the exit code is 0 unless measuring itself failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { codeOf } from '@countersign/kernel';
import { type BenchReport, type BenchRow, benchTable, type MissingRow } from './bench-rows.ts';
import { describeMachine } from './machine.ts';
import { measureEvidence } from './measure-evidence.ts';
import { measureFloor } from './measure-floor.ts';
import { measureGateway } from './measure-gateway.ts';
import { measureInterop } from './measure-interop.ts';
import { measureJudge } from './measure-judge.ts';
import { measureLog } from './measure-log.ts';
import { measurePolicy } from './measure-policy.ts';

const HELP = `npm run bench -- [options]
  --only AREA      floor, judge, log, evidence, interop, policy or gateway; may be given more than once
  --engine FILE    engine file for the judge (default: the built one)
  --no-results     do not write bench/results
`;

/** Budgets of what this release does not have yet. */
const LATER: readonly MissingRow[] = [
  { name: 'hook added latency', target: 'p50 <= 8 ms', why: 'no hook connector in this release' },
  { name: 'MCP proxy added latency', target: 'p50 <= 0.3 ms and the judge', why: 'no MCP proxy in this release' },
  {
    name: 'kill: last allow after it is acknowledged',
    target: '0 allows, p99 <= 250 ms for 1,000 sessions',
    why: 'no cascade over sessions in this release',
  },
  { name: 'dashboard first load', target: '<= 300 KB gzipped', why: 'no dashboard in this release' },
];

async function* rowsOf(measuring: Promise<BenchRow[]>): AsyncGenerator<BenchRow> {
  yield* await measuring;
}

/** Rows as they are measured: what fails later takes nothing back. */
const AREAS: Readonly<Record<BenchRow['area'], (engineFile: string | undefined) => AsyncIterable<BenchRow>>> = {
  floor: () => rowsOf(Promise.resolve(measureFloor())),
  judge: (engineFile) => measureJudge(engineFile),
  log: () => rowsOf(measureLog()),
  evidence: () => rowsOf(measureEvidence()),
  interop: () => rowsOf(measureInterop()),
  policy: () => measurePolicy(),
  gateway: () => rowsOf(measureGateway()),
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    engine: { type: 'string' },
    results: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

async function bench(): Promise<number> {
  const machine = describeMachine();
  const startedAt = performance.now();
  const rows: BenchRow[] = [];
  const missing: MissingRow[] = [...LATER];
  let failures = 0;
  for (const [area, measure] of Object.entries(AREAS)) {
    if (values.only !== undefined && !values.only.includes(area)) continue;
    process.stderr.write(`${area} ...\n`);
    try {
      for await (const row of measure(values.engine)) rows.push(row);
    } catch (error) {
      failures += 1;
      missing.push({
        name: `all of ${area}`,
        target: 'see bench',
        why: `${codeOf(error)}: ${error instanceof Error ? error.message : ''}`,
      });
    }
  }
  const report: BenchReport = { machine, seconds: Math.round((performance.now() - startedAt) / 1000), rows, missing };
  process.stdout.write(`${benchTable(report)}\n`);
  process.stdout.write(`${machine.cores} x ${machine.cpu}, Node ${machine.node}, load ${machine.load} at the start, ${report.seconds} s\n`);
  if (values.results && values.only === undefined) {
    const folder = fileURLToPath(new URL('./results/', import.meta.url));
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}${machine.date.slice(0, 10)}.json`, `${JSON.stringify(report, null, 2)}\n`);
  }
  return failures === 0 ? 0 : 1;
}

if (values.help) process.stdout.write(HELP);
else process.exitCode = await bench();
