/** @module The engine that the server would run, with the built-in rules and one ruleset, for programs that measure it alone. */
import type { EngineDocuments, JudgingEngine } from '@countersign/judge';
import { CodedError, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import { parsePolicy, resolvePolicy } from '@countersign/policy';
import { mergeRuleDocuments, type RuleDocument, ruleSetJson } from '@countersign/rules';
import { type ClosableEngine, loadEngine, openEngineFile, readBuiltinPacks, readEngineFile, readRulesets } from '@countersign/runtime';

function take<T>(result: Result<T, readonly Fault[]>, what: string): T {
  if (result.ok) return result.value;
  const first = result.error[0];
  throw new CodedError({ code: 'setup_failed', message: `${what}: ${first?.code ?? ''} ${first?.message ?? ''} ${first?.path ?? ''}` });
}

export interface MeasuredEngineOptions {
  readonly ruleset: string;
  /**
   * `as-ruled`: the ruleset as it is. `reported`: hosts outside its allowlist are reported, not refused; an allowlist refuses every host
   * its operator has not named, which says nothing of what is found in a request.
   */
  readonly unknownHosts?: 'as-ruled' | 'reported';
  /** Rules beside the built-in ones. */
  readonly customRules?: readonly RuleDocument[];
  /** An engine file other than the built one. */
  readonly engineFile?: string | undefined;
  /** Rules up to this level speak; 1 unless said otherwise. */
  readonly paranoiaLevel?: number;
}

/** Policy and rules as an engine takes them. */
async function readDocuments(options: MeasuredEngineOptions): Promise<EngineDocuments> {
  const { ruleset, unknownHosts = 'as-ruled', customRules = [], paranoiaLevel = 1 } = options;
  const packs = take(await readBuiltinPacks(), 'the built-in rules');
  const rules = ruleSetJson(take(mergeRuleDocuments([...packs, ...customRules]), 'the merged rules'));
  const rulesets = await readRulesets();
  const overlay = unknownHosts === 'reported' ? { guards: { egress_allowlist: { default_action: 'log' } } } : {};
  const source = JSON.stringify({
    version: '1.1.0',
    name: 'measured',
    extends: ruleset,
    detection: { paranoia_level: paranoiaLevel },
    ...overlay,
  });
  const document = take(parsePolicy(source, 'measured.yaml'), 'the ruleset');
  const policy = take(resolvePolicy(document, { rulesets, hostSets: new Map() }), 'the ruleset') as unknown as JsonValue;
  return { policy, rules };
}

/** The engine with the built-in rules and a built-in ruleset. Host sets of the operator are left out, so that two machines measure the same. */
export async function openMeasuredEngine(options: MeasuredEngineOptions): Promise<JudgingEngine> {
  const documents = await readDocuments(options);
  const engine = await openEngineFile(await readEngineFile(options.engineFile));
  return take(engine.load(documents), 'the engine');
}

/** The same with the threads that a gateway judges large actions in. */
export async function openPooledEngine(options: MeasuredEngineOptions): Promise<ClosableEngine> {
  const documents = await readDocuments(options);
  const file = await readEngineFile(options.engineFile);
  return take(loadEngine(await openEngineFile(file), file, documents), 'the engine');
}
