/**
 * @module Which Cedar policies can hold for a request, by what their heads say of action and resource. What a head rules out is not
 * asked: those that are left are one prepared set, made when it is first wanted.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { POLICY_LIMITS } from '../limits.ts';
import type { CedarAnswer, CedarCall, CedarInstance } from './cedar-wasm.ts';

export interface IndexedPolicy {
  readonly id: string;
  readonly text: string;
  /** Ids of actions of which the request's action must be one or be in one; undefined: any. */
  readonly actions: ReadonlySet<string> | undefined;
  /** The same for tools. */
  readonly tools: ReadonlySet<string> | undefined;
}

/** The action and the tool of a request, each with what it is in. */
export interface Chains {
  readonly actions: readonly string[];
  readonly tools: readonly string[];
}

function entityId(value: JsonValue | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const inner = isJsonObject(value['__entity']) ? value['__entity'] : value;
  return typeof inner['id'] === 'string' ? inner['id'] : undefined;
}

/**
 * The ids that a constraint of a head names; undefined where it holds for others too. `==` counts as `in`, which can only ask too many.
 * A constraint that is not known here holds for all.
 */
function namedIn(constraint: JsonValue | undefined): ReadonlySet<string> | undefined {
  if (!isJsonObject(constraint)) return undefined;
  const inner: JsonObject = isJsonObject(constraint['in']) ? constraint['in'] : constraint;
  const listed = inner['entities'];
  const ids = (Array.isArray(listed) ? listed : [inner['entity']]).map(entityId);
  return ids.includes(undefined) ? undefined : new Set(ids.filter((id) => id !== undefined));
}

/** A policy with what its parsed form says of action and resource. */
export function indexed(id: string, text: string, parsed: JsonObject): IndexedPolicy {
  return { id, text, actions: namedIn(parsed['action']), tools: namedIn(parsed['resource']) };
}

function concerns({ actions, tools }: IndexedPolicy, chains: Chains): boolean {
  return (
    (actions === undefined || chains.actions.some((id) => actions.has(id))) &&
    (tools === undefined || chains.tools.some((id) => tools.has(id)))
  );
}

function union(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...(set ?? [])]));
}

/** A set of policies, sharded by action and tool. */
export class PolicyIndex {
  readonly #name: string;
  readonly #policies: readonly IndexedPolicy[];
  readonly #actions: ReadonlySet<string>;
  readonly #tools: ReadonlySet<string>;
  /** Name of the prepared set by what a request mentions of all that policies mention; empty: none concerns it. */
  readonly #shards = new Map<string, string>();
  readonly #prepared = new Set<string>();

  constructor(name: string, policies: readonly IndexedPolicy[]) {
    this.#name = name;
    this.#policies = policies;
    this.#actions = union(policies.map(({ actions }) => actions));
    this.#tools = union(policies.map(({ tools }) => tools));
  }

  get size(): number {
    return this.#policies.length;
  }

  /** How many prepared sets there are. */
  get shards(): number {
    return this.#prepared.size;
  }

  /** After this the sets are prepared anew, for another instance. */
  forget(): void {
    this.#shards.clear();
    this.#prepared.clear();
  }

  /** What the policies say; undefined where none of them concerns the request. Throws where Cedar does. */
  ask(cedar: CedarInstance, chains: Chains, call: () => CedarCall): CedarAnswer | undefined {
    const shard = this.#shardFor(cedar, chains);
    return shard === '' ? undefined : cedar.ask(shard, call());
  }

  #shardFor(cedar: CedarInstance, chains: Chains): string {
    const mentioned = [chains.actions.filter((id) => this.#actions.has(id)), chains.tools.filter((id) => this.#tools.has(id))];
    const key = JSON.stringify(mentioned);
    const known = this.#shards.get(key);
    if (known !== undefined) return known;
    // Past the limit all policies are asked: the answer is the same.
    const full = this.#shards.size >= POLICY_LIMITS.cedarShardsMax;
    const chosen = full ? this.#policies : this.#policies.filter((policy) => concerns(policy, chains));
    const shard = this.#prepare(cedar, chosen);
    if (!full) this.#shards.set(key, shard);
    return shard;
  }

  #prepare(cedar: CedarInstance, chosen: readonly IndexedPolicy[]): string {
    if (chosen.length === 0) return '';
    const numbers = new Set(chosen);
    const which =
      chosen.length === this.#policies.length ? 'all' : this.#policies.flatMap((policy, i) => (numbers.has(policy) ? [i] : [])).join(',');
    const name = `${this.#name}:${which}`;
    if (this.#prepared.has(name)) return name;
    const answer = cedar.prepare(name, Object.fromEntries(chosen.map(({ id, text }) => [id, text])));
    if (answer.type === 'failure') throw new Error('a set of policies that were read one by one cannot be prepared');
    this.#prepared.add(name);
    return name;
  }
}
