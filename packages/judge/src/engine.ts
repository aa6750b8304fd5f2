/**
 * @module The engine: understanding and judging with one policy and one set of rules. This is what gets built into the single hashed
 * file that receipts name; nothing in it reads a clock, a random number, a disk or a network.
 */
import { createParsers, createUnderstanding } from '@countersign/facts';
import { err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import { type CompiledPolicy, compilePolicy, type ResolvedPolicy } from '@countersign/policy';
import type { Action, Facts, Signal, StateSlice } from '@countersign/protocol';
import { type CompiledRules, compileRules, type RuleSet } from '@countersign/rules';
import { judge, type JudgeOutput } from './judge.ts';

/** Bytes of the parsers. */
export interface EngineWasm {
  readonly treeSitter: Uint8Array;
  readonly bash: Uint8Array;
  readonly pgQuery: Uint8Array;
}

/** Resolved documents, as plain JSON. Their JCS hashes stand in every receipt. */
export interface EngineDocuments {
  readonly policy: JsonValue;
  readonly rules: JsonValue;
}

/** One engine with one policy and one set of rules. Immutable. */
export interface JudgingEngine {
  readonly policyName: string;
  understand(action: Action, signals: readonly Signal[]): Facts;
  judge(input: { readonly now: string; readonly action: Action; readonly facts: Facts; readonly state: StateSlice }): JudgeOutput;
}

export interface Engine {
  /** Compiles the documents; faults name what is wrong and where. */
  load(documents: EngineDocuments): Result<JudgingEngine, readonly Fault[]>;
}

function judging(understand: JudgingEngine['understand'], policy: CompiledPolicy, rules: CompiledRules): JudgingEngine {
  return {
    policyName: policy.name,
    understand,
    judge: (input) => judge({ ...input, policy, rules }),
  };
}

/** Instantiates the parsers once; everything after that is synchronous. */
export async function createEngine(wasm: EngineWasm): Promise<Engine> {
  const understanding = createUnderstanding(await createParsers(wasm));
  return {
    load(documents: EngineDocuments): Result<JudgingEngine, readonly Fault[]> {
      const policy = compilePolicy(documents.policy as unknown as ResolvedPolicy);
      const rules = compileRules(documents.rules as unknown as RuleSet);
      if (!policy.ok) return policy;
      if (!rules.ok) return rules;
      return ok(judging((action, signals) => understanding.understand(action, signals), policy.value, rules.value));
    },
  };
}

/** Every fault of both documents at once. */
export function documentFaults(documents: EngineDocuments): Result<true, readonly Fault[]> {
  const policy = compilePolicy(documents.policy as unknown as ResolvedPolicy);
  const rules = compileRules(documents.rules as unknown as RuleSet);
  const faults = [...(policy.ok ? [] : policy.error), ...(rules.ok ? [] : rules.error)];
  return faults.length === 0 ? ok(true) : err(faults);
}
