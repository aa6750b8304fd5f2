import { checkRegex, compileRegexSet, createMeter, POLICY_LIMITS } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function found(pattern: string, text: string): boolean {
  const set = compileRegexSet([pattern]);
  if (!set.ok) throw new Error(set.error.message);
  return set.value.search(text, createMeter()).length > 0;
}

const atom = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', '.', '[ab]', '[^a]', '\\w', '\\s', '\\d', '\\b', '^', '$', '(?:a|bc)', '\\x61', '-'),
  fc.constantFrom('a*', 'b+', 'a?', '[ab]{2}', 'a{1,3}', '(?:ab)+', '(?:a|b){2,}', '\\w+', '.{0,2}'),
);
const source = fc
  .array(atom, { minLength: 1, maxLength: 5 })
  .chain((atoms) => fc.constantFrom(atoms.join(''), `${atoms.join('')}|c`, `(?:${atoms.join('')})c`));
const subject = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '\n', '-', '1', 'é'), maxLength: 12 });

describe('POL-060 POL-061 regular expressions', () => {
  it('agree with the engine of the language, in lines', () => {
    fc.assert(
      fc.property(source, subject, (pattern, text) => {
        fc.pre(checkRegex(pattern).ok);
        expect(found(pattern, text)).toBe(new RegExp(pattern, 'm').test(text));
      }),
      { numRuns: 4000 },
    );
  });

  it('find the leftmost start and the longest end of each match', () => {
    const set = compileRegexSet(['k=[a-z]{3,}', '(?i)token']);
    const hits = set.ok ? set.value.search('x k=abcdef k=xyz TOKEN', createMeter()) : [];
    expect(hits).toEqual([
      { index: 0, start: 2, end: 10, shortEnd: 7 },
      { index: 0, start: 11, end: 16, shortEnd: 16 },
      { index: 1, start: 17, end: 22, shortEnd: 22 },
    ]);
  });

  it.each(['(a+)+b', '(a|a)*b', '(.*)*x', '(.*a)*x', '(a?b?)*c', '(\\w+\\s?)*$x', '([a-z]+)*1', '(a|ab|b)*c', '((a*)b?)*c'])(
    'refuses %s',
    (pattern) => {
      expect(checkRegex(pattern)).toMatchObject({ ok: false, error: { code: 'policy_regex_unsafe' } });
    },
  );
  it.each(['(foo\\s+)*x', '(ab|ac)*d', '([a-z0-9]{1,63}\\.)+com', 'a.*b.*c', '((a|b)*c)*d', '(?:\\d{1,3}\\.){3}\\d+', 'x{0,200}y'])(
    'accepts %s',
    (pattern) => {
      expect(checkRegex(pattern).ok).toBe(true);
    },
  );
  it.each([
    ['(?i)k', '\u212a', true],
    ['(?i)[s]x', '\u017fx', true],
    ['(?-i)a', 'A', false],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\nb', false],
    ['(?P<n>a)b', 'ab', true],
    ['[[:digit:]]x', '4x', true],
    ['\\Aab', 'x\nab', false],
    ['^ab', 'x\nab', true],
    ['\\u{e9}', 'é', true],
    ['[\\]a]', ']', true],
    ['a{2}', 'aba', false],
  ])('%s on %j', (pattern, text, expected) => {
    expect(found(pattern, text)).toBe(expected);
  });

  it('POL-062 keep their limits at n and n + 1', () => {
    const repeat = POLICY_LIMITS.regexRepeatMax;
    expect(checkRegex(`a{${String(repeat)}}`).ok).toBe(true);
    expect(checkRegex(`a{${String(repeat + 1)}}`).ok).toBe(false);
    const nested = (depth: number): string => `${'('.repeat(depth)}a${')'.repeat(depth)}`;
    expect(checkRegex(nested(POLICY_LIMITS.regexDepthMax)).ok).toBe(true);
    expect(checkRegex(nested(POLICY_LIMITS.regexDepthMax + 1)).ok).toBe(false);
    const set = compileRegexSet(['x']);
    const hits = set.ok ? set.value.search('x'.repeat(POLICY_LIMITS.regexHitsMax + 1), createMeter()) : [];
    expect(hits).toHaveLength(POLICY_LIMITS.regexHitsMax);
  });

  it('POL-063 say so when the meter is spent', () => {
    const set = compileRegexSet(['x']);
    const text = 'ab'.repeat(500);
    const meter = { steps: 0, limit: 10, cut: false };
    if (set.ok) set.value.search(`${text}é`, meter);
    expect(meter.cut).toBe(true);
  });

  it('POL-064 stay linear when the cache of states overflows', () => {
    const set = compileRegexSet(['(?:a|b)*a(?:a|b){14}c']);
    const steps = (size: number): number => {
      const meter = createMeter(Number.POSITIVE_INFINITY);
      let bits = 1;
      const text = Array.from({ length: size }, () => {
        bits = (bits * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        return (bits & 0x10000) === 0 ? 'a' : 'b';
      }).join('');
      if (set.ok) set.value.search(text, meter);
      return meter.steps;
    };
    const [small, large] = [steps(4096), steps(65_536)];
    expect(large).toBeLessThan(small * 20);
    expect(large).toBeLessThan(65_536 * 120);
  });
});
