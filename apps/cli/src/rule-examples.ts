/** @module Examples of rules, run through the engine as real actions: a positive one must be found by its rule, a negative one must not. */
import { exampleAction, exampleSignals, type ExampleSketch, type RuleDocument, type RuleSet } from '@countersign/rules';
import type { Context } from './command.ts';
import { judgedAction, type Judging, openJudging } from './judging.ts';
import { configError } from './outcome.ts';
import { resolveRuleset } from './policies.ts';

export interface ExampleFailure {
  readonly rule: string;
  readonly sketch: ExampleSketch;
  /** `finding`: the rule should have found something. `silence`: it should not. */
  readonly wanted: 'finding' | 'silence';
  /** Rules that found something. */
  readonly found: readonly string[];
}

export interface ExampleReport {
  readonly passed: number;
  readonly failures: readonly ExampleFailure[];
}

function findingsOf(judging: Judging, sketch: ExampleSketch, context: Context): readonly string[] {
  const output = judgedAction(judging, { action: exampleAction(sketch), signals: exampleSignals(sketch) }, context).judgement;
  return output.findings.map(({ rule }) => rule);
}

type Wanted = ExampleFailure['wanted'];

function marked(
  sketches: readonly ExampleSketch[],
  wanted: Wanted,
): readonly { readonly sketch: ExampleSketch; readonly wanted: Wanted }[] {
  return sketches.map((sketch) => ({ sketch, wanted }));
}

/** Runs every example of every document. @throws {CliError} exit 3 where a rule has no example of either kind. */
export async function testExamples(
  given: { readonly documents: readonly RuleDocument[]; readonly rules: RuleSet },
  context: Context,
): Promise<ExampleReport> {
  // An example says what its rule finds; from which level on the rule speaks is another matter.
  const rules: RuleSet = { ...given.rules, rules: given.rules.rules.map((rule) => ({ ...rule, level: 1 })) };
  const judging = await openJudging(await resolveRuleset('permissive', context), rules);
  const failures: ExampleFailure[] = [];
  let passed = 0;
  for (const { rule, examples } of given.documents.flatMap((document) => document.rules)) {
    if (examples.positive.length === 0 || examples.negative.length === 0) {
      throw configError([{ code: 'rule_without_examples', message: `rule \`${rule.id}\` needs a positive and a negative example` }]);
    }
    for (const { sketch, wanted } of [...marked(examples.positive, 'finding'), ...marked(examples.negative, 'silence')]) {
      const found = findingsOf(judging, sketch, context);
      if (found.includes(rule.id) === (wanted === 'finding')) passed += 1;
      else failures.push({ rule: rule.id, sketch, wanted, found });
    }
  }
  return { passed, failures };
}
