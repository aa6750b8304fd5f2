/** Names that lead nowhere. */
import { expect, it } from 'vitest';
import { RULE_LIMITS } from '../src/limits.ts';
import { QuietNames } from '../src/quiet-names.ts';

it('are kept up to a length', () => {
  const names = new QuietNames();
  const longest = 'n'.repeat(RULE_LIMITS.quietNameCharsMax);
  names.keep(longest, 7);
  names.keep(`${longest}n`, 7);
  expect(names.stepsOf(longest)).toBe(7);
  expect(names.stepsOf(`${longest}n`)).toBeUndefined();
});

it('are forgotten together where they fill the place', () => {
  const names = new QuietNames();
  for (let n = 0; n < RULE_LIMITS.quietNamesMax; n += 1) names.keep(`name${n}`, n);
  expect(names.stepsOf('name0')).toBe(0);
  names.keep('one more', 1);
  expect(names.stepsOf('name0')).toBeUndefined();
  expect(names.stepsOf('one more')).toBe(1);
});
