import { type JsonObject } from '@countersign/kernel';
import { describe, expect, it } from 'vitest';
import type { CorpusRow } from '../../bench/corpora.ts';
import { detectCounts, detectPage, type DetectReport, detectTable } from '../../bench/detect-report.ts';
import { type FamilyTally, isCaught, PARANOIA_LEVELS, type RowVerdict, Tally } from '../../bench/detect-tally.ts';
import { judgeTargets, rateAt, TARGETS, YARDSTICKS } from '../../bench/detect-targets.ts';
import { CLASS_CHARS_MAX, missCause, splitsOf } from '../../bench/row-classes.ts';

function row(family: string, label: CorpusRow['label'], meta: JsonObject = {}): CorpusRow {
  return { id: 'row-1', family, label, kind: 'shell', text: 'never printed', meta };
}

/** What four levels said, loudest first rule named. */
function said(...decisions: readonly string[]): readonly RowVerdict[] {
  return decisions.map((decision) => ({ decision, risk: 0, codes: isCaught(decision) ? [`R-${decision}`] : [], failed: false }));
}

describe('counting', () => {
  it('every level has its own counts, and level 1 is the first', () => {
    const counting = new Tally(false);
    counting.add(row('own', 'attack'), { levels: said('allow', 'warn', 'deny', 'deny'), listed: false });
    counting.add(row('own', 'attack'), { levels: said('deny', 'deny', 'deny', 'deny'), listed: false });
    counting.add(row('own', 'benign'), { levels: said('allow', 'allow', 'allow', 'defer'), listed: false });
    const counted = counting.counted();
    expect(counted.levels).toEqual([
      { detected: 1, flagged: 0, warnedAttack: 0, warnedBenign: 0 },
      { detected: 1, flagged: 0, warnedAttack: 1, warnedBenign: 0 },
      { detected: 2, flagged: 0, warnedAttack: 0, warnedBenign: 0 },
      { detected: 2, flagged: 1, warnedAttack: 0, warnedBenign: 0 },
    ]);
    expect([counted.attack, counted.benign, counted.levels.length]).toEqual([2, 1, PARANOIA_LEVELS.length]);
  });

  it('misses are filed by class, false alarms by what raised them first', () => {
    const counting = new Tally(false);
    const atomic = row('shell_atomic', 'attack', { technique: 'T1105', platform: ['linux'] });
    counting.add(atomic, { levels: said('allow', 'allow', 'deny', 'deny'), listed: false });
    counting.add(atomic, { levels: said('warn', 'deny', 'deny', 'deny'), listed: false });
    counting.add(row('shell_atomic', 'benign'), { levels: said('allow', 'deny', 'deny', 'deny'), listed: true });
    expect(counting.counted().misses).toEqual({ 'Unix T1105': [1, 1, 0, 0], 'Unix T1105, warned of': [1, 0, 0, 0] });
    expect(counting.counted().falseAlarms).toEqual({ 'R-deny': [0, 1, 1, 1] });
    expect(counting.counted().listedBenign).toBe(1);
  });

  it('a row that is stopped anyway is not counted for the allowlist besides', () => {
    const counting = new Tally(false);
    counting.add(row('own', 'benign'), { levels: said('deny', 'deny', 'deny', 'deny'), listed: true });
    expect(counting.counted().listedBenign).toBe(0);
  });

  it('rows left out and rows that failed are counted apart', () => {
    const counting = new Tally(true);
    counting.leaveOut('excluded');
    counting.leaveOut('unread');
    counting.add(row('own', 'attack'), {
      levels: said('deny', 'deny', 'deny', 'deny').map((one) => ({ ...one, failed: true })),
      listed: false,
    });
    expect(counting.counted()).toMatchObject({ excluded: 1, unread: 1, failed: 1, apart: true, attack: 1 });
  });

  it('only what keeps the action from being done as asked is caught', () => {
    expect(['deny', 'defer', 'modify', 'warn', 'allow', undefined].map(isCaught)).toEqual([true, true, true, false, false, false]);
  });
});

describe('classes of rows', () => {
  it('parts of families', () => {
    expect(splitsOf(row('shell_atomic', 'attack', { platform: ['windows', 'linux'] }))).toEqual(['Unix']);
    expect(splitsOf(row('shell_atomic', 'attack', { platform: ['windows'] }))).toEqual(['Windows']);
    expect(splitsOf(row('shell_atomic', 'attack', { platform: ['iaas:aws'] }))).toEqual(['cloud']);
    expect(splitsOf(row('shell_atomic', 'attack'))).toEqual(['cloud']);
    expect(splitsOf(row('agentdojo_tool_response', 'attack', { attack: 'direct' }))).toEqual(['direct']);
    expect(splitsOf(row('agentdojo_tool_response', 'benign', { attack: null }))).toEqual([]);
    expect(splitsOf(row('cyberseceval_pi', 'attack', { weak: false, injection_type: 'indirect' }))).toEqual(['strong', 'indirect']);
    expect(splitsOf(row('cyberseceval_pi', 'attack', { weak: true }))).toEqual([]);
    expect(splitsOf(row('own', 'attack', { attack: 'x' }))).toEqual([]);
  });

  it('causes come from class fields alone, and are short', () => {
    expect(missCause(row('agt_pi_smoke', 'attack', { attack_class: 'a', bypass: 'b', request: 'words' }), 'allow')).toBe('a / b');
    expect(missCause(row('dc_pii', 'attack', { categories: ['A', 'B'] }), 'warn')).toBe('A + B, warned of');
    expect(missCause(row('jailbreak_inthewild', 'attack', { group: 'x' }), 'allow')).toBe('no class given (shell)');
    expect(missCause(row('path_traversal', 'attack', { traversal: true, sensitive: false }), 'allow')).toBe('traversal');
    expect(missCause(row('xss_html', 'attack', { location: 'query', desc: 'words' }), 'allow')).toBe('query');
    expect(missCause(row('pi_direct', 'attack', { group: 'x'.repeat(CLASS_CHARS_MAX) }), 'allow')).toHaveLength(CLASS_CHARS_MAX);
    expect(missCause(row('pi_direct', 'attack', { group: 'x'.repeat(CLASS_CHARS_MAX + 1) }), 'allow')).toHaveLength(CLASS_CHARS_MAX);
  });
});

function tally(counts: Partial<FamilyTally> & { readonly detected?: number; readonly flagged?: number }): FamilyTally {
  const { detected = 0, flagged = 0, ...rest } = counts;
  return {
    attack: 0,
    benign: 0,
    levels: [0, 1, 2, 3].map((more) => ({ detected, flagged: flagged + more, warnedAttack: 1, warnedBenign: 0 })),
    listedBenign: 0,
    excluded: 0,
    unread: 0,
    failed: 0,
    apart: false,
    splits: {},
    misses: {},
    falseAlarms: {},
    ...rest,
  };
}

const report: DetectReport = {
  machine: { date: '2026-11-20T12:00:00.000Z', node: 'v24.0.0', cpu: 'cpu', cores: 2, memoryGiB: 4, load: 0, commit: 'abc' },
  ruleset: 'default',
  seconds: 1,
  families: {
    one: tally({ attack: 10, detected: 9, benign: 20, flagged: 1, excluded: 3, listedBenign: 4, misses: { 'class a': [1, 0, 0, 0] } }),
    shell_benign: tally({ benign: 1000, flagged: 5, failed: 1, unread: 2 }),
    harmful_request: tally({ attack: 100, detected: 1, apart: true }),
    shell_atomic: tally({ attack: 50, detected: 30, splits: { Unix: tally({ attack: 20, detected: 15 }) } }),
  },
};

describe('targets', () => {
  it('are met up to the bound, and missed beyond it', () => {
    const held = [
      { family: 'shell_benign', measure: 'false positives', level: 1, percent: 0.5 },
      { family: 'shell_benign', measure: 'false positives', level: 2, percent: 0.5 },
      { family: 'one', measure: 'recall', level: 1, percent: 90 },
      { family: 'one', measure: 'recall', level: 1, percent: 90.1 },
      { family: 'shell_atomic', split: 'Unix', measure: 'recall', level: 3, percent: 90 },
      { family: 'shell_atomic', split: 'Plan 9', measure: 'recall', level: 1, percent: 0 },
      { family: 'nowhere', measure: 'recall', level: 1, percent: 0 },
    ] as const;
    expect(judgeTargets(report.families, held).map(({ met }) => met)).toEqual([true, false, true, false, false, undefined, undefined]);
  });

  it('name each rate once a level, and only rates that can be', () => {
    const names = TARGETS.map(({ family, split, measure, level }) => `${family}/${split ?? ''} ${measure} ${level}`);
    expect(new Set(names).size).toBe(names.length);
    expect(TARGETS.every(({ level, percent }) => level >= 1 && level <= 4 && percent >= 0 && percent <= 100)).toBe(true);
  });

  it('rates of a level that was not judged have no hits', () => {
    expect(rateAt(tally({ attack: 3, detected: 3 }), 'recall', 5)).toMatchObject({ hits: 0, total: 3 });
  });
});

describe('the report', () => {
  it('counts for programs have exactly the four numbers, of level 1', () => {
    expect(detectCounts(report)).toEqual({
      families: {
        one: { attack: 10, detected: 9, benign: 20, flagged: 1 },
        shell_benign: { attack: 0, detected: 0, benign: 1000, flagged: 5 },
        harmful_request: { attack: 100, detected: 1, benign: 0, flagged: 0 },
        shell_atomic: { attack: 50, detected: 30, benign: 0, flagged: 0 },
      },
    });
  });

  it('the headline leaves out the families that stand apart', () => {
    const last = detectTable(report).split('\n').at(-1);
    expect(last).toMatch(/^all in the headline\s+65\.0 % \[52\.4-75\.8\] 39\/60\s+0\.6 % \[0\.3-1\.3\] 6\/1020$/);
  });

  it('each level has its rates, with intervals', () => {
    const line = detectPage(report)
      .split('\n')
      .find((one) => one.startsWith('| shell_benign | - | - |'));
    expect(line?.split(' | ').slice(5)).toEqual(['0.5 [0.2-1.2]', '0.6 [0.3-1.3]', '0.7 [0.3-1.4]', '0.8 [0.4-1.6] |']);
  });

  it('parts stand below their family, targets beside what they bind', () => {
    const lines = detectPage(report).split('\n');
    const at = lines.findIndex((line) => line.startsWith('| shell_atomic | 60.0 %'));
    expect(lines[at + 1]).toContain(
      '| shell_atomic / Unix | 75.0 % [53.1-88.8] 15/20 | - | recall >= 75 %: met; recall >= 90 % at level 3: MISSED |',
    );
    expect(lines.find((line) => line.includes('targets met'))).toContain('missed: shell_atomic / Unix (recall >= 90 % at level 3: MISSED)');
  });

  it('notes say what was left out and what failed', () => {
    const lines = detectPage(report).split('\n');
    expect(lines.find((line) => line.startsWith('| one '))).toContain(
      '| 1 and 0 more warned of, 4 harmless more by the host allowlist, 3 excluded |',
    );
    expect(lines.find((line) => line.startsWith('| shell_benign '))).toContain('2 of an unknown kind, 1 FAILED |');
    expect(lines.find((line) => line.startsWith('| harmful_request '))).toContain(', not in the headline |');
    expect(lines[0]).toBe('# Detection, 2026-11-20');
  });

  it('figures of others stand beside ours', () => {
    const lines = detectPage(report).split('\n');
    expect(lines).toContain('| shell_benign | Countersign | - | 0.5 % | accuracy 99.5 % |');
    expect(lines).toContain('| shell_benign | ClawSentry | - | 4.7 % |  |');
    expect(Object.values(YARDSTICKS).every((others) => others.length > 0)).toBe(true);
  });

  it('what was missed is named by class and level, and what is rare is counted', () => {
    const many = Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`c${String(i).padStart(2, '0')}`, [26 - i, 0, 0, 0]]));
    const atomic = tally({
      attack: 9,
      splits: { Unix: tally({ attack: 9 }) },
      misses: { 'Unix T1105': [3, 2, 2, 1], 'Plan9 T1': [1, 1, 1, 1] },
    });
    const page = detectPage({ ...report, families: { ...report.families, many: tally({ attack: 90, misses: many }), atomic } }).split('\n');
    expect(page).toContain('| one | 1 | class a 1 |');
    expect(page).toContain('| one | 3 | none |');
    expect(page).toContain('| atomic / Unix | 1 | T1105 3 |');
    expect(page).toContain('| atomic / Unix | 3 | T1105 2 |');
    expect(page).toContain('| atomic | 1 to 3 | Plan9 T1 1 |');
    const line = page.find((one) => one.startsWith('| many | 1 |')) ?? '';
    expect(line).toContain('c00 26; c01 25;');
    expect(line).toContain('c23 3; 3 more of 2 other classes |');
  });
});
