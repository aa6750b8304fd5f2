import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDictionaries, dictionaryWord, searchDictionaries, type DictionaryWord } from '../src/dictionaries.ts';
import { compileRules, mergeRuleDocuments, parseRules, readRuleSet, RULE_LIMITS, ruleSetJson } from '../src/index.ts';
import { compileText, documentOf, NO_FACTS, action, text } from './actions.ts';
import { matchRules } from '../src/match-rules.ts';

function documentWith(dictionaries: string, when: string): string {
  return documentOf(when).replace('rules:', `dictionaries: ${dictionaries}\nrules:`);
}

function faultsOf(yaml: string): readonly string[] {
  const read = parseRules(yaml, 'rules.yaml');
  return read.ok ? [] : read.error.map((fault) => `${fault.code} ${fault.line}:${fault.column} ${fault.path ?? ''}`);
}

/** Where the rule's words stand in a text, as `start-end`. */
function placesIn(yaml: string, content: string): readonly string[] {
  const { findings } = matchRules(compileText(yaml), { action: action('tool.call'), facts: { ...NO_FACTS, texts: [text(content)] } });
  return findings.flatMap((finding) => finding.evidence.map((span) => `${span.start}-${span.end}`));
}

const NAMED = '{text: {any: [{dictionary: birds}]}}';
const BIRDS = documentWith("{birds: [Blue Heron, nightjar, 'avocet-2']}", NAMED);

describe('RULE-100 dictionaries', () => {
  it('stand in a rule as their words, once each and in lower case', () => {
    const read = parseRules(documentWith('{birds: [Blue  Heron, blue heron, NIGHTJAR]}', NAMED), 'rules.yaml');
    expect(read.ok && read.value.rules[0]?.rule.when).toEqual({ text: { any: [{ words: ['blue heron', 'nightjar'] }] } });
  });

  it('stand in a rule set that comes as JSON', () => {
    const read = parseRules(BIRDS, 'rules.yaml');
    const merged = mergeRuleDocuments(read.ok ? [read.value] : []);
    const again = merged.ok ? readRuleSet(ruleSetJson(merged.value), 'set') : merged;
    expect(again.ok && again.value).toEqual(merged.ok && merged.value);
    expect(again.ok && compileRules(again.value).ok).toBe(true);
  });

  it('are found beside patterns, below `not`, and next to what must be near', () => {
    expect(placesIn(documentWith('{birds: [nightjar]}', '{text: {any: [heron, {dictionary: birds}]}}'), 'a heron, a nightjar')).toEqual([
      '2-7',
      '11-19',
    ]);
    const near = documentWith('{birds: [nightjar]}', "{text: {any: [{dictionary: birds}], near: [secret], unless: ['public nightjar']}}");
    expect(placesIn(near, 'a secret nightjar')).toEqual(['9-17']);
    expect(placesIn(near, 'a nightjar')).toEqual([]);
    expect(placesIn(near, 'a secret public nightjar')).toEqual([]);
    const absent = documentWith('{birds: [nightjar]}', '{all: [{text: {any: [heron]}}, {not: {text: {any: [{dictionary: birds}]}}}]}');
    expect(placesIn(absent, 'a heron')).toEqual(['2-7']);
    expect(placesIn(absent, 'a heron and a nightjar')).toEqual([]);
  });

  it('count each word for `at_least`', () => {
    const two = documentWith('{birds: [heron, nightjar]}', '{text: {any: [egret, {dictionary: birds}], at_least: 2}}');
    expect(placesIn(two, 'heron heron')).toEqual([]);
    expect(placesIn(two, 'heron nightjar')).toEqual(['0-5', '6-14']);
    expect(placesIn(two, 'heron egret')).toHaveLength(2);
  });

  it.each([
    ['a name that is not there', documentWith('{birds: [heron]}', '{text: {any: [{dictionary: brids}]}}'), 'rule_value 12:26'],
    ['no dictionaries at all', documentOf('{text: {any: [{dictionary: birds}]}}'), 'rule_value 11:26'],
    ['a list of names', documentWith('{birds: [heron]}', '{text: {any: [{dictionary: [birds]}]}}'), 'rule_type 12:26'],
    ['two things at once', documentWith('{birds: [heron]}', '{text: {any: [{dictionary: birds, word: egret}]}}'), 'rule_type 12:25'],
    [
      'one where context is asked for',
      documentWith('{birds: [heron]}', '{text: {any: [abc], near: [{dictionary: birds}]}}'),
      'rule_type 12:38',
    ],
    ['one in a fact test', documentWith('{birds: [heron]}', '{command: {name: [{dictionary: birds}]}}'), 'rule_type 12:29'],
    ['a mapping of words', documentWith('{birds: {a: b}}', NAMED), 'rule_type 4:16'],
    ['a word that is a number', documentWith('{birds: [heron, 7]}', NAMED), 'rule_type 4:31'],
    ['an empty dictionary', documentWith('{birds: []}', NAMED), 'rule_empty 4:16'],
    ['a word without a part of three', documentWith('{birds: [heron, a b]}', NAMED), 'pattern_without_literal 4:31'],
    ['a name in capitals', documentWith('{Birds: [heron]}', NAMED), 'rule_value 4:16'],
  ])('are refused where they stand: %s', (_name, yaml, expected) => {
    expect(faultsOf(yaml).join('\n')).toContain(expected);
  });
});

describe('RULE-101 a word', () => {
  it.each([
    ['the NIGHTJAR sings', ['4-12']],
    ['nightjars', []],
    ['xnightjar', []],
    ['night\njar', []],
    ['blue \n  heron.', ['0-13']],
    ['blueheron', []],
    ['dark blue heron', ['5-15']],
    ['blue heronry', []],
    ['an avocet-2!', ['3-11']],
    ['an avocet-21', []],
    ['straßnightjar', []],
    ['nightjar', ['0-8']],
  ])('%j', (content, places) => {
    expect(placesIn(BIRDS, content)).toEqual(places);
  });

  it('of a script without spaces has no edges', () => {
    const yaml = documentWith('{birds: [機密, straße]}', NAMED);
    expect(placesIn(yaml, 'これは機密です')).toEqual(['3-5']);
    expect(placesIn(yaml, 'die Straße, die Straßen')).toEqual(['4-10']);
  });

  it('is found wherever the dull reference finds it', () => {
    const word = fc.stringMatching(/^[ab]{3,5}( [ab]{1,4})?$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 8 }), fc.stringMatching(/^[ab \n.]{0,60}$/), (words, content) => {
        const found = new Set<string>();
        const entries = words.flatMap((one, i) => {
          const read = dictionaryWord(one, i);
          return read.ok ? [read.value] : [];
        });
        const compiled = compileDictionaries([{ leaf: 0, words: entries }]);
        if (!compiled.ok || compiled.value === undefined) throw new Error('no dictionary');
        searchDictionaries(compiled.value, content, {
          looks: () => true,
          found: ({ position }) => found.add(words[position] ?? ''),
          spend: () => false,
        });
        const dull = words.filter((one) => new RegExp(`(?<!\\w)${one.replace(' ', '\\s{1,8}')}(?!\\w)`).test(content));
        expect([...found].sort()).toEqual(dull.sort());
      }),
    );
  });

  it('costs no more in a text of a million characters than in proportion', () => {
    const compiled = compileText(documentWith('{birds: [aaa, aaaa, aaaab, b a aaa]}', NAMED));
    const stepsPerChar = (length: number): number =>
      matchRules(compiled, { action: action('tool.call'), facts: { ...NO_FACTS, texts: [text('a a aaaa'.repeat(length / 8))] } }).steps /
      length;
    const small = stepsPerChar(65_536);
    expect(small).toBeLessThan(16);
    expect(stepsPerChar(1_048_576)).toBeLessThan(small * 1.1);
  });
});

describe('RULE-102 limits', () => {
  const words = (count: number): string => `[${Array.from({ length: count }, (_, i) => `w${i + 100}`).join(', ')}]`;

  it('dictionaries of a document', () => {
    const many = (count: number): string =>
      documentWith(`{birds: [heron], ${Array.from({ length: count - 1 }, (_, i) => `d${i}: [egret]`).join(', ')}}`, NAMED);
    expect(faultsOf(many(RULE_LIMITS.dictionariesMax))).toEqual([]);
    expect(faultsOf(many(RULE_LIMITS.dictionariesMax + 1))[0]).toContain('rule_too_many');
  });

  it('words of a dictionary', () => {
    expect(faultsOf(documentWith(`{birds: ${words(RULE_LIMITS.dictionaryWordsMax)}}`, NAMED))).toEqual([]);
    expect(faultsOf(documentWith(`{birds: ${words(RULE_LIMITS.dictionaryWordsMax + 1)}}`, NAMED))[0]).toContain('rule_too_many 4:16');
  });

  it('characters of a word', () => {
    const long = (length: number): string => documentWith(`{birds: [${'a'.repeat(length)}]}`, NAMED);
    expect(faultsOf(long(RULE_LIMITS.plainCharsMax))).toEqual([]);
    expect(faultsOf(long(RULE_LIMITS.plainCharsMax + 1))[0]).toContain('rule_range 4:24');
  });

  it('words of all places where dictionaries are named', () => {
    const times = RULE_LIMITS.dictionaryUsesMax / RULE_LIMITS.dictionaryWordsMax;
    const named = (count: number): string =>
      documentWith(
        `{birds: ${words(RULE_LIMITS.dictionaryWordsMax)}, one: [heron]}`,
        `{text: {any: [${Array.from({ length: count }, () => '{dictionary: birds}').join(', ')}]}}`,
      );
    expect(faultsOf(named(times))).toEqual([]);
    expect(faultsOf(named(times).replace('any: [', 'any: [{dictionary: one}, '))[0]).toContain('rule_too_many');
  });

  it('cells of the table', () => {
    const letters = Array.from({ length: 1023 }, (_, i) => String.fromCharCode(0x4e00 + i));
    const compile = (chars: number): boolean => {
      const list: DictionaryWord[] = [];
      for (let at = 0; at < chars; at += 1023) {
        const token = `${letters.slice(at % 1023).join('')}${letters.join('')}`.slice(0, Math.min(1023, chars - at));
        list.push({ position: at, tokens: [`${String.fromCharCode(0x4e00 + ((at / 1023) % 1023))}${token.slice(1)}`], at: 0 });
      }
      return compileDictionaries([{ leaf: 0, words: list }]).ok;
    };
    // One state for the start, one column for what is no letter.
    const most = RULE_LIMITS.dictionaryCellsMax / 1024 - 1;
    expect(compile(most)).toBe(true);
    expect(compile(most + 1)).toBe(false);
  });
});
