/** The built-in rule set is the same whether the build resolved it or the packs are read at start. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, isJsonObject, type JsonValue } from '@countersign/kernel';
import { parseRules } from '@countersign/rules';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtRulesPath, builtRulesText, hashRuleSources, readBuiltRules, readRules, resolveRules } from '../src/built-rules.ts';
import { RUNTIME_LIMITS } from '../src/limits.ts';

let folder = '';
let sources = '';
let resolved: JsonValue = null;
const OWN = `version: 1
pack: own
description: Of this test.
rules:
  - id: OWN1
    title: Says the word
    category: own
    severity: low
    score: 0.1
    when: {text: {any: [xyzzyplugh]}}
    tags: {}
    exemptable: true
    examples:
      positive: [{prompt: xyzzyplugh}]
      negative: [{prompt: hello}]
`;
const MARKED = { packs: ['marked'], rules: [], version: 1 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-rules-'));
  [sources, resolved] = await Promise.all([hashRuleSources(), resolveRules([])]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const hashOf = (rules: JsonValue): string => sha256Hex(canonicalize(rules));

async function written(text: string | Uint8Array): Promise<URL> {
  const path = join(folder, `${sha256Hex(text).slice(0, 16)}.json`);
  await writeFile(path, text);
  return pathToFileURL(path);
}

describe('the built rule set', () => {
  it('has the hash of the packs', async () => {
    const path = await written(builtRulesText(resolved, sources));
    const built = await readBuiltRules(path, sources);
    expect(built === undefined ? '' : hashOf(built)).toBe(hashOf(resolved));
    expect(hashOf(await readRules([], path))).toBe(hashOf(resolved));
  });

  it('is what a start uses', async () => {
    expect(await readRules([], await written(builtRulesText(MARKED, sources)))).toEqual(MARKED);
  });

  it('that the build left here, if it left one of these sources, is that of the packs', async () => {
    const built = await readBuiltRules(builtRulesPath(), sources);
    expect(hashOf(built ?? resolved)).toBe(hashOf(resolved));
  });

  it("is not used beside rules of one's own", async () => {
    const own = parseRules(OWN, 'own.yaml');
    expect(own.ok ? [] : own.error).toEqual([]);
    const rules = await readRules(own.ok ? [own.value] : [], await written(builtRulesText(MARKED, sources)));
    expect(isJsonObject(rules) ? rules['packs'] : []).toEqual(expect.arrayContaining(['own', 'shell']));
  });
});

describe('the packs are read where the built file', () => {
  const whole = (): string => builtRulesText(MARKED, sources);
  it.each<[string, () => string | Uint8Array]>([
    ['is of other sources', () => builtRulesText(MARKED, 'f'.repeat(64))],
    ['is cut', () => whole().slice(0, -1)],
    ['is empty', () => ''],
    ['is no object', () => '[]'],
    ['has no rules', () => canonicalize({ hash: hashOf(MARKED), sources })],
    ['was changed', () => whole().replace('"marked"', '"marred"')],
    ['says a name twice', () => whole().replace('{"hash"', '{"sources":"","hash"')],
    ['is not UTF-8', () => new Uint8Array([0xff, 0xfe])],
  ])('%s', async (_name, text) => {
    expect(hashOf(await readRules([], await written(text())))).toBe(hashOf(resolved));
  });

  it('is not there', async () => {
    expect(hashOf(await readRules([], pathToFileURL(join(folder, 'none.json'))))).toBe(hashOf(resolved));
  });

  it('is larger than the limit, and not at the limit', async () => {
    const text = whole();
    const spaces = (bytes: number): string => text + ' '.repeat(bytes - text.length);
    const { builtRulesBytesMax: max } = RUNTIME_LIMITS;
    expect(await readBuiltRules(await written(spaces(max)), sources)).toEqual(MARKED);
    expect(await readBuiltRules(await written(spaces(max + 1)), sources)).toBeUndefined();
  });

  it('has more values than the limit, and not at the limit', async () => {
    // The file, its two hashes, the object of the rules and the list: five values and four names beside the items.
    const rules = (nodes: number): JsonValue => ({ list: Array.from({ length: nodes - 9 }, () => 1) });
    const { builtRulesNodesMax: max } = RUNTIME_LIMITS;
    expect(await readBuiltRules(await written(builtRulesText(rules(max), sources)), sources)).toBeDefined();
    expect(await readBuiltRules(await written(builtRulesText(rules(max + 1), sources)), sources)).toBeUndefined();
  });
});
