/**
 * @module The policy in force: loaded once, replaced whole, never half. A document that does not compile changes nothing; with none at
 * all, every action is denied, and says why.
 */
import { canonicalize, codeOf, err, type Fault, type JsonValue, ok, type Result } from '@countersign/kernel';
import { type IntelWorld, outsideOf } from '@countersign/intel';
import type { Engine } from '@countersign/judge';
import type { AdminStore, EngineProvider, LoadedEngine, PolicyDraft, PolicyView } from '@countersign/pipeline';
import {
  isPolicyBundle,
  parsePolicy,
  type PolicyDocument,
  policyHash,
  type ResolvedPolicy,
  resolvePolicy,
  verifyPolicyBundle,
} from '@countersign/policy';
import { type RuleSet, unknownRules } from '@countersign/rules';
import { readRuleset } from './builtin.ts';
import type { EngineFile } from './engine-file.ts';
import type { HostSets } from './host-sets.ts';
import { type ClosableEngine, loadEngine } from './load-engine.ts';
import { asOne } from './one-fault.ts';
import { patternFilesIn } from './pattern-files.ts';
import { type PolicyChange, PolicyChanges, type PolicySource } from './policy-changes.ts';

export interface PolicyInForceOptions {
  readonly engine: Engine;
  readonly file: EngineFile;
  /** Resolved rules, as plain JSON, that hold at first; or why there are none: then every action is denied. */
  readonly rules: Result<JsonValue, Fault>;
  readonly rulesets: ReadonlyMap<string, PolicyDocument>;
  readonly store: Pick<AdminStore, 'setPolicy' | 'activePolicy'>;
  /** Asked at each compilation, so that a set that an operator changes holds for the next document. */
  readonly hostSets: () => HostSets;
  /** Clock, timer and named secrets, for guards that ask the outside. */
  readonly intel: IntelWorld;
  /** Keys whose bundles are believed, asked at each bundle. */
  readonly signers: () => readonly string[];
  /** Where relative paths begin that a policy names for its pattern databases. */
  readonly patternsDir: string;
}

export interface PolicyInForce extends EngineProvider {
  /** Why the last change was refused, while the policy before it is in force; undefined where it was not. */
  readonly refused: string | undefined;
  /** How many changes came into force since the start, and how many were refused. */
  readonly counts: { readonly changed: number; readonly refused: number };
  /** Has `listener` hear of every change from here on; a change is done when what it gives has resolved. */
  onChange(listener: (change: PolicyChange) => Promise<void>): void;
  /** A change could not even be read: the policy in force stays, and `refused` says why. */
  refuse(fault: Fault, by: PolicySource): Promise<void>;
  /**
   * Checks, resolves and compiles a document as written, or a signed bundle by a key of `signers`, and asks those that its guards would ask
   * whether their answers will be of use; changes nothing. `name` stands where the document names itself not.
   */
  compile(source: string, name?: string): Promise<Result<PolicyDraft, Fault>>;
  /** Compiles a document and puts it in force. On any fault the policy in force stays as it is. */
  set(source: string, name?: string, by?: PolicySource): Promise<Result<PolicyView, Fault>>;
  /**
   * Loads the active policy with other rules. Nothing is changed until what it gives is called, in the same turn of the loop; until then
   * another policy could come into force.
   */
  withRules(rules: JsonValue): Result<() => Promise<void>, readonly Fault[]>;
  /** Ids of rules that the active policy names and the rules in force do not have. */
  ignoredRules(): readonly string[];
  /**
   * Asks those that guards of the active policy ask, as `set` does. One that does not answer leaves the policy in force: its guards then say
   * that there is no answer. One whose answers are of no use makes every action denied.
   */
  prove(): Promise<Result<undefined, Fault>>;
  /** Takes up what the store says is active. On a fault the policy in force stays, and `problem` says so until the next that loads. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const NAME = 'policy';

function describe(fault: Fault): string {
  return `the policy is refused: ${fault.message}${fault.path === undefined ? '' : ` (${fault.path})`}`;
}

/** What a policy is loaded with. */
interface Loading extends Omit<PolicyInForceOptions, 'rules'> {
  rules: Result<JsonValue, Fault>;
}

function load({ engine, file, rules, intel }: Loading, resolved: string): Result<ClosableEngine, readonly Fault[]> {
  if (!rules.ok) return err([rules.error]);
  const policy = JSON.parse(resolved) as JsonValue;
  // The engine has checked its shape before anybody asks whom it asks.
  const outside = (): ReturnType<typeof outsideOf> => outsideOf(policy as unknown as ResolvedPolicy, intel);
  return loadEngine(engine, file, { policy, rules: rules.value, outside });
}

/** Asks those that guards would ask, once, whether their answers will be of use. Nobody where no guard asks. */
async function proven(loaded: ClosableEngine): Promise<Result<ClosableEngine, Fault>> {
  const probed = (await loaded.outside?.probe()) ?? ok(undefined);
  if (probed.ok) return ok(loaded);
  await loaded.close();
  return probed;
}

/** Loads what the store says is active. */
function loadActive(options: Loading): Result<ClosableEngine, Fault> {
  const active = options.store.activePolicy();
  if (active === undefined) return err({ code: 'policy_unavailable', message: 'no policy is loaded: every action is denied' });
  const loaded = load(options, active.resolved);
  return loaded.ok ? loaded : err(asOne(loaded.error));
}

/** What the active policy says of rules that are not there. */
function ignoredBy({ rules, store }: Loading): readonly string[] {
  const active = store.activePolicy();
  if (active === undefined || !rules.ok) return [];
  // The store keeps what `compile` resolved, and the rules were loaded: both have their form.
  const { detection } = JSON.parse(active.resolved) as ResolvedPolicy;
  return detection === undefined ? [] : unknownRules(rules.value as unknown as RuleSet, detection);
}

/** A draft, and the engine that was loaded with exactly its resolved text to see that it can be. */
interface Compiled {
  readonly draft: PolicyDraft;
  readonly loaded: ClosableEngine;
}

/** What a document says with all that it extends. */
function resolveDocument(options: Loading, source: string, name: string): Result<ResolvedPolicy, Fault> {
  const parsed = parsePolicy(source, `${name}.yaml`);
  if (!parsed.ok) return err(asOne(parsed.error));
  const { rulesets, intel } = options;
  const hostSets = new Map(Object.entries(options.hostSets()));
  const files = patternFilesIn(options.patternsDir);
  const resolved = resolvePolicy(parsed.value, { rulesets, hostSets, files, nowMs: intel.clock.nowMs(), named: intel.secrets });
  return resolved.ok ? resolved : err(asOne(resolved.error));
}

/** The policy of a bundle by a key that the operator pinned: resolved by who signed it, and taken as it is. */
function openBundle(options: Loading, source: string): Result<ResolvedPolicy, Fault> {
  let pinned: readonly string[];
  try {
    pinned = options.signers();
  } catch (error) {
    return err({ code: codeOf(error), message: 'who may sign policies cannot be read, so no bundle is believed' });
  }
  const verified = verifyPolicyBundle(new TextEncoder().encode(source), pinned);
  return verified.ok ? ok(verified.value.policy) : verified;
}

function compile(options: Loading, source: string, name: string): Result<Compiled, Fault> {
  const resolved = isPolicyBundle(source) ? openBundle(options, source) : resolveDocument(options, source, name);
  if (!resolved.ok) return resolved;
  const text = canonicalize(resolved.value as unknown as JsonValue);
  const loaded = load(options, text);
  if (!loaded.ok) return err(asOne(loaded.error));
  const draft = {
    name: resolved.value.name === '' ? name : resolved.value.name,
    source,
    resolved: text,
    hash: policyHash(resolved.value),
  };
  return ok({ draft, loaded: loaded.value });
}

class InForce implements PolicyInForce {
  readonly #options: Loading;
  readonly #changes = new PolicyChanges();
  #current: ClosableEngine | undefined;
  #problem: string | undefined;

  constructor(given: PolicyInForceOptions) {
    this.#options = { ...given };
    this.#takeUp(loadActive(this.#options));
  }

  get counts(): PolicyInForce['counts'] {
    return this.#changes.counts;
  }

  get refused(): string | undefined {
    return this.#changes.refused;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get #hash(): string | undefined {
    return this.#current?.inputs.policy;
  }

  /** Puts what was loaded in force, and gives back what was before: for the caller to close. */
  #takeUp(loaded: Result<ClosableEngine, Fault>): ClosableEngine | undefined {
    const before = this.#current;
    this.#problem = loaded.ok ? undefined : describe(loaded.error);
    if (!loaded.ok) return undefined;
    this.#current = loaded.value;
    return before;
  }

  /** Puts what was loaded in force, tells of it, and closes what was before. */
  async #putInForce(loaded: Result<ClosableEngine, Fault>, by: PolicySource): Promise<void> {
    const old = this.#hash;
    const before = this.#takeUp(loaded);
    if (loaded.ok) await this.#changes.changed(by, old, this.#hash);
    await before?.close();
  }

  async #compileAndPut(source: string, name: string, by: PolicySource): Promise<Result<PolicyView, Fault>> {
    const { rules } = this.#options;
    const compiled = compile(this.#options, source, name);
    if (!compiled.ok) return compiled;
    const able = await proven(compiled.value.loaded);
    if (!able.ok) return able;
    // Other rules came into force while somebody outside was asked.
    if (this.#options.rules !== rules) {
      await able.value.close();
      return this.#compileAndPut(source, name, by);
    }
    const kept = this.#options.store.setPolicy(compiled.value.draft);
    if (kept.ok) await this.#putInForce(able, by);
    else await able.value.close();
    return kept;
  }

  onChange(heard: (change: PolicyChange) => Promise<void>): void {
    this.#changes.listener = heard;
  }

  refuse(fault: Fault, by: PolicySource): Promise<void> {
    return this.#changes.refuse(fault, by, this.#hash);
  }

  engineFor(): LoadedEngine | undefined {
    return this.#current;
  }

  async compile(source: string, name: string = NAME): Promise<Result<PolicyDraft, Fault>> {
    const compiled = compile(this.#options, source, name);
    if (!compiled.ok) return compiled;
    const able = await proven(compiled.value.loaded);
    return able.ok ? ok(compiled.value.draft) : able;
  }

  async set(source: string, name: string = NAME, by: PolicySource = 'operator'): Promise<Result<PolicyView, Fault>> {
    const kept = await this.#compileAndPut(source, name, by);
    // Whoever asks is told; what only a file says has nobody to tell.
    if (!kept.ok && by === 'file') await this.refuse(kept.error, by);
    return kept;
  }

  withRules(rules: JsonValue): Result<() => Promise<void>, readonly Fault[]> {
    const active = this.#options.store.activePolicy();
    const loaded = active === undefined ? undefined : load({ ...this.#options, rules: ok(rules) }, active.resolved);
    if (loaded?.ok === false) return loaded;
    return ok(async () => {
      this.#options.rules = ok(rules);
      if (loaded !== undefined) await this.#takeUp(loaded)?.close();
    });
  }

  ignoredRules(): readonly string[] {
    return ignoredBy(this.#options);
  }

  async prove(): Promise<Result<undefined, Fault>> {
    const probed = (await this.#current?.outside?.probe()) ?? ok(undefined);
    if (probed.ok || probed.error.code === 'outside_unreachable') return probed;
    await this.#current?.close();
    this.#current = undefined;
    this.#problem = describe(probed.error);
    return probed;
  }

  async reload(): Promise<void> {
    await this.#putInForce(loadActive(this.#options), 'operator');
  }

  async close(): Promise<void> {
    await this.#current?.close();
  }
}

/** Opens the policy in force over what the store keeps. */
export function openPolicyInForce(options: PolicyInForceOptions): PolicyInForce {
  return new InForce(options);
}

/** Puts a built-in ruleset in force where nothing is. */
export async function startWithRuleset(policy: PolicyInForce, ruleset: string): Promise<Result<PolicyView, Fault>> {
  const source = await readRuleset(ruleset);
  return source.ok ? policy.set(source.value, ruleset) : err(asOne(source.error));
}
