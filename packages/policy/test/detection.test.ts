/** The section `detection`: read, merged, resolved and hashed. */
import { parsePolicy, POLICY_LIMITS, policyHash, resolvePolicy } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compiled, documentOf, resolved, rulesets } from './support.ts';

function faults(yaml: string): readonly (readonly [string, string | undefined, number | undefined])[] {
  const document = parsePolicy(yaml, 'test');
  return document.ok ? [] : document.error.map(({ code, path, line }) => [code, path, line] as const);
}

const SECTION = 'detection:\n  paranoia_level: 3\n  disable: [R042, acme.no-prod]\n  scores:\n    R123: 0.4\n    acme.no-prod: 1\n';

describe('POL-090 the section `detection`', () => {
  it('is read and kept as thousandths, sorted', () => {
    expect(resolved(SECTION).detection).toEqual({
      paranoia_level: 3,
      disable: ['R042', 'acme.no-prod'],
      scores: { R123: 400, 'acme.no-prod': 1000 },
    });
    expect(compiled(SECTION).detection.paranoia_level).toBe(3);
    expect(resolved('detection: {disable: [b, a, b]}\n').detection?.disable).toEqual(['a', 'b']);
  });

  it.each([
    ['detection: {paranoia_level: 0}', 'policy_range', 'detection.paranoia_level'],
    ['detection: {paranoia_level: 5}', 'policy_range', 'detection.paranoia_level'],
    ['detection: {paranoia_level: 1.5}', 'policy_type', 'detection.paranoia_level'],
    ['detection: {paranoia_level: "2"}', 'policy_type', 'detection.paranoia_level'],
    ['detection: {paranoia: 2}', 'policy_unknown_field', 'detection.paranoia'],
    ['detection: {disable: R042}', 'policy_type', 'detection.disable'],
    ['detection: {disable: [42]}', 'policy_type', 'detection.disable[0]'],
    ['detection: {disable: ["R042 "]}', 'policy_rule_id', 'detection.disable[0]'],
    ['detection: {disable: [""]}', 'policy_range', 'detection.disable[0]'],
    ['detection: {scores: [R1]}', 'policy_type', 'detection.scores'],
    ['detection: {scores: {R1: 0}}', 'policy_range', 'detection.scores.R1'],
    ['detection: {scores: {R1: 1.01}}', 'policy_range', 'detection.scores.R1'],
    ['detection: {scores: {R1: 0.125}}', 'policy_range', 'detection.scores.R1'],
    ['detection: {scores: {R1: high}}', 'policy_type', 'detection.scores.R1'],
    ['detection: {scores: {__proto__: 0.5}}', 'policy_rule_id', 'detection.scores.__proto__'],
    ['detection: [R1]', 'policy_type', 'detection'],
  ])('refuses %s', (yaml, code, path) => {
    expect(faults(`name: x\n${yaml}\n`)).toEqual([[code, path, 2]]);
  });

  it('limits, at n and n + 1', () => {
    const ids = (length: number): readonly string[] => Array.from({ length }, (_, i) => `r${String(i)}`);
    const many = POLICY_LIMITS.listMax;
    expect(faults(`detection: {disable: [${ids(many).join(',')}]}\n`)).toEqual([]);
    expect(faults(`detection: {disable: [${ids(many + 1).join(',')}]}\n`)).toHaveLength(1);
    const scores = (length: number): string =>
      ids(length)
        .map((id) => `${id}: 0.5`)
        .join(',');
    expect(faults(`detection: {scores: {${scores(many)}}}\n`)).toEqual([]);
    expect(faults(`detection: {scores: {${scores(many + 1)}}}\n`)).toHaveLength(1);
    const long = POLICY_LIMITS.ruleIdCharsMax;
    expect(faults(`detection: {disable: [${'a'.repeat(long)}]}\n`)).toEqual([]);
    expect(faults(`detection: {disable: [${'a'.repeat(long + 1)}]}\n`)).toHaveLength(1);
  });
});

describe('POL-091 one meaning has one form', () => {
  it('a section that says only the defaults leaves the policy, and its hash, as they were', () => {
    const plain = resolved('extends: default\nname: x\n');
    expect(Object.keys(plain)).not.toContain('detection');
    const said = ['detection:', 'detection: {}', 'detection: {paranoia_level: 1, disable: [], scores: {}}'];
    for (const section of said) expect(policyHash(resolved(`extends: default\nname: x\n${section}\n`))).toBe(policyHash(plain));
    expect(policyHash(resolved('extends: default\nname: x\ndetection: {paranoia_level: 2}\n'))).not.toBe(policyHash(plain));
    expect(compiled('extends: default\n').detection).toEqual({ paranoia_level: 1, disable: [], scores: {} });
  });

  it('the hash does not depend on the order in which ids are written', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['R1', 'R2', 'R3', 'a.b'], { minLength: 1 }), (ids) => {
        const policy = (list: readonly string[]): string =>
          policyHash(resolved(`detection: {disable: [${list.join(', ')}], scores: {${list.map((id) => `${id}: 0.5`).join(', ')}}}\n`));
        expect(policy(ids)).toBe(policy(ids.toSorted()));
      }),
      { numRuns: 30 },
    );
  });
});

describe('POL-092 merging', () => {
  function over(base: string, overlay: string): unknown {
    const policy = resolvePolicy(documentOf(`extends: default\n${overlay}\n`), {
      rulesets: new Map([...rulesets, ['default', documentOf(base)]]),
      hostSets: new Map(),
    });
    return policy.ok ? policy.value.detection : policy.error;
  }
  const base = 'detection: {paranoia_level: 2, disable: [R1], scores: {R2: 0.5, R3: 0.6}}\n';

  it('level and list replace, scores replace rule by rule, what is not said stays', () => {
    expect(over(base, '')).toEqual({ paranoia_level: 2, disable: ['R1'], scores: { R2: 500, R3: 600 } });
    expect(over(base, 'detection: {disable: [R9], scores: {R3: 0.7, R4: 0.1}}')).toEqual({
      paranoia_level: 2,
      disable: ['R9'],
      scores: { R2: 500, R3: 700, R4: 100 },
    });
    expect(over(base, 'detection: {disable: []}')).toMatchObject({ disable: [] });
  });
  it('`merge` takes the section whole, `replace` takes the document as it is', () => {
    expect(over(base, 'merge_strategy: merge\ndetection: {paranoia_level: 4}')).toEqual({ paranoia_level: 4, disable: [], scores: {} });
    expect(over(base, 'merge_strategy: merge\nname: x')).toMatchObject({ disable: ['R1'] });
    expect(over(base, 'merge_strategy: replace\nname: x')).toBeUndefined();
  });
});
