/** @module `npm run replay -- --decisions 10000 --seed 1 [--jobs N] [--keep DIR]`: are verdicts byte-equal in a fresh process? Exits 1 when any is not. */
import { parseArgs } from 'node:util';
import { JOBS, runReplay } from './replay-run.ts';

const { values } = parseArgs({
  options: {
    decisions: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(JOBS) },
    keep: { type: 'string' },
  },
});

function rate(count: number, ms: number): string {
  return `${Math.round((count * 1000) / ms)} a second`;
}

const report = await runReplay({
  decisions: Number(values.decisions),
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  ...(values.keep === undefined ? {} : { keep: values.keep }),
});
const { decisions, seed, jobs, recordMs, replayMs } = report;
process.stdout.write(
  [
    `${decisions} decisions, seed ${seed}, a journal of ${Math.round(report.journalBytes / 1_000_000)} MB`,
    `recorded in ${(recordMs / 1000).toFixed(1)} s (${rate(decisions, recordMs)})`,
    `replayed in a fresh process with ${jobs} threads in ${(replayMs / 1000).toFixed(1)} s (${rate(decisions, replayMs)})`,
    report.summary,
    '',
  ].join('\n'),
);
process.exitCode = report.exitCode === 0 ? 0 : 1;
