import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantAt } from '../src/sql-constants.ts';
import { readExpression } from '../src/sql-expression.ts';
import { compareAt } from '../src/sql-features.ts';
import { readFragment } from '../src/sql-fragment.ts';
import { SQL_LIMITS } from '../src/sql-limits.ts';
import { readTokens } from '../src/sql-tokens.ts';

function valueOf(text: string): number | string | undefined {
  return constantAt(readTokens(text).tokens, 0)?.value;
}

describe('constants', () => {
  test.each([
    ['1', 1],
    ['-1+3', 2],
    ['(1+2)*3', 9],
    ['7%4', 3],
    ['8/2', 4],
    ["'a'+'b'", 'ab'],
    ['char(97,66)', 'ab'],
    ["concat('a', 'b', 1)", 'ab1'],
    ["unhex('6162')", 'ab'],
    ["'a' - 1", undefined],
    ['name', undefined],
    ['lower(1)', undefined],
    ['char(1', undefined],
    ['0/0', undefined],
  ])('%s is %j', (text, expected) => expect(valueOf(text)).toBe(expected));

  test('an operand of more tokens, or deeper, is none', () => {
    const sum = (tokens: number): string => `1${'+1'.repeat((tokens - 1) / 2)}`;
    const { foldTokensMax, foldDepthMax } = SQL_LIMITS;
    expect(valueOf(sum(foldTokensMax - 1))).toBe(foldTokensMax / 2);
    // The sum of the first 64 tokens has lost its last operand.
    expect(valueOf(sum(foldTokensMax + 1))).toBeUndefined();
    const nested = (depth: number): string => `${'('.repeat(depth)}7${')'.repeat(depth)}`;
    expect(valueOf(nested(foldDepthMax))).toBe(7);
    expect(valueOf(nested(foldDepthMax + 1))).toBeUndefined();
  });

  /** Sums and products with every parenthesis written, and what JavaScript makes of them. */
  const sums = fc.letrec<{ node: { readonly text: string; readonly value: number } }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.nat(99).map((value) => ({ text: String(value), value })),
      fc.tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node')).map(([left, operator, right]) => ({
        text: `(${left.text}${operator}${right.text})`,
        value: operator === '+' ? left.value + right.value : operator === '-' ? left.value - right.value : left.value * right.value,
      })),
    ),
  })).node;

  test('sums are what a dull evaluator says', () => {
    fc.assert(
      fc.property(sums, ({ text, value }) => {
        const { tokens } = readTokens(text);
        fc.pre(tokens.length <= SQL_LIMITS.foldTokensMax);
        expect(constantAt(tokens, 0)).toMatchObject({ value, next: tokens.length });
      }),
    );
  });

  test('a comparison of two sums holds exactly where their values are equal', () => {
    fc.assert(
      fc.property(sums, sums, (left, right) => {
        const { tokens } = readTokens(`${left.text.replaceAll(/^\(+/g, '')} = ${right.text}`);
        // Without the parentheses before it the left side is what is compared only where there were none.
        fc.pre(!left.text.startsWith('(') && tokens.length <= SQL_LIMITS.foldTokensMax);
        expect(compareAt(tokens, 0).result).toBe(left.value === right.value);
      }),
    );
  });
});

describe('expressions', () => {
  const shape = (text: string, continues = false): string => {
    const { tokens } = readTokens(text);
    const found = readExpression(tokens, 0, continues);
    return `${found.next === tokens.length ? 'all' : found.next} ${found.whole ? 'whole' : 'open'} ${found.constants}/${found.names}/${found.calls}`;
  };

  test.each([
    ["(1 or 'b')", 'all whole 2/0/0'],
    ['a.b + f(1, c)', 'all whole 1/2/1'],
    ['not exists (select 1 from t)', 'all whole 1/1/0'],
    ['count(*)', 'all whole 0/0/1'],
    ['user()', 'all whole 0/0/1'],
    ['case when true then 1 else 2 end', 'all whole 3/0/0'],
    ['a between 1 and 2', 'all whole 2/1/0'],
    ['x::int + 1', 'all whole 1/1/0'],
    ['a is not null', 'all whole 1/1/0'],
    ['\\N', 'all whole 1/0/0'],
    ['(1', 'all open 1/0/0'],
    ['1 +', 'all open 1/0/0'],
    ['1)', '1 whole 1/0/0'],
    ['see page 4', '1 whole 0/1/0'],
    ['a, b', '1 whole 0/1/0'],
  ])('%s: %s', (text, expected) => expect(shape(text)).toBe(expected));

  test.each([
    ["- id * '0", 'all whole 1/1/0'],
    ["not like 'x", 'all whole 1/0/0'],
    ['sounds like 1', 'all whole 1/0/0'],
    ['gold', '0 whole 0/0/0'],
  ])('behind a value, %s: %s', (text, expected) => expect(shape(text, true)).toBe(expected));

  test('whole expressions stay whole in parentheses', () => {
    const pieces = fc.array(fc.constantFrom('1', "'a'", 'b', '+', 'or', '(', ')', ',', 'f(', 'not', 'like'), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, (parts) => {
        const { tokens } = readTokens(parts.join(' '));
        const inner = readExpression(tokens, 0);
        fc.pre(inner.whole && inner.next === tokens.length && tokens.length > 0);
        const outer = readTokens(`(${parts.join(' ')})`).tokens;
        expect(readExpression(outer, 0)).toMatchObject({ whole: true, next: outer.length, constants: inner.constants });
      }),
    );
  });
});

describe('work is linear, counted', () => {
  test.each(["' and 1+1+", "' or 1||", "' or char(", "' or ((1", ', concat(', 'or not ', "'||'", "' x::int", '(select '])('%j', (unit) => {
    const stepsOf = (chars: number): number => readFragment(unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars)).steps;
    expect(stepsOf(131_072)).toBeLessThanOrEqual(stepsOf(8192) * 16 * 1.1 + 1000);
  });
});
