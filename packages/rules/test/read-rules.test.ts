import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, mergeRuleDocuments, parseRules, readRuleSet, RULE_LIMITS, ruleSetJson } from '../src/index.ts';
import { documentOf } from './actions.ts';
import { mergedPacks } from './packs-on-disk.ts';

const GOOD = documentOf("{text: {any: ['alpha']}}");

/** Where and how a document is refused: `code line:column pointer`. */
function faultsOf(yaml: string): readonly string[] {
  const read = parseRules(yaml, 'rules.yaml');
  return read.ok ? [] : read.error.map((fault) => `${fault.code} ${fault.line}:${fault.column} ${fault.path ?? ''}`);
}

function changed(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`no ${from} in the document`);
  return GOOD.replace(from, to);
}

describe('RULE-001 a document', () => {
  it('is read into rules with their defaults', () => {
    const read = parseRules(changed('kinds: [any]', 'tags: {owasp: [LLM02, LLM01], cwe: [CWE-89]}'), 'rules.yaml');
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    expect(read.value).toMatchObject({ version: 1, pack: 'test', description: 'for a test' });
    expect(read.value.rules[0]?.rule).toEqual({
      id: 'T1',
      title: 'test',
      category: 'test',
      severity: 'high',
      score: 800,
      level: 1,
      kinds: ['agent.delegate', 'db.query', 'file.read', 'mcp.call', 'net.egress', 'remote.*', 'secret.access', 'shell.exec', 'tool.call'],
      when: { text: { any: ['alpha'] } },
      tags: { owasp: ['LLM01', 'LLM02'], atlas: [], cwe: ['CWE-89'] },
      exemptable: true,
    });
    expect(read.value.rules[0]?.examples).toEqual({ positive: [{ prompt: 'x' }], negative: [{ prompt: 'y' }] });
  });

  it('takes scores of two decimals as thousandths', () => {
    for (const [written, score] of [
      ['0.29', 290],
      ['1', 1000],
      ['0.07', 70],
      ['0.5', 500],
    ] as const) {
      const read = parseRules(changed('score: 0.8', `score: ${written}`), 'rules.yaml');
      expect(read.ok && read.value.rules[0]?.rule.score).toBe(score);
    }
  });
});

describe('RULE-002 what is refused, and where', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['an unknown field of the document', changed('pack: test', 'pack: test\nextra: 1'), 'rule_unknown_field 3:1 /extra'],
    ['an unknown field of a rule', changed('title: test', 'title: test\n    titel: x'), 'rule_unknown_field 7:5 /rules/0/titel'],
    ['another version', changed('version: 1', 'version: 2'), 'rule_value 1:1 /version'],
    ['a version that is text', changed('version: 1', "version: '1'"), 'rule_value 1:1 /version'],
    ['a bad pack name', changed('pack: test', 'pack: Test Pack'), 'rule_value 2:1 /pack'],
    ['no description', changed('description: for a test\n', ''), 'rule_missing_field 1:1 /description'],
    ['no rules', `${GOOD.split('rules:')[0] ?? ''}rules: []\n`, 'rule_empty 4:1 /rules'],
    ['rules that are no list', `${GOOD.split('rules:')[0] ?? ''}rules: 5\n`, 'rule_type 4:1 /rules'],
    ['an id with a space', changed('id: T1', 'id: T 1'), 'rule_value 5:5 /rules/0/id'],
    ['no title', changed('    title: test\n', ''), 'rule_missing_field 5:5 /rules/0/title'],
    ['a category in capitals', changed('category: test', 'category: Test'), 'rule_value 7:5 /rules/0/category'],
    ['an unknown severity', changed('severity: high', 'severity: huge'), 'rule_value 8:5 /rules/0/severity'],
    ['a score above one', changed('score: 0.8', 'score: 1.1'), 'rule_range 9:5 /rules/0/score'],
    ['a score of nothing', changed('score: 0.8', 'score: 0'), 'rule_range 9:5 /rules/0/score'],
    ['a score of three decimals', changed('score: 0.8', 'score: 0.805'), 'rule_range 9:5 /rules/0/score'],
    ['an unknown kind', changed('kinds: [any]', 'kinds: [file.burn]'), 'rule_value 10:13 /rules/0/kinds/0'],
    ['a level of five', changed('kinds: [any]', 'level: 5'), 'rule_range 10:5 /rules/0/level'],
    ['exemptable as text', changed('kinds: [any]', "exemptable: 'no'"), 'rule_type 10:5 /rules/0/exemptable'],
    ['a tag of the wrong list', changed('kinds: [any]', 'tags: {owasp: [CWE-1]}'), 'rule_value 10:20 /rules/0/tags/owasp/0'],
    ['an unknown list of tags', changed('kinds: [any]', 'tags: {nist: [A]}'), 'rule_unknown_field 10:12 /rules/0/tags/nist'],
    ['no condition', GOOD.replace(/ {4}when.*\n/, ''), 'rule_type 5:5 /rules/0/when'],
    ['no examples', GOOD.replace(/ {4}examples.*\n/, ''), 'rule_type 5:5 /rules/0/examples'],
    ['no negative example', changed(', negative: [{prompt: y}]', ''), 'rule_missing_field 12:5 /rules/0/examples/negative'],
    ['an example of an unknown form', changed('{prompt: y}', '{promt: y}'), 'rule_unknown_field 12:53 /rules/0/examples/negative/0/promt'],
    ['a duplicate key', changed('title: test', 'title: test\n    title: again'), 'rule_yaml 7:5 '],
    ['text that is no YAML', 'version: [1', 'rule_yaml 1:12 '],
    ['a document that is a list', '- 1\n', 'rule_type 1:1 '],
    ['nothing', '', 'rule_type 1:1 '],
  ];
  for (const [name, yaml, expected] of cases) it(name, () => expect(faultsOf(yaml)).toContain(expected));

  it('all faults at once', () => {
    expect(faultsOf(changed('score: 0.8', 'score: 8').replace('severity: high', 'severity: x').replace('id: T1', "id: ''"))).toHaveLength(
      3 + 0,
    );
  });

  it('suggests the field that was meant', () => {
    const read = parseRules(changed('severity: high', 'severity: high\n    exemtable: true'), 'rules.yaml');
    expect(read.ok ? '' : read.error[0]?.hint).toBe('did you mean `exemptable`?');
  });

  it('two rules of one id', () => {
    const rule = GOOD.split('rules:\n')[1] ?? '';
    expect(faultsOf(`${GOOD}${rule}`)).toEqual(['rule_duplicate_id 13:5 /rules/1/id']);
  });
});

describe('RULE-003 conditions that are refused, and where', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{}', 'rule_type 11:5 /rules/0/when'],
    ['{all: []}', 'rule_empty 11:12 /rules/0/when/all'],
    ['{all: [{text: {any: [abc]}}], any: [{text: {any: [abc]}}]}', 'rule_type 11:5 /rules/0/when'],
    ['{at_least: 1}', 'rule_type 11:5 /rules/0/when'],
    ['{of: [{text: {any: [abc]}}]}', 'rule_type 11:5 /rules/0/when'],
    ['{at_least: 3, of: [{text: {any: [abc]}}, {text: {any: [abd]}}]}', 'rule_range 11:12 /rules/0/when/at_least'],
    ['{words: {any: [abc]}}', 'rule_unknown_field 11:12 /rules/0/when/words'],
    ['{text: {any: []}}', 'rule_empty 11:19 /rules/0/when/text/any'],
    ['{text: {near: [abc]}}', 'rule_missing_field 11:12 /rules/0/when/text/any'],
    ['{text: {any: [5]}}', 'rule_type 11:25 /rules/0/when/text/any/0'],
    ['{text: {any: [{regexp: abc}]}}', 'rule_type 11:25 /rules/0/when/text/any/0'],
    ['{text: {any: [{regex: abc, word: abc}]}}', 'rule_type 11:25 /rules/0/when/text/any/0'],
    ['{text: {any: [abc], roles: [everyone]}}', 'rule_value 11:39 /rules/0/when/text/roles/0'],
    ['{text: {any: [abc], layers: both}}', 'rule_value 11:31 /rules/0/when/text/layers'],
    ['{text: {any: [abc], max_length: 0}}', 'rule_range 11:31 /rules/0/when/text/max_length'],
    ['{text: {any: [ab]}}', 'pattern_without_literal 11:25 /rules/0/when/text/any/0'],
    ["{text: {any: [{regex: '\\w+'}]}}", 'pattern_without_literal 11:25 /rules/0/when/text/any/0'],
    ["{text: {any: [abc, {regex: '(a+)+bcd'}]}}", 'pattern_unsafe 11:30 /rules/0/when/text/any/1'],
    ['{text: {any: [Abc]}}', 'pattern_syntax 11:25 /rules/0/when/text/any/0'],
    ['{command: {}}', 'rule_empty 11:12 /rules/0/when/command'],
    ['{command: {nam: [rm]}}', 'rule_unknown_field 11:22 /rules/0/when/command/nam'],
    ['{command: {name: rm}}', 'rule_type 11:22 /rules/0/when/command/name'],
    ['{command: {dynamic: 1}}', 'rule_type 11:22 /rules/0/when/command/dynamic'],
    ['{command: {args: {any: [a], some: [b]}}}', 'rule_unknown_field 11:39 /rules/0/when/command/args/some'],
    ['{command: {args: {}}}', 'rule_empty 11:22 /rules/0/when/command/args'],
    ['{command: {via: [teleport]}}', 'rule_value 11:28 /rules/0/when/command/via/0'],
    ['{command: {piped_from: {host: [x]}}}', 'rule_unknown_field 11:35 /rules/0/when/command/piped_from/host'],
    ['{host: {port: [99999]}}', 'rule_range 11:26 /rules/0/when/host/port/0'],
    ['{command: {name: [rm], unless: [{nam: [x]}]}}', 'rule_unknown_field 11:44 /rules/0/when/command/unless/0/nam'],
    ['{not: {text: {any: [abc]}}}', 'rule_unbound 11:5 /rules/0/when'],
    ['{any: [{text: {any: [abc]}}, {not: {text: {any: [abd]}}}]}', 'rule_unbound 11:5 /rules/0/when'],
  ];
  for (const [when, expected] of cases) it(when, () => expect(faultsOf(documentOf(when))).toContain(expected));
});

describe('RULE-004 limits at n and n + 1', () => {
  const nested = (depth: number): string => `${'{all: ['.repeat(depth - 1)}{text: {any: [abc]}}${']}'.repeat(depth - 1)}`;
  const anyOf = (count: number): string => `{any: [${Array.from({ length: count }, () => '{text: {any: [abc]}}').join(', ')}]}`;
  const patterns = (count: number): string => `{text: {any: [${Array.from({ length: count }, () => 'abc').join(', ')}]}}`;

  it('characters of a document', () => {
    const fill = (length: number): string => `${GOOD}#${'x'.repeat(length - GOOD.length - 2)}\n`;
    expect(faultsOf(fill(RULE_LIMITS.documentCharsMax))).toEqual([]);
    expect(faultsOf(fill(RULE_LIMITS.documentCharsMax + 1))).toEqual(['rule_too_large 1:1 ']);
  });

  it('nested conditions', () => {
    expect(faultsOf(documentOf(nested(RULE_LIMITS.conditionDepthMax)))).toEqual([]);
    expect(faultsOf(documentOf(nested(RULE_LIMITS.conditionDepthMax + 1)))[0]).toContain('rule_too_deep');
  });

  it('leaves of a rule', () => {
    expect(faultsOf(documentOf(anyOf(RULE_LIMITS.leavesMax)))).toEqual([]);
    expect(faultsOf(documentOf(anyOf(RULE_LIMITS.leavesMax + 1)))[0]).toContain('rule_too_many');
  });

  it('patterns of a list', () => {
    expect(faultsOf(documentOf(patterns(RULE_LIMITS.patternsMax)))).toEqual([]);
    expect(faultsOf(documentOf(patterns(RULE_LIMITS.patternsMax + 1)))[0]).toContain('rule_too_many');
  });

  it('faults of a document', () => {
    const bad = (count: number): string => documentOf(`{text: {any: [${Array.from({ length: count }, () => '5').join(', ')}]}}`);
    expect(faultsOf(bad(RULE_LIMITS.faultsMax))).toHaveLength(RULE_LIMITS.faultsMax);
    expect(faultsOf(bad(RULE_LIMITS.faultsMax + 1))).toHaveLength(RULE_LIMITS.faultsMax);
  });

  it('aliases: some are fine, a bomb is not', () => {
    const some = changed("when: {text: {any: ['alpha']}}", 'when: {all: [&a {text: {any: [abc]}}, *a]}');
    expect(faultsOf(some)).toEqual([]);
    const bomb = `a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n${GOOD}`;
    expect(faultsOf(bomb)).toEqual(['rule_yaml 1:1 ']);
  });

  it('nesting that would exhaust the stack', () => {
    for (const deep of ['['.repeat(50_000), '[\n'.repeat(50_000), '{a: '.repeat(20_000), '- '.repeat(20_000), `${' '.repeat(3000)}- x`]) {
      expect(faultsOf(deep)[0]).toMatch(/^rule_(too_deep|yaml|type)/);
    }
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab:-[]{}&*!|>#\'"\n ,?%@')), maxLength: 80 }), (yaml) => {
        expect(typeof parseRules(yaml, 's').ok).toBe('boolean');
      }),
    );
  });
});

describe('RULE-010 merging', () => {
  const documentNamed = (pack: string, id: string): string => GOOD.replace('pack: test', `pack: ${pack}`).replace('id: T1', `id: ${id}`);
  const readAll = (...documents: readonly string[]): ReturnType<typeof mergeRuleDocuments> =>
    mergeRuleDocuments(
      documents.map((yaml) => {
        const read = parseRules(yaml, 's');
        if (!read.ok) throw new Error(JSON.stringify(read.error));
        return read.value;
      }),
    );

  it('does not depend on the order, and leaves the examples out', () => {
    const one = readAll(documentNamed('p', 'B'), documentNamed('q', 'A'));
    const other = readAll(documentNamed('q', 'A'), documentNamed('p', 'B'));
    if (!one.ok || !other.ok) throw new Error('they merge');
    expect(JSON.stringify(one.value)).toBe(JSON.stringify(other.value));
    expect(one.value.rules.map((rule) => rule.id)).toEqual(['A', 'B']);
    expect(JSON.stringify(one.value)).not.toContain('examples');
  });

  it('is plain JSON that compiles after a round trip', () => {
    const merged = readAll(documentNamed('p', 'B'));
    if (!merged.ok) throw new Error('it merges');
    const copy: unknown = JSON.parse(JSON.stringify(ruleSetJson(merged.value)));
    expect(copy).toEqual(merged.value);
    expect(compileRules(copy as typeof merged.value).ok).toBe(true);
  });

  it('refuses one id in two packs, and one pack twice', () => {
    expect(readAll(documentNamed('p', 'A'), documentNamed('q', 'A'))).toMatchObject({ ok: false, error: [{ code: 'rule_duplicate_id' }] });
    expect(readAll(documentNamed('p', 'A'), documentNamed('p', 'B'))).toMatchObject({
      ok: false,
      error: [{ code: 'rule_duplicate_pack' }],
    });
  });
});

describe('RULE-011 a rule set that comes as JSON', () => {
  const json = JSON.stringify(ruleSetJson(mergedPacks()));

  it('reads back what was merged, value for value', () => {
    expect(readRuleSet(JSON.parse(json), 'bundle')).toEqual({ ok: true, value: mergedPacks() });
  });

  const broken: readonly (readonly [string, (set: { version: unknown; rules: Record<string, unknown>[] }) => void, string])[] = [
    ['another version', (set) => (set.version = 2), 'rule_value /version'],
    ['an unknown field', (set) => Object.assign(set, { more: 1 }), 'rule_unknown_field /more'],
    ['a score that is a fraction', (set) => Object.assign(set.rules[0] ?? {}, { score: 0.9 }), 'rule_range /rules/0/score'],
    ['a score above all', (set) => Object.assign(set.rules[0] ?? {}, { score: 1001 }), 'rule_range /rules/0/score'],
    ['a level of none', (set) => Object.assign(set.rules[0] ?? {}, { level: 0 }), 'rule_range /rules/0/level'],
    ['kinds that are no list', (set) => Object.assign(set.rules[0] ?? {}, { kinds: 'any' }), 'rule_type /rules/0/kinds'],
    ['a condition that is a number', (set) => Object.assign(set.rules[0] ?? {}, { when: 5 }), 'rule_type /rules/0/when'],
    ['a test that is a list', (set) => Object.assign(set.rules[0] ?? {}, { when: { command: [] } }), 'rule_type /rules/0/when/command'],
    [
      'an exception that is none',
      (set) => Object.assign(set.rules[0] ?? {}, { when: { command: { name: ['a'], unless: 5 } } }),
      'rule_type /rules/0/when/command/unless',
    ],
    ['tags that are missing', (set) => Object.assign(set.rules[0] ?? {}, { tags: null }), 'rule_type /rules/0/tags'],
  ];
  for (const [name, spoil, expected] of broken) {
    it(`refuses ${name}`, () => {
      const set = JSON.parse(json) as Parameters<typeof spoil>[0];
      spoil(set);
      const read = readRuleSet(set as never, 'bundle');
      expect(read.ok ? [] : read.error.map((fault) => `${fault.code} ${fault.path ?? ''}`)).toContain(expected);
    });
  }

  it('is total over any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(typeof readRuleSet(value as never, 'bundle').ok).toBe('boolean');
      }),
    );
  });
});
