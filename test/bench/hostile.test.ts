/** The hostile families of the bench, in counted steps: sixteen times the input is at most a little over sixteen times the work. */
import { describe, beforeAll, expect, it } from 'vitest';
import { createParsers, createUnderstanding, type Understanding } from '@countersign/facts';
import type { Action } from '@countersign/protocol';
import { compileRules, type CompiledRules, matchRules } from '@countersign/rules';
import { hostileFamilies } from '../../bench/hostile-families.ts';
import { wasmBytes } from '../../packages/facts/test/wasm-bytes.ts';
import { mergedPacks } from '../../packages/rules/test/packs-on-disk.ts';

const SMALL = 65_536;
const TIMES = 16;
/** Above sixteen times: what differs by where a window or a run happens to end. */
const SLACK = 1.3;

let understanding: Understanding;
let rules: CompiledRules;

beforeAll(async () => {
  understanding = createUnderstanding(await createParsers(wasmBytes()));
  const compiled = compileRules(mergedPacks(), { level: 4 });
  if (!compiled.ok) throw new Error(compiled.error[0]?.message);
  rules = compiled.value;
});

function stepsOf(action: Action): number {
  const facts = understanding.understand(action, []);
  return facts.steps + matchRules(rules, { action, facts }).steps;
}

describe('RULE-050 hostile families, facts and rules together', () => {
  const large = hostileFamilies(SMALL * TIMES);
  for (const [family, shapes] of hostileFamilies(SMALL)) {
    it(`${family}: sixteen times the input, at most ${SLACK} times sixteen times the steps`, { timeout: 120_000 }, () => {
      const ratios = [...shapes].map(([name, action]) => {
        const other = large.get(family)?.get(name);
        if (other === undefined) throw new Error(`${name} is not there at both sizes`);
        return { name, ratio: stepsOf(other) / stepsOf(action) };
      });
      expect(ratios.filter(({ ratio }) => !(ratio <= TIMES * SLACK))).toEqual([]);
    });
  }

  it('are at least thirteen, of shapes that differ', () => {
    const shapes = [...large.values()].flatMap((family) =>
      [...family.values()].map((action) => JSON.stringify([action.kind, action.params, action.content])),
    );
    expect(large.size).toBeGreaterThanOrEqual(13);
    expect(new Set(shapes).size).toBe(shapes.length);
  });
});
