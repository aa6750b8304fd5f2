/** @module Wilson score intervals: how far a rate from so many rows may be trusted. */

/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;

export interface Rate {
  readonly hits: number;
  readonly total: number;
  /** Null where there are no rows. */
  readonly rate: number | null;
  readonly low: number;
  readonly high: number;
}

/** A rate with its 95 % Wilson interval. */
export function rateOf(hits: number, total: number): Rate {
  if (total === 0) return { hits, total, rate: null, low: 0, high: 1 };
  const p = hits / total;
  const scale = 1 + (Z * Z) / total;
  const centre = (p + (Z * Z) / (2 * total)) / scale;
  const half = (Z / scale) * Math.sqrt((p * (1 - p)) / total + (Z * Z) / (4 * total * total));
  return { hits, total, rate: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

/** `97.2 [95.1-98.4]`, in percent, or a dash. */
export function formatInterval(rate: Rate): string {
  return rate.rate === null ? '-' : `${percent(rate.rate)} [${percent(rate.low)}-${percent(rate.high)}]`;
}

/** `97.2 % [95.1-98.4] 350/360`, or a dash. */
export function formatRate(rate: Rate): string {
  if (rate.rate === null) return '-';
  return `${percent(rate.rate)} % [${percent(rate.low)}-${percent(rate.high)}] ${rate.hits}/${rate.total}`;
}
