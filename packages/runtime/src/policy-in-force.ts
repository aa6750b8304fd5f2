/**
 * @module The policy in force: loaded once, replaced whole, never half. A document that does not compile changes nothing; with none at
 * all, every action is denied, and says why.
 */
import { canonicalize, err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { Engine } from '@countersign/judge';
import type { AdminStore, EngineProvider, LoadedEngine, PolicyDraft, PolicyView } from '@countersign/pipeline';
import { parsePolicy, type PolicyDocument, policyHash, resolvePolicy } from '@countersign/policy';
import { readRuleset } from './builtin.ts';
import type { EngineFile } from './engine-file.ts';
import type { HostSets } from './host-sets.ts';
import { type ClosableEngine, loadEngine } from './load-engine.ts';

export interface PolicyInForceOptions {
  readonly engine: Engine;
  readonly file: EngineFile;
  /** Resolved rules, as plain JSON. */
  readonly rules: JsonValue;
  readonly rulesets: ReadonlyMap<string, PolicyDocument>;
  readonly store: Pick<AdminStore, 'setPolicy' | 'activePolicy'>;
  /** Asked at each compilation, so that a set that an operator changes holds for the next document. */
  readonly hostSets: () => HostSets;
}

export interface PolicyInForce extends EngineProvider {
  /** Checks, resolves and compiles a document as written; changes nothing. `name` stands where the document names itself not. */
  compile(source: string, name?: string): Result<PolicyDraft, Fault>;
  /** Compiles a document and puts it in force. On any fault the policy in force stays as it is. */
  set(source: string, name?: string): Promise<Result<PolicyView, Fault>>;
  /** Takes up what the store says is active. On a fault the policy in force stays, and `problem` says so until the next that loads. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const NAME = 'policy';

/** Several faults as one: the first, and how many more there are. */
function asOne(faults: readonly Fault[]): Fault {
  const [first, ...more] = faults;
  if (first === undefined) return { code: 'policy_invalid', message: 'the policy is refused' };
  return more.length === 0 ? first : { ...first, message: `${first.message} (and ${more.length} more faults)` };
}

function describe(fault: Fault): string {
  return `the policy is refused: ${fault.message}${fault.path === undefined ? '' : ` (${fault.path})`}`;
}

function load({ engine, file, rules }: PolicyInForceOptions, resolved: string): Result<ClosableEngine, Fault> {
  const loaded = loadEngine(engine, file, { policy: JSON.parse(resolved) as JsonValue, rules });
  return loaded.ok ? loaded : err(asOne(loaded.error));
}

/** Loads what the store says is active. */
function loadActive(options: PolicyInForceOptions): Result<ClosableEngine, Fault> {
  const active = options.store.activePolicy();
  if (active === undefined) return err({ code: 'policy_unavailable', message: 'no policy is loaded: every action is denied' });
  return load(options, active.resolved);
}

/** A draft, and the engine that was loaded with exactly its resolved text to see that it can be. */
interface Compiled {
  readonly draft: PolicyDraft;
  readonly loaded: ClosableEngine;
}

function compile(options: PolicyInForceOptions, source: string, name: string): Result<Compiled, Fault> {
  const parsed = parsePolicy(source, `${name}.yaml`);
  if (!parsed.ok) return err(asOne(parsed.error));
  const resolved = resolvePolicy(parsed.value, { rulesets: options.rulesets, hostSets: new Map(Object.entries(options.hostSets())) });
  if (!resolved.ok) return err(asOne(resolved.error));
  const text = canonicalize(resolved.value as unknown as JsonValue);
  const loaded = load(options, text);
  if (!loaded.ok) return loaded;
  const draft = {
    name: resolved.value.name === '' ? name : resolved.value.name,
    source,
    resolved: text,
    hash: policyHash(resolved.value),
  };
  return ok({ draft, loaded: loaded.value });
}

/** Opens the policy in force over what the store keeps. */
export function openPolicyInForce(options: PolicyInForceOptions): PolicyInForce {
  let current: ClosableEngine | undefined;
  let problem: string | undefined;

  /** Puts what was loaded in force, and gives back what was before: for the caller to close. */
  function takeUp(loaded: Result<ClosableEngine, Fault>): ClosableEngine | undefined {
    const before = current;
    problem = loaded.ok ? undefined : describe(loaded.error);
    if (!loaded.ok) return undefined;
    current = loaded.value;
    return before;
  }

  takeUp(loadActive(options));
  return {
    engineFor: (): LoadedEngine | undefined => current,
    get problem(): string | undefined {
      return problem;
    },
    compile(source: string, name: string = NAME): Result<PolicyDraft, Fault> {
      const compiled = compile(options, source, name);
      return compiled.ok ? ok(compiled.value.draft) : compiled;
    },
    async set(source: string, name: string = NAME): Promise<Result<PolicyView, Fault>> {
      const compiled = compile(options, source, name);
      if (!compiled.ok) return compiled;
      const { draft, loaded } = compiled.value;
      const kept = options.store.setPolicy(draft);
      if (kept.ok) await takeUp(ok(loaded))?.close();
      return kept;
    },
    async reload(): Promise<void> {
      await takeUp(loadActive(options))?.close();
    },
    async close(): Promise<void> {
      await current?.close();
    },
  };
}

/** Puts a built-in ruleset in force where nothing is. */
export async function startWithRuleset(policy: PolicyInForce, ruleset: string): Promise<Result<PolicyView, Fault>> {
  const source = await readRuleset(ruleset);
  return source.ok ? policy.set(source.value, ruleset) : err(asOne(source.error));
}
