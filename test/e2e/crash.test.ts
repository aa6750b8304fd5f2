import { expect, it } from 'vitest';
import { runCrashes } from '../../bench/crash-run.ts';
import { runFaults } from '../../bench/fault-run.ts';

it('loses no acknowledged receipt and serves no torn log over 25 kill -9 under load', { timeout: 300_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const report = await runCrashes({ runs: 25, seed });
  expect(report, `seed ${seed}`).toMatchObject({ lost: [] });
  expect(report.acknowledged, `seed ${seed}`).toBeGreaterThan(25);
});

it(
  'LOG-012 loses nothing, allows nothing unrecorded and serves nothing torn over 60 disk faults under load',
  { timeout: 300_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const report = await runFaults({ faults: 60, seed });
    expect(report, `seed ${seed}`).toMatchObject({ lost: [], unrecordedAllows: 0, looks: 6 });
    expect(report.injected, `seed ${seed}`).toBeGreaterThan(30);
    expect(report.opened, `seed ${seed}`).toBeGreaterThan(10);
    expect(report.acknowledged, `seed ${seed}`).toBeGreaterThan(30);
  },
);
