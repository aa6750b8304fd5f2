/**
 * @module `npm run crash -- --runs 1000 --faults 1000 --seed 1`: kill -9 of a real gateway at random moments under load, then disks that fail
 * at random calls under load; and what was lost. Exits 1 when anything was. With `--recover DIR` only how long a killed gateway takes to
 * stand again over that data directory.
 */
import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';
import { runFaults } from './fault-run.ts';
import { runRecovery } from './recovery-run.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    faults: { type: 'string', default: '200' },
    seed: { type: 'string' },
    recover: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const [runs, faults] = [Number(values.runs), Number(values.faults)];
/** Progress is a line for every so many. */
const EVERY = 25;

async function crashAndFail(): Promise<void> {
  process.stderr.write(`kill -9, ${runs} times, seed ${seed}\n`);
  const crashes = await runCrashes({
    runs,
    seed,
    onRun: ({ run, acknowledged, logSize, startMs }) => {
      if (run % EVERY === 0)
        process.stderr.write(`  run ${run}: ${acknowledged} acknowledged so far, log of ${logSize}, ready again in ${startMs} ms\n`);
    },
  });
  process.stderr.write(`disk faults, ${faults} times, seed ${seed}\n`);
  const failures = await runFaults({
    faults,
    seed,
    onFault: ({ fault, met, code, acknowledged }) => {
      if (fault % EVERY === 0) process.stderr.write(`  fault ${fault}: ${code} at ${met}; ${acknowledged} acknowledged so far\n`);
    },
  });
  if (values.json) process.stdout.write(`${JSON.stringify({ crashes, failures })}\n`);
  else {
    const calls = Object.entries(failures.byCall)
      .map(([call, count]) => `${call} ${count}`)
      .join(', ');
    process.stdout.write(
      `${crashes.runs} kills, seed ${crashes.seed}: ${crashes.acknowledged} acknowledged, ${crashes.lost.length} lost, log of ${crashes.logSize}, slowest start ${crashes.slowestStartMs} ms\n` +
        `${failures.injected} disk faults, seed ${failures.seed} (${calls}): ${failures.acknowledged} acknowledged, ${failures.lost.length} lost, ${failures.unrecordedAllows} allowed without a receipt, log of ${failures.logSize}, ${failures.opened} openings, read whole ${failures.looks} times: nothing torn\n`,
    );
  }
  process.exitCode = crashes.lost.length + failures.lost.length + failures.unrecordedAllows === 0 ? 0 : 1;
}

async function recover(dataDir: string): Promise<void> {
  const report = await runRecovery({ dataDir, times: Math.min(runs, 20), seed });
  const sorted = [...report.startMs].sort((a, b) => a - b);
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else
    process.stdout.write(
      `${report.startMs.length} kills, seed ${report.seed}: a log of ${report.entries} entries stands again in ${sorted[0]} to ${sorted.at(-1)} ms, median ${sorted[sorted.length >> 1]} ms\n`,
    );
}

await (values.recover === undefined ? crashAndFail() : recover(values.recover));
