/** @module Examples of rules, run through the built engine. */
import type { RuleDocument, RuleSet } from '@countersign/rules';
import type { JsonValue } from '@countersign/kernel';
import { type ExampleReport, openEngineFile, readEngineFile, testRuleExamples } from '@countersign/runtime';
import type { Context } from './command.ts';
import { configError } from './outcome.ts';
import { resolveRuleset } from './policies.ts';

/** Runs every example of every document. @throws {CliError} exit 3 where the rules do not load. */
export async function testExamples(
  { documents, rules }: { readonly documents: readonly RuleDocument[]; readonly rules: RuleSet },
  context: Context,
): Promise<ExampleReport> {
  const { resolved } = await resolveRuleset('permissive', context);
  const file = await readEngineFile();
  const engine = await openEngineFile(file);
  const tested = await testRuleExamples({ engine, file, policy: resolved as unknown as JsonValue, documents, rules });
  if (!tested.ok) throw configError(tested.error);
  return tested.value;
}
