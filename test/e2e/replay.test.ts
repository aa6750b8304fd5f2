import { expect, it } from 'vitest';
import { runReplay } from '../../bench/replay-run.ts';

it('gives byte-equal verdicts for decisions of every kind in a fresh process', { timeout: 120_000 }, async () => {
  const report = await runReplay({ decisions: 600, seed: 7, jobs: 2 });
  expect(report.exitCode, report.summary).toBe(0);
  expect(report.summary).toContain('600 receipts: 600 equal, 0 different');
});
