/** @module Checks the condition of a written rule against the fields that facts have. */
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { FACT_CLASSES, FACT_FIELDS, type FactClass, type Field } from './fact-fields.ts';
import { RULE_LIMITS } from './limits.ts';
import type { Reading } from './reading.ts';

const TEXT_ROLES: readonly string[] = ['param', 'key', 'content', 'context', 'descriptor', 'joined'];
const TEXT_FIELDS: readonly string[] = [
  'any',
  'near',
  'unless',
  'unless_near',
  'roles',
  'layers',
  'keys',
  'except_keys',
  'max_length',
  'at_least',
];
const LEAVES: readonly string[] = ['text', ...FACT_CLASSES];

type Path = readonly (string | number)[];

function checkPattern(value: JsonValue, path: Path, reading: Reading): void {
  if (typeof value === 'string') return;
  if (!isJsonObject(value)) {
    reading.fault('rule_type', path, 'a pattern must be a string, `regex: ...` or `word: ...`');
    return;
  }
  const keys = Object.keys(value).filter((key) => key !== 'cased');
  const [key = ''] = keys;
  if (keys.length !== 1 || (key !== 'regex' && key !== 'word')) {
    reading.fault('rule_type', path, 'a pattern must have exactly one of `regex` and `word`');
    return;
  }
  reading.string(value[key], [...path, key]);
  if (!Object.hasOwn(value, 'cased')) return;
  if (key !== 'regex' || value['cased'] !== true)
    reading.fault('rule_type', [...path, 'cased'], '`cased: true` stands beside `regex` and nowhere else');
}

function checkPatterns(value: JsonValue | undefined, path: Path, reading: Reading): void {
  for (const [i, item] of reading.list(value, path, { min: 1, max: RULE_LIMITS.patternsMax }).entries())
    checkPattern(item, [...path, i], reading);
}

/** A dictionary by its name, or its words in place. */
function checkWordList(value: JsonObject, path: Path, reading: Reading): void {
  const { dictionary, words } = value;
  if (Object.keys(value).length !== 1) {
    reading.fault('rule_type', path, 'a dictionary is named alone: `dictionary: ...`, or `words: [...]`');
    return;
  }
  if (dictionary !== undefined) {
    const name = reading.string(dictionary, [...path, 'dictionary'], 64);
    const known = [...reading.dictionaries.keys()].join(', ');
    if (name !== '' && !reading.dictionaries.has(name))
      reading.fault('rule_value', [...path, 'dictionary'], {
        message: `this document has no dictionary \`${name}\``,
        hint: known === '' ? 'write `dictionaries: {name: [words]}` beside `rules`' : `known here: ${known}`,
      });
  } else {
    for (const [i, word] of reading.list(words, [...path, 'words'], { min: 1, max: RULE_LIMITS.dictionaryWordsMax }).entries())
      reading.string(word, [...path, 'words', i], RULE_LIMITS.plainCharsMax);
  }
}

/** The list that a text is searched for: patterns and dictionaries. */
function checkSubjects(value: JsonValue | undefined, path: Path, reading: Reading): void {
  for (const [i, item] of reading.list(value, path, { min: 1, max: RULE_LIMITS.patternsMax }).entries()) {
    const isList = isJsonObject(item) && (Object.hasOwn(item, 'dictionary') || Object.hasOwn(item, 'words'));
    if (isList) checkWordList(item, [...path, i], reading);
    else checkPattern(item, [...path, i], reading);
  }
}

function checkWords(value: JsonValue | undefined, path: Path, reading: Reading): readonly string[] {
  const words = reading.list(value, path, { min: 1, max: RULE_LIMITS.patternsMax });
  for (const [i, item] of words.entries()) reading.string(item, [...path, i]);
  return words.filter((item) => typeof item === 'string');
}

function checkText(value: JsonValue | undefined, path: Path, reading: Reading): void {
  const test = reading.object(value, path, TEXT_FIELDS);
  if (test === undefined) return;
  checkSubjects(test['any'], [...path, 'any'], reading);
  for (const field of ['near', 'unless', 'unless_near'])
    if (Object.hasOwn(test, field)) checkPatterns(test[field], [...path, field], reading);
  for (const field of ['keys', 'except_keys']) if (Object.hasOwn(test, field)) checkWords(test[field], [...path, field], reading);
  if (Object.hasOwn(test, 'roles')) {
    for (const [i, role] of checkWords(test['roles'], [...path, 'roles'], reading).entries())
      reading.oneOf(role, [...path, 'roles', i], TEXT_ROLES);
  }
  if (Object.hasOwn(test, 'layers')) reading.oneOf(test['layers'], [...path, 'layers'], ['plain', 'decoded']);
  if (Object.hasOwn(test, 'max_length'))
    reading.integer(test['max_length'], [...path, 'max_length'], { min: 1, max: RULE_LIMITS.documentCharsMax });
  if (Object.hasOwn(test, 'at_least')) reading.integer(test['at_least'], [...path, 'at_least'], { min: 1, max: RULE_LIMITS.patternsMax });
}

function checkStrings(value: JsonValue | undefined, path: Path, reading: Reading): void {
  if (Array.isArray(value)) {
    checkPatterns(value, path, reading);
    return;
  }
  const parts = reading.object(value, path, ['any', 'all', 'none']);
  if (parts === undefined) return;
  if (Object.keys(parts).length === 0) reading.fault('rule_empty', path, 'one of `any`, `all` and `none` is needed');
  for (const name of Object.keys(parts)) checkPatterns(parts[name], [...path, name], reading);
}

/** A number, or a range of them. */
function checkNumber(value: JsonValue, path: Path, reading: Reading): void {
  const bounds = { min: 0, max: 65_535 };
  if (!isJsonObject(value)) {
    reading.integer(value, path, bounds);
    return;
  }
  reading.object(value, path, ['from', 'to']);
  const from = reading.integer(value['from'], [...path, 'from'], bounds);
  const to = reading.integer(value['to'], [...path, 'to'], bounds);
  if (from > to) reading.fault('rule_range', path, 'a range must not be the wrong way round');
}

/** Facts of this field have lost their case, so that a `cased` pattern would be a promise that nobody keeps. */
function refuseCased(value: JsonValue | undefined, path: Path, reading: Reading): void {
  const lists: readonly (readonly [Path, JsonValue | undefined])[] = isJsonObject(value)
    ? Object.entries(value).map(([name, list]) => [[...path, name], list] as const)
    : [[path, value]];
  for (const [at, list] of lists)
    for (const [i, item] of (Array.isArray(list) ? (list as readonly JsonValue[]) : []).entries())
      if (isJsonObject(item) && Object.hasOwn(item, 'cased'))
        reading.fault('rule_value', [...at, i, 'cased'], { message: 'the case of this field is not kept', hint: 'leave `cased` out' });
}

function checkField(
  field: Field<never>,
  at: { readonly value: JsonValue | undefined; readonly path: Path; readonly depth: number },
  reading: Reading,
): void {
  const { value, path } = at;
  switch (field.type) {
    case 'flag':
      if (typeof value !== 'boolean') reading.fault('rule_type', path, 'must be true or false');
      return;
    case 'numbers':
      for (const [i, item] of reading.list(value, path, { min: 1, max: RULE_LIMITS.patternsMax }).entries())
        checkNumber(item, [...path, i], reading);
      return;
    case 'commands':
      checkFact({ factClass: 'command', value, path, depth: at.depth + 1 }, reading);
      return;
    case 'strings':
      checkStrings(value, path, reading);
      if (field.raw === undefined) refuseCased(value, path, reading);
      if (field.values === undefined || !Array.isArray(value)) return;
      for (const [i, item] of value.entries()) reading.oneOf(item, [...path, i], field.values);
  }
}

function checkFact(
  at: { readonly factClass: FactClass; readonly value: JsonValue | undefined; readonly path: Path; readonly depth: number },
  reading: Reading,
): void {
  const { path } = at;
  const fields = FACT_FIELDS[at.factClass];
  if (at.depth > RULE_LIMITS.conditionDepthMax) {
    reading.fault('rule_too_deep', path, `conditions may be nested ${RULE_LIMITS.conditionDepthMax} deep`);
    return;
  }
  const test = reading.object(at.value, path, [...Object.keys(fields), 'unless', 'at_least']);
  if (test === undefined) return;
  for (const name of Object.keys(test)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined) checkField(field, { value: test[name], path: [...path, name], depth: at.depth }, reading);
  }
  if (Object.keys(test).every((name) => name === 'unless' || name === 'at_least'))
    reading.fault('rule_empty', path, 'at least one field is needed');
  if (Object.hasOwn(test, 'at_least')) reading.integer(test['at_least'], [...path, 'at_least'], { min: 1, max: 1024 });
  if (!Object.hasOwn(test, 'unless')) return;
  for (const [i, item] of reading.list(test['unless'], [...path, 'unless'], { min: 1, max: RULE_LIMITS.leavesMax }).entries()) {
    checkFact({ ...at, value: item, path: [...path, 'unless', i], depth: at.depth + 1 }, reading);
  }
}

function checkLeaf(
  key: string,
  at: { readonly value: JsonValue | undefined; readonly path: Path; readonly depth: number },
  reading: Reading,
): void {
  reading.leaves += 1;
  const factClass = FACT_CLASSES.find((name) => name === key);
  if (factClass !== undefined) checkFact({ factClass, ...at }, reading);
  else checkText(at.value, at.path, reading);
}

interface ConditionPlace {
  readonly value: JsonValue | undefined;
  readonly path: Path;
  readonly depth: number;
}

function checkItems(at: { readonly items: JsonValue | undefined; readonly path: Path; readonly depth: number }, reading: Reading): number {
  const items = reading.list(at.items, at.path, { min: 1, max: RULE_LIMITS.leavesMax });
  for (const [i, item] of items.entries()) checkCondition({ value: item, path: [...at.path, i], depth: at.depth + 1 }, reading);
  return items.length;
}

/** The one thing that a condition says; undefined where it says none or several. */
function operatorOf(written: JsonObject): string | undefined {
  const keys = Object.keys(written).sort();
  if (keys.length === 2 && keys[0] === 'at_least' && keys[1] === 'of') return 'of';
  const [key] = keys;
  return keys.length === 1 && key !== 'at_least' && key !== 'of' ? key : undefined;
}

/** Checks one condition and everything inside it. */
export function checkCondition(at: ConditionPlace, reading: Reading): void {
  const { path } = at;
  if (at.depth > RULE_LIMITS.conditionDepthMax) {
    reading.fault('rule_too_deep', path, `conditions may be nested ${RULE_LIMITS.conditionDepthMax} deep`);
    return;
  }
  const written = reading.object(at.value, path, ['all', 'any', 'not', 'at_least', 'of', ...LEAVES]);
  if (written === undefined) return;
  const operator = operatorOf(written);
  if (operator === undefined) {
    reading.fault('rule_type', path, 'a condition must have exactly one of `all`, `any`, `not`, `at_least` with `of`, or a fact');
    return;
  }
  const inside = { path: [...path, operator], depth: at.depth };
  if (operator === 'not') checkCondition({ value: written['not'], path: inside.path, depth: at.depth + 1 }, reading);
  else if (operator === 'all' || operator === 'any') checkItems({ items: written[operator], ...inside }, reading);
  else if (operator !== 'of') checkLeaf(operator, { value: written[operator], ...inside }, reading);
  else {
    const count = checkItems({ items: written['of'], ...inside }, reading);
    reading.integer(written['at_least'], [...path, 'at_least'], { min: 1, max: Math.max(1, count) });
  }
}
