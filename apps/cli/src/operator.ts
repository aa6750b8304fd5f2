/**
 * @module What an operator can do, whoever does it: a running gateway through its operator door, or this process on the data
 * directory itself where no gateway has it open.
 */
import type { AgentCreated, AgentView, ApiKeyCreated, ApiKeyDraft, ApiKeyView, PolicyView } from '@countersign/pipeline';
import type { JsonObject } from '@countersign/kernel';

/** One entry of the log, newest last. */
export interface LoggedEntry {
  readonly index: number;
  /** The entry as it stands in the log: `{body, signatures}`. */
  readonly entry: JsonObject;
}

export interface Operator {
  /** For people: `gateway http://...` or `directory ...`. */
  readonly where: string;
  createAgent(draft: { readonly name: string; readonly scopes: readonly string[] }): Promise<AgentCreated>;
  listAgents(): Promise<readonly AgentView[]>;
  setAgentState(agent: string, state: AgentView['state'], reason: string): Promise<AgentView>;
  createApiKey(draft: Omit<ApiKeyDraft, 'org'>): Promise<ApiKeyCreated>;
  listApiKeys(): Promise<readonly ApiKeyView[]>;
  revokeApiKey(id: string): Promise<ApiKeyView>;
  listPolicies(): Promise<readonly PolicyView[]>;
  /** Puts a document in force: the whole of it, or nothing. */
  setPolicy(source: string): Promise<PolicyView>;
  /** Verifier key of the log. */
  logKey(): Promise<string>;
  /** The newest signed checkpoint, as text. */
  checkpoint(): Promise<string>;
  /** Durable entries in the log. */
  size(): Promise<number>;
  /** Entries from `from` on, oldest first, at most `count` and at most 1000. */
  entries(from: number, count: number): Promise<readonly LoggedEntry[]>;
  /** The bundle of an entry, with everything that was sealed with it. */
  bundle(id: string): Promise<Uint8Array>;
  close(): Promise<void>;
}
