import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '@countersign/kernel';
import type { Action, Facts } from '@countersign/protocol';
import { createParsers, createUnderstanding, type Understanding } from '../../facts/src/index.ts';
import {
  compileRules,
  exampleAction,
  exampleSignals,
  matchRules,
  type Condition,
  type ExampleSketch,
  type Rule,
  type WrittenRule,
} from '../src/index.ts';
import { mutantsOf, type Mutant } from './mutants.ts';
import { readPacks } from './packs-on-disk.ts';

const require = createRequire(new URL('../../facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));
/** What no example reaches: a text longer than the limit would be longer than the pack. */
const UNREACHED: ReadonlyMap<string, string> = new Map([
  ...['R073', 'R080', 'R155', 'R163', 'R167', 'R168'].map((rule) => [rule, '/text/max_length'] as const),
  ['R055', '/any/3/text/max_length'],
  ['R152', '/any/1/text/max_length'],
]);

let understanding: Understanding;

beforeAll(async () => {
  const parsers = await createParsers({
    treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
    bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
    pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
  });
  understanding = createUnderstanding(parsers);
});

interface Example {
  readonly action: Action;
  readonly facts: Facts;
  readonly matches: boolean;
}

function examplesOf({ examples }: WrittenRule): readonly Example[] {
  const read =
    (matches: boolean) =>
    (sketch: ExampleSketch): Example => {
      const action = exampleAction(sketch);
      return { action, facts: understanding.understand(action, exampleSignals(sketch)), matches };
    };
  return [...examples.positive.map(read(true)), ...examples.negative.map(read(false))];
}

/** Whether some example sees the difference. A mutant that is no rule any more is seen by whoever loads it. */
function isKilled(rule: Rule, mutant: Mutant, examples: readonly Example[]): boolean {
  const compiled = compileRules(
    { version: 1, packs: ['mutant'], rules: [{ ...rule, when: mutant.when as unknown as Condition }] },
    { level: 4 },
  );
  if (!compiled.ok) return true;
  return examples.some(({ action, facts, matches }) => matchRules(compiled.value, { action, facts }).findings.length > 0 !== matches);
}

describe('RULE-040 examples notice every condition that is left out', () => {
  for (const document of readPacks()) {
    for (const written of document.rules) {
      it(`${written.rule.id} ${written.rule.title}`, () => {
        const examples = examplesOf(written);
        const mutants = mutantsOf(written.rule.when as unknown as JsonValue);
        const survivors = mutants.filter((mutant) => !isKilled(written.rule, mutant, examples));
        expect(survivors.map((mutant) => mutant.dropped).join(' ')).toBe(UNREACHED.get(written.rule.id) ?? '');
      });
    }
  }

  it('makes a mutant of every branch, field, exception and required word', () => {
    const when = {
      any: [{ command: { name: ['a'], args: { all: ['b', 'c'], none: ['d'] }, unless: [{ name: ['e'] }] } }, { host: { host: ['f'] } }],
    };
    expect(mutantsOf(when).map((mutant) => mutant.dropped)).toEqual([
      '/any/0',
      '/any/0/command/name',
      '/any/0/command/args',
      '/any/0/command/args/all',
      '/any/0/command/args/all/0',
      '/any/0/command/args/all/1',
      '/any/0/command/args/none',
      '/any/0/command/unless',
      '/any/0/command/unless/0',
      '/any/1',
    ]);
  });
});
