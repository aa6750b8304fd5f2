/** The classifier decides nothing alone: what a rule says when prose is all there is stays below the flag. */
import { describe, expect, it } from 'vitest';
import type { ProseFact } from '@countersign/protocol';
import { compileRules, matchRules, type Condition, type Rule } from '../src/index.ts';
import { action, NO_FACTS, text } from './actions.ts';
import { mergedPacks } from './packs-on-disk.ts';

/** Below what every built-in ruleset flags from. */
const FLAG = 300;
const RULES = mergedPacks();

/** Whether the condition can hold when prose facts are all that is there, whatever they are like. A layer is a fact of its own: it was decoded. */
function holdsOnProseAlone(when: Condition): boolean {
  if ('all' in when) return when.all.every(holdsOnProseAlone);
  if ('any' in when) return when.any.some(holdsOnProseAlone);
  // Under a `not` nothing is there, so it holds.
  if ('not' in when) return true;
  if ('of' in when) return when.of.filter(holdsOnProseAlone).length >= when.at_least;
  if (!('prose' in when) || when.prose === undefined) return false;
  return !('layers' in when.prose) && when.prose['decoded'] !== true;
}

function readsProse(when: Condition): boolean {
  return JSON.stringify(when).includes('"prose"');
}

function prose(more: Partial<ProseFact> = {}): ProseFact {
  return { span: { path: '/content', start: 0, end: 9 }, role: 'content', layers: [], strength: 'strong', score: 950, ...more };
}

describe('RULE-094 no built-in rule decides by the classifier alone', () => {
  it('by the form of every rule', () => {
    const rules = RULES.rules.filter(({ when }) => readsProse(when));
    expect(rules.length).toBeGreaterThan(1);
    const alone = rules.filter(({ when }) => holdsOnProseAlone(when));
    expect(alone.map(({ id }) => id)).toEqual(['R260']);
    expect(alone.filter(({ score }) => score >= FLAG)).toEqual([]);
  });

  it('sees a rule that would', () => {
    const strong = { prose: { strength: ['strong'] } };
    const other = { text: { any: ['as a character'] } };
    expect(holdsOnProseAlone(strong)).toBe(true);
    expect(holdsOnProseAlone({ any: [strong, other] })).toBe(true);
    expect(holdsOnProseAlone({ all: [strong, { not: other }] })).toBe(true);
    expect(holdsOnProseAlone({ at_least: 1, of: [strong, other] })).toBe(true);
    expect(holdsOnProseAlone({ all: [strong, other] })).toBe(false);
    expect(holdsOnProseAlone({ at_least: 2, of: [strong, other] })).toBe(false);
  });

  it('by matching: the surest prose in every role and kind, and no other fact', () => {
    const compiled = compileRules(RULES, { level: 4 });
    if (!compiled.ok) throw new Error(compiled.error[0]?.message);
    const facts = { ...NO_FACTS, texts: [text('nothing')], prose: [prose(), prose({ role: 'descriptor' })] };
    const seen: Pick<Rule, 'id' | 'score'>[] = [];
    for (const kind of ['prompt.input', 'model.output', 'tool.response', 'agent.message', 'tool.call', 'input.voice']) {
      const { findings } = matchRules(compiled.value, { action: action(kind), facts });
      seen.push(...findings.map(({ rule, score }) => ({ id: rule, score })));
    }
    expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(['R260']));
    expect(seen.filter(({ score }) => score >= FLAG)).toEqual([]);
  });
});
