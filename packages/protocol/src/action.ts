/**
 * @module Action: one thing an agent wants to do, in one shape, whatever door it came through.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';

/** Kinds with a fixed name; `remote.*`, `input.*` and `session.*` are families. */
export const ACTION_KINDS = [
  'file.read',
  'file.write',
  'file.patch',
  'shell.exec',
  'net.egress',
  'db.query',
  'tool.call',
  'mcp.call',
  'prompt.input',
  'model.output',
  'tool.response',
  'agent.delegate',
  'agent.message',
  'secret.access',
] as const;

/** Families of kinds: any kind that begins with one of these and has at least one more character. */
export const ACTION_KIND_FAMILIES = ['remote.', 'input.', 'session.'] as const;

export type ActionKind = (typeof ACTION_KINDS)[number] | `${(typeof ACTION_KIND_FAMILIES)[number]}${string}`;

const FIXED: ReadonlySet<string> = new Set(ACTION_KINDS);

/** True for a kind the judge knows; anything else is denied. */
export function isActionKind(kind: string): kind is ActionKind {
  if (FIXED.has(kind)) return true;
  return ACTION_KIND_FAMILIES.some((family) => kind.length > family.length && kind.startsWith(family));
}

/** What a tool says of itself; untrusted text. */
export interface ToolDescriptor {
  /** 64 lower-case hex characters as the client sent or the server computed it; opaque. */
  readonly hash: string;
  readonly description?: string;
  readonly schema?: JsonValue;
}

/** Where an action came in. */
export interface ActionSource {
  /** For example `clampd-sdk`, `claude-code`, `langchain`; `unknown` where nothing is said. */
  readonly framework: string;
  /** The door: `clampd`, `embedded`, `cli`, ... */
  readonly door: string;
}

/** W3C trace context, where the caller sent one. */
export interface Trace {
  readonly traceId: string;
  readonly spanId?: string;
}

/**
 * One action. `JCS(Action)` is what a receipt commits to and what the vault keeps, so it holds everything that may
 * influence a verdict and nothing else. `kind` is a string here: an unknown kind is data, and is denied.
 */
export interface Action {
  readonly v: 1;
  /** UUIDv7. */
  readonly id: string;
  readonly kind: string;
  /** Canonical tool name, lower-case dotted where the door knows the mapping (`database.query`, `shell.exec`). */
  readonly tool?: string;
  readonly params?: JsonValue;
  /** JSON pointers into this action whose strings were number literals that a double cannot hold exactly. */
  readonly exactNumbers?: readonly string[];
  /** Free text: a prompt, a model output, a tool response, the body of a file. */
  readonly content?: string;
  /** Text that led to the call and travels with it (`prompt_context` of the Clampd door). Judged as a prompt. */
  readonly context?: string;
  readonly source: ActionSource;
  readonly org: string;
  readonly agent: string;
  readonly session: string;
  /** End user on whose behalf the agent acts, where known. Subject of the vault key. */
  readonly subject?: string;
  readonly trace?: Trace;
  /** From the root caller to the direct caller; the agent itself is not in it. */
  readonly delegation: readonly string[];
  readonly descriptor?: ToolDescriptor;
  /** Where the request is to be sent, in forward mode. */
  readonly targetUrl?: string;
  /** Provenance of the text (channel, document), free form; untrusted. */
  readonly origin?: JsonObject;
}
