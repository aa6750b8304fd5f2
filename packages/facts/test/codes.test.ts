import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCodes } from '../src/codes.ts';
import type { CodeReading } from '../src/code-reading.ts';
import { readGraphql } from '../src/graphql.ts';
import { FACTS_LIMITS } from '../src/limits.ts';
import { readMarkup } from '../src/markup.ts';
import { readTags } from '../src/markup-tokens.ts';
import { createMeter } from '../src/meter.ts';
import { lowerOf, profileOf } from '../src/profile.ts';
import { readScriptCode } from '../src/script.ts';
import { readScript } from '../src/script-tokens.ts';

type Reader = (code: { readonly text: string; readonly lower: string }) => CodeReading;
const READERS: readonly (readonly [string, Reader])[] = [
  ['markup', readMarkup],
  ['script', readScriptCode],
  ['graphql', readGraphql],
];

function features(read: Reader, text: string): string {
  return read({ text, lower: lowerOf(text) }).features.join(' ');
}

describe('markup, by what it would do', () => {
  test.each([
    ['<script>go()</script>', 'script'],
    ['<ScR\u0000ipt src=x>', 'script'],
    ['<x:script src=x>', 'script'],
    ['</script >', 'script'],
    ['<p/onclick=go()>', 'handler'],
    ['<p a="1"onclick\n=\ngo()>', 'breaks-out handler'],
    ['<svg/onload=go()>', 'handler'],
    ['<a href=" java\tscript:go()">', 'script-url'],
    ['<a href=data:text/html,x>', 'data-url'],
    ['<button formaction=vbscript:x>', 'script-url'],
    ['javascript:go()', 'script-url'],
    ['javascript:', 'script-url'],
    ['data:text/html,x', 'data-url'],
    ['<p srcdoc="">', 'srcdoc'],
    ['<p style="width:expr/**/ession(go())">', 'style-script'],
    ['<p style="-moz-bi\\nding: url(x)">', 'style-script'],
    ['<style>@import "//x";</style>', 'style-script'],
    ['<meta http-equiv=refresh content="0;url=//x">', 'refresh'],
    ['<iframe src=//x>', 'loads'],
    ['<link rel=stylesheet href=//x>', 'loads'],
    ['<base href=//x>', 'loads'],
    ['<math><a xlink:href="//x">y', 'foreign-link'],
    ['<b datasrc=#x datafld=y>', 'binding'],
    ['<?xml:namespace prefix="t">', 'behaviour'],
    ['<!--#exec cmd="x"-->', 'server-side'],
    ['a <i f r a m e>', 'spelled'],
    ['a <x y z w>', ''],
    ['a <f o r m>', 'spelled'],
    ['<style><p title="</style><p onclick=go()>">', 'handler'],
    ['x" onfocus=go() y="', 'breaks-out'],
    ["x' autofocus onfocus='go()", 'breaks-out'],
    ['x onclick=go(1)', 'breaks-out'],
  ])('%j: %s', (text, expected) => expect(features(readMarkup, text)).toBe(expected));

  test.each([
    '<p class="x">text <b>bold</b></p>',
    '<button onClick={go}>x</button>',
    '<a href="https://example.org/?on=1">x</a>',
    '<img src="a.png" alt="on load = fine">',
    '<meta charset=utf-8>',
    '<use xlink:href="#icon"/>',
    '<a href="#top" style="color: red; background: url(a.png)">x</a>',
    'JavaScript: the good parts',
    'I <3 you & you > me',
    'a < b and c > d, once=2',
    'He said "on Monday = late"',
    'the data: everything we have',
    'Map<string, number> {',
  ])('%j is markup at most', (text) => expect(features(readMarkup, text)).toBe(''));

  test('a place is the tag that does it', () => {
    const text = '<p>x</p> <img src=a onerror=go()> y';
    const { start, end } = readMarkup({ text, lower: text });
    expect(text.slice(start, end)).toBe('<img src=a onerror=go()>');
  });
});

describe('script, by the shape of its calls', () => {
  test.each([
    ['$f(1)', 'variable-call'],
    ['$f /* x */ ("a")', 'variable-call'],
    ['@$_[0]{k}->m()', 'variable-call'],
    ['A::$b()', 'variable-call'],
    ['$ {X}', 'variable-name'],
    ["${'a'.'b'}", 'variable-name'],
    ["('sys'.'tem')('id');", 'computed-call'],
    ['"a"."b"(1);', 'computed-call'],
    ['document/* x */. // y\n cookie', 'page'],
    ['window.location', 'page'],
    ['(alert)(1)', 'dialog'],
    ['x;confirm`1`', 'dialog'],
    ['alert?.(1)', 'dialog'],
    ['setTimeout(go, 1)', 'dialog'],
    ['self["a"]', 'member'],
    ['[].sort.call`${x}`', 'member'],
    ['atob("x")', 'runs-text'],
    ['new Function()', 'runs-text'],
    ['String . fromCharCode(1)', 'runs-text'],
    ['while(((true)))', 'endless'],
    ['7; return true', 'returns'],
    ['x"; return(true); var y="', 'returns'],
  ])('%j: %s', (text, expected) => expect(features(readScriptCode, text)).toBe(expected));

  test.each([
    'price in $USD (dollars) is ${total}',
    '$5 (approx.) or US$ (cash)',
    '(optional) (see below);',
    'the document, cookies and a window',
    'alert (see the manual)',
    'wait while (possible) and return to sender; return it',
    'import things from "shops"',
    '$(date) and $((1+2))',
    "it's (so) 'nice' (really)",
  ])('%j is no script', (text) => expect(features(readScriptCode, text)).toBe(''));
});

describe('GraphQL, by what it asks', () => {
  const nested = (depth: number): string => `query ${'{ a '.repeat(depth)}${'} '.repeat(depth)}`;
  const aliased = (count: number): string => `query { ${Array.from({ length: count }, (_, i) => `a${i}: me`).join(' ')} }`;
  test.each([
    ['query { me { name } }', 'query'],
    ['{ me { name } }', ''],
    ['query Q($a: Int = 4) { __schema { types { name } } }', 'introspection query'],
    ['mutation { deleteUser(id: "}{") { id } }', 'deletes mutation'],
    ['mutation { rename(name: "deleteUser") { deleted } }', 'mutation'],
    ['{"query": 1}', ''],
    ['a mutation in {gene}', ''],
    [nested(FACTS_LIMITS.graphqlDepthMax), 'query'],
    [nested(FACTS_LIMITS.graphqlDepthMax + 1), 'deep query'],
    [aliased(FACTS_LIMITS.graphqlAliasesMax), 'query'],
    [aliased(FACTS_LIMITS.graphqlAliasesMax + 1), 'aliases query'],
  ])('%j: %s', (text, expected) => expect(features(readGraphql, text)).toBe(expected));

  test('fields beyond the limit are not looked at', () => {
    const many = (before: number): string => `mutation { ${'a '.repeat(before)}deleteAll }`;
    expect(features(readGraphql, many(FACTS_LIMITS.graphqlFieldsMax - 1))).toBe('deletes mutation');
    expect(features(readGraphql, many(FACTS_LIMITS.graphqlFieldsMax))).toBe('mutation');
  });
});

describe('limits', () => {
  test('a text with more tags than are held at once is read to its end', () => {
    const { tagsMax } = FACTS_LIMITS;
    for (const before of [tagsMax - 1, tagsMax, tagsMax + 1]) {
      const text = `${'<b>'.repeat(before)}<script>`;
      expect(features(readMarkup, text)).toBe('script');
      expect(readTags(text).tags).toHaveLength(Math.min(tagsMax, before + 1));
    }
  });

  test('a call at the seam between two pieces is seen whole', () => {
    const { scriptTokensMax } = FACTS_LIMITS;
    for (let before = scriptTokensMax - 4; before <= scriptTokensMax + 1; before += 1) {
      const text = `${'a '.repeat(before)}$f(1)`;
      expect(features(readScriptCode, text)).toBe('variable-call');
      expect(readScript(text).tokens).toHaveLength(Math.min(scriptTokensMax, before + 4));
    }
  });

  test('attributes of one tag, and what is kept of a value', () => {
    const { attributesMax, attributeCharsMax } = FACTS_LIMITS;
    const tag = (count: number): string => `<p ${'a=1 '.repeat(count)}>`;
    expect(readTags(tag(attributesMax)).tags[0]?.attributes).toHaveLength(attributesMax);
    expect(readTags(tag(attributesMax + 1)).tags[0]?.attributes).toHaveLength(attributesMax);
    const valued = (length: number): number => readTags(`<p a="${'x'.repeat(length)}">`).tags[0]?.attributes[0]?.value?.length ?? 0;
    expect([valued(attributeCharsMax), valued(attributeCharsMax + 1)]).toEqual([attributeCharsMax, attributeCharsMax]);
  });

  test('codes of one action', () => {
    const text = 'javascript:go()';
    const meter = createMeter();
    const codes: Parameters<typeof addCodes>[0] = [];
    const fact = { text, lower: text, role: 'param', span: { path: '/params/a', start: 0, end: text.length }, layers: [] } as const;
    const add = (): void => addCodes(codes, { fact, profile: profileOf(text), hits: [], key: 'a' }, meter);
    for (let i = 0; i < FACTS_LIMITS.codesMax; i += 1) add();
    expect([codes.length, [...meter.cuts]]).toEqual([FACTS_LIMITS.codesMax, []]);
    add();
    expect([codes.length, [...meter.cuts]]).toEqual([FACTS_LIMITS.codesMax, ['codes']]);
  });
});

const HOSTILE = [
  '<a ',
  '<a b="',
  '<a b=\'"',
  '<style>',
  '<p title="<b ',
  '" onload=',
  '$a[',
  '$a->',
  '$a(//\n',
  '(',
  ')(',
  '/*',
  '"\'',
  'while((',
  'document.',
  "('a')",
  '{ a(',
  'query { a ',
  'f o r m<',
  '${',
] as const;

describe('work is linear, counted', () => {
  for (const [name, read] of READERS) {
    test.each(HOSTILE)(`${name}: %j`, (unit) => {
      const stepsOf = (chars: number): number => {
        const text = unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);
        return read({ text, lower: text }).steps;
      };
      const [small, large] = [stepsOf(65_536), stepsOf(1_048_576)];
      expect(large).toBeLessThanOrEqual(small * 16 * 1.1 + 1000);
      expect(large).toBeLessThanOrEqual(1_048_576 * 24);
    });
  }
});

describe('properties', () => {
  const soup = fc
    .array(
      fc.constantFrom('<', '>', '"', "'", '=', '/', ' ', 'on', 'load', 'script', '$', '(', ')', '[', ']', '{', '}', ';', 'a', '\\', '\0'),
      {
        maxLength: 200,
      },
    )
    .map((parts) => parts.join(''));

  test.each(READERS)('%s is total, and its place lies inside the text', (_, read) => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        const { start, end, features: found } = read({ text, lower: lowerOf(text) });
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(found).toEqual([...new Set(found)].sort());
      }),
    );
  });

  test('brackets know the partner that a dull count finds', () => {
    const brackets = fc.array(fc.constantFrom('(', ')', '[', ']', 'a'), { maxLength: 40 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(brackets, (text) => {
        const stack: number[] = [];
        const expected = text.split(' ').map(() => -1);
        for (const [at, sign] of text.split(' ').entries()) {
          if (sign === '(' || sign === '[') stack.push(at);
          const opener = stack.at(-1) ?? -1;
          const wanted = sign === ')' ? '(' : sign === ']' ? '[' : undefined;
          if (wanted === undefined || text.split(' ')[opener] !== wanted) continue;
          stack.pop();
          [expected[at], expected[opener]] = [opener, at];
        }
        const { tokens } = readScript(text);
        expect(tokens.map((token) => token.partner)).toEqual(text === '' ? [] : expected);
      }),
    );
  });
});
