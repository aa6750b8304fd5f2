import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Action, Facts } from '@countersign/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { createParsers, createUnderstanding, type Understanding } from '../../facts/src/index.ts';
import { compileRules, exampleAction, exampleSignals, matchRules, mergeRuleDocuments, type RuleDocument } from '../src/index.ts';
import { readPacks } from './packs-on-disk.ts';

/** Packs of which every condition has an example that needs it. */
const PACKS: ReadonlySet<string> = new Set(['sql', 'web']);
/** What no example reaches: a text longer than the limit would be longer than the pack. */
const KNOWN = ['R163 text.max_length', 'R167 text.max_length', 'R168 text.max_length'];

const require = createRequire(new URL('../../facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));
let understanding: Understanding;

beforeAll(async () => {
  const parsers = await createParsers({
    treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
    bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
    pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
  });
  understanding = createUnderstanding(parsers);
});

interface Case {
  readonly action: Action;
  readonly facts: Facts;
  readonly wanted: boolean;
}

type Entry = RuleDocument['rules'][number];

function casesOf({ examples }: Entry): readonly Case[] {
  return [true, false].flatMap((wanted) =>
    (wanted ? examples.positive : examples.negative).map((sketch) => {
      const action = exampleAction(sketch);
      return { action, facts: understanding.understand(action, exampleSignals(sketch)), wanted };
    }),
  );
}

/** Every copy of a condition in which one field, or one item of a list of several, is missing; with the place of what is. */
function mutantsOf(value: JsonValue, place: string): { readonly place: string; readonly value: JsonValue }[] {
  if (Array.isArray(value)) {
    const items: readonly JsonValue[] = value;
    return items.flatMap((item, at) => [
      ...(items.length > 1 ? [{ place: `${place}.${at}`, value: items.filter((_, i) => i !== at) }] : []),
      ...mutantsOf(item, `${place}.${at}`).map((mutant) => ({ ...mutant, value: items.map((old, i) => (i === at ? mutant.value : old)) })),
    ]);
  }
  if (!isJsonObject(value)) return [];
  const fields = Object.entries(value);
  return fields.flatMap(([key, item]) => [
    ...(fields.length > 1 ? [{ place: `${place}.${key}`, value: Object.fromEntries(fields.filter(([name]) => name !== key)) }] : []),
    ...mutantsOf(item, `${place}.${key}`).map((mutant) => ({ ...mutant, value: { ...value, [key]: mutant.value } })),
  ]);
}

/** Whether the rule with this condition does on every example what it should; undefined for a condition that is refused. */
function passes(
  document: RuleDocument,
  entry: Entry,
  input: { readonly when: JsonValue; readonly cases: readonly Case[] },
): boolean | undefined {
  // A mutant of a condition has the shape of one or is refused by the compiler.
  const rule = { ...entry.rule, when: input.when as unknown as Entry['rule']['when'] };
  const merged = mergeRuleDocuments([{ ...document, rules: [{ ...entry, rule }] }]);
  const compiled = merged.ok ? compileRules(merged.value, { level: 4 }) : undefined;
  if (compiled?.ok !== true) return undefined;
  return input.cases.every(({ action, facts, wanted }) => matchRules(compiled.value, { action, facts }).findings.length > 0 === wanted);
}

/** Places of a rule's condition that no example needs, and how many were tried. */
function survivorsOf(document: RuleDocument, entry: Entry): { readonly alive: readonly string[]; readonly count: number } {
  const cases = casesOf(entry);
  // A condition is plain JSON.
  const tried = mutantsOf(entry.rule.when as unknown as JsonValue, entry.rule.id)
    .map(({ place, value }) => ({ place, passed: passes(document, entry, { when: value, cases }) }))
    .filter(({ passed }) => passed !== undefined);
  return { alive: tried.filter(({ passed }) => passed === true).map(({ place }) => place.replace('.', ' ')), count: tried.length };
}

describe('RULE-040 every condition of a rule has an example that needs it', () => {
  it('in the packs that are done', () => {
    const documents = readPacks().filter(({ pack }) => PACKS.has(pack));
    const found = documents.flatMap((document) => document.rules.map((entry) => survivorsOf(document, entry)));
    expect(found.flatMap(({ alive }) => alive)).toEqual(KNOWN);
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(300);
  });
});
