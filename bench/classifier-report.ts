/** @module What training shows: rates of the held-out folds with their intervals, and what the signal adds to the rules. */
import { formatRate, type Rate, rateOf } from './interval.ts';
import type { Sample } from './classifier-samples.ts';

/** A row that a model has not learnt from, with what it and the judge made of it. */
export interface HeldOut {
  readonly sample: Sample;
  /** Sum of the bytes, and logit before they were bytes. */
  readonly sum: number;
  readonly logit: number;
  /** Decisions without the signal and with it. */
  readonly without: string;
  readonly with: string;
}

export interface Point {
  /** Share of harmless prose that may be over the threshold. */
  readonly wanted: number;
  readonly sum: number;
  readonly recall: Rate;
  readonly falseAlarms: Rate;
  readonly precision: Rate;
}

/** The sum that at most this share of harmless prose reaches. */
export function thresholdAt(rows: readonly HeldOut[], share: number): number {
  const sums = rows.filter(({ sample }) => sample.prose && !sample.attack).map(({ sum }) => sum);
  return (sums.toSorted((a, b) => b - a)[Math.floor(sums.length * share)] ?? 0) + 1;
}

/** Rates over all prose at one threshold. */
export function pointAt(rows: readonly HeldOut[], wanted: number, sum: number): Point {
  const prose = rows.filter(({ sample }) => sample.prose);
  const over = prose.filter((row) => row.sum >= sum);
  const caught = over.filter(({ sample }) => sample.attack).length;
  const attacks = prose.filter(({ sample }) => sample.attack).length;
  return {
    wanted,
    sum,
    recall: rateOf(caught, attacks),
    falseAlarms: rateOf(over.length - caught, prose.length - attacks),
    precision: rateOf(caught, over.length),
  };
}

/** The chance that an attack weighs more than a harmless text: the area under the curve, ties counted half. */
export function areaUnder(rows: readonly HeldOut[], valueOf: (row: HeldOut) => number): number {
  const prose = rows.filter(({ sample }) => sample.prose).toSorted((a, b) => valueOf(a) - valueOf(b));
  let [ranks, attacks, at] = [0, 0, 0];
  while (at < prose.length) {
    const first = prose[at];
    if (first === undefined) break;
    let end = at;
    while (end < prose.length && valueOf(prose[end] ?? first) === valueOf(first)) end += 1;
    const found = prose.slice(at, end).filter(({ sample }) => sample.attack).length;
    ranks += (found * (at + 1 + end)) / 2;
    attacks += found;
    at = end;
  }
  const harmless = prose.length - attacks;
  return (ranks - (attacks * (attacks + 1)) / 2) / (attacks * harmless);
}

export interface FamilyRow {
  readonly family: string;
  readonly strong: Rate;
  readonly likely: Rate;
  readonly falseStrong: Rate;
  readonly falseLikely: Rate;
  readonly denied: Counts;
  readonly warned: Counts;
}

/** Rows by decision: without the signal and with it. */
interface Counts {
  readonly attacksWithout: number;
  readonly attacksWith: number;
  readonly harmlessWithout: number;
  readonly harmlessWith: number;
}

function countsOf(rows: readonly HeldOut[], decision: string): Counts {
  const count = (attack: boolean, part: 'without' | 'with'): number =>
    rows.filter((row) => row.sample.attack === attack && row[part] === decision).length;
  return {
    attacksWithout: count(true, 'without'),
    attacksWith: count(true, 'with'),
    harmlessWithout: count(false, 'without'),
    harmlessWith: count(false, 'with'),
  };
}

/** One family at the two thresholds of the model. */
export function familyRow(family: string, all: readonly HeldOut[], model: { readonly likely: number; readonly strong: number }): FamilyRow {
  const rows = all.filter(({ sample }) => sample.family === family);
  const rate = (attack: boolean, from: number): Rate => {
    const of = rows.filter(({ sample }) => sample.attack === attack);
    return rateOf(of.filter(({ sum }) => sum >= from).length, of.length);
  };
  return {
    family,
    strong: rate(true, model.strong),
    likely: rate(true, model.likely),
    falseStrong: rate(false, model.strong),
    falseLikely: rate(false, model.likely),
    denied: countsOf(rows, 'deny'),
    warned: countsOf(rows, 'warn'),
  };
}

function familyLine(row: FamilyRow): string {
  const { denied } = row;
  const attacks = row.strong.total === 0 ? '-' : `${denied.attacksWithout} -> ${denied.attacksWith} of ${row.strong.total}`;
  const harmless = row.falseStrong.total === 0 ? '-' : `${denied.harmlessWithout} -> ${denied.harmlessWith} of ${row.falseStrong.total}`;
  return `| ${row.family} | ${formatRate(row.strong)} | ${formatRate(row.falseStrong)} | ${attacks} | ${harmless} |`;
}

/** The table of a page. */
export function familyTable(rows: readonly FamilyRow[]): string {
  return [
    '| family | attacks called strong [95 %] | harmless called strong [95 %] | attacks denied, rules -> and signal | harmless denied |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(familyLine),
  ].join('\n');
}

/** The points of the curve. */
export function pointTable(points: readonly Point[]): string {
  return [
    '| false alarms wanted | measured [95 %] | recall [95 %] | precision [95 %] | sum from |',
    '| --- | --- | --- | --- | --- |',
    ...points.map(
      ({ wanted, falseAlarms, recall, precision, sum }) =>
        `| ${(wanted * 100).toFixed(1)} % | ${formatRate(falseAlarms)} | ${formatRate(recall)} | ${formatRate(precision)} | ${sum} |`,
    ),
  ].join('\n');
}
