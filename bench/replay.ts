/** @module `npm run replay -- --decisions 10000 --seed 1`: are verdicts byte-equal in a fresh process? Exits 1 when any is not. */
import { parseArgs } from 'node:util';
import { runReplay } from './replay-run.ts';

const { values } = parseArgs({ options: { decisions: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } });
const report = await runReplay({ decisions: Number(values.decisions), seed: Number(values.seed) });
process.stdout.write(
  `${report.decisions} decisions, seed ${report.seed}: recorded in ${report.recordMs} ms, replayed in a fresh process in ${report.replayMs} ms\n${report.summary}\n`,
);
process.exitCode = report.exitCode === 0 ? 0 : 1;
