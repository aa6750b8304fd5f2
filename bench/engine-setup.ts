/** @module The engine that the server would run, with the built-in rules and one ruleset, for programs that measure it alone. */
import type { JudgingEngine } from '@countersign/judge';
import { CodedError, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import { resolvePolicy } from '@countersign/policy';
import { mergeRuleDocuments, type RuleDocument, ruleSetJson } from '@countersign/rules';
import { openEngineFile, readBuiltinPacks, readEngineFile, readRulesets } from '@countersign/runtime';

function take<T>(result: Result<T, readonly Fault[]>, what: string): T {
  if (result.ok) return result.value;
  const first = result.error[0];
  throw new CodedError({ code: 'setup_failed', message: `${what}: ${first?.code ?? ''} ${first?.message ?? ''} ${first?.path ?? ''}` });
}

export interface MeasuredEngineOptions {
  readonly ruleset: string;
  /** Rules beside the built-in ones. */
  readonly customRules?: readonly RuleDocument[];
  /** An engine file other than the built one. */
  readonly engineFile?: string | undefined;
}

/** The engine with the built-in rules and a built-in ruleset. Host sets of the operator are left out, so that two machines measure the same. */
export async function openMeasuredEngine({ ruleset, customRules = [], engineFile }: MeasuredEngineOptions): Promise<JudgingEngine> {
  const packs = take(await readBuiltinPacks(), 'the built-in rules');
  const rules = ruleSetJson(take(mergeRuleDocuments([...packs, ...customRules]), 'the merged rules'));
  const rulesets = await readRulesets();
  const document = rulesets.get(ruleset);
  if (document === undefined) throw new CodedError({ code: 'setup_failed', message: `there is no built-in ruleset \`${ruleset}\`` });
  const policy = take(resolvePolicy(document, { rulesets, hostSets: new Map() }), 'the ruleset') as unknown as JsonValue;
  const engine = await openEngineFile(await readEngineFile(engineFile));
  return take(engine.load({ policy, rules }), 'the engine');
}
