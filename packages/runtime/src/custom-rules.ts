/**
 * @module Rules of the operator beside the built-in packs: documents in `<data>/rules`, checked whole with their examples, merged, and put
 * in force with the policy that is active. A bad document changes nothing. Where the directory itself is bad at a start there is no set
 * that anybody meant, so every action is denied until it is mended.
 */
import { sha256Hex } from '@countersign/crypto';
import type { Engine } from '@countersign/judge';
import { canonicalize, err, type Fault, invariant, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { AdminStore, RulePackView, RulesDesk, RulesRefusal, RulesResult, RulesView } from '@countersign/pipeline';
import { type PolicyDocument, resolvePolicy } from '@countersign/policy';
import { joinRuleDocuments, mergeRuleDocuments, parseRules, type RuleSet, ruleSetJson } from '@countersign/rules';
import type { EngineFile } from './engine-file.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { readRuleDirectory, removePack, type WrittenPack, writePack } from './rule-directory.ts';
import { testRuleExamples } from './rule-examples.ts';

export interface CustomRulesOptions {
  readonly dataDir: string;
  /** The built-in rules, resolved. */
  readonly builtin: JsonValue;
  readonly engine: Engine;
  readonly file: EngineFile;
  readonly rulesets: ReadonlyMap<string, PolicyDocument>;
  readonly store: Pick<AdminStore, 'putDocument' | 'document'>;
}

/** What was read at the start. */
export interface CustomRules {
  /** All rules as one set; or why there is none. */
  readonly rules: Result<JsonValue, Fault>;
  /** The desk for what comes, over the policy that is loaded with `rules`. */
  desk(policy: PolicyInForce): RulesDesk;
}

type Packs = ReadonlyMap<string, WrittenPack>;

function rejected(faults: readonly Fault[]): RulesRefusal {
  const [first, ...more] = faults;
  const said = first?.message ?? 'the rules are refused';
  const place = first?.path === undefined ? {} : { path: first.path };
  const hint = first?.hint === undefined ? {} : { hint: first.hint };
  const message = more.length === 0 ? said : `${said} (and ${more.length} more faults)`;
  return { fault: { code: 'rules_rejected', message, ...place, ...hint }, faults };
}

const UNKNOWN: RulesRefusal = {
  fault: { code: 'rule_pack_unknown', message: 'there is no such pack among your own', hint: '`GET /api/v1/rules` lists them' },
  faults: [],
};

function viewOf({ document, source }: WrittenPack): RulePackView {
  const { pack, description, rules } = document;
  return { pack, description, rules: rules.length, hash: sha256Hex(source) };
}

/** A policy under which nothing but the rules speaks. */
function permissivePolicy(rulesets: CustomRulesOptions['rulesets']): JsonValue {
  const document = rulesets.get('permissive');
  const resolved = document === undefined ? undefined : resolvePolicy(document, { rulesets, hostSets: new Map() });
  invariant(resolved?.ok === true, 'the ruleset `permissive` resolves');
  return resolved.value as unknown as JsonValue;
}

/** The examples of a document, under its own rules alone: what it says must hold wherever it goes. */
async function exampleFaults(options: CustomRulesOptions, { document }: WrittenPack): Promise<readonly Fault[]> {
  const rules = mergeRuleDocuments([document]);
  if (!rules.ok) return rules.error;
  const { engine, file, rulesets } = options;
  const tested = await testRuleExamples({
    engine,
    file,
    policy: permissivePolicy(rulesets),
    documents: [document],
    rules: rules.value,
  });
  if (!tested.ok) return tested.error;
  return tested.value.failures.map(({ rule, wanted, path }) => ({
    code: 'rule_example_failed',
    message: `rule \`${rule}\` ${wanted === 'finding' ? 'does not find its positive example' : 'finds its negative example'}`,
    path,
    hint: 'mend the rule or the example; `countersign rules test FILE` runs them',
  }));
}

/** Documents that were put in force once are kept by hash, and their examples are not run at each start. */
async function untestedFaults(options: CustomRulesOptions, packs: readonly WrittenPack[]): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const pack of packs)
    if (options.store.document(sha256Hex(pack.source)) === undefined) faults.push(...(await exampleFaults(options, pack)));
  return faults;
}

/** The documents of the directory, tested; but not the pack `without`. */
async function readTested(options: CustomRulesOptions, without?: string): Promise<Result<Packs, readonly Fault[]>> {
  const read = readRuleDirectory(options.dataDir, without);
  if (!read.ok) return read;
  const faults = await untestedFaults(options, read.value);
  return faults.length > 0 ? err(faults) : ok(new Map(read.value.map((pack) => [pack.document.pack, pack])));
}

function joined({ builtin }: CustomRulesOptions, packs: Packs): Result<JsonValue, readonly Fault[]> {
  if (packs.size === 0) return ok(builtin);
  const documents = [...packs.values()].map(({ document }) => document);
  // Built-in rules come out of `ruleSetJson`.
  const set = joinRuleDocuments(builtin as unknown as RuleSet, documents, 'the built-in rules');
  return set.ok ? ok(ruleSetJson(set.value)) : set;
}

/** Keeps the set for bundles and replay, and its documents as they were written. */
function keep({ store }: CustomRulesOptions, rules: JsonValue, packs: Packs): void {
  const text = canonicalize(rules);
  store.putDocument(sha256Hex(text), text);
  for (const { source } of packs.values()) store.putDocument(sha256Hex(source), source);
}

function asProblem(faults: readonly Fault[]): Fault {
  const { fault } = rejected(faults);
  return { ...fault, message: `the rules of this installation are refused: ${fault.message}` };
}

class Desk implements RulesDesk {
  readonly options: CustomRulesOptions;
  readonly policy: PolicyInForce;
  /** Undefined while the directory is refused. */
  packs: Packs | undefined;
  problem: string | null;
  turn: Promise<unknown> = Promise.resolve();

  constructor(options: CustomRulesOptions, policy: PolicyInForce, start: Result<Packs, Fault>) {
    this.options = options;
    this.policy = policy;
    this.packs = start.ok ? start.value : undefined;
    this.problem = start.ok ? null : start.error.message;
  }

  view(): RulesView {
    const packs = [...(this.packs?.values() ?? [])].map(viewOf).toSorted((a, b) => (a.pack < b.pack ? -1 : 1));
    const hash = this.policy.engineFor('')?.inputs.rules ?? '';
    return { hash, packs, ignored: this.policy.ignoredRules(), problem: this.problem };
  }

  source(pack: string): string | undefined {
    return this.packs?.get(pack)?.source;
  }

  /** Loads the policy with these packs beside the built-in ones. What it gives puts them in force, in the same turn of the loop. */
  prepare(packs: Packs): RulesResult<() => Promise<void>> {
    const rules = joined(this.options, packs);
    if (!rules.ok) return err(rejected(rules.error));
    const takeUp = this.policy.withRules(rules.value);
    if (!takeUp.ok) return err(rejected(takeUp.error));
    return ok(() => {
      keep(this.options, rules.value, packs);
      this.packs = packs;
      this.problem = null;
      return takeUp.value();
    });
  }

  async read(source: string): Promise<RulesResult<WrittenPack>> {
    const parsed = parseRules(source, 'rules.yaml');
    if (!parsed.ok) return err(rejected(parsed.error));
    const pack = { document: parsed.value, source };
    const faults = await exampleFaults(this.options, pack);
    return faults.length > 0 ? err(rejected(faults)) : ok(pack);
  }

  /** The packs in force; where there are none, those of the directory beside `pack`. */
  async others(pack: string): Promise<RulesResult<Packs>> {
    if (this.packs !== undefined) return ok(this.packs);
    const read = await readTested(this.options, pack);
    return read.ok ? read : err(rejected(read.error));
  }

  async check(source: string): Promise<RulesResult<RulePackView>> {
    return this.inTurn(async () => {
      const read = await this.read(source);
      if (!read.ok) return read;
      const { pack } = read.value.document;
      const others = await this.others(pack);
      if (!others.ok) return others;
      const prepared = this.prepare(new Map([...others.value, [pack, read.value]]));
      return prepared.ok ? ok(viewOf(read.value)) : prepared;
    });
  }

  async put(pack: string, source: string): Promise<RulesResult<RulePackView>> {
    return this.inTurn(async () => {
      const read = await this.read(source);
      if (!read.ok) return read;
      if (read.value.document.pack !== pack) {
        const message = `the document is the pack \`${read.value.document.pack}\`, not \`${pack.slice(0, 64)}\``;
        return err(rejected([{ code: 'rule_value', message, path: '/pack', hint: 'put it under its own name' }]));
      }
      const others = await this.others(pack);
      if (!others.ok) return others;
      return this.change(new Map([...others.value, [pack, read.value]]), () => {
        writePack(this.options.dataDir, read.value);
        return viewOf(read.value);
      });
    });
  }

  async remove(pack: string): Promise<RulesResult<RulesView>> {
    return this.inTurn(async () => {
      const { packs } = this;
      if (packs === undefined) return this.removeRefused(pack);
      if (!packs.has(pack)) return err(UNKNOWN);
      const left = new Map([...packs].filter(([name]) => name !== pack));
      const changed = await this.change(left, () => removePack(this.options.dataDir, pack));
      return changed.ok ? ok(this.view()) : changed;
    });
  }

  async reload(): Promise<RulesResult<RulesView>> {
    return this.inTurn(() => this.readAgain());
  }

  /** What was loaded is what is written is what is in force: nothing else runs in between, no other change of a policy either. */
  async change<T>(packs: Packs, write: () => T): Promise<RulesResult<T>> {
    const prepared = this.prepare(packs);
    if (!prepared.ok) return prepared;
    const written = write();
    await prepared.value();
    return ok(written);
  }

  /** Takes a file away while the directory is refused, and looks whether what is left is good. */
  async removeRefused(pack: string): Promise<RulesResult<RulesView>> {
    if (!removePack(this.options.dataDir, pack)) return err(UNKNOWN);
    const read = await this.readAgain();
    if (!read.ok) this.problem = asProblem(read.error.faults).message;
    return ok(this.view());
  }

  async readAgain(): Promise<RulesResult<RulesView>> {
    const read = await readTested(this.options);
    if (!read.ok) return err(rejected(read.error));
    const changed = await this.change(read.value, () => undefined);
    return changed.ok ? ok(this.view()) : changed;
  }

  /** One change after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }
}

/** Reads the operator's rules and merges them with the built-in ones. */
export async function openCustomRules(options: CustomRulesOptions): Promise<CustomRules> {
  const read = await readTested(options);
  const rules = read.ok ? joined(options, read.value) : read;
  if (rules.ok && read.ok) keep(options, rules.value, read.value);
  const merged: Result<JsonValue, Fault> = rules.ok ? rules : err(asProblem(rules.error));
  const start: Result<Packs, Fault> = merged.ok && read.ok ? read : err(merged.ok ? asProblem([]) : merged.error);
  return { rules: merged, desk: (policy) => new Desk(options, policy, start) };
}
