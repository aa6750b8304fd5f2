/**
 * @module Reads a rule set that comes as JSON: out of a bundle, or from a peer. Its shape is checked like a document's, so that
 * `compileRules` is only ever given what it knows.
 */
import { err, isJsonObject, ok, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import { SEVERITIES, type Severity } from '@countersign/protocol';
import { RULE_LIMITS } from './limits.ts';
import { checkCondition } from './read-condition.ts';
import { Reading, type RuleFault } from './reading.ts';
import type { Condition, Rule, RuleSet } from './rule.ts';

type Path = readonly (string | number)[];

const SET_FIELDS = ['version', 'packs', 'rules'] as const;
const RULE_FIELDS = ['id', 'title', 'category', 'severity', 'score', 'level', 'kinds', 'when', 'tags', 'exemptable'] as const;
const TAG_FIELDS = ['owasp', 'atlas', 'cwe', 'regulation'] as const;

function readStrings(value: JsonValue | undefined, path: Path, reading: Reading): readonly string[] {
  return reading.list(value, path, { min: 0, max: RULE_LIMITS.rulesMax }).map((item, i) => reading.string(item, [...path, i]));
}

function readTags(value: JsonValue | undefined, path: Path, reading: Reading): Rule['tags'] {
  const written = reading.object(value, path, TAG_FIELDS) ?? {};
  const read = (name: (typeof TAG_FIELDS)[number]): readonly string[] => readStrings(written[name], [...path, name], reading);
  const tags = { owasp: read('owasp'), atlas: read('atlas'), cwe: read('cwe') };
  return Object.hasOwn(written, 'regulation') ? { ...tags, regulation: read('regulation') } : tags;
}

function readRule(value: JsonValue, path: Path, reading: Reading): Rule {
  const written: JsonObject = reading.object(value, path, RULE_FIELDS) ?? {};
  const at = (name: string): Path => [...path, name];
  reading.leaves = 0;
  checkCondition({ value: written['when'], path: at('when'), depth: 1 }, reading);
  if (reading.leaves > RULE_LIMITS.leavesMax)
    reading.fault('rule_too_many', at('when'), `a rule may have at most ${RULE_LIMITS.leavesMax} fact tests`);
  if (typeof written['exemptable'] !== 'boolean') reading.fault('rule_type', at('exemptable'), 'must be true or false');
  return {
    id: reading.string(written['id'], at('id'), 64),
    title: reading.string(written['title'], at('title'), 120),
    category: reading.string(written['category'], at('category'), 64),
    // `oneOf` gives one of the severities or has reported a fault.
    severity: reading.oneOf(written['severity'], at('severity'), SEVERITIES) as Severity,
    score: reading.integer(written['score'], at('score'), { min: 1, max: 1000 }),
    level: reading.integer(written['level'], at('level'), { min: 1, max: 4 }),
    kinds: readStrings(written['kinds'], at('kinds'), reading),
    // Checked field by field above.
    when: written['when'] as unknown as Condition,
    tags: readTags(written['tags'], at('tags'), reading),
    exemptable: written['exemptable'] === true,
  };
}

/** The rule set, or every fault with its JSON pointer. Patterns are judged by `compileRules`. */
export function readRuleSet(value: JsonValue, source: string): Result<RuleSet, RuleFault[]> {
  const reading = new Reading(source, () => ({ offset: 0, line: 1, column: 1 }));
  const written: JsonObject = reading.object(isJsonObject(value) ? value : null, [], SET_FIELDS) ?? {};
  if (written['version'] !== 1) reading.fault('rule_value', ['version'], 'the only version is 1');
  const packs = readStrings(written['packs'], ['packs'], reading);
  const rules = reading
    .list(written['rules'], ['rules'], { min: 0, max: RULE_LIMITS.rulesMax })
    .map((rule, i) => readRule(rule, ['rules', i], reading));
  return reading.faults.length > 0 ? err(reading.faults) : ok({ version: 1, packs, rules });
}
