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

/** Loads what the store says is active. */
function loadActive({ store, engine, file, rules }: PolicyInForceOptions): Result<ClosableEngine, Fault> {
  const active = store.activePolicy();
  if (active === undefined) return err({ code: 'policy_unavailable', message: 'no policy is loaded: every action is denied' });
  const loaded = loadEngine(engine, file, { policy: JSON.parse(active.resolved) as JsonValue, rules });
  return loaded.ok ? loaded : err(asOne(loaded.error));
}

function compile(options: PolicyInForceOptions, source: string, name: string): Result<PolicyDraft, Fault> {
  const parsed = parsePolicy(source, `${name}.yaml`);
  if (!parsed.ok) return err(asOne(parsed.error));
  const resolved = resolvePolicy(parsed.value, { rulesets: options.rulesets, hostSets: new Map(Object.entries(options.hostSets())) });
  if (!resolved.ok) return err(asOne(resolved.error));
  const document = resolved.value as unknown as JsonValue;
  const compiled = options.engine.load({ policy: document, rules: options.rules });
  if (!compiled.ok) return err(asOne(compiled.error));
  return ok({
    name: resolved.value.name === '' ? name : resolved.value.name,
    source,
    resolved: canonicalize(document),
    hash: policyHash(resolved.value),
  });
}

/** Opens the policy in force over what the store keeps. */
export function openPolicyInForce(options: PolicyInForceOptions): PolicyInForce {
  let current: ClosableEngine | undefined;
  let problem: string | undefined;

  function takeUp(): ClosableEngine | undefined {
    const before = current;
    const loaded = loadActive(options);
    problem = loaded.ok ? undefined : describe(loaded.error);
    if (!loaded.ok) return undefined;
    current = loaded.value;
    return before;
  }

  takeUp();
  return {
    engineFor: (): LoadedEngine | undefined => current,
    get problem(): string | undefined {
      return problem;
    },
    compile: (source, name = NAME) => compile(options, source, name),
    async set(source: string, name: string = NAME): Promise<Result<PolicyView, Fault>> {
      const draft = compile(options, source, name);
      if (!draft.ok) return draft;
      const kept = options.store.setPolicy(draft.value);
      if (kept.ok) await takeUp()?.close();
      return kept;
    },
    async reload(): Promise<void> {
      await takeUp()?.close();
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
