/** @module `npm run crash -- --runs 200 --seed 1`: kill -9 under load, and what was lost. Exits 1 when anything was. */
import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, seed: { type: 'string' }, json: { type: 'boolean', default: false } },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const runs = Number(values.runs);
process.stderr.write(`kill -9, ${runs} times, seed ${seed}\n`);
const report = await runCrashes({
  runs,
  seed,
  onRun: ({ run, acknowledged, logSize, startMs }) =>
    process.stderr.write(`  run ${run}: ${acknowledged} acknowledged so far, log of ${logSize}, ready again in ${startMs} ms\n`),
});
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else
  process.stdout.write(
    `${report.runs} kills, seed ${report.seed}: ${report.acknowledged} acknowledged, ${report.lost.length} lost, log of ${report.logSize}, slowest start ${report.slowestStartMs} ms\n`,
  );
process.exitCode = report.lost.length === 0 ? 0 : 1;
