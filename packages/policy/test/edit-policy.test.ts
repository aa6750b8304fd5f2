/** The section `detection` of a policy as it was written, changed by commands. */
import { type Detection, type DetectionChange, editDetection } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolved } from './support.ts';

const DEFAULTS: Detection = { paranoia_level: 1, disable: [], scores: {} };

function edited(text: string, change: DetectionChange): string {
  return editDetection(text, change, resolved(text).detection ?? DEFAULTS);
}

const POLICY = `# our policy
version: 1.2.0
name:   team   # keep the spaces

# what we do not want to hear of
detection:
  # noisy on our build hosts
  disable:
    - R042 # builds
    - R050
  scores: {R001: 0.4}

# guards
guards:
    mcp_tool: {block: [a,   b]}
`;

describe('POL-094 edits keep what was written', () => {
  it.each<[string, string, DetectionChange, string]>([
    ['adds to a list', POLICY, { do: 'disable', rule: 'R051' }, POLICY.replace('    - R050\n', '    - R050\n    - R051\n')],
    ['takes out of a list', POLICY, { do: 'enable', rule: 'R050' }, POLICY.replace('    - R050\n', '')],
    ['tunes beside another', POLICY, { do: 'tune', rule: 'R002', score: 0.5 }, POLICY.replace('{R001: 0.4}', '{R001: 0.4, R002: 0.5}')],
    ['tunes again', POLICY, { do: 'tune', rule: 'R001', score: 1 }, POLICY.replace('{R001: 0.4}', '{R001: 1}')],
    ['sets a level', 'name: x\n', { do: 'level', level: 2 }, 'name: x\ndetection:\n  paranoia_level: 2\n'],
    ['begins a section', '# top\nname: x # y', { do: 'disable', rule: 'R1' }, '# top\nname: x # y\ndetection:\n  disable: [R1]\n'],
    ['in flow style', '{name: x}\n', { do: 'disable', rule: 'R1' }, '{name: x, detection: {disable: [R1]}}\n'],
    ['a bare key', 'name: x\ndetection:\n', { do: 'level', level: 3 }, 'name: x\ndetection:\n  paranoia_level: 3\n'],
    [
      'the only one of a list',
      'name: x\ndetection:\n  disable:\n    - R1\n',
      { do: 'enable', rule: 'R1' },
      'name: x\ndetection:\n  disable: []\n',
    ],
  ])('%s', (...[, before, change, after]) => {
    expect(edited(before, change)).toBe(after);
  });

  it('keeps the comment of what goes with what goes, and every other', () => {
    const after = edited(POLICY, { do: 'enable', rule: 'R042' });
    expect(resolved(after).detection).toEqual({ paranoia_level: 1, disable: ['R050'], scores: { R001: 400 } });
    for (const comment of [
      '# our policy',
      '# keep the spaces',
      '# what we do not want to hear of',
      '# noisy on our build hosts',
      '# guards',
    ])
      expect(after).toContain(comment);
    expect(after.endsWith('guards:\n    mcp_tool: {block: [a,   b]}\n')).toBe(true);
  });

  const id = fc.constantFrom('R1', 'R2', 'acme.x', 'R050');
  const change: fc.Arbitrary<DetectionChange> = fc.oneof(
    fc.record({ do: fc.constant('level' as const), level: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constantFrom('disable' as const, 'enable' as const), rule: id }),
    fc.record({ do: fc.constant('tune' as const), rule: id, score: fc.constantFrom(undefined, 0.25, 1) }),
  );

  function expected(before: Detection, one: DetectionChange): Detection {
    if (one.do === 'level') return { ...before, paranoia_level: one.level };
    const without = before.disable.filter((rule) => rule !== one.rule);
    if (one.do === 'enable') return { ...before, disable: without };
    if (one.do === 'disable') return { ...before, disable: [...without, one.rule].toSorted() };
    const { [one.rule]: _, ...scores } = before.scores;
    return { ...before, scores: one.score === undefined ? scores : { ...scores, [one.rule]: one.score * 1000 } };
  }

  it('any edits of any document mean what they say, and touch nothing else', () => {
    const start = fc.constantFrom<string>(
      POLICY,
      'name: x\n',
      'extends: default\ndetection: {disable: [R1, R2], scores: {acme.x: 0.9}}\nname: x\n',
      'detection:\n  paranoia_level: 4 # all\nname: x\n',
      '{name: x, detection: {disable: &a [R1]}}',
    );
    fc.assert(
      fc.property(start, fc.array(change, { minLength: 1, maxLength: 6 }), (text, changes) => {
        let now = text;
        let detection = resolved(text).detection ?? DEFAULTS;
        for (const one of changes) {
          now = edited(now, one);
          detection = expected(detection, one);
          expect(resolved(now).detection ?? DEFAULTS).toEqual(detection);
        }
        const { detection: _, ...rest } = resolved(now);
        const { detection: __, ...was } = resolved(text);
        expect(rest).toEqual(was);
      }),
      { numRuns: 200 },
    );
  });
});
