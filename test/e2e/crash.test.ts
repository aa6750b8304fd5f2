import { expect, it } from 'vitest';
import { runCrashes } from '../../bench/crash-run.ts';

it('loses no acknowledged receipt and serves no torn log over 25 kill -9 under load', { timeout: 300_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const report = await runCrashes({ runs: 25, seed });
  expect(report, `seed ${seed}`).toMatchObject({ lost: [] });
  expect(report.acknowledged, `seed ${seed}`).toBeGreaterThan(25);
});
