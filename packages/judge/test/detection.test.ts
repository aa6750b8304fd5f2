/** The engine compiles the rules as the policy's section `detection` says. */
import type { JsonValue } from '@countersign/kernel';
import { parsePolicy, resolvePolicy } from '@countersign/policy';
import { exampleAction, mergeRuleDocuments, parseRules, ruleSetJson } from '@countersign/rules';
import { describe, expect, it } from 'vitest';
import { wasmBytes } from '../../facts/test/wasm-bytes.ts';
import { createEngine } from '../src/index.ts';
import { state } from './arbitraries.ts';
import * as fc from 'fast-check';

const RULES = `
version: 1
pack: p
description: d
rules:
  - {id: A, title: t, category: c, severity: high, score: 0.8, kinds: [any], when: {text: {any: [shibboleth]}}, examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}
  - {id: B, title: t, category: c, severity: high, score: 0.9, exemptable: false, level: 2, kinds: [any], when: {text: {any: [shibboleth]}}, examples: {positive: [{prompt: x}], negative: [{prompt: y}]}}
`;
const engine = await createEngine(wasmBytes());
const [slice] = fc.sample(state, { numRuns: 1, seed: 1 });

function rules(): JsonValue {
  const read = parseRules(RULES, 'p.yaml');
  const merged = read.ok ? mergeRuleDocuments([read.value]) : read;
  if (!merged.ok) throw new Error(JSON.stringify(merged.error));
  return ruleSetJson(merged.value);
}

function load(section: string): ReturnType<typeof engine.load> {
  const parsed = parsePolicy(section, 'test');
  const policy = parsed.ok ? resolvePolicy(parsed.value, { rulesets: new Map(), hostSets: new Map() }) : parsed;
  if (!policy.ok) throw new Error(JSON.stringify(policy.error));
  return engine.load({ policy: policy.value as unknown as JsonValue, rules: rules() });
}

/** The rules that found something, with their scores. */
function found(section: string): readonly string[] {
  const loaded = load(section);
  if (!loaded.ok || slice === undefined) throw new Error(JSON.stringify(loaded));
  const action = exampleAction({ prompt: 'say the shibboleth' });
  const facts = loaded.value.understand(action, []);
  const { findings } = loaded.value.judge({ now: '2026-01-01T00:00:00.000Z', action, facts, state: slice });
  return findings.map(({ rule, score }) => `${rule} ${String(score)}`);
}

describe('POL-093 the engine steers the rules by the policy', () => {
  it('level, list and scores hold in the verdict', () => {
    expect(found('name: x\n')).toEqual(['A 800']);
    expect(found('detection: {paranoia_level: 2}\n')).toEqual(['B 900', 'A 800']);
    expect(found('detection: {paranoia_level: 2, disable: [A], scores: {B: 0.95}}\n')).toEqual(['B 950']);
    expect(found('detection: {disable: [no.such.rule], scores: {A: 0.1}}\n')).toEqual(['A 100']);
  });
  it('does not load a policy that weakens what is not exemptable, whatever its level', () => {
    const refused = load('detection: {disable: [B], scores: {B: 0.5}}\n');
    expect(refused.ok ? [] : refused.error.map(({ code, path }) => [code, path])).toEqual([
      ['rule_not_exemptable', 'detection.disable'],
      ['rule_not_lowered', 'detection.scores.B'],
    ]);
  });
});
