import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RULE_LIMITS } from '../src/limits.ts';
import { furtherLiterals, lateLiterals, requiredLiterals } from '../src/pattern-literals.ts';
import { readPattern } from '../src/pattern-syntax.ts';
import { compilePattern, searchValue, type PatternMode } from '../src/pattern.ts';
import type { Pattern } from '../src/rule.ts';

function verdict(pattern: Pattern, mode: PatternMode = 'phrase'): string {
  const compiled = compilePattern(pattern, mode);
  return compiled.ok ? 'accepted' : compiled.error.code;
}

function finds(pattern: Pattern, value: string, mode: PatternMode = 'phrase'): boolean {
  const compiled = compilePattern(pattern, mode);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return searchValue(compiled.value, value, { steps: 0 }) !== undefined;
}

describe('RULE-020 expressions that would explode', () => {
  const refused = [
    '(a+)+b',
    '(a*)*b',
    '(.*)*y',
    '(a|a)*x',
    '(a|ab)*x',
    '(a|aa)+$',
    '([a-z]+)*1',
    '(\\w+\\s?)*!',
    '(x?)*y',
    '(a{1,30}){2,}b',
    '((a+b?)+c)+d',
    '(?:(?:ab|a)(?:b|))*c',
    '.*a.*b.*c',
    '.{0,200}a.{0,200}b.{0,200}c',
  ];
  for (const source of refused) it(`refuses ${source}`, () => expect(verdict({ regex: source })).toBe('pattern_unsafe'));

  const accepted = [
    '(\\w+\\s+){0,4}end',
    '(ab|cd)*ef',
    '(foo,)*bar',
    'a.{0,40}b.{0,40}c',
    '[a-z]+@[0-9]+',
    'x.*y',
    '(?:a\\s)+b',
    '(previous|prior|preceding)\\s+rules',
  ];
  for (const source of accepted) it(`accepts ${source}`, () => expect(verdict({ regex: source })).toBe('accepted'));

  it('an accepted one is fast where a backtracking engine is slow at its worst: work is bounded by the window', () => {
    const compiled = compilePattern({ regex: 'abc.{0,100}def.{0,100}ghi' }, 'phrase');
    if (!compiled.ok) throw new Error('accepted above');
    const meter = { steps: 0 };
    searchValue(compiled.value, 'abcdef'.repeat(2000), meter);
    expect(meter.steps).toBeLessThan(12_000 * 8);
  });
});

describe('RULE-021 expressions that are not supported', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['(a)\\1', 'pattern_unsupported'],
    ['(?<name>a)', 'pattern_unsupported'],
    ['\\k<a>', 'pattern_unsupported'],
    ['\\p{L}x', 'pattern_unsupported'],
    ['(?i)abc', 'pattern_unsupported'],
    ['(?<=a.*)foo', 'pattern_unsafe'],
    ['(?<!b+)foo', 'pattern_unsafe'],
    ['a{2,', 'pattern_syntax'],
    ['a{3,2}', 'pattern_syntax'],
    ['*a', 'pattern_syntax'],
    ['a**', 'pattern_syntax'],
    ['(a', 'pattern_syntax'],
    ['a)', 'pattern_syntax'],
    ['[a', 'pattern_syntax'],
    ['[]a', 'pattern_syntax'],
    ['[z-a]', 'pattern_syntax'],
    ['a\\', 'pattern_syntax'],
    ['\\q', 'pattern_syntax'],
    ['\\x4', 'pattern_syntax'],
    ['\\b+a', 'pattern_syntax'],
    ['Abc', 'pattern_syntax'],
    ['[A-Z]bc', 'pattern_syntax'],
    ['a?', 'pattern_unsafe'],
    ['a|', 'pattern_unsafe'],
    ['', 'pattern_too_long'],
  ];
  for (const [source, code] of cases)
    it(`${source === '' ? 'nothing' : source} is ${code}`, () => expect(verdict({ regex: source })).toBe(code));

  it('says which part, and what to do', () => {
    const compiled = compilePattern({ regex: 'xyz(a+)+b' }, 'phrase');
    expect(compiled).toMatchObject({ ok: false, error: { code: 'pattern_unsafe', start: 3, end: 8 } });
    if (!compiled.ok) expect(compiled.error.message).toContain('(a+)+');
  });

  it('whatever is accepted is an expression that the engine takes, and whatever text comes, reading it ends', () => {
    const source = fc.string({ unit: fc.constantFrom(...Array.from('ab|()[]{}*+?.\\^$-,12ds:=!<')), minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(source, (text) => {
        const compiled = compilePattern({ regex: text }, 'value');
        if (compiled.ok) expect(() => new RegExp(text, 's')).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });
});

describe('RULE-022 limits of a pattern at n and n + 1', () => {
  it('characters of an expression', () => {
    const most = RULE_LIMITS.patternCharsMax;
    expect(verdict({ regex: 'a'.repeat(most) })).toBe('accepted');
    expect(verdict({ regex: 'a'.repeat(most + 1) })).toBe('pattern_too_long');
  });

  it('characters of a phrase', () => {
    const most = RULE_LIMITS.plainCharsMax;
    expect(verdict('a'.repeat(most))).toBe('accepted');
    expect(verdict('a'.repeat(most + 1))).toBe('pattern_too_long');
  });

  it('nested groups', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}abc${')'.repeat(depth)}`;
    expect(verdict({ regex: nested(RULE_LIMITS.patternDepthMax) })).toBe('accepted');
    expect(verdict({ regex: nested(RULE_LIMITS.patternDepthMax + 1) })).toBe('pattern_unsafe');
  });

  it('counted repetitions', () => {
    const most = RULE_LIMITS.patternRepeatMax;
    expect(verdict({ regex: `abc.{0,${most}}d` })).toBe('accepted');
    expect(verdict({ regex: `abc.{0,${most + 1}}d` })).toBe('pattern_unsafe');
  });

  it('ways to match: 256 x 256 is the limit, one more is not', () => {
    expect(RULE_LIMITS.patternWaysMax).toBe(65_536);
    expect(verdict({ regex: 'abc.{0,255}d.{0,255}e' })).toBe('accepted');
    expect(verdict({ regex: 'abc.{0,256}d.{0,255}e' })).toBe('pattern_unsafe');
  });
});

describe('RULE-023 plain patterns', () => {
  it('a space in a phrase stands for white space', () => {
    expect(finds('drop all', 'please drop \n all of it')).toBe(true);
    expect(finds('drop all', 'drop-all')).toBe(false);
  });

  it('a word stands by itself', () => {
    expect(finds({ word: 'dan' }, 'you are dan.')).toBe(true);
    expect(finds({ word: 'dan' }, 'dance and sudan')).toBe(false);
  });

  it('a value is whole, or open where a star is', () => {
    expect(finds('sh', 'sh', 'value')).toBe(true);
    expect(finds('sh', 'bash', 'value')).toBe(false);
    expect(finds('*sh', 'bash', 'value')).toBe(true);
    expect(finds('/etc/*', '/etc/hosts', 'value')).toBe(true);
    expect(finds('/etc/*', '/opt/etc/hosts', 'value')).toBe(false);
    expect(finds('*etc*', '/opt/etc/hosts', 'value')).toBe(true);
    expect(finds('/a*z', '/abcz', 'value')).toBe(true);
    expect(finds('a.c', 'abc', 'value')).toBe(false);
  });

  it('refuses what cannot mean anything', () => {
    expect(verdict('*', 'value')).toBe('pattern_syntax');
    expect(verdict('a*b*c*d', 'value')).toBe('pattern_syntax');
    expect(verdict('Drop')).toBe('pattern_syntax');
    expect(verdict(' drop')).toBe('pattern_syntax');
    expect(verdict('a  b')).toBe('pattern_syntax');
  });

  it('an edge of the window is not an edge of the value', () => {
    const long = `${'x'.repeat(2000)}rm`;
    expect(finds({ regex: '^rm' }, long, 'value')).toBe(false);
    expect(finds({ regex: 'rm$' }, long, 'value')).toBe(true);
    expect(finds({ regex: '^x+$' }, 'x'.repeat(400), 'value')).toBe(true);
  });
});

describe('RULE-024 the literals of an expression', () => {
  const known: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['ignore', ['ignore']],
    ['(ignore|forget)\\s+all', ['forget', 'ignore']],
    ['[ab]cd', ['acd', 'bcd']],
    ['colou?r', ['color', 'colour']],
    ['\\w+', undefined],
    ['(abc)?', undefined],
    ['(abc|\\d+)', undefined],
    ['(\\.\\.[/]){2}', ['../../']],
    ['(\\.\\.[/]{1,2}){3}', ['../']],
  ];
  for (const [source, expected] of known) {
    it(`of ${source}`, () => {
      const node = readPattern(source);
      if (!node.ok) throw new Error(node.error.message);
      const literals = requiredLiterals(node.value);
      expect(literals === undefined ? undefined : [...literals].sort()).toEqual(expected);
    });
  }

  it('one of them is in every match, whatever the expression', () => {
    const leaf = fc.constantFrom('abc', 'bca', 'ca', '[ab]', '.', 'cab', '\\w', 'b?');
    const expression = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
        tie('node').map((a) => `(${a}){1,2}`),
        tie('node').map((a) => `(${a})?`),
      ),
    })).node;
    fc.assert(
      fc.property(expression, fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 16 }), (source, text) => {
        const node = readPattern(source);
        if (!node.ok) return;
        const literals = requiredLiterals(node.value);
        const match = new RegExp(source, 's').exec(text);
        if (literals === undefined || match === null) return;
        expect(literals.some((literal) => match[0].includes(literal))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RULE-038 further literals', () => {
  function further(source: string): readonly (readonly string[])[] {
    const node = readPattern(source);
    if (!node.ok) throw new Error(node.error.message);
    return furtherLiterals(node.value, requiredLiterals(node.value) ?? []);
  }

  it('are what a match holds beside the literals it is searched by', () => {
    expect(further('<!--.{0,40}\\b(ignore|disregard)')).toEqual([['ignore', 'disregard']]);
    expect(further('<!--.{0,40}\\b(ignore|disregard)?')).toEqual([]);
    expect(further('<!--(.{0,9}(ignore|obey)){1,3}')).toEqual([['obey', 'ignore']]);
    expect(further('<!--.{0,9}(ignore|do)')).toEqual([]);
    expect(further('(steal.{0,9}password|crack.{0,9}credential)')).toEqual([['crack', 'steal']]);
  });

  it('are so many sets and no more, of so many literals and no more', () => {
    const words = (count: number): string => Array.from({ length: count }, (_, i) => `word${String(i + 100)}`).join('|');
    const sets = (count: number): string => Array.from({ length: count }, (_, i) => `.{0,3}trap${i}`).join('');
    expect(further(`<!--..start${sets(RULE_LIMITS.furtherSetsMax - 1)}`)).toHaveLength(RULE_LIMITS.furtherSetsMax);
    expect(further(`<!--..start${sets(RULE_LIMITS.furtherSetsMax)}`)).toHaveLength(RULE_LIMITS.furtherSetsMax);
    expect(further(`<!--.(${words(RULE_LIMITS.literalsPerFurtherSetMax)})`)).toHaveLength(1);
    expect(further(`<!--.(${words(RULE_LIMITS.literalsPerFurtherSetMax + 1)})`)).toEqual([]);
  });

  it('one of each set is in every match, whatever the expression', () => {
    const leaf = fc.constantFrom('abca', 'bcab', 'cabc', '[ab]bca', '.', 'abcab', '\\w', 'b?', '(?!cc)');
    const expression = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}.{0,2}${b}`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
        tie('node').map((a) => `(${a}){1,2}`),
        tie('node').map((a) => `(${a})?`),
      ),
    })).node;
    let asked = 0;
    fc.assert(
      fc.property(expression, fc.string({ unit: fc.constantFrom('abc', 'a', 'bca', 'cab', 'c'), maxLength: 16 }), (source, text) => {
        const node = readPattern(source);
        const match = new RegExp(source, 's').exec(text);
        if (!node.ok || match === null) return;
        const lead = requiredLiterals(node.value) ?? [];
        const sets = [...furtherLiterals(node.value, lead), ...lateLiterals(node.value, lead)];
        asked += sets.length;
        for (const set of sets) expect(set.some((literal) => match[0].includes(literal))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(asked).toBeGreaterThan(0);
  });
});
