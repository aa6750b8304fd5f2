import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { formatRate, rateOf } from '../../bench/interval.ts';
import { median, percentile, round } from '../../bench/bench-rows.ts';

describe('Wilson intervals', () => {
  it('have the published values', () => {
    // Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [hits, total, low, high] of published) {
      const rate = rateOf(hits, total);
      expect(rate.low, `${hits}/${total}`).toBeCloseTo(low, 4);
      expect(rate.high, `${hits}/${total}`).toBeCloseTo(high, 4);
    }
  });
  it('contain the rate, shrink with more rows, and mirror', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (total, share) => {
        const hits = Math.round(share * total);
        const [rate, more, mirrored] = [rateOf(hits, total), rateOf(hits * 4, total * 4), rateOf(total - hits, total)];
        expect(rate.low).toBeLessThanOrEqual((rate.rate ?? 0) + 1e-12);
        expect(rate.high).toBeGreaterThanOrEqual((rate.rate ?? 1) - 1e-12);
        expect(more.high - more.low).toBeLessThan(rate.high - rate.low);
        expect(mirrored.low).toBeCloseTo(1 - rate.high, 12);
      }),
    );
  });
  it('say nothing where there are no rows', () => {
    expect(rateOf(0, 0)).toEqual({ hits: 0, total: 0, rate: null, low: 0, high: 1 });
    expect(formatRate(rateOf(0, 0))).toBe('-');
    expect(formatRate(rateOf(81, 263))).toBe('30.8 % [25.5-36.6] 81/263');
  });
});

describe('figures', () => {
  it('percentiles of sorted samples', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 99 - i);
    expect([percentile(samples, 0), median(samples), percentile(samples, 0.99), percentile(samples, 1)]).toEqual([0, 50, 99, 99]);
  });
  it('three digits, without an exponent', () => {
    expect([round(0), round(123_456), round(0.0012345), round(Number.NaN)]).toEqual([0, 123_000, 0.00123, Number.NaN]);
  });
});
