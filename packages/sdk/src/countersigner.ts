/**
 * @module Whoever can be asked: a gateway over HTTP (`CountersignClient`) or the product inside this process (`./embedded`).
 * Implementations are total: what goes wrong is an answer that refuses.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { Answer } from './answer.ts';

/** What a tool says of itself. */
export interface Descriptor {
  /** 64 lower-case hex characters, see `descriptorHash`. */
  readonly hash: string;
  readonly description?: string;
  readonly inputSchema?: JsonValue;
}

export interface CallOptions {
  /** Where the gateway sends the call itself; empty or absent: the caller acts, the gateway only decides. */
  readonly targetUrl?: string;
  /** Text that led to the call; judged as a prompt. */
  readonly promptContext?: string;
  readonly descriptor?: Descriptor;
  /** Canonical tool names this session may use, at most 100; a tool outside is refused. */
  readonly authorizedTools?: readonly string[];
  /** Session id, at most 128 characters of `A-Z a-z 0-9 _ : . -`; the client's own when absent. */
  readonly session?: string;
  /** Where the agent was asked (`provider`, `space_id`, `visibility`, ...), for policies with origins; the client's own when absent. */
  readonly origin?: JsonObject;
}

export interface InspectOptions {
  readonly requestId?: string;
  readonly scopeToken?: string;
  readonly session?: string;
  readonly origin?: JsonObject;
}

export interface Countersigner {
  /** Asks for a call. `params` is judged as it is given. */
  proxy(tool: string, params: JsonValue, options?: CallOptions): Promise<Answer>;
  /** Has a tool's response judged before the agent sees it. */
  inspect(tool: string, response: JsonValue, options?: InspectOptions): Promise<Answer>;
}
