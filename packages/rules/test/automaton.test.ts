import { buildAutomaton, scanLiterals } from '@countersign/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function hitsOf(literals: readonly string[], text: string): string[] {
  const found: string[] = [];
  scanLiterals(buildAutomaton(literals), text, (literal, start) => found.push(`${literals[literal] ?? '?'}@${start}`));
  return found.sort();
}

/** The dull reference: every literal at every place. */
function dullHits(literals: readonly string[], text: string): string[] {
  const found: string[] = [];
  for (const literal of literals)
    for (let at = 0; at < text.length; at += 1) if (text.startsWith(literal, at)) found.push(`${literal}@${at}`);
  return found.sort();
}

const letters = (units: string, size: { minLength: number; maxLength: number }): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from(units)), ...size });

describe('RULE-030 the automaton', () => {
  it('finds what the dull reference finds, overlaps and all', () => {
    const literals = fc.uniqueArray(letters('ab', { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(literals, letters('abc', { minLength: 0, maxLength: 60 }), (words, text) => {
        expect(hitsOf(words, text)).toEqual(dullHits(words, text));
      }),
    );
  });

  it('does so for any code units', () => {
    const literals = fc.uniqueArray(letters('aé忽\u{1f600}', { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(literals, letters('aé忽\u{1f600}z', { minLength: 0, maxLength: 30 }), (words, text) => {
        expect(hitsOf(words, text)).toEqual(dullHits(words, text));
      }),
    );
  });

  it('reports a literal inside another one', () => {
    expect(hitsOf(['she', 'he', 'hers', 'h'], 'ushers')).toEqual(['h@2', 'he@2', 'hers@2', 'she@1'].sort());
  });

  it('goes on from ASCII to other code units and back', () => {
    const word = fc.constantFrom('abc', 'abd', 'bca', 'cab', 'aé', 'éab', 'ab忽', 'abcab', 'bd', 'dd忽d');
    const literals = fc.uniqueArray(word, { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(literals, letters('abcdé忽', { minLength: 0, maxLength: 80 }), (words, text) => {
        expect(hitsOf(words, text)).toEqual(dullHits(words, text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes one step a code unit and one a hit', () => {
    const automaton = buildAutomaton(['ab']);
    expect(scanLiterals(automaton, 'x'.repeat(1000), () => undefined)).toBe(1000);
    expect(scanLiterals(automaton, 'ab'.repeat(500), () => undefined)).toBe(1500);
  });

  it('finds nothing when there is nothing to find', () => {
    expect(hitsOf([], 'anything')).toEqual([]);
    expect(hitsOf(['a'], '')).toEqual([]);
  });
});
