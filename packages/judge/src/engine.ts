/**
 * @module The engine: understanding and judging with one policy and one set of rules. This is what gets built into the single hashed
 * file that receipts name; nothing in it reads a clock, a random number, a disk or a network.
 */
import { createParsers, createUnderstanding } from '@countersign/facts';
import { canonicalize, codeOf, err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import {
  type CompiledPolicy,
  compilePolicy,
  createCedar,
  type Detection,
  guardQuestions,
  type ResolvedPolicy,
  type TransferSigner,
} from '@countersign/policy';
import {
  type Action,
  type Facts,
  type GuardQuestion,
  type Judgement,
  type Signal,
  type StateSlice,
  withGuardAnswers,
} from '@countersign/protocol';
import { type CompiledRules, compileRules, type RuleSet } from '@countersign/rules';
import { exemptionFaults } from './exemption-faults.ts';
import { judge } from './judge.ts';
import { readOpinions } from './opinions.ts';

/** Bytes of the parsers. */
export interface EngineWasm {
  readonly treeSitter: Uint8Array;
  readonly bash: Uint8Array;
  readonly pgQuery: Uint8Array;
  /** Asked when the first policy with a section `cedar` is loaded; where it is absent, no such policy loads. */
  readonly cedar?: () => Uint8Array;
  /** Who signed a transfer; where it is absent, no signature is believed. */
  readonly signer?: TransferSigner;
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
  judge(input: { readonly now: string; readonly action: Action; readonly facts: Facts; readonly state: StateSlice }): Judgement;
  /**
   * What guards want to know from outside before this action is judged. Absent where the policy has no guard that asks, and in engines from
   * before there were any.
   */
  readonly questions?: (action: Action, facts: Facts) => readonly GuardQuestion[];
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
    ...(policy.outside.length === 0 ? {} : { questions: (action, facts) => guardQuestions(policy, { action, facts, state: {} }) }),
  };
}

/** Facts with what was said outside; facts of an action that nobody outside was asked about stay as they are. */
function withOpinions(facts: Facts, signals: readonly Signal[]): Facts {
  const { opinions, fault } = readOpinions(signals);
  if (fault !== undefined) return { ...facts, opinions, opinionFault: fault };
  return opinions.length === 0 ? facts : { ...facts, opinions };
}

/** Runs a compiler on a document that may have come out of a stranger's bundle: whatever it trips over is a fault, not an exception. */
function compiled<T>(name: string, compile: () => Result<T, readonly Fault[]>): Result<T, readonly Fault[]> {
  try {
    return compile();
  } catch (error) {
    return err([
      { code: `${name}_malformed`, message: `the ${name} document does not have the form of one (${codeOf(error)})`, path: `/${name}` },
    ]);
  }
}

interface KeptRules {
  /** The canonical form of how they were steered. */
  readonly steering: string;
  readonly rules: CompiledRules;
}

/**
 * Compiles rules, or gives what was compiled last from the very same value and steering: another policy mostly comes with the rules of the one
 * before it, and they take a hundred times as long.
 */
function createRulesCompiler(): (rules: JsonValue, detection: Detection) => Result<CompiledRules, readonly Fault[]> {
  const kept = new WeakMap<object, KeptRules>();
  return (value, { paranoia_level: level, disable, scores }) => {
    const steering = canonicalize({ level, disable, scores });
    const known = typeof value === 'object' && value !== null ? kept.get(value) : undefined;
    if (known?.steering === steering) return ok(known.rules);
    const rules = compiled('rules', () => compileRules(value as unknown as RuleSet, { level, disable, scores }));
    if (rules.ok && typeof value === 'object' && value !== null) kept.set(value, { steering, rules: rules.value });
    return rules;
  };
}

/** Instantiates the parsers once; everything after that is synchronous. */
export async function createEngine(wasm: EngineWasm): Promise<Engine> {
  const understanding = createUnderstanding(await createParsers(wasm));
  const { cedar, signer } = wasm;
  const tools = { ...(cedar === undefined ? {} : { cedar: createCedar(cedar) }), ...(signer === undefined ? {} : { signer }) };
  const rulesOf = createRulesCompiler();
  return {
    load(documents: EngineDocuments): Result<JudgingEngine, readonly Fault[]> {
      const policy = compiled('policy', () => compilePolicy(documents.policy as unknown as ResolvedPolicy, tools));
      if (!policy.ok) return policy;
      const rules = rulesOf(documents.rules, policy.value.detection);
      if (!rules.ok) return rules;
      const exemptions = policy.value.clampd?.exemptions ?? [];
      const fixed = exemptionFaults(documents.rules as unknown as RuleSet, exemptions);
      if (fixed.length > 0) return err(fixed);
      const understand: JudgingEngine['understand'] = (action, signals) =>
        withGuardAnswers(withOpinions(understanding.understand(action, signals), signals), signals);
      return ok(judging(understand, policy.value, rules.value));
    },
  };
}
