/** @module The fingerprint of what a tool says of itself, so that a change of its promise is seen (rug pull). */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';

export interface ToolDescription {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema?: JsonValue;
}

/** Lower-case hex SHA-256 of RFC 8785 `{description, inputSchema, name}`; an absent description is empty, an absent schema `{}`. */
export function descriptorHash(tool: ToolDescription): string {
  return sha256Hex(canonicalize({ name: tool.name, description: tool.description ?? '', inputSchema: tool.inputSchema ?? {} }));
}
