/** @module What hostile inputs cost the judge, family by family, at the size of the main loop and at the size of the worker pool. */
import type { JudgingEngine } from '@countersign/judge';
import type { Action } from '@countersign/protocol';
import { type BenchRow, round } from './bench-rows.ts';
import { KNOWN_STATE } from './corpus-action.ts';
import { hostileFamilies } from './hostile-families.ts';

const NOW = '2026-01-01T00:00:00.000Z';
/** Characters, budget in CPU milliseconds where there is one, and runs of each shape. */
const SIZES = [
  { chars: 65_536, name: '64 KB', maxMs: 20, runs: 5 },
  { chars: 1_000_000, name: '1 MB', maxMs: undefined, runs: 1 },
] as const;

interface Cost {
  readonly shape: string;
  readonly ms: number;
}

/** Mean CPU milliseconds, with what the collector used on other threads: a busy machine does not count. */
function cpuMs(work: () => void, runs: number): number {
  work();
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run += 1) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
}

function decide(engine: JudgingEngine, action: Action): void {
  const facts = engine.understand(action, []);
  engine.judge({ now: NOW, action, facts, state: KNOWN_STATE });
}

/** The dearest shape of each family. */
function worstByFamily(engine: JudgingEngine, { chars, runs }: (typeof SIZES)[number]): ReadonlyMap<string, Cost> {
  const worst = new Map<string, Cost>();
  for (const [family, shapes] of hostileFamilies(chars)) {
    const costs = [...shapes].map(([shape, action]): Cost => ({ shape, ms: cpuMs(() => decide(engine, action), runs) }));
    worst.set(
      family,
      costs.reduce((a, b) => (b.ms > a.ms ? b : a)),
    );
  }
  return worst;
}

function familyRow(family: string, shapes: number, costs: readonly (Cost | undefined)[]): BenchRow {
  const [small, large] = costs.map((cost) => cost ?? { shape: '', ms: Number.NaN });
  const [smallMs, largeMs] = [small?.ms ?? Number.NaN, large?.ms ?? Number.NaN];
  return {
    area: 'judge',
    name: `hostile, ${family} (${shapes} shapes)`,
    target: `64 KB <= ${SIZES[0].maxMs} ms, 1 MB in the pool`,
    measured: `64 KB ${round(smallMs)} ms, 1 MB ${round(largeMs)} ms CPU (${small?.shape ?? ''})`,
    met: smallMs <= SIZES[0].maxMs,
    figures: { ms64Kb: round(smallMs), ms1Mb: round(largeMs) },
  };
}

function worstRow({ name, maxMs }: (typeof SIZES)[number], costs: ReadonlyMap<string, Cost>, shapes: number): BenchRow {
  const [family, cost] = [...costs].reduce((a, b) => (b[1].ms > a[1].ms ? b : a));
  return {
    area: 'judge',
    name: `judge, hostile input of ${name}, the worst of ${shapes} shapes`,
    target: maxMs === undefined ? 'in the worker pool' : `<= ${maxMs} ms`,
    measured: `${round(cost.ms)} ms CPU (${family}, ${cost.shape})`,
    met: maxMs === undefined ? null : cost.ms <= maxMs,
    figures: { worstMs: round(cost.ms), familiesAbove20Ms: [...costs.values()].filter(({ ms }) => ms > SIZES[0].maxMs).length },
  };
}

/** A row for each family with both sizes, and the worst of all for each size. */
export function* measureHostile(engine: JudgingEngine): Generator<BenchRow> {
  const measured = SIZES.map((size) => ({ size, costs: worstByFamily(engine, size) }));
  const families = hostileFamilies(64);
  const shapes = [...families.values()].reduce((sum, family) => sum + family.size, 0);
  for (const { size, costs } of measured) yield worstRow(size, costs, shapes);
  for (const [family, own] of families)
    yield familyRow(
      family,
      own.size,
      measured.map(({ costs }) => costs.get(family)),
    );
}
