/** @module Examples of rules, run through the engine as real actions: a positive one must be found by its rule, a negative one must not. */
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '@countersign/judge';
import { err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { LoadedEngine } from '@countersign/pipeline';
import type { StateSlice } from '@countersign/protocol';
import {
  exampleAction,
  exampleSignals,
  type ExampleSketch,
  type RuleDocument,
  type RuleSet,
  ruleSetJson,
  type WrittenRule,
} from '@countersign/rules';
import type { EngineFile } from './engine-file.ts';
import { loadEngine } from './load-engine.ts';

export interface ExampleFailure {
  readonly rule: string;
  readonly sketch: ExampleSketch;
  /** `finding`: the rule should have found something. `silence`: it should not. */
  readonly wanted: 'finding' | 'silence';
  /** Where the example stands in its document: a JSON pointer. */
  readonly path: string;
  /** Rules that found something. */
  readonly found: readonly string[];
}

export interface ExampleReport {
  readonly passed: number;
  readonly failures: readonly ExampleFailure[];
}

export interface ExampleTest {
  readonly engine: Engine;
  readonly file: EngineFile;
  /** A resolved policy that leaves the rules as they are. */
  readonly policy: JsonValue;
  /** Their examples are run. */
  readonly documents: readonly RuleDocument[];
  /** Under these rules. */
  readonly rules: RuleSet;
}

/** Everything that depends on who asks is granted: an example is about the action, not about an agent. */
const STATE: StateSlice = { agentState: 'active', scopes: ['*'], orgMode: 'learning', tool: 'registered' };
const NOW = '2026-01-01T00:00:00.000Z';

/** Examples that run before others of this process get a turn. */
const TURN = 8;

interface Placed {
  readonly rule: string;
  readonly sketch: ExampleSketch;
  readonly wanted: ExampleFailure['wanted'];
  readonly path: string;
}

function placed({ rule, examples }: WrittenRule, index: number): readonly Placed[] {
  const of = (list: 'positive' | 'negative', wanted: Placed['wanted']): readonly Placed[] =>
    examples[list].map((sketch, i) => ({ rule: rule.id, sketch, wanted, path: `/rules/${index}/examples/${list}/${i}` }));
  return [...of('positive', 'finding'), ...of('negative', 'silence')];
}

async function findingsOf(engine: LoadedEngine, sketch: ExampleSketch): Promise<readonly string[]> {
  const understood = await engine.understand(exampleAction(sketch), exampleSignals(sketch));
  try {
    const { findings } = await understood.judge({ now: NOW, state: STATE });
    return findings.map(({ rule }) => rule);
  } finally {
    understood.release();
  }
}

/** Runs every example of every document. */
export async function testRuleExamples(test: ExampleTest): Promise<Result<ExampleReport, readonly Fault[]>> {
  // An example says what its rule finds; from which level on the rule speaks is another matter.
  const rules: RuleSet = { ...test.rules, rules: test.rules.rules.map((rule) => ({ ...rule, level: 1 })) };
  const engine = loadEngine(test.engine, test.file, { policy: test.policy, rules: ruleSetJson(rules) });
  if (!engine.ok) return err(engine.error);
  const failures: ExampleFailure[] = [];
  let passed = 0;
  try {
    for (const [i, { rule, sketch, wanted, path }] of test.documents.flatMap((document) => document.rules.flatMap(placed)).entries()) {
      if (i % TURN === TURN - 1) await setImmediate();
      const found = await findingsOf(engine.value, sketch);
      if (found.includes(rule) === (wanted === 'finding')) passed += 1;
      else failures.push({ rule, sketch, wanted, path, found });
    }
  } finally {
    await engine.value.close();
  }
  return ok({ passed, failures });
}
