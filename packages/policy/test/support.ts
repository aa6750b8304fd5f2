import { readFileSync } from 'node:fs';
import { createParsers, createUnderstanding } from '@countersign/facts';
import { sha256Hex } from '@countersign/crypto';
import { err, type JsonValue, ok } from '@countersign/kernel';
import type { Action, Facts, GuardResult, Signal } from '@countersign/protocol';
import {
  BUILTIN_RULESETS,
  type CompiledPolicy,
  compilePolicy,
  evaluateGuardsCounted,
  formatFaults,
  parsePolicy,
  type PatternWorld,
  type PolicyDocument,
  type ResolvedPolicy,
  resolvePolicy,
} from '@countersign/policy';
import { wasmBytes } from '../../facts/test/wasm-bytes.ts';

const root = new URL('../../../', import.meta.url);

export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

export function readVectors(path: string): unknown {
  return JSON.parse(readText(`vectors/policy/${path}`));
}

export function documentOf(yaml: string, source = 'test'): PolicyDocument {
  const document = parsePolicy(yaml, source);
  if (!document.ok) throw new Error(formatFaults(document.error));
  return document.value;
}

export const rulesets: ReadonlyMap<string, PolicyDocument> = new Map(
  BUILTIN_RULESETS.map((name) => [name, documentOf(readText(`packages/policy/rulesets/${name}.yaml`), name)]),
);

/** A pattern database in three dimensions, for whoever names one by `${SPIDER_SENSE_PATTERN_DB}`. */
export const TINY_PATTERNS = JSON.stringify([
  { id: 'a', category: 'evasion', stage: 'action', label: 'one', embedding: [1, 0, 0] },
  { id: 'b', category: 'jailbreak', stage: 'perception', label: 'two', embedding: [0, 1, 0] },
]);
const NAMED: Readonly<Record<string, string>> = {
  SPIDER_SENSE_PATTERN_DB: 'tiny.json',
  SPIDER_SENSE_PATTERN_DB_VERSION: 'tiny-1',
  SPIDER_SENSE_PATTERN_DB_CHECKSUM: sha256Hex(TINY_PATTERNS),
};
/** What the ruleset `spider-sense` needs of an operator. */
export const tinyWorld: PatternWorld = {
  files: (path) =>
    path === 'tiny.json' ? ok({ place: path, bytes: new TextEncoder().encode(TINY_PATTERNS) }) : err('there is no such file'),
  named: (name) => NAMED[name],
};

export function resolved(yaml: string, hostSets: ReadonlyMap<string, readonly string[]> = new Map()): ResolvedPolicy {
  const document = rulesets.get(yaml) ?? documentOf(yaml);
  const policy = resolvePolicy(document, { rulesets, hostSets, ...tinyWorld });
  if (!policy.ok) throw new Error(formatFaults(policy.error));
  return policy.value;
}

const compiledPolicies = new Map<string, CompiledPolicy>();

/** A ruleset by name, or a policy text. */
export function compiled(yaml: string): CompiledPolicy {
  const known = compiledPolicies.get(yaml);
  if (known !== undefined) return known;
  const policy = compilePolicy(resolved(yaml));
  if (!policy.ok) throw new Error(formatFaults(policy.error));
  compiledPolicies.set(yaml, policy.value);
  return policy.value;
}

export function actionOf(fields: Partial<Action> & { readonly kind: string }): Action {
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    source: { framework: 'test', door: 'test' },
    org: 'org',
    agent: 'agent',
    session: 'session',
    delegation: [],
    ...fields,
  };
}

export const understanding = createUnderstanding(await createParsers(wasmBytes()));

export const noFacts: Facts = {
  texts: [],
  commands: [],
  statements: [],
  paths: [],
  hosts: [],
  effects: [],
  secrets: [],
  pii: [],
  cuts: [],
  codes: [],
  encodings: [],
  steps: 0,
};

export function judged(policy: string, action: Action, signals: readonly Signal[] = []): readonly GuardResult[] {
  return evaluateGuardsCounted(compiled(policy), { action, facts: understanding.understand(action, signals), state: {} }).results;
}

function part(text: string): string {
  const repeat = /^(.*)\*(\d+)$/s.exec(text);
  return repeat === null ? text : (repeat[1] ?? '').repeat(Number(repeat[2]));
}

/** Joins `$text` parts: secrets never stand whole in a file. */
export function unfold(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(unfold);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === '$text') return (first[1] as readonly string[]).map(part).join('');
  return Object.fromEntries(entries.map(([key, item]) => [key, unfold(item)]));
}
