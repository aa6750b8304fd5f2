/** @module Kinds of action and scores as rules and templates write them. */
import type { JsonValue } from '@countersign/kernel';
import { ACTION_KIND_FAMILIES, isActionKind } from '@countersign/protocol';
import type { Reading } from './reading.ts';

/** Names for the kinds of action that rules usually mean together. */
export const KIND_GROUPS: Readonly<Record<string, readonly string[]>> = {
  run: ['agent.delegate', 'db.query', 'file.read', 'mcp.call', 'net.egress', 'remote.*', 'secret.access', 'shell.exec', 'tool.call'],
  write: ['file.patch', 'file.write'],
  prompt: ['agent.message', 'input.*', 'prompt.input'],
  response: ['model.output', 'tool.response'],
};

type Path = readonly (string | number)[];

/** Kinds and groups of kinds as the sorted kinds that they stand for. */
export function expandKinds(value: JsonValue | undefined, path: Path, reading: Reading): readonly string[] {
  const written = value === undefined ? ['run'] : reading.list(value, path, { min: 1, max: 32 });
  const kinds = new Set<string>();
  for (const [i, item] of written.entries()) {
    const kind = reading.string(item, [...path, i], 64);
    const group = Object.hasOwn(KIND_GROUPS, kind) ? KIND_GROUPS[kind] : undefined;
    const family = ACTION_KIND_FAMILIES.some((prefix) => kind === `${prefix}*`);
    if (kind === 'any') for (const name of Object.values(KIND_GROUPS).flat()) kinds.add(name);
    else if (group !== undefined) for (const name of group) kinds.add(name);
    else if (isActionKind(kind) || family || kind === 'file.*') kinds.add(kind);
    else
      reading.fault('rule_value', [...path, i], {
        message: `unknown kind of action \`${kind.slice(0, 64)}\``,
        hint: `use a kind, or one of any, ${Object.keys(KIND_GROUPS).join(', ')}`,
      });
  }
  return [...kinds].sort();
}

/** Two decimals to thousandths, so that no fraction ever enters a verdict. */
export function readScore(value: JsonValue | undefined, path: Path, reading: Reading): number {
  if (typeof value === 'number' && value > 0 && value <= 1 && /^\d(\.\d{1,2})?$/.test(String(value))) return Math.round(value * 1000);
  reading.fault(
    value === undefined ? 'rule_missing_field' : 'rule_range',
    path,
    'must be a number above 0 and up to 1, with at most two decimals',
  );
  return 0;
}
