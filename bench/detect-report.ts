/** @module What detection found, family by family: counts first, rates with their intervals, and what was left out. */
import { type Counts, type FamilyTally, PARANOIA_LEVELS } from './detect-tally.ts';
import { judgeTargets, type JudgedTarget, rateAt, type Yardstick, YARDSTICKS } from './detect-targets.ts';
import { formatInterval, formatRate } from './interval.ts';
import type { Machine } from './machine.ts';

/** Counts of one family at level 1, for programs. */
export interface FamilyCounts {
  readonly attack: number;
  readonly detected: number;
  readonly benign: number;
  readonly flagged: number;
}

export interface DetectReport {
  readonly machine: Machine;
  readonly ruleset: string;
  readonly seconds: number;
  readonly families: Readonly<Record<string, FamilyTally>>;
}

type Row = readonly string[];

/** A family or a part of one, under the name it is printed with. */
interface Line {
  readonly name: string;
  readonly counts: Counts;
}

/** Causes named for a family; the rest are counted. */
const CAUSES_SHOWN = 24;

function linesOf(report: DetectReport): readonly Line[] {
  return Object.entries(report.families).flatMap(([name, tally]) => [
    { name, counts: tally },
    ...Object.entries(tally.splits)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([split, counts]) => ({ name: `${name} / ${split}`, counts })),
  ]);
}

function totalOf(report: DetectReport): Counts {
  const counted = Object.values(report.families).filter(({ apart }) => !apart);
  const sum = (pick: (tally: FamilyTally) => number): number => counted.reduce((total, tally) => total + pick(tally), 0);
  const level = (at: number): Counts['levels'][number] => ({
    detected: sum((tally) => tally.levels[at]?.detected ?? 0),
    flagged: sum((tally) => tally.levels[at]?.flagged ?? 0),
    warnedAttack: sum((tally) => tally.levels[at]?.warnedAttack ?? 0),
    warnedBenign: sum((tally) => tally.levels[at]?.warnedBenign ?? 0),
  });
  return { attack: sum(({ attack }) => attack), benign: sum(({ benign }) => benign), levels: PARANOIA_LEVELS.map((_, at) => level(at)) };
}

function notes(tally: FamilyTally): string {
  const warnedAttack = tally.levels[0]?.warnedAttack ?? 0;
  const warnedBenign = tally.levels[0]?.warnedBenign ?? 0;
  const parts = [
    warnedAttack + warnedBenign > 0 ? `${warnedAttack} and ${warnedBenign} more warned of` : '',
    tally.listedBenign > 0 ? `${tally.listedBenign} harmless more by the host allowlist` : '',
    tally.excluded > 0 ? `${tally.excluded} excluded` : '',
    tally.unread > 0 ? `${tally.unread} of an unknown kind` : '',
    tally.failed > 0 ? `${tally.failed} FAILED` : '',
    tally.apart ? 'not in the headline' : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function targetName({ family, split }: JudgedTarget): string {
  return split === undefined ? family : `${family} / ${split}`;
}

function metWord({ met }: JudgedTarget): string {
  if (met === undefined) return 'no rows';
  return met ? 'met' : 'MISSED';
}

function formatTarget(target: JudgedTarget): string {
  const sign = target.measure === 'recall' ? '>=' : '<=';
  const level = target.level === 1 ? '' : ` at level ${target.level}`;
  return `${target.measure} ${sign} ${target.percent} %${level}: ${metWord(target)}`;
}

function headRows(report: DetectReport): readonly Row[] {
  const judged = judgeTargets(report.families);
  const total = totalOf(report);
  const cells = ({ name, counts }: Line): Row => [
    name,
    formatRate(rateAt(counts, 'recall', 1)),
    formatRate(rateAt(counts, 'false positives', 1)),
    judged
      .filter((target) => targetName(target) === name)
      .map(formatTarget)
      .join('; '),
    Object.hasOwn(report.families, name) ? notes(counts as FamilyTally) : '',
  ];
  return [
    ['family', 'recall [95 %] detected/attack', 'false positives [95 %] flagged/benign', 'target', 'notes'],
    ...linesOf(report).map(cells),
    cells({ name: 'all in the headline', counts: total }),
  ];
}

function levelRows(report: DetectReport): readonly Row[] {
  const rates = (counts: Counts, measure: 'recall' | 'false positives'): Row =>
    PARANOIA_LEVELS.map((level) => formatInterval(rateAt(counts, measure, level)));
  return [
    ['family', ...PARANOIA_LEVELS.map((level) => `recall ${level}`), ...PARANOIA_LEVELS.map((level) => `false positives ${level}`)],
    ...[...linesOf(report), { name: 'all in the headline', counts: totalOf(report) }].map(({ name, counts }) => [
      name,
      ...rates(counts, 'recall'),
      ...rates(counts, 'false positives'),
    ]),
  ];
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} %`;
}

function yardstickRow(name: string, yardstick: Yardstick): Row {
  const { who, recall, falsePositives, accuracy, precision, note } = yardstick;
  const others = [
    accuracy === undefined ? '' : `accuracy ${percent(accuracy)}`,
    precision === undefined ? '' : `precision ${percent(precision)}`,
  ];
  return [name, who, percent(recall), percent(falsePositives), [...others, note ?? ''].filter((part) => part !== '').join(', ')];
}

function yardstickRows(report: DetectReport): readonly Row[] {
  const rows = linesOf(report).flatMap(({ name, counts }) => {
    const others = Object.hasOwn(YARDSTICKS, name) ? (YARDSTICKS[name] ?? []) : [];
    if (others.length === 0) return [];
    const [ours, alarms] = [rateAt(counts, 'recall', 1), rateAt(counts, 'false positives', 1)];
    const right = (ours.hits + alarms.total - alarms.hits) / Math.max(ours.total + alarms.total, 1);
    const own: Row = [
      name,
      'Countersign',
      percent(ours.rate === null ? undefined : ours.rate * 100),
      percent(alarms.rate === null ? undefined : alarms.rate * 100),
      `accuracy ${percent(right * 100)}`,
    ];
    return [own, ...others.map((yardstick) => yardstickRow(name, yardstick))];
  });
  return [['family', 'who', 'recall', 'false positives', 'more'], ...rows];
}

function formatCauses(causes: Readonly<Record<string, readonly number[]>>, level: number): string {
  const counted = Object.entries(causes)
    .map(([cause, counts]): readonly [string, number] => [cause, counts[level - 1] ?? 0])
    .filter(([, count]) => count > 0)
    .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = counted.slice(0, CAUSES_SHOWN).map(([cause, count]) => `${cause} ${count}`);
  const rest = counted.slice(CAUSES_SHOWN).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`${rest} more of ${counted.length - CAUSES_SHOWN} other classes`] : [])].join('; ');
}

type Causes = Readonly<Record<string, readonly number[]>>;

/** Causes that begin with the name of a part of the family stand on a line of that part. */
function causesByPart(name: string, tally: FamilyTally, causes: Causes): readonly (readonly [name: string, causes: Causes])[] {
  const parts = new Map<string, Record<string, readonly number[]>>();
  for (const [cause, counts] of Object.entries(causes)) {
    const first = cause.slice(0, cause.indexOf(' '));
    const part = Object.hasOwn(tally.splits, first) ? first : '';
    const own = parts.get(part) ?? {};
    own[part === '' ? cause : cause.slice(first.length + 1)] = counts;
    parts.set(part, own);
  }
  return [...parts].map(([part, own]) => [part === '' ? name : `${name} / ${part}`, own]);
}

/** One line for each part at level 1, and another at level 3 where that differs. */
function causeRows(report: DetectReport, field: 'misses' | 'falseAlarms'): readonly Row[] {
  const rows = Object.entries(report.families)
    .flatMap(([name, tally]) => causesByPart(name, tally, tally[field]))
    .flatMap(([name, causes]) => {
      const [first, third] = [formatCauses(causes, 1), formatCauses(causes, 3)];
      const lines =
        first === third
          ? [['1 to 3', first]]
          : [
              ['1', first],
              ['3', third === '' ? 'none' : third],
            ];
      return lines.filter(([, text]) => text !== '').map(([level = '', text = '']) => [name, level, text]);
    });
  return [['family', 'level', field === 'misses' ? 'what got through' : 'what stopped harmless rows'], ...rows];
}

function align(cells: readonly Row[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return cells.map((row) => line(row).trimEnd()).join('\n');
}

function markdown(cells: readonly Row[]): readonly string[] {
  const [head = [], ...body] = cells;
  const line = (row: Row): string => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)];
}

function targetSummary(report: DetectReport): string {
  const judged = judgeTargets(report.families);
  const missed = judged.filter(({ met }) => met === false).map((target) => `${targetName(target)} (${formatTarget(target)})`);
  const met = judged.filter((target) => target.met === true).length;
  return `${met} of ${judged.length} targets met${missed.length === 0 ? '' : `; missed: ${missed.join(', ')}`}`;
}

/** Tables for a terminal: level 1 with its targets, then all levels. */
export function detectTable(report: DetectReport): string {
  return [align(levelRows(report)), targetSummary(report), align(headRows(report))].join('\n\n');
}

/** The same as a page, with the figures of others and what was missed. */
export function detectPage(report: DetectReport): string {
  const { machine } = report;
  return [
    `# Detection, ${machine.date.slice(0, 10)}`,
    '',
    `Ruleset \`${report.ruleset}\`, tools registered, agent with every scope. Detected and flagged: deny, defer or modify. Intervals: Wilson, 95 %.`,
    'Families that the text classifier has learnt from flatter it here; what it does on rows it has not seen stands in `packages/facts/src/text-classifier.training.json`.',
    'Hosts outside the allowlist of the ruleset are reported, not refused: what the allowlist would refuse besides stands in the notes. "2 and 1 more warned of": 2 attacks and 1 harmless row that were let through with a warning.',
    `Commit ${machine.commit}, ${machine.cores} x ${machine.cpu}, Node ${machine.node}, ${report.seconds.toFixed(1)} s. Written by \`npm run detect\`.`,
    '',
    '## Paranoia level 1, and its targets',
    '',
    `${targetSummary(report)}.`,
    '',
    ...markdown(headRows(report)),
    '',
    '## Every paranoia level',
    '',
    'Level 1 is the default. A higher level makes more rules speak, and more ordinary work is stopped. Percent, with the interval.',
    '',
    ...markdown(levelRows(report)),
    '',
    '## Beside others',
    '',
    'Published figures, and two products on rows of the same families that stay sealed. Theirs are of other rows than ours unless it says so.',
    '',
    ...markdown(yardstickRows(report)),
    '',
    '## What was missed, and why',
    '',
    'By the class that the collectors of a row gave it; never by its text.',
    '',
    ...markdown(causeRows(report, 'misses')),
    '',
    '## False alarms, by what raised them',
    '',
    ...markdown(causeRows(report, 'falseAlarms')),
    '',
  ].join('\n');
}

/** The counts alone at level 1, for programs. */
export function detectCounts(report: DetectReport): { readonly families: Readonly<Record<string, FamilyCounts>> } {
  const families = Object.entries(report.families).map(([name, { attack, benign, levels }]) => [
    name,
    { attack, detected: levels[0]?.detected ?? 0, benign, flagged: levels[0]?.flagged ?? 0 },
  ]);
  return { families: Object.fromEntries(families) as Record<string, FamilyCounts> };
}
