/**
 * @module One engine with one policy and one set of rules, as the pipeline sees it: small actions here, large ones in the pool.
 */
import { sha256Hex } from '@countersign/crypto';
import type { Outside } from '@countersign/intel';
import type { Engine, EngineDocuments, JudgingEngine } from '@countersign/judge';
import { canonicalize, type Fault, getOwn, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { LoadedEngine, Understood } from '@countersign/pipeline';
import { type Action, type GuardQuestion, PROTOCOL_LIMITS, type Signal, signalOfAnswer, withGuardAnswers } from '@countersign/protocol';
import type { EngineFile } from './engine-file.ts';
import { createJudgePool } from './judge-pool.ts';

/** A loaded engine and the threads behind it. */
export interface ClosableEngine extends LoadedEngine {
  /** Whom the guards of its policy ask; undefined where none does. */
  readonly outside: Outside | undefined;
  close(): Promise<void>;
}

/** Rough size of an action from below and above: cheap, and never less than a quarter of the truth. */
function isLarge(value: JsonValue | undefined, budget: { left: number }): boolean {
  if (value === undefined || budget.left < 0) return budget.left < 0;
  if (typeof value === 'string') budget.left -= value.length + 2;
  else if (typeof value !== 'object' || value === null) budget.left -= 4;
  else if (Array.isArray(value)) return isLargeList(value as readonly JsonValue[], budget);
  else return isLargeObject(value as JsonObject, budget);
  return budget.left < 0;
}

/** What a property costs besides its name, and an item. So many are large without a look at each of them. */
const PART_BYTES = 4;

function isLargeList(items: readonly JsonValue[], budget: { left: number }): boolean {
  if (items.length * PART_BYTES > budget.left) return true;
  budget.left -= items.length * PART_BYTES;
  return items.some((item) => isLarge(item, budget));
}

function isLargeObject(object: JsonObject, budget: { left: number }): boolean {
  const keys = Object.keys(object);
  if (keys.length * PART_BYTES > budget.left) return true;
  budget.left -= keys.length * PART_BYTES;
  return keys.some((key) => {
    budget.left -= key.length;
    return isLarge(getOwn(object, key), budget);
  });
}

/** True when an action must not be judged on the main loop. */
export function isLargeAction(action: Action): boolean {
  return isLarge(action as unknown as JsonValue, { left: PROTOCOL_LIMITS.inlineActionBytesMax });
}

const ruleHashes = new WeakMap<object, string>();

/** Of rules, once for each value: they are large, and another policy comes with the same ones. */
function hashOfRules(rules: JsonValue): string {
  const known = typeof rules === 'object' && rules !== null ? ruleHashes.get(rules) : undefined;
  if (known !== undefined) return known;
  const hash = sha256Hex(canonicalize(rules));
  if (typeof rules === 'object' && rules !== null) ruleHashes.set(rules, hash);
  return hash;
}

/** Facts of one action in this thread, and what guards were told about it. */
function understoodHere(judging: JudgingEngine, outside: Outside | undefined, given: Given): Understood {
  const { action } = given;
  let facts = judging.understand(action, given.signals);
  const { questions } = judging;
  const ask = async (wanted: Outside, asks: NonNullable<JudgingEngine['questions']>): Promise<readonly Signal[]> => {
    const signals = await answered(wanted, asks(action, facts));
    facts = withGuardAnswers(facts, signals);
    return signals;
  };
  return {
    ...(outside === undefined || questions === undefined ? {} : { ask: () => ask(outside, questions) }),
    judge: (input) => judging.judge({ ...input, action, facts }),
    release: () => undefined,
  };
}

interface Given {
  readonly action: Action;
  readonly signals: readonly Signal[];
}

async function answered(outside: Outside, questions: readonly GuardQuestion[]): Promise<readonly Signal[]> {
  return questions.length === 0 ? [] : (await outside.answers(questions)).map(signalOfAnswer);
}

/** Documents, and whom the guards of the policy ask: nobody where it is absent. */
export interface LoadedWith extends EngineDocuments {
  /** Called once the engine has checked the policy, and only where a guard of it asks. */
  readonly outside?: () => Result<Outside | undefined, readonly Fault[]>;
}

/** Compiles the documents with the engine; faults say what is wrong with them. */
export function loadEngine(engine: Engine, file: EngineFile, given: LoadedWith): Result<ClosableEngine, readonly Fault[]> {
  const { policy, rules } = given;
  const documents: EngineDocuments = { policy, rules };
  const loaded = engine.load(documents);
  if (!loaded.ok) return loaded;
  const judging = loaded.value;
  const opened = judging.questions === undefined ? undefined : given.outside?.();
  if (opened?.ok === false) return opened;
  const outside = opened?.value;
  const ask =
    outside === undefined ? undefined : (questions: readonly GuardQuestion[]): Promise<readonly Signal[]> => answered(outside, questions);
  const pool = createJudgePool(() => ({ engine: file.bytes, documents: JSON.stringify(documents) }), { ask });
  return ok({
    inputs: { policy: sha256Hex(canonicalize(documents.policy)), rules: hashOfRules(documents.rules), engine: file.hash },
    policyName: judging.policyName,
    outside,
    understand(action: Action, signals: readonly Signal[]): Understood | Promise<Understood> {
      return isLargeAction(action) ? pool.understand(action, signals) : understoodHere(judging, outside, { action, signals });
    },
    async close(): Promise<void> {
      await pool.close();
      await outside?.close();
    },
  });
}
