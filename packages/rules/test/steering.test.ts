/** How a policy steers a rule set. */
import { describe, expect, it } from 'vitest';
import { compileRules, matchRules, mergeRuleDocuments, parseRules, type RuleSet, type Steering, unknownRules } from '@countersign/rules';
import { action, NO_FACTS, text } from './actions.ts';

function rule(id: string, more: string): string {
  const head = `  - {id: ${id}, title: t, category: c, severity: high, score: 0.5, kinds: [any], when: {text: {any: [bad thing]}}, ${more}`;
  return `${head}examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}`;
}

function ruleSet(): RuleSet {
  const yaml = `version: 1\npack: p\ndescription: d\nrules:\n${[rule('A', ''), rule('B', 'level: 3, '), rule('C', 'exemptable: false, ')].join('\n')}\n`;
  const read = parseRules(yaml, 'test.yaml');
  const merged = read.ok ? mergeRuleDocuments([read.value]) : read;
  if (!merged.ok) throw new Error(JSON.stringify(merged.error));
  return merged.value;
}

/** Rule ids with their scores, as they are found; or the codes and places of the faults. */
function found(steering: Steering): unknown {
  const compiled = compileRules(ruleSet(), steering);
  if (!compiled.ok) return compiled.error.map(({ code, path }) => `${code} ${path ?? ''}`);
  const facts = { ...NO_FACTS, texts: [text('a bad thing')] };
  return matchRules(compiled.value, { action: action('tool.call'), facts }).findings.map((one) => `${one.rule} ${String(one.score)}`);
}

describe('RULE-060 a policy steers the rules', () => {
  it('by level', () => {
    expect(found({})).toEqual(['A 500', 'C 500']);
    expect(found({ level: 2 })).toEqual(['A 500', 'C 500']);
    expect(found({ level: 3 })).toEqual(['A 500', 'B 500', 'C 500']);
  });
  it('by switching rules off and by tuning their scores', () => {
    expect(found({ level: 4, disable: ['A'] })).toEqual(['B 500', 'C 500']);
    expect(found({ level: 4, scores: { A: 100, B: 1000, C: 500 } })).toEqual(['B 1000', 'C 500', 'A 100']);
    expect(found({ disable: ['A'], scores: { A: 900 } })).toEqual(['C 500']);
  });
});

describe('RULE-061 what is not exemptable is not weakened', () => {
  it('refuses it by name, and takes what raises it', () => {
    expect(found({ disable: ['A', 'C'] })).toEqual(['rule_not_exemptable detection.disable']);
    expect(found({ scores: { C: 499 } })).toEqual(['rule_not_lowered detection.scores.C']);
    expect(found({ scores: { C: 501 } })).toEqual(['C 501', 'A 500']);
  });
  it('keeps the finding of the matcher itself', () => {
    expect(found({ disable: ['R000'], scores: { R000: 900 } })).toEqual([
      'rule_not_exemptable detection.disable',
      'rule_not_lowered detection.scores.R000',
    ]);
  });
});

describe('RULE-062 ids that no rule has', () => {
  it('change nothing and are listed', () => {
    const steering = { disable: ['Z', 'A', 'constructor'], scores: { Y: 100, C: 900 } };
    expect(found(steering)).toEqual(['C 900']);
    expect(unknownRules(ruleSet(), steering)).toEqual(['Y', 'Z', 'constructor']);
    expect(unknownRules(ruleSet(), {})).toEqual([]);
  });
});
